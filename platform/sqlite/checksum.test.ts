import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { flippedBits, isSealed, type Sum, sealPage, sumOf, wordsOf } from './checksum.ts';

const PAGE = fc.uint8Array({ minLength: 4096, maxLength: 4096 });
const BIT = fc.integer({ min: 0, max: 4096 * 8 - 1 });

describe('a sealed page', () => {
  it('shows the flip of any bit, in the sum too, and another number', () => {
    fc.assert(
      fc.property(PAGE, BIT, fc.integer({ min: 1, max: 2 ** 31 }), (page, bit, number) => {
        sealPage(page, number);
        expect(isSealed(page, number)).toBe(true);
        expect(isSealed(page, number + 1)).toBe(false);
        page[bit >> 3] = (page[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(isSealed(page, number)).toBe(false);
      }),
    );
  });

  it('is nothing that an erased flash answers', () => {
    for (const filler of [0, 0xff]) {
      const page = new Uint8Array(4096).fill(filler);
      expect([1, 2, 3, 1000].filter((number) => isSealed(page, number))).toEqual([]);
    }
  });
});

describe('the sums of the log', () => {
  const WORD = fc.nat(2 ** 32 - 1);
  const words = fc.uint8Array({ minLength: 4104, maxLength: 4104 }).map((b) => wordsOf(b, true));

  it('find the one bit that has flipped', () => {
    const seeds = fc.tuple(WORD, WORD);
    fc.assert(
      fc.property(words, seeds, fc.nat(4104 * 8 - 1), (right, seed: Sum, bit) => {
        const sum = sumOf(seed, right);
        const index = bit >> 5;
        const value = right[index] ?? 0;
        right[index] = value ^ (1 << (bit & 31));
        const found = flippedBits(seed, right, sum);
        expect(found).toContainEqual({ index, value });
        if ((bit & 31) < 22) expect(found).toHaveLength(1);
      }),
    );
  });

  it('find none where more has changed', () => {
    fc.assert(
      fc.property(words, fc.nat(511), fc.integer({ min: 1 }), (right, index, change) => {
        const sum = sumOf([1, 2], right);
        right[index] = (right[index] ?? 0) + change;
        right[index + 513] = (right[index + 513] ?? 0) ^ 0x5a5a5a;
        expect(flippedBits([1, 2], right, sum)).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });

  it('find none where a sector was lost, however regular it was', () => {
    for (const length of [1, 4, 66, 128, 200]) {
      const text = new Uint32Array(1026).fill(0x78787878);
      const sum = sumOf([1, 2], text);
      text.fill(0, 1024 - length, 1024);
      expect(flippedBits([1, 2], text, sum)).toEqual([]);
    }
  });
});
