// XSalsa20-Poly1305, the secretbox of NaCl, and nothing else of NaCl: a general library is a third
// of the firmware and 150 KB of heap, of which this is what sealing at rest needs. Its boxes are
// those of every NaCl. Arithmetic of Poly1305 is in limbs of 22 bits, so that every sum of products
// is an exact double. A nonce must never come twice under one key.
// It is for small things: no device helps with it, and a KiB costs eleven million instructions of
// an interpreter, between which the device gets its turns. What is long, or comes in numbers, goes
// through bulk.ts.

import { concatBytes, equalBytes } from './bytes.ts';

const TAG_BYTES = 16;
const BLOCK_BYTES = 64;
/** So much is encrypted, or authenticated, before the device gets its turn. */
const SLICE_BYTES = 640;
/** The first half of the first block of key stream is the key of the MAC. */
const MAC_KEY_BYTES = 32;
/** "expand 32-byte k" as little-endian words. */
const SIGMA = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574];

/**
 * `key` is 32 bytes, `nonce` 24. The box is the 16 bytes of the MAC and the encrypted message.
 * `pause` lets the device do other work and resolves in a later turn; so it begins.
 */
export async function secretbox(
  message: Uint8Array,
  nonce: Uint8Array,
  key: Uint8Array,
  pause: Pause,
): Promise<Uint8Array> {
  const { macKey, text } = await encrypted(message, nonce, key, pause);
  return concatBytes(await poly1305(text, macKey, pause), text);
}

/** The message, or null if the box was not made under this key and nonce, or was changed. */
export async function openSecretbox(
  box: Uint8Array,
  nonce: Uint8Array,
  key: Uint8Array,
  pause: Pause,
): Promise<Uint8Array | null> {
  if (box.length < TAG_BYTES) return null;
  const sealed = box.slice(TAG_BYTES);
  const { macKey, text } = await encrypted(sealed, nonce, key, pause);
  const mac = await poly1305(sealed, macKey, pause);
  return equalBytes(mac, box.slice(0, TAG_BYTES)) ? text : null;
}

type Pause = () => Promise<void>;

/**
 * `bytes` under the key stream (which is its own inverse), and the key of the MAC in front of it.
 */
async function encrypted(
  bytes: Uint8Array,
  nonce: Uint8Array,
  key: Uint8Array,
  pause: Pause,
): Promise<{ macKey: Uint8Array; text: Uint8Array }> {
  const end = MAC_KEY_BYTES + bytes.length;
  const padded = new Uint8Array(Math.ceil(end / BLOCK_BYTES) * BLOCK_BYTES);
  padded.set(bytes, MAC_KEY_BYTES);
  const block = new Int32Array(16);
  salsa20(block, stateOf(wordsAt(key, 0, 8), wordsAt(nonce, 0, 4)), false);
  const subkey = [0, 5, 10, 15, 6, 7, 8, 9].map((at) => block[at] as number);
  const state = stateOf(subkey, [...wordsAt(nonce, 16, 2), 0, 0]);
  for (let from = 0; from < padded.length; from += BLOCK_BYTES) {
    if (from % SLICE_BYTES === 0) await pause();
    state[8] = from / BLOCK_BYTES;
    salsa20(block, state, true);
    for (let at = 0, to = from; at < 16; at++, to += 4) {
      const word = block[at] as number;
      padded[to] = (padded[to] as number) ^ word;
      padded[to + 1] = (padded[to + 1] as number) ^ (word >>> 8);
      padded[to + 2] = (padded[to + 2] as number) ^ (word >>> 16);
      padded[to + 3] = (padded[to + 3] as number) ^ (word >>> 24);
    }
  }
  return { macKey: padded.slice(0, MAC_KEY_BYTES), text: padded.slice(MAC_KEY_BYTES, end) };
}

/**
 * 16 words: the constants on the diagonal, the key around them, `input` (nonce and counter) in the
 * middle.
 */
function stateOf(key: readonly number[], input: readonly number[]): Int32Array {
  const [c0 = 0, c1 = 0, c2 = 0, c3 = 0] = SIGMA;
  return Int32Array.of(c0, ...key.slice(0, 4), c1, ...input, c2, ...key.slice(4), c3);
}

/** The Salsa20 core, 20 rounds, with or without adding the input at the end. */
function salsa20(out: Int32Array, state: Int32Array, addInput: boolean): void {
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
  let [, , , , , , , , i = 0, j = 0, k = 0, l = 0, m = 0, n = 0, o = 0, p = 0] = state;
  let t = 0;
  // biome-ignore-start lint/suspicious/noAssignInExpressions: a step a line, as in Salsa20's own
  // text
  for (let round = 0; round < 20; round += 2) {
    e ^= ((t = (a + m) | 0) << 7) | (t >>> 25);
    i ^= ((t = (e + a) | 0) << 9) | (t >>> 23);
    m ^= ((t = (i + e) | 0) << 13) | (t >>> 19);
    a ^= ((t = (m + i) | 0) << 18) | (t >>> 14);
    j ^= ((t = (f + b) | 0) << 7) | (t >>> 25);
    n ^= ((t = (j + f) | 0) << 9) | (t >>> 23);
    b ^= ((t = (n + j) | 0) << 13) | (t >>> 19);
    f ^= ((t = (b + n) | 0) << 18) | (t >>> 14);
    o ^= ((t = (k + g) | 0) << 7) | (t >>> 25);
    c ^= ((t = (o + k) | 0) << 9) | (t >>> 23);
    g ^= ((t = (c + o) | 0) << 13) | (t >>> 19);
    k ^= ((t = (g + c) | 0) << 18) | (t >>> 14);
    d ^= ((t = (p + l) | 0) << 7) | (t >>> 25);
    h ^= ((t = (d + p) | 0) << 9) | (t >>> 23);
    l ^= ((t = (h + d) | 0) << 13) | (t >>> 19);
    p ^= ((t = (l + h) | 0) << 18) | (t >>> 14);
    b ^= ((t = (a + d) | 0) << 7) | (t >>> 25);
    c ^= ((t = (b + a) | 0) << 9) | (t >>> 23);
    d ^= ((t = (c + b) | 0) << 13) | (t >>> 19);
    a ^= ((t = (d + c) | 0) << 18) | (t >>> 14);
    g ^= ((t = (f + e) | 0) << 7) | (t >>> 25);
    h ^= ((t = (g + f) | 0) << 9) | (t >>> 23);
    e ^= ((t = (h + g) | 0) << 13) | (t >>> 19);
    f ^= ((t = (e + h) | 0) << 18) | (t >>> 14);
    l ^= ((t = (k + j) | 0) << 7) | (t >>> 25);
    i ^= ((t = (l + k) | 0) << 9) | (t >>> 23);
    j ^= ((t = (i + l) | 0) << 13) | (t >>> 19);
    k ^= ((t = (j + i) | 0) << 18) | (t >>> 14);
    m ^= ((t = (p + o) | 0) << 7) | (t >>> 25);
    n ^= ((t = (m + p) | 0) << 9) | (t >>> 23);
    o ^= ((t = (n + m) | 0) << 13) | (t >>> 19);
    p ^= ((t = (o + n) | 0) << 18) | (t >>> 14);
  }
  // biome-ignore-end lint/suspicious/noAssignInExpressions: -
  out.set([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]);
  for (let at = 0; addInput && at < 16; at++) {
    out[at] = (out[at] as number) + (state[at] as number);
  }
}

/** A number of 130 bits and more, in limbs of 22 bits, the lowest first. */
type Limbs = readonly [number, number, number, number, number, number];

const LIMB = 0x400000;
const MASK = LIMB - 1;
/** 2^132, the weight behind the last limb, is 20 modulo 2^130 - 5. */
const WRAP = 20;

/** The MAC of `bytes` under a one-time key of 32 bytes. */
async function poly1305(bytes: Uint8Array, key: Uint8Array, pause: Pause): Promise<Uint8Array> {
  const [k0 = 0, k1 = 0, k2 = 0, k3 = 0, ...pad] = wordsAt(key, 0, 8);
  const r = limbsOf([k0 & 0xfffffff, k1 & 0xffffffc, k2 & 0xffffffc, k3 & 0xffffffc], 0);
  let sum: Limbs = [0, 0, 0, 0, 0, 0];
  for (let from = 0; from < bytes.length; from += TAG_BYTES) {
    if (from % SLICE_BYTES === SLICE_BYTES - TAG_BYTES) await pause();
    sum = multiplied(sum, blockAt(bytes, from), r);
  }
  return tagOf(sum, pad);
}

/** (sum + block) * r, modulo 2^130 - 5 but for what a carry leaves. */
function multiplied(sum: Limbs, block: Limbs, [r0, r1, r2, r3, r4, r5]: Limbs): Limbs {
  const a = sum[0] + block[0];
  const b = sum[1] + block[1];
  const c = sum[2] + block[2];
  const d = sum[3] + block[3];
  const e = sum[4] + block[4];
  const f = sum[5] + block[5];
  return carried([
    a * r0 + WRAP * (b * r5 + c * r4 + d * r3 + e * r2 + f * r1),
    a * r1 + b * r0 + WRAP * (c * r5 + d * r4 + e * r3 + f * r2),
    a * r2 + b * r1 + c * r0 + WRAP * (d * r5 + e * r4 + f * r3),
    a * r3 + b * r2 + c * r1 + d * r0 + WRAP * (e * r5 + f * r4),
    a * r4 + b * r3 + c * r2 + d * r1 + e * r0 + WRAP * f * r5,
    a * r5 + b * r4 + c * r3 + d * r2 + e * r1 + f * r0,
  ]);
}

/** A block of up to 16 bytes with its closing bit. */
function blockAt(bytes: Uint8Array, from: number): Limbs {
  if (from + TAG_BYTES <= bytes.length) return limbsOf(wordsAt(bytes, from, 4), 1 << 18);
  const last = new Uint8Array(TAG_BYTES);
  last.set(bytes.subarray(from));
  last[bytes.length - from] = 1;
  return limbsOf(wordsAt(last, 0, 4), 0);
}

/** 128 bits in four words as limbs; `top` is added to the last. */
function limbsOf(words: readonly number[], top: number): Limbs {
  const [a = 0, b = 0, c = 0, d = 0] = words;
  return [
    a & MASK,
    ((a >>> 22) | (b << 10)) & MASK,
    ((b >>> 12) | (c << 20)) & MASK,
    (c >>> 2) & MASK,
    ((c >>> 24) | (d << 8)) & MASK,
    (d >>> 14) + top,
  ];
}

/** The same number with every limb under 2^22, but for a small rest in the first. */
function carried([a, b, c, d, e, f]: Limbs): Limbs {
  const g = b + Math.floor(a / LIMB);
  const h = c + Math.floor(g / LIMB);
  const i = d + Math.floor(h / LIMB);
  const j = e + Math.floor(i / LIMB);
  const k = f + Math.floor(j / LIMB);
  const first = (a % LIMB) + WRAP * Math.floor(k / LIMB);
  return [first, g % LIMB, h % LIMB, i % LIMB, j % LIMB, k % LIMB];
}

/** The sum modulo 2^130 - 5, plus the pad, modulo 2^128. */
function tagOf(sum: Limbs, pad: readonly number[]): Uint8Array {
  const small = below130(carried(carried(sum)));
  const plus5 = carried(withFirst(small, small[0] + 5));
  // A sum of 2^130 - 5 or more is that much too large.
  const [a, b, c, d, e, f] = plus5[5] >= 0x100000 ? plus5 : small;
  const words = [
    a | (b << 22),
    (b >>> 10) | (c << 12),
    (c >>> 20) | (d << 2) | (e << 24),
    (e >>> 8) | (f << 14),
  ];
  const tag = new Uint8Array(TAG_BYTES);
  let over = 0;
  for (let at = 0; at < 4; at++) {
    over += ((words[at] ?? 0) >>> 0) + ((pad[at] ?? 0) >>> 0);
    for (let byte = 0; byte < 4; byte++) tag[4 * at + byte] = over >>> (8 * byte);
    over = over > 0xffffffff ? 1 : 0;
  }
  return tag;
}

/** Folds the two bits that the last limb has too many; 2^130 is 5. */
function below130([a, b, c, d, e, f]: Limbs): Limbs {
  return carried([a + 5 * (f >>> 20), b, c, d, e, f & 0xfffff]);
}

function withFirst([, b, c, d, e, f]: Limbs, first: number): Limbs {
  return [first, b, c, d, e, f];
}

/** Little-endian words. */
function wordsAt(bytes: Uint8Array, from: number, count: number): number[] {
  const words: number[] = [];
  for (let at = from; words.length < count; at += 4) {
    words.push(
      (bytes[at] as number) |
        ((bytes[at + 1] as number) << 8) |
        ((bytes[at + 2] as number) << 16) |
        ((bytes[at + 3] as number) << 24),
    );
  }
  return words;
}
