// What a server of Firefox Sync gets beside the records of each collection.

import { beforeEach, expect, test } from 'vitest';
import { signedIn, start, sync, world } from '../../../test/support/kinds.ts';
import type { Body } from '../../collections/collection.ts';
import { engineVersion, membersBeside } from './engines.ts';

beforeEach(start);

const DAY_S = 86_400;

/** What the server has beside the payload: its order, and how long it keeps the record. */
function beside(collection: string, id: string): { sortindex?: unknown; ttl: number | null } {
  const [user] = world.servers.world.store.users.values();
  const bso = user?.collections.get(collection)?.get(id, world.servers.nowMs);
  if (!bso) throw new Error(`${collection}/${id} is not there`);
  const { sortindex, expiresMs, modifiedMs } = bso;
  return { sortindex, ttl: expiresMs === null ? null : (expiresMs - modifiedMs) / 1000 };
}

const page = (visits: number): Body => ({
  url: `https://a.test/${visits}`,
  visits: Array.from({ length: visits }, (_, at) => ({ date: 1.7e15 + at * 1e6, type: 1 })),
});

test.each<[string, Body, number | null, number | null]>([
  ['history', page(3), 300, 60 * DAY_S],
  ['history', page(30), 2_000, 60 * DAY_S],
  ['passwords', { hostname: 'https://a.test', formSubmitURL: '', password: 'x' }, 1, null],
  ['forms', { name: 'q', value: 'x' }, null, 3 * 365 * DAY_S],
  ['recipes', { text: 'x' }, null, null],
])('of %s the server has the order and the life', async (name, body, sortindex, ttl) => {
  const device = await signedIn();
  const id = await device.agent.put(name, body);
  await sync(device);
  expect(beside(name, id)).toEqual({ sortindex, ttl });
  await device.agent.delete(name, id);
  await sync(device);
  expect(beside(name, id).ttl).toBe(ttl);
});

test('a tombstone has a life and no order', () => {
  expect(membersBeside('history', null)).toEqual({ ttl: 60 * DAY_S });
  expect(membersBeside('passwords', null)).toEqual({});
  expect(membersBeside('history', { visits: [] })).toEqual({ sortindex: 0, ttl: 60 * DAY_S });
  expect(membersBeside('recipes', { visits: [1] })).toEqual({});
});

test('the device’s own records live half a year', () => {
  for (const name of ['clients', 'tabs']) {
    expect(membersBeside(name, {})).toEqual({ ttl: 180 * DAY_S });
  }
});

test('bookmarks and prefs are of version 2, all others of version 1', () => {
  expect(['bookmarks', 'prefs'].map(engineVersion)).toEqual([2, 2]);
  expect(['history', 'clients', 'recipes', 'constructor'].map(engineVersion)).toEqual([1, 1, 1, 1]);
});
