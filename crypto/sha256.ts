// SHA-256 (FIPS 180-4) over words, so that whoever has characters or bytes makes words of them
// once. A hash in progress is its eight words of state: copying them keeps what was hashed so far.
// Written for an interpreter, where locals are what is cheap: sixteen rounds stand in a row with
// their variables renamed instead of moved, every sum is cut back to 32 bits at once (past them it
// would be a slow floating point number), and `var` spares the check that a `let` has at every use.

// biome-ignore-all lint/suspicious/noVar: see above

import { bytesOfWords, textOfCodes } from './bytes.ts';

export const blockBytes = 64;

/** The state before the first block. */
export function newHash(): Int32Array {
  return initialState.slice();
}

/** Adds one block, 16 big-endian words, to the state. */
export function hashBlock(state: Int32Array, block: Int32Array): void {
  var k = roundConstants;
  var t = 0;
  var i = 0;
  var a = state[0] as number;
  var b = state[1] as number;
  var c = state[2] as number;
  var d = state[3] as number;
  var e = state[4] as number;
  var f = state[5] as number;
  var g = state[6] as number;
  var h = state[7] as number;
  var w0 = block[0] as number;
  var w1 = block[1] as number;
  var w2 = block[2] as number;
  var w3 = block[3] as number;
  var w4 = block[4] as number;
  var w5 = block[5] as number;
  var w6 = block[6] as number;
  var w7 = block[7] as number;
  var w8 = block[8] as number;
  var w9 = block[9] as number;
  var w10 = block[10] as number;
  var w11 = block[11] as number;
  var w12 = block[12] as number;
  var w13 = block[13] as number;
  var w14 = block[14] as number;
  var w15 = block[15] as number;
  for (; ; i += 16) {
    t = (h + ((e >>> 6) ^ (e >>> 11) ^ (e >>> 25) ^ (e << 26) ^ (e << 21) ^ (e << 7))) | 0;
    t = (t + (g ^ (e & (f ^ g)))) | 0;
    t = (((t + (k[i] as number)) | 0) + w0) | 0;
    d = (d + t) | 0;
    t = (t + ((a & b) ^ (c & (a ^ b)))) | 0;
    h = (t + ((a >>> 2) ^ (a >>> 13) ^ (a >>> 22) ^ (a << 30) ^ (a << 19) ^ (a << 10))) | 0;
    t = (g + ((d >>> 6) ^ (d >>> 11) ^ (d >>> 25) ^ (d << 26) ^ (d << 21) ^ (d << 7))) | 0;
    t = (t + (f ^ (d & (e ^ f)))) | 0;
    t = (((t + (k[i + 1] as number)) | 0) + w1) | 0;
    c = (c + t) | 0;
    t = (t + ((h & a) ^ (b & (h ^ a)))) | 0;
    g = (t + ((h >>> 2) ^ (h >>> 13) ^ (h >>> 22) ^ (h << 30) ^ (h << 19) ^ (h << 10))) | 0;
    t = (f + ((c >>> 6) ^ (c >>> 11) ^ (c >>> 25) ^ (c << 26) ^ (c << 21) ^ (c << 7))) | 0;
    t = (t + (e ^ (c & (d ^ e)))) | 0;
    t = (((t + (k[i + 2] as number)) | 0) + w2) | 0;
    b = (b + t) | 0;
    t = (t + ((g & h) ^ (a & (g ^ h)))) | 0;
    f = (t + ((g >>> 2) ^ (g >>> 13) ^ (g >>> 22) ^ (g << 30) ^ (g << 19) ^ (g << 10))) | 0;
    t = (e + ((b >>> 6) ^ (b >>> 11) ^ (b >>> 25) ^ (b << 26) ^ (b << 21) ^ (b << 7))) | 0;
    t = (t + (d ^ (b & (c ^ d)))) | 0;
    t = (((t + (k[i + 3] as number)) | 0) + w3) | 0;
    a = (a + t) | 0;
    t = (t + ((f & g) ^ (h & (f ^ g)))) | 0;
    e = (t + ((f >>> 2) ^ (f >>> 13) ^ (f >>> 22) ^ (f << 30) ^ (f << 19) ^ (f << 10))) | 0;
    t = (d + ((a >>> 6) ^ (a >>> 11) ^ (a >>> 25) ^ (a << 26) ^ (a << 21) ^ (a << 7))) | 0;
    t = (t + (c ^ (a & (b ^ c)))) | 0;
    t = (((t + (k[i + 4] as number)) | 0) + w4) | 0;
    h = (h + t) | 0;
    t = (t + ((e & f) ^ (g & (e ^ f)))) | 0;
    d = (t + ((e >>> 2) ^ (e >>> 13) ^ (e >>> 22) ^ (e << 30) ^ (e << 19) ^ (e << 10))) | 0;
    t = (c + ((h >>> 6) ^ (h >>> 11) ^ (h >>> 25) ^ (h << 26) ^ (h << 21) ^ (h << 7))) | 0;
    t = (t + (b ^ (h & (a ^ b)))) | 0;
    t = (((t + (k[i + 5] as number)) | 0) + w5) | 0;
    g = (g + t) | 0;
    t = (t + ((d & e) ^ (f & (d ^ e)))) | 0;
    c = (t + ((d >>> 2) ^ (d >>> 13) ^ (d >>> 22) ^ (d << 30) ^ (d << 19) ^ (d << 10))) | 0;
    t = (b + ((g >>> 6) ^ (g >>> 11) ^ (g >>> 25) ^ (g << 26) ^ (g << 21) ^ (g << 7))) | 0;
    t = (t + (a ^ (g & (h ^ a)))) | 0;
    t = (((t + (k[i + 6] as number)) | 0) + w6) | 0;
    f = (f + t) | 0;
    t = (t + ((c & d) ^ (e & (c ^ d)))) | 0;
    b = (t + ((c >>> 2) ^ (c >>> 13) ^ (c >>> 22) ^ (c << 30) ^ (c << 19) ^ (c << 10))) | 0;
    t = (a + ((f >>> 6) ^ (f >>> 11) ^ (f >>> 25) ^ (f << 26) ^ (f << 21) ^ (f << 7))) | 0;
    t = (t + (h ^ (f & (g ^ h)))) | 0;
    t = (((t + (k[i + 7] as number)) | 0) + w7) | 0;
    e = (e + t) | 0;
    t = (t + ((b & c) ^ (d & (b ^ c)))) | 0;
    a = (t + ((b >>> 2) ^ (b >>> 13) ^ (b >>> 22) ^ (b << 30) ^ (b << 19) ^ (b << 10))) | 0;
    t = (h + ((e >>> 6) ^ (e >>> 11) ^ (e >>> 25) ^ (e << 26) ^ (e << 21) ^ (e << 7))) | 0;
    t = (t + (g ^ (e & (f ^ g)))) | 0;
    t = (((t + (k[i + 8] as number)) | 0) + w8) | 0;
    d = (d + t) | 0;
    t = (t + ((a & b) ^ (c & (a ^ b)))) | 0;
    h = (t + ((a >>> 2) ^ (a >>> 13) ^ (a >>> 22) ^ (a << 30) ^ (a << 19) ^ (a << 10))) | 0;
    t = (g + ((d >>> 6) ^ (d >>> 11) ^ (d >>> 25) ^ (d << 26) ^ (d << 21) ^ (d << 7))) | 0;
    t = (t + (f ^ (d & (e ^ f)))) | 0;
    t = (((t + (k[i + 9] as number)) | 0) + w9) | 0;
    c = (c + t) | 0;
    t = (t + ((h & a) ^ (b & (h ^ a)))) | 0;
    g = (t + ((h >>> 2) ^ (h >>> 13) ^ (h >>> 22) ^ (h << 30) ^ (h << 19) ^ (h << 10))) | 0;
    t = (f + ((c >>> 6) ^ (c >>> 11) ^ (c >>> 25) ^ (c << 26) ^ (c << 21) ^ (c << 7))) | 0;
    t = (t + (e ^ (c & (d ^ e)))) | 0;
    t = (((t + (k[i + 10] as number)) | 0) + w10) | 0;
    b = (b + t) | 0;
    t = (t + ((g & h) ^ (a & (g ^ h)))) | 0;
    f = (t + ((g >>> 2) ^ (g >>> 13) ^ (g >>> 22) ^ (g << 30) ^ (g << 19) ^ (g << 10))) | 0;
    t = (e + ((b >>> 6) ^ (b >>> 11) ^ (b >>> 25) ^ (b << 26) ^ (b << 21) ^ (b << 7))) | 0;
    t = (t + (d ^ (b & (c ^ d)))) | 0;
    t = (((t + (k[i + 11] as number)) | 0) + w11) | 0;
    a = (a + t) | 0;
    t = (t + ((f & g) ^ (h & (f ^ g)))) | 0;
    e = (t + ((f >>> 2) ^ (f >>> 13) ^ (f >>> 22) ^ (f << 30) ^ (f << 19) ^ (f << 10))) | 0;
    t = (d + ((a >>> 6) ^ (a >>> 11) ^ (a >>> 25) ^ (a << 26) ^ (a << 21) ^ (a << 7))) | 0;
    t = (t + (c ^ (a & (b ^ c)))) | 0;
    t = (((t + (k[i + 12] as number)) | 0) + w12) | 0;
    h = (h + t) | 0;
    t = (t + ((e & f) ^ (g & (e ^ f)))) | 0;
    d = (t + ((e >>> 2) ^ (e >>> 13) ^ (e >>> 22) ^ (e << 30) ^ (e << 19) ^ (e << 10))) | 0;
    t = (c + ((h >>> 6) ^ (h >>> 11) ^ (h >>> 25) ^ (h << 26) ^ (h << 21) ^ (h << 7))) | 0;
    t = (t + (b ^ (h & (a ^ b)))) | 0;
    t = (((t + (k[i + 13] as number)) | 0) + w13) | 0;
    g = (g + t) | 0;
    t = (t + ((d & e) ^ (f & (d ^ e)))) | 0;
    c = (t + ((d >>> 2) ^ (d >>> 13) ^ (d >>> 22) ^ (d << 30) ^ (d << 19) ^ (d << 10))) | 0;
    t = (b + ((g >>> 6) ^ (g >>> 11) ^ (g >>> 25) ^ (g << 26) ^ (g << 21) ^ (g << 7))) | 0;
    t = (t + (a ^ (g & (h ^ a)))) | 0;
    t = (((t + (k[i + 14] as number)) | 0) + w14) | 0;
    f = (f + t) | 0;
    t = (t + ((c & d) ^ (e & (c ^ d)))) | 0;
    b = (t + ((c >>> 2) ^ (c >>> 13) ^ (c >>> 22) ^ (c << 30) ^ (c << 19) ^ (c << 10))) | 0;
    t = (a + ((f >>> 6) ^ (f >>> 11) ^ (f >>> 25) ^ (f << 26) ^ (f << 21) ^ (f << 7))) | 0;
    t = (t + (h ^ (f & (g ^ h)))) | 0;
    t = (((t + (k[i + 15] as number)) | 0) + w15) | 0;
    e = (e + t) | 0;
    t = (t + ((b & c) ^ (d & (b ^ c)))) | 0;
    a = (t + ((b >>> 2) ^ (b >>> 13) ^ (b >>> 22) ^ (b << 30) ^ (b << 19) ^ (b << 10))) | 0;
    if (i === 48) break;
    w0 = (w0 + w9) | 0;
    w0 = (w0 + ((w1 >>> 7) ^ (w1 >>> 18) ^ (w1 >>> 3) ^ (w1 << 25) ^ (w1 << 14))) | 0;
    w0 = (w0 + ((w14 >>> 17) ^ (w14 >>> 19) ^ (w14 >>> 10) ^ (w14 << 15) ^ (w14 << 13))) | 0;
    w1 = (w1 + w10) | 0;
    w1 = (w1 + ((w2 >>> 7) ^ (w2 >>> 18) ^ (w2 >>> 3) ^ (w2 << 25) ^ (w2 << 14))) | 0;
    w1 = (w1 + ((w15 >>> 17) ^ (w15 >>> 19) ^ (w15 >>> 10) ^ (w15 << 15) ^ (w15 << 13))) | 0;
    w2 = (w2 + w11) | 0;
    w2 = (w2 + ((w3 >>> 7) ^ (w3 >>> 18) ^ (w3 >>> 3) ^ (w3 << 25) ^ (w3 << 14))) | 0;
    w2 = (w2 + ((w0 >>> 17) ^ (w0 >>> 19) ^ (w0 >>> 10) ^ (w0 << 15) ^ (w0 << 13))) | 0;
    w3 = (w3 + w12) | 0;
    w3 = (w3 + ((w4 >>> 7) ^ (w4 >>> 18) ^ (w4 >>> 3) ^ (w4 << 25) ^ (w4 << 14))) | 0;
    w3 = (w3 + ((w1 >>> 17) ^ (w1 >>> 19) ^ (w1 >>> 10) ^ (w1 << 15) ^ (w1 << 13))) | 0;
    w4 = (w4 + w13) | 0;
    w4 = (w4 + ((w5 >>> 7) ^ (w5 >>> 18) ^ (w5 >>> 3) ^ (w5 << 25) ^ (w5 << 14))) | 0;
    w4 = (w4 + ((w2 >>> 17) ^ (w2 >>> 19) ^ (w2 >>> 10) ^ (w2 << 15) ^ (w2 << 13))) | 0;
    w5 = (w5 + w14) | 0;
    w5 = (w5 + ((w6 >>> 7) ^ (w6 >>> 18) ^ (w6 >>> 3) ^ (w6 << 25) ^ (w6 << 14))) | 0;
    w5 = (w5 + ((w3 >>> 17) ^ (w3 >>> 19) ^ (w3 >>> 10) ^ (w3 << 15) ^ (w3 << 13))) | 0;
    w6 = (w6 + w15) | 0;
    w6 = (w6 + ((w7 >>> 7) ^ (w7 >>> 18) ^ (w7 >>> 3) ^ (w7 << 25) ^ (w7 << 14))) | 0;
    w6 = (w6 + ((w4 >>> 17) ^ (w4 >>> 19) ^ (w4 >>> 10) ^ (w4 << 15) ^ (w4 << 13))) | 0;
    w7 = (w7 + w0) | 0;
    w7 = (w7 + ((w8 >>> 7) ^ (w8 >>> 18) ^ (w8 >>> 3) ^ (w8 << 25) ^ (w8 << 14))) | 0;
    w7 = (w7 + ((w5 >>> 17) ^ (w5 >>> 19) ^ (w5 >>> 10) ^ (w5 << 15) ^ (w5 << 13))) | 0;
    w8 = (w8 + w1) | 0;
    w8 = (w8 + ((w9 >>> 7) ^ (w9 >>> 18) ^ (w9 >>> 3) ^ (w9 << 25) ^ (w9 << 14))) | 0;
    w8 = (w8 + ((w6 >>> 17) ^ (w6 >>> 19) ^ (w6 >>> 10) ^ (w6 << 15) ^ (w6 << 13))) | 0;
    w9 = (w9 + w2) | 0;
    w9 = (w9 + ((w10 >>> 7) ^ (w10 >>> 18) ^ (w10 >>> 3) ^ (w10 << 25) ^ (w10 << 14))) | 0;
    w9 = (w9 + ((w7 >>> 17) ^ (w7 >>> 19) ^ (w7 >>> 10) ^ (w7 << 15) ^ (w7 << 13))) | 0;
    w10 = (w10 + w3) | 0;
    w10 = (w10 + ((w11 >>> 7) ^ (w11 >>> 18) ^ (w11 >>> 3) ^ (w11 << 25) ^ (w11 << 14))) | 0;
    w10 = (w10 + ((w8 >>> 17) ^ (w8 >>> 19) ^ (w8 >>> 10) ^ (w8 << 15) ^ (w8 << 13))) | 0;
    w11 = (w11 + w4) | 0;
    w11 = (w11 + ((w12 >>> 7) ^ (w12 >>> 18) ^ (w12 >>> 3) ^ (w12 << 25) ^ (w12 << 14))) | 0;
    w11 = (w11 + ((w9 >>> 17) ^ (w9 >>> 19) ^ (w9 >>> 10) ^ (w9 << 15) ^ (w9 << 13))) | 0;
    w12 = (w12 + w5) | 0;
    w12 = (w12 + ((w13 >>> 7) ^ (w13 >>> 18) ^ (w13 >>> 3) ^ (w13 << 25) ^ (w13 << 14))) | 0;
    w12 = (w12 + ((w10 >>> 17) ^ (w10 >>> 19) ^ (w10 >>> 10) ^ (w10 << 15) ^ (w10 << 13))) | 0;
    w13 = (w13 + w6) | 0;
    w13 = (w13 + ((w14 >>> 7) ^ (w14 >>> 18) ^ (w14 >>> 3) ^ (w14 << 25) ^ (w14 << 14))) | 0;
    w13 = (w13 + ((w11 >>> 17) ^ (w11 >>> 19) ^ (w11 >>> 10) ^ (w11 << 15) ^ (w11 << 13))) | 0;
    w14 = (w14 + w7) | 0;
    w14 = (w14 + ((w15 >>> 7) ^ (w15 >>> 18) ^ (w15 >>> 3) ^ (w15 << 25) ^ (w15 << 14))) | 0;
    w14 = (w14 + ((w12 >>> 17) ^ (w12 >>> 19) ^ (w12 >>> 10) ^ (w12 << 15) ^ (w12 << 13))) | 0;
    w15 = (w15 + w8) | 0;
    w15 = (w15 + ((w0 >>> 7) ^ (w0 >>> 18) ^ (w0 >>> 3) ^ (w0 << 25) ^ (w0 << 14))) | 0;
    w15 = (w15 + ((w13 >>> 17) ^ (w13 >>> 19) ^ (w13 >>> 10) ^ (w13 << 15) ^ (w13 << 13))) | 0;
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

const initialState = new Int32Array([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
]);

const roundConstants: readonly number[] = [
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
].map((constant) => constant | 0);
