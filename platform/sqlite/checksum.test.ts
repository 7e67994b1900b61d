import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  flippedBits,
  isSealed,
  mendedPage,
  type Sum,
  sealPage,
  sumOf,
  wordsOf,
} from './checksum.ts';

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

  const flipped = (page: Uint8Array, ...bits: number[]): Uint8Array => {
    const changed = page.slice();
    for (const bit of bits) changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    return changed;
  };
  const NUMBER = fc.integer({ min: 1, max: 2 ** 31 });
  /** In the same place of words, in neighbours, and in the sum. */
  const LIKE = fc.oneof(
    BIT,
    fc.integer({ min: 1, max: 1023 }).map((words) => words * 32),
  );

  it('is put right where one bit has flipped, whichever, and never where two have', () => {
    fc.assert(
      fc.property(PAGE, NUMBER, BIT, LIKE, (page, number, bit, more) => {
        sealPage(page, number);
        const mended = mendedPage(flipped(page, bit), number);
        expect(mended && Buffer.compare(mended, page)).toBe(0);
        const other = (bit + more) % (4096 * 8);
        if (other !== bit) expect(mendedPage(flipped(page, bit, other), number)).toBeNull();
        for (const last of [1, 31, 32, 63].map((back) => 4096 * 8 - back))
          if (last !== bit) expect(mendedPage(flipped(page, bit, last), number)).toBeNull();
        expect(mendedPage(flipped(page, bit), number + 1)).toBeNull();
        expect(mendedPage(page, number ^ (1 << (bit & 30)))).toBeNull();
      }),
      { numRuns: 300 },
    );
  });

  it('is put right in each of its bits', () => {
    const page = Uint8Array.from({ length: 4096 }, (_, at) => (at * 7_919) >> 3);
    sealPage(page, 3);
    for (let bit = 0; bit < 4096 * 8; bit++) {
      const mended = mendedPage(flipped(page, bit), 3);
      if (mended === null || Buffer.compare(mended, page) !== 0) expect.fail(`bit ${bit}`);
    }
  });

  it('is left alone where a part of it was lost, or another took its place', () => {
    for (const [from, to] of [
      [0, 512],
      [512, 4096],
      [4000, 4096],
      [100, 104],
    ]) {
      const page = Uint8Array.from({ length: 4096 }, (_, at) => (at * 7_919) >> 3);
      sealPage(page, 3);
      for (const filler of [0, 0xff])
        expect(mendedPage(page.slice().fill(filler, from, to), 3)).toBeNull();
    }
  });

  it('is sealed as it was before sums found flips', () => {
    const page = new Uint8Array(4096).fill(5);
    const [first, second] = sumOf([9, 0x6b697473], wordsOf(page.subarray(0, 4088), true));
    new DataView(page.buffer).setUint32(4088, first, true);
    new DataView(page.buffer).setUint32(4092, second, true);
    expect([isSealed(page, 9), isSealed(page, 8)]).toEqual([true, false]);
    expect(isSealed(flipped(page, 99), 9)).toBe(false);
    expect(mendedPage(flipped(page, 99), 9)).toBeNull();
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
