// AES-256-GCM (SP 800-38D) with an IV of 96 bits and a tag of 128: how a scoped key travels.
// Made for messages of a few kilobytes that come once in a sign-in: small, without tables of its
// own, and every bit of a secret costs the same. The tag is checked before a byte is decrypted.

import { type AesKey, cbc, encryptionKey } from './aes.ts';
import { bytesOfWords, concatBytes, equalBytes, wordsOfBytes } from './bytes.ts';

export interface GcmOptions {
  /** 32 bytes. */
  readonly key: Uint8Array;
  /** 12 bytes, never twice under one key. */
  readonly iv: Uint8Array;
  /** Authenticated and not encrypted. */
  readonly aad: Uint8Array;
  /** Lets the device do other work and resolves in a later turn. */
  readonly pause: () => Promise<void>;
}

/** The ciphertext, followed by its tag of 16 bytes. */
export async function gcmSeal(options: GcmOptions, plain: Uint8Array): Promise<Uint8Array> {
  const key = encryptionKey(wordsOfBytes(options.key));
  const sealed = await crypt(key, options, plain);
  return concatBytes(sealed, await tagOf(key, options, sealed));
}

/** The cleartext of what `gcmSeal` answers; null when the tag does not fit. */
export async function gcmOpen(options: GcmOptions, sealed: Uint8Array): Promise<Uint8Array | null> {
  const key = encryptionKey(wordsOfBytes(options.key));
  const end = sealed.length - blockBytes;
  if (end < 0) return null;
  const ciphertext = sealed.subarray(0, end);
  const tag = await tagOf(key, options, ciphertext);
  return equalBytes(tag, sealed.subarray(end)) ? crypt(key, options, ciphertext) : null;
}

const blockBytes = 16;
/** A block of the tag costs 600,000 instructions of an interpreter. */
const blocksPerSlice = 32;

/** Counter mode: the same for both directions. The first counter belongs to the tag. */
async function crypt(
  key: AesKey,
  { iv, pause }: GcmOptions,
  bytes: Uint8Array,
): Promise<Uint8Array> {
  const result = bytes.slice();
  for (let at = 0, block = 0; at < bytes.length; at += blockBytes, block++) {
    if (block % blocksPerSlice === 0) await pause();
    addBlock(result, at, counterBlock(key, iv, block + 2));
  }
  return result;
}

async function tagOf(
  key: AesKey,
  { iv, aad, pause }: GcmOptions,
  ciphertext: Uint8Array,
): Promise<Uint8Array> {
  const hashKey = new Int32Array(4);
  encrypt(key, hashKey);
  const lengths = new Int32Array([0, aad.length << 3, 0, ciphertext.length << 3]);
  const input = concatBytes(filled(aad), filled(ciphertext), bytesOfWords(lengths));
  const hash = new Int32Array(4);
  for (let at = 0, block = 0; at < input.length; at += blockBytes, block++) {
    if (block % blocksPerSlice === 0) await pause();
    const words = wordsOfBytes(input.subarray(at, at + blockBytes));
    for (let word = 0; word < 4; word++)
      hash[word] = (hash[word] as number) ^ (words[word] as number);
    multiply(hash, hashKey);
  }
  const tag = bytesOfWords(hash);
  addBlock(tag, 0, counterBlock(key, iv, 1));
  return tag;
}

/** `hash` becomes its product with `hashKey` in the field of SP 800-38D 6.3. */
function multiply(hash: Int32Array, hashKey: Int32Array): void {
  let [v0, v1, v2, v3] = hashKey as unknown as [number, number, number, number];
  let z0 = 0;
  let z1 = 0;
  let z2 = 0;
  let z3 = 0;
  for (let bit = 0; bit < 128; bit++) {
    const mask = -(((hash[bit >> 5] as number) >>> (31 - (bit & 31))) & 1);
    z0 ^= v0 & mask;
    z1 ^= v1 & mask;
    z2 ^= v2 & mask;
    z3 ^= v3 & mask;
    const carry = -(v3 & 1) & 0xe1000000;
    v3 = (v3 >>> 1) | (v2 << 31);
    v2 = (v2 >>> 1) | (v1 << 31);
    v1 = (v1 >>> 1) | (v0 << 31);
    v0 = (v0 >>> 1) ^ carry;
  }
  hash.set([z0, z1, z2, z3]);
}

function counterBlock(key: AesKey, iv: Uint8Array, counter: number): Uint8Array {
  const words = new Int32Array(4);
  words.set(wordsOfBytes(iv));
  words[3] = counter;
  encrypt(key, words);
  return bytesOfWords(words);
}

/** One block: in CBC mode after a block of zeros it is encrypted as it is. */
function encrypt(key: AesKey, block: Int32Array): void {
  cbc(key, block, 0, 4, new Int32Array(4));
}

function addBlock(bytes: Uint8Array, from: number, block: Uint8Array): void {
  for (let at = 0; at < blockBytes && from + at < bytes.length; at++) {
    bytes[from + at] = (bytes[from + at] as number) ^ (block[at] as number);
  }
}

/** Zeros up to the end of the last block. */
function filled(bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(Math.ceil(bytes.length / blockBytes) * blockBytes);
  whole.set(bytes);
  return whole;
}
