// Strategies of collections whose records mean something: apps see and decide them by the names
// that they know, and two records of one thing may meet as a conflict, too.

import { expect, test } from 'vitest';
import { type SameUser, sameUser, type UserDevice } from '../../test/support/same-user.ts';
import { passwords, type Strategy, settings, strategies } from '../index.ts';

const LOGIN = {
  origin: 'https://a.example',
  formActionOrigin: 'https://a.example',
  username: 'ann',
  password: 'base',
};

/** Two devices of a user; the first one has the strategy. */
async function twoDevices(strategy: Strategy): Promise<SameUser & Record<'a' | 'b', UserDevice>> {
  const same = sameUser('kinto', { collections: [passwords, settings], strategies });
  const a = await same.boot(undefined, { strategies: { passwords: strategy, settings: strategy } });
  await a.agent.enable();
  return { ...same, a, b: await same.signedIn() };
}

const conflictsOf = async ({ agent }: UserDevice, collection = 'passwords') =>
  (await agent.conflicts?.(collection, { limit: 5 }))?.conflicts ?? [];

test('a login is decided by the members that apps know', async () => {
  const { a, b, sync } = await twoDevices('manual');
  const guid = await a.agent.put('passwords', LOGIN);
  await sync(a, b);
  await b.agent.put('passwords', { guid, password: 'theirs' });
  await a.agent.put('passwords', { guid, password: 'ours' });
  await sync(b, a);
  const [conflict] = await conflictsOf(a);
  expect(conflict).toMatchObject({
    ...{ id: guid, ours: { ...LOGIN, password: 'ours' } },
    ...{ theirs: { ...LOGIN, password: 'theirs' }, base: LOGIN },
  });
  await a.agent.resolve?.('passwords', guid, { ...conflict?.theirs, username: 'bob' });
  await sync(a, b);
  for (const { agent } of [a, b]) {
    expect(await agent.get('passwords', guid)).toMatchObject({
      username: 'bob',
      password: 'theirs',
    });
  }
});

test('one login that was made on both sides is a conflict, and no second login', async () => {
  const { a, b, sync } = await twoDevices('manual');
  await b.agent.put('passwords', { ...LOGIN, password: 'theirs' });
  await a.agent.put('passwords', { ...LOGIN, password: 'ours' });
  await sync(b, a);
  const [conflict] = await conflictsOf(a);
  expect(conflict).toMatchObject({ ours: { password: 'ours' }, theirs: { password: 'theirs' } });
  expect(a.agent.status().collections.passwords).toMatchObject({ conflicts: 1, held: 1 });
  await a.agent.resolve?.('passwords', conflict?.id ?? '', 'ours');
  await sync(a, b);
  const { records } = await b.agent.list('passwords', { prefix: '', limit: 5 });
  expect(records).toMatchObject([{ password: 'ours' }]);
  expect(a.agent.status().collections.passwords).toMatchObject({ conflicts: 0, pending: 0 });
});
