import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Value } from '../../platform/ports.ts';
import { packValues, unpackValues } from './values.ts';

const value = fc.oneof(
  fc.constant(null),
  fc.string({ unit: 'grapheme' }),
  fc.uint8Array({ maxLength: 40 }),
);

test('a list of values comes out as it went in', () => {
  fc.assert(
    fc.property(fc.array(value), (values: (Value | null)[]) => {
      const { lengths, text, bytes } = packValues(values);
      expect(unpackValues(lengths, text, bytes)).toEqual(values);
    }),
  );
});

test('the numbers are those of the bridge', () => {
  const packed = packValues(['añ€', null, '', Uint8Array.of(1, 2), new Uint8Array(0)]);
  expect(packed).toEqual({ lengths: [3, -1, 0, -4, -2], text: 'añ€', bytes: Uint8Array.of(1, 2) });
});

test('no bytes at all are null', () => {
  expect(packValues(['a', null]).bytes).toBeNull();
});

test('lengths that do not fit are refused', () => {
  expect(() => unpackValues([2], 'abc', null)).toThrow(RangeError);
  expect(() => unpackValues([4], 'abc', null)).toThrow(RangeError);
  expect(() => unpackValues([-5], '', Uint8Array.of(1, 2))).toThrow(RangeError);
});
