// The sums that tell damage, over 32-bit words. That of a page is the parity of each bit, and the
// place of what is not even: it finds the one bit that has flipped, and takes two for no third.
// That of SQLite's log is a pair of running sums, from which one flipped bit can often be found:
// the upper bits of a word repeat. Pure functions. Not cryptography: they prove nothing against
// somebody who means harm.

/** A sum of two 32-bit words. */
export type Sum = readonly [number, number];

/** SQLite's pages, as every file of this layout has them. */
export const PAGE_BYTES = 4096;

/** The end of a page that SQLite leaves alone, for the sum over the rest. */
export const SUM_BYTES = 8;

/** Whether the page ends in the sum that `sealPage` gave it, or gave it before it found flips. */
export function isSealed(page: Uint8Array, number: number): boolean {
  const end = endOf(page);
  return isSame(pageSum(page, number), end) || isSame(formerSum(page, number), end);
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

/**
 * What a page that is not sealed was before one of its bits flipped, that of its sum among them;
 * null where more has changed than that, two bits always.
 */
export function mendedPage(page: Uint8Array, number: number): Uint8Array | null {
  const [parity, place] = pageSum(page, number);
  const [wantedParity, wantedPlace] = endOf(page);
  const bits = (parity ^ wantedParity) >>> 0;
  const mended = page.slice();
  if (!isWhole(wantedPlace)) {
    // It is its own flip, or one of two.
    if (bits !== 0 || !isFlip(place, wantedPlace)) return null;
    sealPage(mended, number);
    return mended;
  }
  if (!isFlip(bits, 0)) return null;
  const bit = 31 - Math.clz32(bits);
  // One flip has added or taken away its word's number, that far up.
  const off = ((place - wantedPlace) << (32 - PLACE_BITS)) >> (32 - PLACE_BITS);
  const word = Math.abs(off) / 2 ** (bit & 15);
  if (word === 0) sealPage(mended, number);
  else if (Number.isInteger(word) && word * 4 <= page.length - SUM_BYTES) {
    const at = word * 4 - 4 + (bit >> 3);
    mended[at] = (mended[at] ?? 0) ^ (1 << (bit & 7));
  }
  return isSame(pageSum(mended, number), endOf(mended)) ? mended : null;
}

function endOf(page: Uint8Array): Sum {
  const end = viewOf(page);
  const at = page.length - SUM_BYTES;
  return [end.getUint32(at, true), end.getUint32(at + 4, true)];
}

/** The parity of each of 32 bits; and the sum of the folded words by their place, with a check. */
function pageSum(page: Uint8Array, number: number): Sum {
  const words = wordsOf(page.subarray(0, page.length - SUM_BYTES), true);
  const start = mixed(number);
  let parity = start ^ PAGE_SEED;
  let place = Math.imul(start, 0x9e3779b1);
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? 0;
    parity ^= word;
    place = (place + Math.imul(at + 1, (word ^ (word >>> 16)) & 0xffff)) | 0;
  }
  return [parity >>> 0, withCheck(place & PLACE_MASK)];
}

/** Of numbers that differ in one bit, what differs in half of them: the end of MurmurHash3. */
function mixed(number: number): number {
  let bits = Math.imul(number ^ (number >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}

/** Of which one flip changes at most a word's number (10 bits) times that of a folded bit (16). */
const PLACE_BITS = 26;
const PLACE_MASK = 2 ** PLACE_BITS - 1;

/** With the count of its bits, so that it tells a flip of its own. */
function withCheck(place: number): number {
  let count = 0;
  for (let rest = place; rest !== 0; rest &= rest - 1) count++;
  return place + count * 2 ** PLACE_BITS;
}

function isWhole(place: number): boolean {
  return withCheck(place & PLACE_MASK) === place;
}

/** As pages ended before, and as many do still. */
function formerSum(page: Uint8Array, number: number): Sum {
  return sumOf([number, PAGE_SEED], wordsOf(page.subarray(0, page.length - SUM_BYTES), true));
}

/** Zeros, which a flash may answer for a page that it has lost, never sum up to zeros. */
const PAGE_SEED = 0x6b697473;

/** Whether two sums are one. */
export function isSame(a: Sum, b: Sum): boolean {
  return a[0] === b[0] && a[1] === b[1];
}

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
function isFlip(a: number, b: number): boolean {
  const difference = (a ^ b) >>> 0;
  return difference !== 0 && (difference & (difference - 1)) === 0;
}

/** Whether two sums differ in one bit. */
export function isFlipOf(a: Sum, b: Sum): boolean {
  return (a[0] === b[0] && isFlip(a[1], b[1])) || (a[1] === b[1] && isFlip(a[0], b[0]));
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
