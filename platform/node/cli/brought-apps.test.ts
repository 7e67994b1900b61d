// What becomes of a computer's web apps when somebody signs out.

import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it, test } from 'vitest';
import type { Serving } from '../../../emulator/servers/serve.ts';
import { credentialsOf, run, serveAccount, testTerminal } from '../../../test/support/commands.ts';
import { temporaryFolder } from '../../../test/support/folders.ts';
import { MemoryStorage } from '../../memory/storage.ts';
import { broughtApps, removeApps } from './brought-apps.ts';
import { main } from './main.ts';

const [OURS, THEIRS, LIKED] = [
  'https://ours.example',
  'https://theirs.example',
  'https://l.example',
];

let serving: Serving;
let credentials: string;
let server: string[];
let here: string;
const filesIn = (data: string): string[] =>
  readdirSync(join(data, 'apps'))
    .filter((name) => name.endsWith('.json'))
    .map((name) => decodeURIComponent(name.slice(0, -5)))
    .sort();
const sync = (data: string, ...more: string[]) =>
  run(['sync', ...server, '--data', data, '--once', '--no-device', ...more]);
const signOut = (...more: string[]) => run(['sign-out', '--data', here, '--yes', ...more]);
async function install(data: string, origin: string): Promise<void> {
  const manifest = join(temporaryFolder(), 'm.json');
  writeFileSync(manifest, '{"name":"A"}');
  expect(await run(['apps', 'install', origin, manifest, '--data', data])).toMatchObject({
    code: 0,
  });
}

beforeAll(async () => {
  serving = await serveAccount(1);
  credentials = await credentialsOf(serving, join(temporaryFolder(), 'credentials.json'));
  server = ['--token-server', serving.world.urls.token, '--credentials', credentials];
  server.push('--collections', 'apps');
  const there = join(temporaryFolder(), 'data');
  await sync(there);
  for (const origin of [THEIRS, LIKED]) await install(there, `${origin}`);
  expect(await sync(there)).toMatchObject({ code: 0 });
});
afterAll(() => serving.close());

/** A computer with an app of its own, and those of the account. */
beforeEach(async () => {
  here = join(temporaryFolder(), 'data');
  await sync(here);
  await install(here, `${OURS}`);
  await run(['apps', 'promote', `${LIKED}`, '--data', here]);
  expect(filesIn(here)).toEqual([LIKED, OURS, THEIRS]);
});

it('takes those that the account has brought, and leaves those of the computer', async () => {
  const { code, complaints } = await signOut();
  expect([code, complaints]).toEqual([
    0,
    `nothing of Kitsync is left in ${here}; not removed: apps (installed here)\n`,
  ]);
  expect(filesIn(here)).toEqual([OURS]);
  // Whoever comes next has what was here, and nothing of the account before.
  await sync(here);
  expect(filesIn(here)).toEqual([LIKED, OURS, THEIRS]);
  const own = await run(['apps', 'list', '--purpose', 'own', '--data', here]);
  expect(own.out).toBe(`${OURS}\tA\there\tinstalled\n`);
  await run(['apps', 'remove', `${OURS}`, '--data', here]);
  expect((await signOut()).complaints).toBe(`no data is left in ${here}\n`);
  expect(readdirSync(here)).toEqual([]);
});

it('says so before', async () => {
  const terminal = testTerminal({ input: async () => 'no\n' });
  const person = Object.assign(terminal, { isInteractive: true });
  expect(await main(['sign-out', '--data', here], person)).toBe(1);
  expect(terminal.complaints).toContain(
    'apps that were installed on this computer stay in its folder apps',
  );
  expect(filesIn(here)).toHaveLength(3);
});

test('a folder that is not the one that had the apps is left alone', async () => {
  rmSync(join(here, 'apps', '.mark'));
  expect((await signOut()).complaints).toContain('not removed: apps');
  expect(filesIn(here)).toHaveLength(3);
});

test('of a service among others they go with that one', async () => {
  const data = join(temporaryFolder(), 'data');
  const two = [
    ...['sync', '--token-server', serving.world.urls.token, '--credentials', credentials],
    ...['--data', data, '--once', '--no-device', '--remote', 'mine=sync15:apps'],
    ...['--token-server', `mine=${serving.world.urls.token}`, '--credentials'],
  ];
  expect(await run([...two, `mine=${credentials}`])).toMatchObject({ code: 0 });
  await install(data, 'https://own.example');
  expect(filesIn(data)).toContain(THEIRS);
  await run(['sign-out', '--data', data, '--yes', '--remote', 'first']);
  expect(filesIn(data)).toContain(THEIRS);
  await run(['sign-out', '--data', data, '--yes', '--remote', 'mine']);
  expect(filesIn(data)).toEqual(['https://own.example']);
});

test('however many there are, they are found', async () => {
  const storage = new MemoryStorage();
  const rows = Array.from({ length: 1_001 }, (_, at) => `https://a${at}.example`);
  const row = (sync: unknown) => `d${JSON.stringify({ sync })}`;
  await storage.commit([
    ...rows.map((origin) => [`n=${origin}`, row(true)] as const),
    ['n=https://own.example', row(false)],
    ['n=https://odd.example', 'dnull'],
    ['n', 'd{}'],
    ['n>', row(true)],
  ]);
  expect((await broughtApps(storage)).sort()).toEqual(rows.sort());
  await removeApps(join(here, 'none'), rows);
  expect(existsSync(join(here, 'none'))).toBe(false);
});
