// SHA-256 (FIPS 180-4) over words, so that whoever has characters or bytes makes words of them once.
// A hash in progress is its eight words of state: copying them keeps what was hashed so far.
// Written for an interpreter, where every local is cheaper than every property or call: eight
// rounds stand in a row with their variables renamed instead of moved, and every sum is cut back
// to 32 bits at once, because a sum past them would become a slow floating point number.

import { bytesOfWords } from './bytes.ts';

export const blockBytes = 64;

/** The state before the first block. */
export function newHash(): Int32Array {
  return initialState.slice();
}

/** Adds one block, 16 big-endian words, to the state. */
export function hashBlock(state: Int32Array, block: Int32Array): void {
  const k = roundConstants;
  const w = schedule;
  let t = 0;
  let i = 0;
  w.set(block);
  for (i = 16; i < 64; i++) {
    const x = w[i - 15] as number;
    const y = w[i - 2] as number;
    t = ((w[i - 16] as number) + (w[i - 7] as number)) | 0;
    t = (t + ((x >>> 7) ^ (x >>> 18) ^ (x >>> 3) ^ (x << 25) ^ (x << 14))) | 0;
    w[i] = t + ((y >>> 17) ^ (y >>> 19) ^ (y >>> 10) ^ (y << 15) ^ (y << 13));
  }
  let a = state[0] as number;
  let b = state[1] as number;
  let c = state[2] as number;
  let d = state[3] as number;
  let e = state[4] as number;
  let f = state[5] as number;
  let g = state[6] as number;
  let h = state[7] as number;
  for (i = 0; i < 64; i += 8) {
    t =
      (((h + ((e >>> 6) ^ (e >>> 11) ^ (e >>> 25) ^ (e << 26) ^ (e << 21) ^ (e << 7))) | 0) +
        (g ^ (e & (f ^ g)))) |
      0;
    t = (((t + (k[i] as number)) | 0) + (w[i] as number)) | 0;
    d = (d + t) | 0;
    h =
      (((t + ((a >>> 2) ^ (a >>> 13) ^ (a >>> 22) ^ (a << 30) ^ (a << 19) ^ (a << 10))) | 0) +
        ((a & b) ^ (c & (a ^ b)))) |
      0;
    t =
      (((g + ((d >>> 6) ^ (d >>> 11) ^ (d >>> 25) ^ (d << 26) ^ (d << 21) ^ (d << 7))) | 0) +
        (f ^ (d & (e ^ f)))) |
      0;
    t = (((t + (k[i + 1] as number)) | 0) + (w[i + 1] as number)) | 0;
    c = (c + t) | 0;
    g =
      (((t + ((h >>> 2) ^ (h >>> 13) ^ (h >>> 22) ^ (h << 30) ^ (h << 19) ^ (h << 10))) | 0) +
        ((h & a) ^ (b & (h ^ a)))) |
      0;
    t =
      (((f + ((c >>> 6) ^ (c >>> 11) ^ (c >>> 25) ^ (c << 26) ^ (c << 21) ^ (c << 7))) | 0) +
        (e ^ (c & (d ^ e)))) |
      0;
    t = (((t + (k[i + 2] as number)) | 0) + (w[i + 2] as number)) | 0;
    b = (b + t) | 0;
    f =
      (((t + ((g >>> 2) ^ (g >>> 13) ^ (g >>> 22) ^ (g << 30) ^ (g << 19) ^ (g << 10))) | 0) +
        ((g & h) ^ (a & (g ^ h)))) |
      0;
    t =
      (((e + ((b >>> 6) ^ (b >>> 11) ^ (b >>> 25) ^ (b << 26) ^ (b << 21) ^ (b << 7))) | 0) +
        (d ^ (b & (c ^ d)))) |
      0;
    t = (((t + (k[i + 3] as number)) | 0) + (w[i + 3] as number)) | 0;
    a = (a + t) | 0;
    e =
      (((t + ((f >>> 2) ^ (f >>> 13) ^ (f >>> 22) ^ (f << 30) ^ (f << 19) ^ (f << 10))) | 0) +
        ((f & g) ^ (h & (f ^ g)))) |
      0;
    t =
      (((d + ((a >>> 6) ^ (a >>> 11) ^ (a >>> 25) ^ (a << 26) ^ (a << 21) ^ (a << 7))) | 0) +
        (c ^ (a & (b ^ c)))) |
      0;
    t = (((t + (k[i + 4] as number)) | 0) + (w[i + 4] as number)) | 0;
    h = (h + t) | 0;
    d =
      (((t + ((e >>> 2) ^ (e >>> 13) ^ (e >>> 22) ^ (e << 30) ^ (e << 19) ^ (e << 10))) | 0) +
        ((e & f) ^ (g & (e ^ f)))) |
      0;
    t =
      (((c + ((h >>> 6) ^ (h >>> 11) ^ (h >>> 25) ^ (h << 26) ^ (h << 21) ^ (h << 7))) | 0) +
        (b ^ (h & (a ^ b)))) |
      0;
    t = (((t + (k[i + 5] as number)) | 0) + (w[i + 5] as number)) | 0;
    g = (g + t) | 0;
    c =
      (((t + ((d >>> 2) ^ (d >>> 13) ^ (d >>> 22) ^ (d << 30) ^ (d << 19) ^ (d << 10))) | 0) +
        ((d & e) ^ (f & (d ^ e)))) |
      0;
    t =
      (((b + ((g >>> 6) ^ (g >>> 11) ^ (g >>> 25) ^ (g << 26) ^ (g << 21) ^ (g << 7))) | 0) +
        (a ^ (g & (h ^ a)))) |
      0;
    t = (((t + (k[i + 6] as number)) | 0) + (w[i + 6] as number)) | 0;
    f = (f + t) | 0;
    b =
      (((t + ((c >>> 2) ^ (c >>> 13) ^ (c >>> 22) ^ (c << 30) ^ (c << 19) ^ (c << 10))) | 0) +
        ((c & d) ^ (e & (c ^ d)))) |
      0;
    t =
      (((a + ((f >>> 6) ^ (f >>> 11) ^ (f >>> 25) ^ (f << 26) ^ (f << 21) ^ (f << 7))) | 0) +
        (h ^ (f & (g ^ h)))) |
      0;
    t = (((t + (k[i + 7] as number)) | 0) + (w[i + 7] as number)) | 0;
    e = (e + t) | 0;
    a =
      (((t + ((b >>> 2) ^ (b >>> 13) ^ (b >>> 22) ^ (b << 30) ^ (b << 19) ^ (b << 10))) | 0) +
        ((b & c) ^ (d & (b ^ c)))) |
      0;
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
 * Adds the last bytes and closes the hash: the digest of 32 bytes. `hashedBytes` went into `state`
 * before, in whole blocks. The state is used up.
 */
export function finishHash(state: Int32Array, tail: Uint8Array, hashedBytes = 0): Uint8Array {
  const block = new Int32Array(16);
  const blocks = Math.floor((tail.length + 8) / blockBytes) + 1;
  for (let index = 0; index < blocks; index++) {
    for (let word = 0; word < 16; word++) {
      const at = index * blockBytes + 4 * word;
      block[word] =
        (paddedByte(tail, at) << 24) |
        (paddedByte(tail, at + 1) << 16) |
        (paddedByte(tail, at + 2) << 8) |
        paddedByte(tail, at + 3);
    }
    if (index === blocks - 1) {
      const length = hashedBytes + tail.length;
      block[14] = Math.floor(length / 0x20000000);
      block[15] = length << 3;
    }
    hashBlock(state, block);
  }
  return bytesOfWords(state);
}

/** The digest of the bytes, 32 bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return finishHash(newHash(), bytes);
}

/** The message followed by a single bit, then zeros. */
function paddedByte(message: Uint8Array, at: number): number {
  return message[at] ?? (at === message.length ? 0x80 : 0);
}

/** Used within one call only; made once, because every block needs one. */
const schedule = new Int32Array(64);

const initialState = new Int32Array([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
]);

const roundConstants = new Int32Array([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]);
