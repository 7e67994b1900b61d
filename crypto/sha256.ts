// SHA-256 (FIPS 180-4) over words, so that whoever has characters or bytes makes words of them
// once. A hash in progress is its eight words of state: copying them keeps what was hashed so far.
// Written for an interpreter, where locals are what is cheap: sixteen rounds stand in a row with
// their variables renamed instead of moved, every sum is cut back to 32 bits at once (past them it
// would be a slow floating point number), and `var` spares the check that a `let` has at every use.
// To count an index up is cheaper than to add to it.

// biome-ignore-all lint/suspicious/noVar: see above

import { bytesOfWords, textOfCodes } from './bytes.ts';

export const blockBytes = 64;

/** The state before the first block. */
export function newHash(): Int32Array {
  return initialState.slice();
}

/** Adds one block, 16 big-endian words, to the state. */
export function hashBlock(state: Int32Array, block: Int32Array): void {
  var s = sums;
  var t = 0;
  var i = -1;
  var a = state[0] as number;
  var b = state[1] as number;
  var c = state[2] as number;
  var d = state[3] as number;
  var e = state[4] as number;
  var f = state[5] as number;
  var g = state[6] as number;
  var h = state[7] as number;
  schedule(block, roundConstants, s);
  while (i < 63) {
    t = (h + ((e >>> 6) ^ (e >>> 11) ^ (e >>> 25) ^ (e << 26) ^ (e << 21) ^ (e << 7))) | 0;
    t = (((t + (g ^ (e & (f ^ g)))) | 0) + (s[++i] as number)) | 0;
    d = (d + t) | 0;
    t = (t + ((a & b) ^ (c & (a ^ b)))) | 0;
    h = (t + ((a >>> 2) ^ (a >>> 13) ^ (a >>> 22) ^ (a << 30) ^ (a << 19) ^ (a << 10))) | 0;
    t = (g + ((d >>> 6) ^ (d >>> 11) ^ (d >>> 25) ^ (d << 26) ^ (d << 21) ^ (d << 7))) | 0;
    t = (((t + (f ^ (d & (e ^ f)))) | 0) + (s[++i] as number)) | 0;
    c = (c + t) | 0;
    t = (t + ((h & a) ^ (b & (h ^ a)))) | 0;
    g = (t + ((h >>> 2) ^ (h >>> 13) ^ (h >>> 22) ^ (h << 30) ^ (h << 19) ^ (h << 10))) | 0;
    t = (f + ((c >>> 6) ^ (c >>> 11) ^ (c >>> 25) ^ (c << 26) ^ (c << 21) ^ (c << 7))) | 0;
    t = (((t + (e ^ (c & (d ^ e)))) | 0) + (s[++i] as number)) | 0;
    b = (b + t) | 0;
    t = (t + ((g & h) ^ (a & (g ^ h)))) | 0;
    f = (t + ((g >>> 2) ^ (g >>> 13) ^ (g >>> 22) ^ (g << 30) ^ (g << 19) ^ (g << 10))) | 0;
    t = (e + ((b >>> 6) ^ (b >>> 11) ^ (b >>> 25) ^ (b << 26) ^ (b << 21) ^ (b << 7))) | 0;
    t = (((t + (d ^ (b & (c ^ d)))) | 0) + (s[++i] as number)) | 0;
    a = (a + t) | 0;
    t = (t + ((f & g) ^ (h & (f ^ g)))) | 0;
    e = (t + ((f >>> 2) ^ (f >>> 13) ^ (f >>> 22) ^ (f << 30) ^ (f << 19) ^ (f << 10))) | 0;
    t = (d + ((a >>> 6) ^ (a >>> 11) ^ (a >>> 25) ^ (a << 26) ^ (a << 21) ^ (a << 7))) | 0;
    t = (((t + (c ^ (a & (b ^ c)))) | 0) + (s[++i] as number)) | 0;
    h = (h + t) | 0;
    t = (t + ((e & f) ^ (g & (e ^ f)))) | 0;
    d = (t + ((e >>> 2) ^ (e >>> 13) ^ (e >>> 22) ^ (e << 30) ^ (e << 19) ^ (e << 10))) | 0;
    t = (c + ((h >>> 6) ^ (h >>> 11) ^ (h >>> 25) ^ (h << 26) ^ (h << 21) ^ (h << 7))) | 0;
    t = (((t + (b ^ (h & (a ^ b)))) | 0) + (s[++i] as number)) | 0;
    g = (g + t) | 0;
    t = (t + ((d & e) ^ (f & (d ^ e)))) | 0;
    c = (t + ((d >>> 2) ^ (d >>> 13) ^ (d >>> 22) ^ (d << 30) ^ (d << 19) ^ (d << 10))) | 0;
    t = (b + ((g >>> 6) ^ (g >>> 11) ^ (g >>> 25) ^ (g << 26) ^ (g << 21) ^ (g << 7))) | 0;
    t = (((t + (a ^ (g & (h ^ a)))) | 0) + (s[++i] as number)) | 0;
    f = (f + t) | 0;
    t = (t + ((c & d) ^ (e & (c ^ d)))) | 0;
    b = (t + ((c >>> 2) ^ (c >>> 13) ^ (c >>> 22) ^ (c << 30) ^ (c << 19) ^ (c << 10))) | 0;
    t = (a + ((f >>> 6) ^ (f >>> 11) ^ (f >>> 25) ^ (f << 26) ^ (f << 21) ^ (f << 7))) | 0;
    t = (((t + (h ^ (f & (g ^ h)))) | 0) + (s[++i] as number)) | 0;
    e = (e + t) | 0;
    t = (t + ((b & c) ^ (d & (b ^ c)))) | 0;
    a = (t + ((b >>> 2) ^ (b >>> 13) ^ (b >>> 22) ^ (b << 30) ^ (b << 19) ^ (b << 10))) | 0;
  }
  state[0] = (state[0] as number) + a;
  state[1] = (state[1] as number) + b;
  state[2] = (state[2] as number) + c;
  state[3] = (state[3] as number) + d;
  state[4] = (state[4] as number) + e;
  state[5] = (state[5] as number) + f;
  state[6] = (state[6] as number) + g;
  state[7] = (state[7] as number) + h;
}

/**
 * `s`: what each round adds, its word of the message schedule and its constant `k`. Sixteen words
 * are locals, each of which becomes the one sixteen rounds later.
 */
function schedule(block: Int32Array, k: readonly number[], s: number[]): void {
  var at = -1;
  var a = block[0] as number;
  var b = block[1] as number;
  var c = block[2] as number;
  var d = block[3] as number;
  var e = block[4] as number;
  var f = block[5] as number;
  var g = block[6] as number;
  var h = block[7] as number;
  var i = block[8] as number;
  var j = block[9] as number;
  var l = block[10] as number;
  var m = block[11] as number;
  var n = block[12] as number;
  var o = block[13] as number;
  var p = block[14] as number;
  var q = block[15] as number;
  for (;;) {
    s[++at] = (a + (k[at] as number)) | 0;
    s[++at] = (b + (k[at] as number)) | 0;
    s[++at] = (c + (k[at] as number)) | 0;
    s[++at] = (d + (k[at] as number)) | 0;
    s[++at] = (e + (k[at] as number)) | 0;
    s[++at] = (f + (k[at] as number)) | 0;
    s[++at] = (g + (k[at] as number)) | 0;
    s[++at] = (h + (k[at] as number)) | 0;
    s[++at] = (i + (k[at] as number)) | 0;
    s[++at] = (j + (k[at] as number)) | 0;
    s[++at] = (l + (k[at] as number)) | 0;
    s[++at] = (m + (k[at] as number)) | 0;
    s[++at] = (n + (k[at] as number)) | 0;
    s[++at] = (o + (k[at] as number)) | 0;
    s[++at] = (p + (k[at] as number)) | 0;
    s[++at] = (q + (k[at] as number)) | 0;
    if (at === 63) return;
    a = (((a + j) | 0) + ((b >>> 7) ^ (b >>> 18) ^ (b >>> 3) ^ (b << 25) ^ (b << 14))) | 0;
    a = (a + ((p >>> 17) ^ (p >>> 19) ^ (p >>> 10) ^ (p << 15) ^ (p << 13))) | 0;
    b = (((b + l) | 0) + ((c >>> 7) ^ (c >>> 18) ^ (c >>> 3) ^ (c << 25) ^ (c << 14))) | 0;
    b = (b + ((q >>> 17) ^ (q >>> 19) ^ (q >>> 10) ^ (q << 15) ^ (q << 13))) | 0;
    c = (((c + m) | 0) + ((d >>> 7) ^ (d >>> 18) ^ (d >>> 3) ^ (d << 25) ^ (d << 14))) | 0;
    c = (c + ((a >>> 17) ^ (a >>> 19) ^ (a >>> 10) ^ (a << 15) ^ (a << 13))) | 0;
    d = (((d + n) | 0) + ((e >>> 7) ^ (e >>> 18) ^ (e >>> 3) ^ (e << 25) ^ (e << 14))) | 0;
    d = (d + ((b >>> 17) ^ (b >>> 19) ^ (b >>> 10) ^ (b << 15) ^ (b << 13))) | 0;
    e = (((e + o) | 0) + ((f >>> 7) ^ (f >>> 18) ^ (f >>> 3) ^ (f << 25) ^ (f << 14))) | 0;
    e = (e + ((c >>> 17) ^ (c >>> 19) ^ (c >>> 10) ^ (c << 15) ^ (c << 13))) | 0;
    f = (((f + p) | 0) + ((g >>> 7) ^ (g >>> 18) ^ (g >>> 3) ^ (g << 25) ^ (g << 14))) | 0;
    f = (f + ((d >>> 17) ^ (d >>> 19) ^ (d >>> 10) ^ (d << 15) ^ (d << 13))) | 0;
    g = (((g + q) | 0) + ((h >>> 7) ^ (h >>> 18) ^ (h >>> 3) ^ (h << 25) ^ (h << 14))) | 0;
    g = (g + ((e >>> 17) ^ (e >>> 19) ^ (e >>> 10) ^ (e << 15) ^ (e << 13))) | 0;
    h = (((h + a) | 0) + ((i >>> 7) ^ (i >>> 18) ^ (i >>> 3) ^ (i << 25) ^ (i << 14))) | 0;
    h = (h + ((f >>> 17) ^ (f >>> 19) ^ (f >>> 10) ^ (f << 15) ^ (f << 13))) | 0;
    i = (((i + b) | 0) + ((j >>> 7) ^ (j >>> 18) ^ (j >>> 3) ^ (j << 25) ^ (j << 14))) | 0;
    i = (i + ((g >>> 17) ^ (g >>> 19) ^ (g >>> 10) ^ (g << 15) ^ (g << 13))) | 0;
    j = (((j + c) | 0) + ((l >>> 7) ^ (l >>> 18) ^ (l >>> 3) ^ (l << 25) ^ (l << 14))) | 0;
    j = (j + ((h >>> 17) ^ (h >>> 19) ^ (h >>> 10) ^ (h << 15) ^ (h << 13))) | 0;
    l = (((l + d) | 0) + ((m >>> 7) ^ (m >>> 18) ^ (m >>> 3) ^ (m << 25) ^ (m << 14))) | 0;
    l = (l + ((i >>> 17) ^ (i >>> 19) ^ (i >>> 10) ^ (i << 15) ^ (i << 13))) | 0;
    m = (((m + e) | 0) + ((n >>> 7) ^ (n >>> 18) ^ (n >>> 3) ^ (n << 25) ^ (n << 14))) | 0;
    m = (m + ((j >>> 17) ^ (j >>> 19) ^ (j >>> 10) ^ (j << 15) ^ (j << 13))) | 0;
    n = (((n + f) | 0) + ((o >>> 7) ^ (o >>> 18) ^ (o >>> 3) ^ (o << 25) ^ (o << 14))) | 0;
    n = (n + ((l >>> 17) ^ (l >>> 19) ^ (l >>> 10) ^ (l << 15) ^ (l << 13))) | 0;
    o = (((o + g) | 0) + ((p >>> 7) ^ (p >>> 18) ^ (p >>> 3) ^ (p << 25) ^ (p << 14))) | 0;
    o = (o + ((m >>> 17) ^ (m >>> 19) ^ (m >>> 10) ^ (m << 15) ^ (m << 13))) | 0;
    p = (((p + h) | 0) + ((q >>> 7) ^ (q >>> 18) ^ (q >>> 3) ^ (q << 25) ^ (q << 14))) | 0;
    p = (p + ((n >>> 17) ^ (n >>> 19) ^ (n >>> 10) ^ (n << 15) ^ (n << 13))) | 0;
    q = (((q + i) | 0) + ((a >>> 7) ^ (a >>> 18) ^ (a >>> 3) ^ (a << 25) ^ (a << 14))) | 0;
    q = (q + ((o >>> 17) ^ (o >>> 19) ^ (o >>> 10) ^ (o << 15) ^ (o << 13))) | 0;
  }
}

/** Scratch of one block. */
const sums: number[] = new Array(64).fill(0);

/**
 * Adds the last bytes, as units of a text, and closes the hash: `state` is the digest then.
 * `hashedBytes` went into it before, in whole blocks.
 */
export function closeHash(state: Int32Array, tail: string, hashedBytes = 0): void {
  // A single bit follows the message; past the end of a text there is NaN, which counts as zeros.
  var text = `${tail}\x80`;
  var words = new Int32Array(blockWords * Math.ceil((text.length + 8) / blockBytes));
  var at = 0;
  for (at = 0; at < text.length; at += 4) {
    words[at >> 2] =
      (text.charCodeAt(at) << 24) |
      (text.charCodeAt(at + 1) << 16) |
      (text.charCodeAt(at + 2) << 8) |
      text.charCodeAt(at + 3);
  }
  words[words.length - 2] = Math.floor((hashedBytes + tail.length) / 0x20000000);
  words[words.length - 1] = (hashedBytes + tail.length) << 3;
  for (at = 0; at < words.length; at += blockWords) {
    hashBlock(state, words.subarray(at, at + blockWords));
  }
}

/** The digest of the bytes, 32 bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  const state = newHash();
  closeHash(state, textOfCodes(bytes));
  return bytesOfWords(state);
}

const blockWords = blockBytes / 4;

const initialState = /* @__PURE__ */ Int32Array.from(/* @__PURE__ */ fractionsOf(1 / 2, 8));
const roundConstants = /* @__PURE__ */ fractionsOf(1 / 3, 64);

/**
 * The first 32 bits behind the point of the roots of that many primes, as the standard has its
 * constants: as a table they are the part of a firmware that no compression makes smaller. None of
 * them changes by an error of a thousand last places.
 */
function fractionsOf(power: number, count: number): readonly number[] {
  const fractions: number[] = [];
  for (let n = 2; fractions.length < count; n++) {
    let divisor = 2;
    while (divisor * divisor <= n && n % divisor > 0) divisor++;
    if (divisor * divisor > n) fractions.push((n ** power * 2 ** 32) | 0);
  }
  return fractions;
}
