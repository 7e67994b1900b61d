import { describe, expect, it, test } from 'vitest';
import {
  type Bso,
  type BsoChange,
  Collection,
  changedBso,
  nextStampMs,
  Store,
  toStampMs,
  User,
} from './store.ts';

const NOW_MS = 1_000_000;
const bso = (id: string, modifiedMs: number, more: Partial<Bso> = {}): Bso => ({
  ...{ id, modifiedMs, payload: id, sortindex: null, expiresMs: null },
  ...more,
});

/** All records by rising stamp, as they can be read one by one. */
function idsOf(collection: Collection, nowMs = NOW_MS): string {
  const { length, at } = collection.oldestFirst(nowMs);
  expect(() => at(length)).toThrow(RangeError);
  return Array.from({ length }, (_, index) => at(index).id).join(' ');
}

describe('a stamp', () => {
  it('is on a grid of 10 ms, and later than the last one whatever the clock says', () => {
    expect([toStampMs(1_239), toStampMs(1_230)]).toEqual([1_230, 1_230]);
    expect(nextStampMs(0, 1_239)).toBe(1_230);
    expect(nextStampMs(1_230, 1_239)).toBe(1_240);
    expect(nextStampMs(5_000, 1_239)).toBe(5_010);
  });
});

describe('a change of a record', () => {
  const old = bso('a', 10, { payload: 'p', sortindex: 5, expiresMs: 99 });

  test.each<[BsoChange, Partial<Bso>]>([
    [
      { id: 'a', payload: 'new' },
      { payload: 'new', modifiedMs: 50 },
    ],
    [
      { id: 'a', payload: null },
      { payload: '', modifiedMs: 50 },
    ],
    [
      { id: 'a', sortindex: 0 },
      { sortindex: 0, modifiedMs: 50 },
    ],
    [
      { id: 'a', sortindex: null },
      { sortindex: null, modifiedMs: 50 },
    ],
    // No news for other clients.
    [{ id: 'a', ttl: 2 }, { expiresMs: 2_050 }],
    [{ id: 'a', ttl: null }, { expiresMs: null }],
    [
      { id: 'a', ttl: 0, payload: 'x' },
      { expiresMs: 50, payload: 'x', modifiedMs: 50 },
    ],
    [{ id: 'a' }, {}],
  ])('%j keeps what it does not name', (change, expected) => {
    expect(changedBso(old, change, 50)).toEqual({ ...old, ...expected });
  });

  test('that was not there is one with nothing in it', () => {
    expect(changedBso(undefined, { id: 'a', ttl: 1 }, 50)).toEqual({
      ...bso('a', 50, { payload: '', expiresMs: 1_050 }),
    });
  });
});

describe('a collection', () => {
  it('has its records by stamp, those of one stamp by id, and in the order they came', () => {
    const collection = new Collection();
    for (const one of [bso('b', 20), bso('c', 10), bso('a', 20)]) collection.set(one);
    expect(idsOf(collection)).toBe('c a b');
    collection.set(bso('c', 30));
    expect(idsOf(collection)).toBe('a b c');
    expect([...collection.inArrivalOrder(NOW_MS)].map(({ id }) => id)).toEqual(['b', 'c', 'a']);
    collection.delete('a');
    collection.delete('none');
    expect([idsOf(collection), collection.count(NOW_MS)]).toEqual(['b c', 2]);
    expect(collection.get('a', NOW_MS)).toBeUndefined();
  });

  it('has no record past its time to live, in no answer', () => {
    const collection = new Collection();
    collection.set(bso('a', 10, { expiresMs: NOW_MS }));
    collection.set(bso('b', 20, { expiresMs: NOW_MS + 1 }));
    collection.set(bso('c', 30, { payload: 'é' }));
    expect(idsOf(collection, NOW_MS - 1)).toBe('a b c');
    expect(collection.get('a', NOW_MS)).toBeUndefined();
    expect(idsOf(collection, NOW_MS)).toBe('b c');
    expect([...collection.inArrivalOrder(NOW_MS + 1)].map(({ id }) => id)).toEqual(['c']);
    expect(collection.payloadBytes(NOW_MS + 1)).toBe(2);
  });
});

describe('a lazy base under later writes', () => {
  const base = Array.from({ length: 5 }, (_, index) => bso(`r${index}`, 10 + index * 10));

  function lazyUser() {
    const made = { count: 0 };
    const user = new User(1, null);
    const collection = new Collection({
      count: base.length,
      at: (index) => {
        made.count++;
        return base[index] as Bso;
      },
      indexOf: (id) => base.findIndex((record) => record.id === id),
    });
    user.collections.set('col', collection);
    user.modifiedMs = 50;
    return { user, collection, made };
  }

  it('is read one by one', () => {
    const { collection, made } = lazyUser();
    expect(collection.oldestFirst(NOW_MS).at(3).id).toBe('r3');
    expect([made.count, collection.isLazy('r3'), collection.isLazy('none')]).toEqual([
      1,
      true,
      false,
    ]);
  });

  it('has replaced records at the end, none that were deleted, and the others as they are', () => {
    const { user, collection } = lazyUser();
    user.write('col', [{ id: 'r1', payload: 'new' }], NOW_MS);
    user.deleteRecords('col', ['r3', 'absent'], NOW_MS);
    expect(idsOf(collection)).toBe('r0 r2 r4 r1');
    expect(collection.get('r1', NOW_MS)?.payload).toBe('new');
    expect(collection.get('r3', NOW_MS)).toBeUndefined();
    expect([collection.isLazy('r1'), collection.isLazy('r3')]).toEqual([false, false]);
    user.write('col', [{ id: 'r3', payload: 'again' }], NOW_MS);
    expect([idsOf(collection), collection.count(NOW_MS)]).toEqual(['r0 r2 r4 r1 r3', 5]);
    // What was replaced and deleted does not come back from below.
    user.deleteRecords('col', ['r1'], NOW_MS);
    expect(idsOf(collection)).toBe('r0 r2 r4 r3');
    const arrived = [...collection.inArrivalOrder(NOW_MS)].map(({ id }) => id);
    expect(arrived).toEqual(['r0', 'r2', 'r4', 'r3']);
  });

  it('stays as it is with a new time to live alone', () => {
    const { user, collection } = lazyUser();
    user.write('col', [{ id: 'r1', ttl: 1 }], NOW_MS);
    expect(collection.get('r1', NOW_MS + 5_000)).toEqual(base[1]);
  });
});

describe('a user', () => {
  it('has one stamp for all that is written at once, over all collections', () => {
    const user = new User(1, null);
    const first = user.write('col', [{ id: 'a' }, { id: 'b' }], NOW_MS);
    const second = user.write('other', [{ id: 'c' }], NOW_MS);
    expect([first, second, user.modifiedMs]).toEqual([NOW_MS, NOW_MS + 10, NOW_MS + 10]);
    const col = user.collections.get('col');
    expect([col?.modifiedMs, col?.get('b', NOW_MS)?.modifiedMs]).toEqual([first, first]);
    expect(user.payloadBytes(NOW_MS)).toBe(0);
  });

  it('keeps a collection whose records are gone, and has a new stamp for each deletion', () => {
    const user = new User(1, null);
    user.write('col', [{ id: 'a', payload: 'é' }], NOW_MS);
    expect(user.payloadBytes(NOW_MS)).toBe(2);
    const stamp = user.deleteRecords('col', ['a'], NOW_MS);
    expect([stamp, user.collections.get('col')?.modifiedMs]).toEqual([NOW_MS + 10, NOW_MS + 10]);
    expect(user.deleteRecords('none', ['a'], NOW_MS)).toBe(NOW_MS + 20);
    expect(user.deleteCollection('col', NOW_MS)).toBe(NOW_MS + 30);
    // One that is not there changes nothing.
    expect(user.deleteCollection('col', NOW_MS)).toBe(NOW_MS + 30);
    user.write('col', [{ id: 'a' }], NOW_MS);
    expect([user.deleteAll(NOW_MS), user.collections.size]).toEqual([NOW_MS + 50, 0]);
  });

  it('tells who wants to know which records changed', () => {
    const user = new User(1, null);
    const told: unknown[] = [];
    user.onChange = (name, ids) => told.push([name, ids]);
    user.write('col', [{ id: 'a' }, { id: 'b' }], NOW_MS);
    user.deleteRecords('col', ['a'], NOW_MS);
    user.deleteRecords('none', ['a'], NOW_MS);
    user.deleteCollection('none', NOW_MS);
    user.deleteCollection('col', NOW_MS);
    user.write('col', [], NOW_MS);
    user.deleteAll(NOW_MS);
    expect(told).toEqual([
      ['col', ['a', 'b']],
      ['col', ['a']],
      ['col', null],
      ['col', []],
      ['col', null],
    ]);
  });

  it('has the next number, or one that is given', () => {
    const store = new Store();
    expect(store.addUser(null).uid).toBe(1);
    expect(store.addUser('f', 7).uid).toBe(7);
    expect(store.addUser(null).uid).toBe(8);
    expect(store.users.get(7)?.keyFingerprint).toBe('f');
  });
});
