import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeReference,
  encodeReference,
  join,
  Kind,
  kindOfValue,
  type Reference,
  split,
} from './reference.ts';

describe('a reference', () => {
  it('comes back from its code, whatever it names', () => {
    const references: fc.Arbitrary<Reference> = fc
      .record({
        kind: fc.constantFrom(...Object.values(Kind)),
        first: fc.integer({ min: 1, max: 2 ** 31 }),
        more: fc.integer({ min: 0, max: 255 }),
      })
      .map(({ kind, first, more }) => ({ kind, first, last: first + more }));
    fc.assert(
      fc.property(references, (reference) => {
        const code = encodeReference(reference);
        expect(Number.isSafeInteger(code)).toBe(true);
        expect(decodeReference(code)).toEqual(reference);
      }),
    );
  });

  it('tells what need not be read', () => {
    expect([null, '', 'x', new Uint8Array(0)].map(kindOfValue)).toEqual([
      Kind.removal,
      Kind.emptyText,
      Kind.rows,
      Kind.rows,
    ]);
  });
});

describe('the pieces of a value', () => {
  it.each([0, 1, 16_383, 16_384, 16_385, 32_768, 100_001])('make it again: %i long', (length) => {
    const text = 'x'.repeat(length);
    const bytes = new Uint8Array(length).fill(length);
    expect(join(split(text))).toBe(text);
    expect(Buffer.compare(join(split(bytes)) as Uint8Array, bytes)).toBe(0);
    expect(split(text)).toHaveLength(Math.max(1, Math.ceil(length / 16_384)));
  });

  it.each([3_276_800, 4_194_304, 4_194_305, 16_777_216])(
    'are never more than a reference can name: %i long',
    (length) => {
      const text = '\u{1d11e}'.repeat(length / 2) + (length % 2 === 1 ? 'x' : '');
      const pieces = split(text);
      expect(join(pieces) === text).toBe(true);
      const reference = { kind: Kind.rows, first: 7, last: 7 + pieces.length - 1 };
      expect(decodeReference(encodeReference(reference))).toEqual(reference);
      expect(() => encodeReference({ ...reference, last: 7 + 256 })).toThrow(RangeError);
    },
  );

  it('never end inside a character', () => {
    const text = `x${'\u{1f9a6}'.repeat(20_000)}`;
    const pieces = split(text) as string[];
    expect(pieces.every((piece) => Buffer.from(piece).toString() === piece)).toBe(true);
    expect(join(pieces)).toBe(text);
  });
});
