// A long list is sent in portions, and never tells of a record what it is not any more.

import { describe, expect, test } from 'vitest';
import type { Stretch } from '../bso-storage.ts';
import type { Bso } from '../store.ts';
import { orderEntries, placed, recordKey } from './bso-keys.ts';
import { listIds, listRecords, type Reading } from './kept-listing.ts';
import { memoryStorage } from './local-storage.ts';
import type { ServerStorage } from './server-storage.ts';

const PLACE = '1.1';
const ALL: Stretch = {
  ...{ order: 'oldest', newerMs: -1, olderMs: 1e14, fromMs: null, behind: null },
  ...{ skip: 0, limit: 1_000_000 },
};

const bsoOf = (n: number, more: Partial<Bso> = {}): Bso => ({
  ...{ id: `r${n}`, modifiedMs: 1_000 + n, payload: 'x', sortindex: n, expiresMs: null },
  ...more,
});

async function put(storage: ServerStorage, bsos: readonly Bso[]): Promise<void> {
  for (let at = 0; at < bsos.length; at += 400) {
    await storage.transaction('one', async (tx) => {
      for (const bso of bsos.slice(at, at + 400)) {
        tx.put(recordKey(PLACE, bso.id), JSON.stringify(bso));
        for (const [key, value] of orderEntries(1, 'col', PLACE, placed(bso))) tx.put(key, value);
      }
    });
  }
}

/** A place with these records; `listed` reads it as it is at each moment. */
async function filled(bsos: readonly Bso[]) {
  const storage = memoryStorage();
  await put(storage, bsos);
  const again: Reading = (work) => storage.read('one', work);
  return {
    storage,
    records: (stretch: Partial<Stretch> = {}) =>
      storage.read('one', (reader) => listRecords(reader, again, PLACE, { ...ALL, ...stretch })),
    ids: (stretch: Partial<Stretch> = {}) =>
      storage.read('one', (reader) => listIds(reader, again, PLACE, { ...ALL, ...stretch })),
  };
}

async function portionsOf<T>(items: readonly T[] | AsyncIterable<readonly T[]>): Promise<T[][]> {
  if (!(Symbol.asyncIterator in items)) return [[...items]];
  const all: T[][] = [];
  for await (const some of items) all.push([...some]);
  return all;
}

const many = (count: number) => Array.from({ length: count }, (_, n) => bsoOf(n));

describe('a short list', () => {
  test('is at hand, in its order, with its end', async () => {
    const { records, ids } = await filled(many(5));
    const listing = await records({ limit: 3 });
    expect(listing).toMatchObject({ count: 3, hasMore: true, end: { id: 'r2', stampMs: 1_002 } });
    expect(Array.isArray(listing.items)).toBe(true);
    expect((await ids({ order: 'newest', limit: 2 })).items).toEqual(['r4', 'r3']);
    expect((await ids({ order: 'index', skip: 3 })).items).toEqual(['r1', 'r0']);
    expect(await ids({ skip: 9 })).toMatchObject({ count: 0, hasMore: false, items: [] });
  });

  test('begins where it is told, and keeps between its stamps', async () => {
    const { ids } = await filled(many(6));
    expect((await ids({ newerMs: 1_001, olderMs: 1_004 })).items).toEqual(['r2', 'r3']);
    expect((await ids({ fromMs: 1_003 })).items).toEqual(['r3', 'r4', 'r5']);
    expect((await ids({ order: 'newest', fromMs: 1_002 })).items).toEqual(['r2', 'r1', 'r0']);
    const behind = { sortindex: 3, id: 'r3' };
    expect((await ids({ order: 'index', behind })).items).toEqual(['r2', 'r1', 'r0']);
  });

  test('counts the records of its last stamp', async () => {
    const same = [0, 1, 2].map((n) => bsoOf(n, { modifiedMs: 1_000 }));
    const { ids } = await filled([...same, bsoOf(9)]);
    expect((await ids({ limit: 2 })).end).toMatchObject({ stampMs: 1_000, position: 2 });
    expect((await ids({ fromMs: 1_000, skip: 1, limit: 2 })).end).toMatchObject({ position: 3 });
    expect((await ids()).end).toMatchObject({ id: 'r9', position: 1 });
  });
});

describe('a long list', () => {
  test('of many records comes in portions, each record once', async () => {
    const { records, ids } = await filled(many(2_600));
    const listing = await records();
    expect([listing.count, Array.isArray(listing.items)]).toEqual([2_600, false]);
    const portions = await portionsOf(listing.items);
    expect(portions.length).toBeGreaterThan(5);
    expect(Math.max(...portions.map((one) => one.length))).toBeLessThanOrEqual(500);
    expect(portions.flat().map(({ id }) => id)).toEqual(many(2_600).map(({ id }) => id));
    const all = await portionsOf((await ids({ order: 'newest' })).items);
    expect([all.length > 1, all.flat().length, all.flat()[0]]).toEqual([true, 2_600, 'r2599']);
  });

  test('of long records comes in portions of bounded length', async () => {
    const payload = 'x'.repeat(700_000);
    const { records } = await filled([0, 1, 2, 3, 4].map((n) => bsoOf(n, { payload })));
    const portions = await portionsOf((await records()).items);
    expect(portions.map((one) => one.length)).toEqual([2, 2, 1]);
  });

  test.each([
    ['changed', (bso: Bso) => ({ ...bso, modifiedMs: 9_999 })],
    ['gone', () => null],
  ])('breaks off where a record is %s meanwhile', async (_, change) => {
    const { storage, records } = await filled(many(2_600));
    const { items } = await records();
    const last = bsoOf(2_599);
    await storage.transaction('one', async (tx) => {
      const next = change(last);
      if (next === null) tx.remove(recordKey(PLACE, last.id));
      else tx.put(recordKey(PLACE, last.id), JSON.stringify(next));
    });
    await expect(portionsOf(items)).rejects.toThrow('has changed while it was listed');
  });

  test('breaks off where its end is not there any more', async () => {
    const { storage, ids } = await filled(many(2_600));
    const { items } = await ids();
    await storage.transaction('one', async (tx) => {
      for (const bso of many(2_600).slice(2_500)) {
        for (const [key] of orderEntries(1, 'col', PLACE, placed(bso))) tx.remove(key);
      }
    });
    await expect(portionsOf(items)).rejects.toThrow('has changed while it was listed');
  });
});
