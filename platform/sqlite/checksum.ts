// The sums that tell a damaged page: the pair of running sums that SQLite's own log uses, over the
// page's 32-bit words. Where one bit has flipped can often be found from them: the upper bits of a
// word repeat. Pure functions. Not cryptography: it proves nothing against somebody who means harm.

/** A sum of two 32-bit words. */
export type Sum = readonly [number, number];

/** SQLite's pages, as every file of this layout has them. */
export const PAGE_BYTES = 4096;

/** The end of a page that SQLite leaves alone, for the sum over the rest. */
export const SUM_BYTES = 8;

/** Whether the page ends in the sum that `sealPage` gave it. */
export function isSealed(page: Uint8Array, number: number): boolean {
  const [first, second] = pageSum(page, number);
  const end = viewOf(page);
  const at = page.length - SUM_BYTES;
  return end.getUint32(at, true) === first && end.getUint32(at + 4, true) === second;
}

/**
 * Ends the page in the sum of what is before. `number` (from 1) is part of it: no page passes for
 * another.
 */
export function sealPage(page: Uint8Array, number: number): void {
  const [first, second] = pageSum(page, number);
  const end = viewOf(page);
  const at = page.length - SUM_BYTES;
  end.setUint32(at, first, true);
  end.setUint32(at + 4, second, true);
}

function pageSum(page: Uint8Array, number: number): Sum {
  return sumOf([number, PAGE_SEED], wordsOf(page.subarray(0, page.length - SUM_BYTES), true));
}

/** Zeros, which a flash may answer for a page that it has lost, never sum up to zeros. */
const PAGE_SEED = 0x6b697473;

/** Whole 32-bit words of `bytes`, which they may share; what is left over is not looked at. */
export function wordsOf(bytes: Uint8Array, littleEndian: boolean): Uint32Array {
  const count = bytes.length >> 2;
  // A copy word by word takes longer than the sum.
  if (littleEndian === IS_LITTLE_ENDIAN && bytes.byteOffset % 4 === 0) {
    return new Uint32Array(bytes.buffer, bytes.byteOffset, count);
  }
  const view = viewOf(bytes);
  const words = new Uint32Array(count);
  for (let i = 0; i < count; i++) words[i] = view.getUint32(i * 4, littleEndian);
  return words;
}

const IS_LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

/** Goes on from `seed` over an even number of words (https://sqlite.org/fileformat2.html, 4.2). */
export function sumOf([first, second]: Sum, words: Uint32Array): Sum {
  let s0 = first;
  let s1 = second;
  for (let i = 0; i < words.length; i += 2) {
    s0 = (s0 + (words[i] ?? 0) + s1) >>> 0;
    s1 = (s1 + (words[i + 1] ?? 0) + s0) >>> 0;
  }
  return [s0, s1];
}

/**
 * The bits of which one has flipped, if that explains the sum: the index of the word, and its value
 * without the flip. Larger changes are not looked for: a sector that a power cut has emptied can
 * look like the change of one word somewhere else.
 */
export function flippedBits(
  seed: Sum,
  words: Uint32Array,
  wanted: Sum,
): { readonly index: number; readonly value: number }[] {
  const found: { index: number; value: number }[] = [];
  const [s0, s1] = sumOf(seed, words);
  const off0 = (wanted[0] - s0) | 0;
  const off1 = (wanted[1] - s1) | 0;
  // What 1 more in a word adds to both sums at the end: (1, 1) and (0, 1) in the last pair.
  let [even0, even1, odd0, odd1] = [1, 1, 0, 1];
  for (let pair = words.length - 2; pair >= 0; pair -= 2) {
    for (const [index, a, b] of [
      [pair, even0, even1],
      [pair + 1, odd0, odd1],
    ] as const) {
      const change = a & 1 ? Math.imul(off0, inverse(a)) : Math.imul(off1, inverse(b));
      const explains = Math.imul(a, change) === off0 && Math.imul(b, change) === off1;
      const is = words[index] ?? 0;
      const value = (is + change) >>> 0;
      if (explains && isFlip(is, value)) found.push({ index, value });
    }
    [even0, even1] = [(even0 + even1) | 0, (even0 + 2 * even1) | 0];
    [odd0, odd1] = [(odd0 + odd1) | 0, (odd0 + 2 * odd1) | 0];
  }
  return found;
}

/** Whether two words differ in one bit. */
export function isFlip(a: number, b: number): boolean {
  const difference = (a ^ b) >>> 0;
  return difference !== 0 && (difference & (difference - 1)) === 0;
}

/** Of an odd number, modulo 2^32: each round doubles the bits that are right, from 3. */
function inverse(odd: number): number {
  let found = odd;
  for (let round = 0; round < 4; round++) found = Math.imul(found, 2 - Math.imul(odd, found));
  return found;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
