import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  batchKey,
  batchPartKey,
  behindIndex,
  collectionKey,
  expiredBetween,
  expiringOf,
  expiryOf,
  garbageKey,
  headOfIndex,
  headOfStamp,
  isBatchId,
  after as keyAfter,
  macKey,
  orderEntries,
  type Placed,
  placed,
  readBso,
  readCollectionRow,
  readUserRow,
  recordKey,
  stampRange,
  under,
  userKey,
} from './bso-keys.ts';

const PLACE = '7.1';
const ID = fc.string({ unit: fc.constantFrom(...' !"#/a~'), minLength: 1, maxLength: 6 });
const placedOf = (more: Partial<Placed> = {}): Placed => ({
  ...{ id: 'a', modifiedMs: 1_500, sortindex: null, expiresMs: null, bytes: 3 },
  ...more,
});
const keysOf = (record: Placed) => orderEntries(7, 'col', PLACE, record).map(([key]) => key);
const isKey = (key: string) => /^[!-~]{1,240}$/.test(key);

describe('keys', () => {
  test('name what they hold, with no space and in no more than 240 characters', () => {
    const long = '! '.repeat(32);
    const keys = [
      ...[userKey(7), collectionKey(7, 'col'), garbageKey(PLACE), batchKey(7, 'col', 'x')],
      ...[recordKey(PLACE, long), macKey(7, 5, 'a/b+='), batchPartKey('b/7/col/x', 12)],
      ...keysOf(placedOf({ id: long, expiresMs: 9, sortindex: -999_999_999 })),
    ];
    expect(keys.filter((key) => !isKey(key))).toEqual([]);
    expect(new Set(keys).size).toBe(keys.length);
    expect(macKey(7, -5, 'a/b')).toBe('h/7/000000000000000/a_b');
    expect(batchPartKey('b', 12) < batchPartKey('b', 100)).toBe(true);
  });

  test('are in the order of ids, and give the id back', () => {
    fc.assert(
      fc.property(ID, ID, (one, other) => {
        const [a, b] = [recordKey(PLACE, one), recordKey(PLACE, other)];
        expect(a < b).toBe(one < other);
        const [stamped = '', indexed = '', expiring = ''] = keysOf(
          placedOf({ id: one, expiresMs: 9 }),
        );
        expect([headOfStamp(stamped).id, headOfIndex(indexed).id, expiryOf(expiring).id]).toEqual([
          one,
          one,
          one,
        ]);
      }),
    );
  });

  test('of a batch have an id of up to 40 plain characters', () => {
    expect(['a', 'A-_9', 'x'.repeat(40)].every(isBatchId)).toBe(true);
    expect(['', 'a/b', 'x'.repeat(41), 'é'].some(isBatchId)).toBe(false);
  });
});

describe('the orders', () => {
  it('say of a record what is to be known without it', () => {
    const record = placedOf({ id: 'a b', sortindex: -5, expiresMs: 9_000 });
    const [stamped = '', indexed = '', expiring = ''] = keysOf(record);
    const head = { id: 'a b', modifiedMs: 1_500, bytes: 3 };
    expect(headOfStamp(stamped)).toEqual({ ...head, key: stamped, sortindex: null });
    expect(headOfIndex(indexed)).toEqual({ ...head, key: indexed, sortindex: -5 });
    expect(expiryOf(expiring)).toEqual({ expiresMs: 9_000, place: PLACE, id: 'a b' });
    expect(placed({ ...record, payload: 'é' })).toMatchObject({ id: 'a b', bytes: 2 });
  });

  it('have no entry of expiry for what lives for ever, and none of an index for none', () => {
    expect(keysOf(placedOf())).toHaveLength(2);
    expect(headOfIndex(keysOf(placedOf())[1] ?? '').sortindex).toBeNull();
  });

  it('are by stamp, and by index the highest first, then those without one', () => {
    const stamps = [0, 9, 10, 1_500_000_000_000];
    const byStamp = stamps.map((modifiedMs) => keysOf(placedOf({ modifiedMs }))[0] ?? '');
    expect([...byStamp].sort()).toEqual(byStamp);
    const indexes = [999_999_999, 5, 0, -5, -999_999_999, null];
    const byIndex = indexes.map((sortindex) => keysOf(placedOf({ sortindex }))[1] ?? '');
    expect([...byIndex].sort()).toEqual(byIndex);
  });

  it('have ranges that hold what is between, and nothing of its neighbours', () => {
    const keyAt = (modifiedMs: number) => keysOf(placedOf({ modifiedMs, id: '~' }))[0] ?? '';
    const [from, to] = stampRange(PLACE, 10, 30);
    const isIn = (key: string) => key >= from && key < to;
    expect([10, 11, 29, 30].map((ms) => isIn(keyAt(ms)))).toEqual([false, true, true, false]);
    const [all, end] = stampRange(PLACE, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
    expect(keyAt(0) >= all && keyAt(1_500_000_000_000) < end).toBe(true);
    const { from: first, to: last, limit } = under('t/7.1/', 5);
    expect([first < keyAt(0), keyAt(9) < last, 't/7.10/' < last, limit]).toEqual([
      true,
      true,
      false,
      5,
    ]);
    expect(keyAfter('a') > 'a' && keyAfter('a') <= 'a!').toBe(true);
  });

  it('go on behind a place by index, whatever its record weighs', () => {
    const at = (id: string, sortindex: number | null) =>
      keysOf(placedOf({ id, sortindex, bytes: 999, modifiedMs: 999 }))[1] ?? '';
    const [from, to] = behindIndex(PLACE, { sortindex: 5, id: 'b' });
    const isIn = (key: string) => key >= from && key < to;
    expect(isIn(at('b', 5))).toBe(false);
    expect([at('a', 5), at('b', 6), at('b!', 5), at('c', 5), at('a', null)].map(isIn)).toEqual([
      ...[false, false, true, true, true],
    ]);
  });

  it('of expiry hold what expires between two times, both inclusive', () => {
    const keyAt = (expiresMs: number) => keysOf(placedOf({ expiresMs }))[2] ?? '';
    const { from, to } = expiredBetween(7, 10, 20, 5);
    const isIn = [9, 10, 20, 21].map((ms) => keyAt(ms) >= from && keyAt(ms) < to);
    expect(isIn).toEqual([false, true, true, false]);
    expect(expiredBetween(7, -5, 20, 5).from).toBe('x/7/000000000000000/');
  });
});

describe('an entry of what expires', () => {
  it('has all that is needed to take the record away', () => {
    for (const sortindex of [null, 0, -5]) {
      const record = placedOf({ sortindex, expiresMs: 9 });
      const [, , [key, value] = ['', '']] = orderEntries(7, 'col', PLACE, record);
      expect(expiringOf(key, value)).toEqual({ name: 'col', record });
    }
  });

  it('that an older version made has the name of the collection', () => {
    expect(expiringOf('x/7/000000000000009/7.1/a', 'col')).toEqual({ name: 'col', record: null });
  });
});

describe('what is read', () => {
  const user = { modifiedMs: 1, nextExpiryMs: null, places: 2 };
  const row = { place: PLACE, modifiedMs: 1, records: 2, bytes: 3 };
  const bso = { id: 'a', modifiedMs: 1, payload: '', sortindex: null, expiresMs: null };

  it('is what was written', () => {
    expect(readUserRow('k', JSON.stringify({ ...user, nextExpiryMs: 5 })).nextExpiryMs).toBe(5);
    expect(readUserRow('k', JSON.stringify(user))).toEqual(user);
    expect(readCollectionRow('k', JSON.stringify(row))).toEqual(row);
    expect(readBso('k', JSON.stringify({ ...bso, other: 1 }))).toEqual(bso);
  });

  test.each<[(key: string, text: string) => unknown, object]>([
    [readUserRow, { ...user, modifiedMs: '1' }],
    [readUserRow, { ...user, places: null }],
    [readUserRow, { ...user, nextExpiryMs: '5' }],
    [readUserRow, { modifiedMs: 1, places: 2 }],
    [readCollectionRow, { ...row, place: 7 }],
    [readCollectionRow, { ...row, records: undefined }],
    [readCollectionRow, { ...row, bytes: '3' }],
    [readBso, { ...bso, id: 7 }],
    [readBso, { ...bso, payload: null }],
    [readBso, { ...bso, modifiedMs: null }],
    [readBso, { ...bso, sortindex: '5' }],
    [readBso, { ...bso, expiresMs: undefined }],
  ])('is an error that names its key where it is something else: %#', (read, value) => {
    const complaint = 'the database holds something else at some/key';
    expect(() => read('some/key', JSON.stringify(value))).toThrow(complaint);
    for (const text of ['', '[]', 'null']) expect(() => read('some/key', text)).toThrow(complaint);
  });
});
