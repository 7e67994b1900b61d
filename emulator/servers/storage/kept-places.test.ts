// What token servers remember together, and after a restart: two of them on one storage.

import { expect, test } from 'vitest';
import { accountClient } from '../account-client.ts';
import { askToken, emptyAccount, type Pass, startWorld, type TestWorld } from '../testing.ts';
import { addUsers, KeptBsos } from './kept-bsos.ts';
import { addPlaces, keptPlaces } from './kept-places.ts';
import { memoryStorage } from './local-storage.ts';

async function twoWorlds(): Promise<[TestWorld, TestWorld]> {
  const storage = memoryStorage();
  const account = emptyAccount();
  await storage.transaction('account', async (tx) => {
    await addUsers(tx, account.store, 0);
    addPlaces(tx, account.store);
  });
  const start = () =>
    startWorld({
      account,
      storage: { bsos: new KeptBsos(storage), places: keptPlaces(storage) },
    });
  return [start(), start()];
}

const deviceOf = (world: TestWorld, password: string) =>
  accountClient({
    fetch: world.fetch,
    baseUrl: world.urls.accounts,
    credentials: { email: world.account.email, password },
    nowMs: () => world.clock.nowMs,
  });

async function passOf(world: TestWorld, password = world.account.password) {
  const answer = await askToken(world, deviceOf(world, password));
  return { status: answer.status, json: (await answer.json()) as Pass & { status: string } };
}

test('a generation that one has seen is not gone behind by another one', async () => {
  const [first, second] = await twoWorlds();
  expect((await passOf(second)).status).toBe(200);
  first.accounts.changePassword(first.account.email, 'new');
  expect((await passOf(first, 'new')).json.uid).toBe(1);
  const late = await passOf(second);
  expect([late.status, late.json.status]).toEqual([401, 'invalid-generation']);
});

test('each new key has a place of its own, and its place again', async () => {
  const [first, second] = await twoWorlds();
  expect((await passOf(first)).json.uid).toBe(1);
  for (const [uid, world] of [
    [2, first],
    [3, second],
  ] as const) {
    world.clock.nowMs += 1_000 * uid;
    world.accounts.resetPassword(world.account.email, 'new', `${uid}`.repeat(64));
    expect((await passOf(world, 'new')).json.uid).toBe(uid);
  }
  expect((await passOf(second, 'new')).json.uid).toBe(3);
});

test('one who is refused leaves nothing behind', async () => {
  const [first] = await twoWorlds();
  expect((await passOf(first)).json.uid).toBe(1);
  const headers = { 'X-KeyID': `1-${'A'.repeat(22)}` };
  expect((await askToken(first, first.device, headers)).status).toBe(401);
  expect((await passOf(first)).json.uid).toBe(1);
});
