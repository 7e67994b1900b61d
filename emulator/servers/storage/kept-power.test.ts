// Kept records on a flash that loses its power at every write: what was acknowledged is there, each
// request is there as a whole or not at all, and the orders of a collection say the same.

import { test } from 'vitest';
import { cutPowerIn } from '../../../test/support/server-power.ts';
import type { Order, UserReader, UserWriter } from '../bso-storage.ts';
import { TEST_NOW_MS } from '../testing.ts';
import { addUser, KeptBsos } from './kept-bsos.ts';
import type { ServerStorage } from './server-storage.ts';

const LATER_MS = TEST_NOW_MS + 60_000;

const changes = (from: number, count: number, ttl: number | null = null) =>
  Array.from({ length: count }, (_, index) => ({
    ...{ id: `r${from + index}`, payload: `${from}`.repeat(120), sortindex: index % 3, ttl },
  }));
const state = (records: number) => ({ openedMs: TEST_NOW_MS, records, bytes: records });

/** Requests that are acknowledged one after the other. */
const STORY: readonly ((user: UserWriter) => Promise<unknown>)[] = [
  (user) => user.write('col', changes(0, 12)),
  (user) => user.extendBatch('col', 'b', changes(6, 10), state(10)),
  (user) => user.write('other', changes(0, 4, 30)),
  (user) => user.extendBatch('col', 'b', changes(12, 10), state(20)),
  async (user) => user.write('col', await user.closeBatch('col', 'b')),
  (user) => user.deleteRecords('col', ['r1', 'r7', 'none']),
  (user) => user.deleteCollection('col'),
  (user) => user.write('col', changes(3, 5)),
  (user) => user.deleteAll(),
  (user) => user.write('col', changes(9, 3)),
];
/** From here on, what was to expire has. */
const EXPIRED_AT = 6;
const timeOf = (step: number): number => (step < EXPIRED_AT ? TEST_NOW_MS : LATER_MS);

/** With a KeptBsos of its own, which leaves nothing at work behind. */
async function withBsos<T>(storage: ServerStorage, work: (bsos: KeptBsos) => Promise<T>) {
  const bsos = new KeptBsos(storage);
  return work(bsos).finally(() => bsos.close());
}

/** All that a client may see, and what the orders say beside each other. */
async function stateAfter(storage: ServerStorage, step: number): Promise<string> {
  const seen = await withBsos(storage, (bsos) =>
    bsos.write(1, timeOf(step), async (user) => ({
      modifiedMs: user.modifiedMs,
      of: [await user.stamps(), await user.counts(), await user.usage()].map((all) => [...all]),
      batch: await user.batch('col', 'b'),
      lists: [
        ...[await listed(user, 'oldest'), await listed(user, 'newest')],
        await listed(user, 'index'),
      ],
    })),
  );
  return JSON.stringify(seen);
}

async function listed(user: UserReader, order: Order): Promise<unknown> {
  const limits = { newerMs: Number.NEGATIVE_INFINITY, olderMs: Number.POSITIVE_INFINITY };
  const stretch = { ...limits, order, fromMs: null, behind: null, skip: 0, limit: 1_000 };
  return [(await user.list('col', stretch)).items, (await user.list('other', stretch)).items];
}

test('a power cut at any write leaves what was acknowledged, and whole requests', async () => {
  await cutPowerIn({
    prepare: (storage) => storage.transaction('users', async (tx) => addUser(tx, 1)),
    requests: STORY.map(
      (request, step) => (storage) =>
        withBsos(storage, (bsos) => bsos.write(1, timeOf(step), request)),
    ),
    stateAfter,
  });
});
