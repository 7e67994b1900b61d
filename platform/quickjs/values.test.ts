import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Value } from '../ports.ts';
import { lengthOf, pack, unpack } from './values.ts';

const value: fc.Arbitrary<Value | null> = fc.oneof(
  fc.constantFrom(null, '', new Uint8Array(0)),
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.uint8Array({ maxLength: 30 }),
);

function crossed(values: readonly (Value | null)[]): (Value | null)[] {
  const { text, bytes } = pack(values);
  const lengths = JSON.parse(JSON.stringify(values.map(lengthOf)));
  return unpack(lengths, text, bytes ?? new Uint8Array(0));
}

test('values come out as they went in', () => {
  fc.assert(
    fc.property(fc.array(value), (values) => {
      expect(crossed(values)).toEqual(values);
    }),
  );
});

test('the number of a value tells text, bytes and nothing apart, empty ones too', () => {
  expect(['', 'é\u{1f9a6}', null].map(lengthOf)).toEqual([0, 3, -1]);
  expect([new Uint8Array(0), new Uint8Array(3)].map(lengthOf)).toEqual([-2, -5]);
});

test('without bytes no buffer crosses', () => {
  expect(pack(['a', null, 'b'])).toEqual({ text: 'ab', bytes: null });
  expect(pack([])).toEqual({ text: '', bytes: null });
});

test('bytes that came out are copies: keeping one keeps no other alive', () => {
  const [first] = unpack([-4, -4], '', Uint8Array.of(1, 2, 3, 4));
  expect(first).toEqual(Uint8Array.of(1, 2));
  expect((first as Uint8Array).buffer.byteLength).toBe(2);
});
