// The user's web apps on a computer: a folder of files, and what is said of them here.

import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Serving } from '../../../emulator/servers/serve.ts';
import { credentialsOf, run, serveAccount } from '../../../test/support/commands.ts';
import { temporaryFolder } from '../../../test/support/folders.ts';

const A = 'https://a.example';
const B = 'https://b.example';
const FILES = [A, B].map((origin) => `${encodeURIComponent(origin)}.json`);

let serving: Serving;
/** Two computers of one user. */
let here: string;
let there: string;
let sync: (to: string) => Promise<void>;

beforeAll(async () => {
  serving = await serveAccount(1);
  here = join(temporaryFolder(), 'data');
  there = join(temporaryFolder(), 'data');
  const credentials = await credentialsOf(serving, join(temporaryFolder(), 'credentials.json'));
  const server = ['--token-server', serving.world.urls.token, '--credentials', credentials];
  sync = async (to) => {
    const all = ['sync', ...server, '--data', to, '--collections', 'apps', '--once', '--no-device'];
    expect(await run(all)).toMatchObject({ code: 0 });
  };
  await sync(here);
  await sync(there);
});
afterAll(() => serving.close());

const apps = (data: string, ...words: string[]) => run(['apps', ...words, '--data', data]);
const filesIn = (data: string): string[] =>
  readdirSync(join(data, 'apps')).filter((name) => name.endsWith('.json'));

describe('apps on a computer', () => {
  test('that are installed are files, on the other one as soon as it has synced', async () => {
    const manifest = join(temporaryFolder(), 'm.json');
    writeFileSync(manifest, '{"name":"Ä"}');
    const installed = await apps(here, 'install', A, manifest, '--manifest-url', `${A}/m`);
    expect(installed).toMatchObject({ code: 0, out: `${A}\tinstalled\n` });
    expect(filesIn(here)).toEqual(FILES.slice(0, 1));
    await sync(here);
    await sync(there);
    expect(JSON.parse(readFileSync(join(there, 'apps', FILES[0] ?? ''), 'utf8'))).toMatchObject({
      manifest: { name: 'Ä' },
      manifest_url: `${A}/m`,
    });
    expect(await apps(here, 'list')).toMatchObject({ out: `${A}\tÄ\there\tinstalled\n` });
    expect(await apps(there, 'list')).toMatchObject({ code: 0, out: '' });
    const { out } = await apps(there, 'list', '--purpose', 'remote');
    expect(out).toBe(`${A}\tÄ\telsewhere\tinstalled\n`);
  });

  test('that somebody puts into the folder are in the collection, and out again', async () => {
    writeFileSync(join(there, 'apps', FILES[1] ?? ''), '{"manifest":{"name":"B"}}');
    await sync(there);
    await sync(here);
    expect(filesIn(here)).toEqual(FILES);
    const { out } = await apps(there, 'list', '--json');
    expect(JSON.parse(out)).toMatchObject([{ guid: B, sync: false }]);
    rmSync(join(here, 'apps', FILES[1] ?? ''));
    await sync(here);
    await sync(there);
    expect(filesIn(there)).toEqual(FILES.slice(0, 1));
  });

  test('are promoted, hidden, and shown again', async () => {
    expect(await apps(there, 'promote', A)).toMatchObject({ code: 0, out: '', complaints: '' });
    expect((await apps(there, 'list')).out).toBe(`${A}\tÄ\telsewhere,promoted\tinstalled\n`);
    await apps(there, 'hide', A);
    expect((await apps(there, 'list')).out).toBe('');
    const hidden = await apps(there, 'list', '--purpose', 'hidden');
    expect(hidden.out).toBe(`${A}\tÄ\telsewhere,promoted,hidden\tinstalled\n`);
    await apps(there, 'hide', A, '--off');
    await apps(there, 'promote', A, '--off');
    expect((await apps(there, 'list', '--purpose', 'pick')).out).toContain('elsewhere\t');
  });

  test('are removed for all devices', async () => {
    expect(await apps(there, 'remove', A)).toMatchObject({ code: 0 });
    expect(filesIn(there)).toEqual([]);
    await sync(there);
    await sync(here);
    expect(filesIn(here)).toEqual([]);
  });

  test('are exported whoever has installed them', async () => {
    await apps(here, 'install', A, join(temporaryFolder(), 'none.json'));
    const manifest = join(temporaryFolder(), 'm.json');
    writeFileSync(manifest, '{"name":"A"}');
    await apps(here, 'install', A, manifest);
    await sync(here);
    await sync(there);
    const { out } = await run(['export', '--data', there]);
    expect(JSON.parse(out).apps).toMatchObject([{ guid: A, sync: true }]);
  });

  test.each([
    ['no manifest at all', ['install', B], 'no manifest was given'],
    ['what is no JSON', ['install', B, 'half.json'], 'the manifest is not JSON'],
    ['what is no manifest', ['install', B, 'list.json'], 'give one manifest'],
    ['a file that is not there', ['install', B, 'none.json'], 'cannot read'],
    ['an app that is not there', ['promote', B], 'there is no such app'],
    ['what is no origin', ['hide', 'x'], 'id: not the origin of a web app'],
  ])('refuses %s', async (_, words, complaint) => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'list.json'), '[{},{}]');
    writeFileSync(join(folder, 'half.json'), '{');
    const typed = words.map((word) => (word.endsWith('.json') ? join(folder, word) : word));
    const { code, complaints } = await apps(here, ...typed);
    expect(code).toBeGreaterThan(0);
    expect(complaints).toContain(complaint);
  });
});
