// One folder, two services: each has a server, a sign-in and collections of its own, and what
// becomes of one is nothing to the other.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Serving } from '../../../emulator/servers/serve.ts';
import { run } from '../../../test/support/commands.ts';
import { twoServices } from '../../../test/support/two-services.ts';

let two: Awaited<ReturnType<typeof twoServices>>;

beforeEach(async () => {
  two = await twoServices();
});
afterEach(() => two.close());

it('syncs both, and shows both', async () => {
  expect(await run(two.args)).toMatchObject({ code: 0, complaints: '' });
  const { code, out } = await two.on('status');
  expect(code).toBe(0);
  expect(out).toMatch(/^service +first\naccount +user@example.test\n/);
  expect(out).toMatch(/\n\nservice +work\naccount +work@example.test\n/);
  expect(out).toMatch(/\nhistory +5 held, 0 to send/);
  expect(out).toMatch(/\nnotes +4 held, 0 to send/);
  expect((await two.on('status', '--remote', 'work')).out).not.toContain('history');
  expect((await two.on('list', 'notes')).out.trim().split('\n')).toHaveLength(4);
  expect(JSON.parse((await two.on('export')).out).notes).toHaveLength(4);
});

it('sends what is changed to the service that has the collection', async () => {
  await run(two.args);
  const { out: id } = await two.on('put', 'notes', '{"title": "here"}');
  expect((await run(two.args)).code).toBe(0);
  const stored = (serving: Serving) =>
    [...serving.world.store.users.values()].map(({ collections }) =>
      collections.get('notes')?.get(id.trim(), Date.now()),
    );
  expect(stored(two.work)[0]).toBeDefined();
  expect(stored(two.home)[0]).toBeUndefined();
});

it.each(['home', 'work'] as const)('goes on with one while %s does not answer', async (which) => {
  await run(two.args);
  await two.on('put', 'notes', '{"title": "x"}');
  await two.on('put', 'history', '{"url": "https://x.example/"}');
  await two[which].close();
  const { code, complaints } = await run(two.args);
  expect([code, complaints]).toEqual([1, expect.stringContaining('ECONNREFUSED')]);
  const { remotes } = await two.status();
  const [down, up] = which === 'home' ? ['first', 'work'] : ['work', 'first'];
  expect(remotes[down].error.code).toBe('offline');
  expect(remotes[up].error).toBe(null);
  expect(remotes.first.collections.history.pending).toBe(which === 'home' ? 1 : 0);
  expect(remotes.work.collections.notes.pending).toBe(which === 'home' ? 0 : 1);
});

it('signs out of one and leaves the other whole', async () => {
  await run(two.args);
  const left = await two.on('sign-out', '--remote', 'work', '--yes');
  expect([left.code, left.complaints]).toEqual([0, expect.stringContaining('signed out of work')]);
  expect(readFileSync(join(two.data, 'notes.json'), 'utf8')).not.toContain('work');
  const { remotes, account, collections } = await two.status();
  expect([remotes, account]).toEqual([undefined, 'user@example.test']);
  expect(collections.history.held).toBe(5);
  expect(readFileSync(join(two.data, 'notes.json'), 'utf8')).not.toContain('work');
  expect((await two.on('list', 'notes')).code).toBe(1);
});
