// One folder, two services: each has a server, a sign-in and collections of its own, and what
// becomes of one is nothing to the other.

import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, test } from 'vitest';
import { type Serving, serveOnLoopback } from '../../../emulator/servers/serve.ts';
import { syntheticAccount } from '../../../emulator/servers/synthetic.ts';
import {
  credentialsOf,
  run,
  serveAccount,
  temporaryFolder,
} from '../../../test/support/commands.ts';

let home: Serving;
let work: Serving;
let folder: string;
let args: string[];

beforeEach(async () => {
  home = await serveAccount(5);
  const own = new Map([['notes', 4]]);
  const account = { ...syntheticAccount({ records: 0, seed: 2, own }), email: 'work@example.test' };
  work = await serveOnLoopback({ port: 0, account });
  folder = temporaryFolder();
  const first = await credentialsOf(home, join(folder, 'home.json'));
  const second = await credentialsOf(work, join(folder, 'work.json'));
  args = [
    ...['sync', '--once', '--data', data(), '--remote', 'work=sync15:notes'],
    ...['--token-server', home.world.urls.token, '--credentials', first],
    ...['--token-server', `work=${work.world.urls.token}`, '--credentials', `work=${second}`],
  ];
});
afterEach(async () => {
  await home.close();
  await work.close();
});

const data = () => join(folder, 'data');
const on = (command: string, ...more: string[]) => run([command, '--data', data(), ...more]);
const statusOf = async () => JSON.parse((await on('status', '--json')).out);

it('syncs both, and shows both', async () => {
  expect(await run(args)).toMatchObject({ code: 0, complaints: '' });
  const { code, out } = await on('status');
  expect(code).toBe(0);
  expect(out).toMatch(/^service +first\naccount +user@example.test\n/);
  expect(out).toMatch(/\n\nservice +work\naccount +work@example.test\n/);
  expect(out).toMatch(/\nhistory +5 held, 0 to send/);
  expect(out).toMatch(/\nnotes +4 held, 0 to send/);
  expect((await on('status', '--remote', 'work')).out).not.toContain('history');
  expect((await on('list', 'notes')).out.trim().split('\n')).toHaveLength(4);
  expect(JSON.parse((await on('export')).out).notes).toHaveLength(4);
});

it('sends what is changed to the service that has the collection', async () => {
  await run(args);
  const { out: id } = await on('put', 'notes', '{"title": "here"}');
  expect((await run(args)).code).toBe(0);
  const stored = (serving: Serving) =>
    [...serving.world.store.users.values()].map(({ collections }) =>
      collections.get('notes')?.get(id.trim(), Date.now()),
    );
  expect(stored(work)[0]).toBeDefined();
  expect(stored(home)[0]).toBeUndefined();
});

it.each(['home', 'work'] as const)('goes on with one while %s does not answer', async (which) => {
  await run(args);
  await on('put', 'notes', '{"title": "x"}');
  await on('put', 'history', '{"url": "https://x.example/"}');
  await (which === 'home' ? home : work).close();
  const { code, complaints } = await run(args);
  expect([code, complaints]).toEqual([1, expect.stringContaining('ECONNREFUSED')]);
  const { remotes } = await statusOf();
  const [down, up] = which === 'home' ? ['first', 'work'] : ['work', 'first'];
  expect(remotes[down].error.code).toBe('offline');
  expect(remotes[up].error).toBe(null);
  expect(remotes.first.collections.history.pending).toBe(which === 'home' ? 1 : 0);
  expect(remotes.work.collections.notes.pending).toBe(which === 'home' ? 0 : 1);
});

it('signs out of one and leaves the other whole', async () => {
  await run(args);
  const left = await on('sign-out', '--remote', 'work', '--yes');
  expect([left.code, left.complaints]).toEqual([0, expect.stringContaining('signed out of work')]);
  expect(readFileSync(join(data(), 'notes.json'), 'utf8')).not.toContain('work');
  const { remotes, account, collections } = await statusOf();
  expect([remotes, account]).toEqual([undefined, 'user@example.test']);
  expect(collections.history.held).toBe(5);
  expect(readFileSync(join(data(), 'notes.json'), 'utf8')).not.toContain('work');
  expect((await on('list', 'notes')).code).toBe(1);
});

test.each<[args: string[], complaint: string]>([
  [['--remote', 'b=sync15:x'], '--token-server b=URL is missing'],
  [['--remote', 'work=sync15:x'], '--remote work is there twice'],
  [['--remote', 'first=sync15:x'], '--remote must be NAME=PROTOCOL[:COLLECTIONS]'],
  [['--collections', 'generic(notes)'], 'notes is named twice, for first and work'],
])('refuses %j', async (more, complaint) => {
  const { code, complaints } = await run([...args, ...more]);
  expect([code, complaints]).toEqual([2, expect.stringContaining(complaint)]);
  rmSync(folder, { recursive: true, force: true });
});
