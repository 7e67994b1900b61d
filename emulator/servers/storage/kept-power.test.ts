// Kept records on a flash that loses its power at every write: what was acknowledged is there, each
// request is there as a whole or not at all, and the orders of a collection say the same.

import { expect, test } from 'vitest';
import { every } from '../../../test/sim/share.ts';
import { Flash, PowerCut } from '../../device/flash.ts';
import type { Fault } from '../../device/flash-image.ts';
import { FlashStorage } from '../../device/flash-storage.ts';
import { createRandom } from '../../device/random.ts';
import { loadProfile } from '../../profiles.ts';
import type { Order, UserReader, UserWriter } from '../bso-storage.ts';
import { TEST_NOW_MS } from '../testing.ts';
import { addUser, KeptBsos } from './kept-bsos.ts';
import { localStorage, memoryStorage } from './local-storage.ts';
import type { ServerStorage } from './server-storage.ts';

const FAULTS: readonly Fault[] = ['lost', 'reordered', 'torn'];
const { flash: profile } = loadProfile('panasonic-cx700');
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

async function open(flash: Flash): Promise<ServerStorage> {
  const random = createRandom(7);
  const storage = await FlashStorage.open({
    ...{ flash, random, quotaBytes: profile.quotaBytes, heapBytesMax: 0, nowMs: () => 0 },
    // Small, so that merges and checkpoints come often.
    tuning: { tailBytesMax: 800, youngEntriesMax: 20, checkpointPages: 6, cacheKiB: 32 },
  });
  return localStorage(storage, () => undefined);
}

/** The number of requests that were acknowledged. */
async function runStory(storage: ServerStorage, from: number): Promise<number> {
  const bsos = new KeptBsos(storage);
  let done = from;
  try {
    for (; done < STORY.length; done++)
      await bsos.write(1, timeOf(done), async (user) => STORY[done]?.(user));
  } catch (error) {
    if (!(error instanceof PowerCut)) throw error;
  }
  await bsos.close();
  return done;
}

/** All that a client may see after so many requests, and what the orders say beside each other. */
async function stateAfter(storage: ServerStorage, step: number): Promise<string> {
  const bsos = new KeptBsos(storage);
  const seen = await bsos.write(1, timeOf(step), async (user) => ({
    modifiedMs: user.modifiedMs,
    of: [await user.stamps(), await user.counts(), await user.usage()].map((all) => [...all]),
    batch: await user.batch('col', 'b'),
    lists: [
      ...[await listed(user, 'oldest'), await listed(user, 'newest')],
      await listed(user, 'index'),
    ],
  }));
  await bsos.close();
  return JSON.stringify(seen);
}

async function listed(user: UserReader, order: Order): Promise<unknown> {
  const limits = { newerMs: Number.NEGATIVE_INFINITY, olderMs: Number.POSITIVE_INFINITY };
  const stretch = { ...limits, order, fromMs: null, behind: null, skip: 0, limit: 1_000 };
  return [(await user.list('col', stretch)).items, (await user.list('other', stretch)).items];
}

/** By the number of requests that were acknowledged. */
async function expectedStates(): Promise<string[]> {
  const storage = memoryStorage();
  const bsos = new KeptBsos(storage);
  await storage.transaction('users', async (tx) => addUser(tx, 1));
  const states = [await stateAfter(storage, 0)];
  for (const [step, request] of STORY.entries()) {
    await bsos.write(1, timeOf(step), request);
    states.push(await stateAfter(storage, step + 1));
  }
  await bsos.close();
  return states;
}

test('a power cut at any write leaves what was acknowledged, and whole requests', async () => {
  const expected = await expectedStates();
  const stride = every(16);
  let cuts = 0;
  for (let cutAfter = stride; ; cutAfter += stride) {
    const flash = new Flash({ profile, charge() {} });
    const before = await open(flash);
    await before.transaction('users', async (tx) => addUser(tx, 1));
    flash.cutAt = flash.events + cutAfter;
    const acknowledged = await runStory(before, 0);
    if (acknowledged === STORY.length && flash.events < flash.cutAt) break;
    for (const fault of FAULTS) {
      const image = flash.imageAfterCut(createRandom(cutAfter), fault);
      const storage = await open(new Flash({ profile, charge() {}, image }));
      const found: number[] = [];
      for (const step of [acknowledged, acknowledged + 1])
        if ((await stateAfter(storage, step)) === expected[step]) found.push(step);
      expect([cutAfter, fault, acknowledged, found.length]).toEqual([
        ...[cutAfter, fault, acknowledged, 1],
      ]);
      expect(await runStory(storage, found[0] ?? 0)).toBe(STORY.length);
      expect(await stateAfter(storage, STORY.length)).toBe(expected[STORY.length]);
      cuts++;
    }
  }
  console.log(`${cuts} cuts of power`);
  expect(cuts).toBeGreaterThan(10);
});
