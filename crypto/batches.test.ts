// What a cipher is given at once: enough to be worth a call, and no more than a device works on.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { batches } from './batches.ts';

const ITEMS_MAX = 64;
const UNITS_MAX = 16 * 1024;

const cut = (lengths: readonly number[]): number[][] =>
  [...batches(lengths, (length) => length)].map((batch) => [...batch]);
const sumOf = (batch: readonly number[]): number => batch.reduce((sum, one) => sum + one, 0);

test('nothing is no batch', () => {
  expect(cut([])).toEqual([]);
});

test('every item is in one batch, in order, and none is empty', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(2 * UNITS_MAX), { maxLength: 200 }), (lengths) => {
      const all = cut(lengths);
      expect(all.flat()).toEqual(lengths);
      expect(all.every((batch) => batch.length > 0)).toBe(true);
    }),
  );
});

test('a batch is within both bounds, unless it is one long item', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(UNITS_MAX / 2), { maxLength: 300 }), (lengths) => {
      for (const batch of cut([...lengths, 2 * UNITS_MAX, ...lengths])) {
        expect(batch.length).toBeLessThanOrEqual(ITEMS_MAX);
        if (batch.length > 1) expect(sumOf(batch)).toBeLessThanOrEqual(UNITS_MAX);
      }
    }),
  );
});

test('a batch is as full as it can be', () => {
  expect(cut(Array(130).fill(1)).map(({ length }) => length)).toEqual([64, 64, 2]);
  expect(cut(Array(6).fill(UNITS_MAX / 2)).map(({ length }) => length)).toEqual([2, 2, 2]);
  expect(cut([UNITS_MAX - 1, 1, 1])).toEqual([[UNITS_MAX - 1, 1], [1]]);
  expect(cut([UNITS_MAX, 1])).toEqual([[UNITS_MAX], [1]]);
  expect(cut([1, UNITS_MAX + 1, 1])).toEqual([[1], [UNITS_MAX + 1], [1]]);
});
