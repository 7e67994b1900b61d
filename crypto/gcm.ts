// AES-256-GCM (SP 800-38D) with an IV of 96 bits and a tag of 128. The tag is checked before a byte
// is decrypted.
// A key's multiples in the field of the tag are a table, of which a block reads 16 entries: without
// it a block costs ten times as much. The time of that depends on the processor's cache, as with
// the tables of AES.

// biome-ignore-all lint/suspicious/noVar: an interpreter checks every use of a `let`

import { type AesKey, cbc, encryptionKey } from './aes.ts';
import { bytesOfWords, concatBytes, equalBytes, wordsOfBytes } from './bytes.ts';
import type { Turn } from './turn.ts';

interface GcmKey {
  readonly aes: AesKey;
  readonly products: Products;
}

interface GcmOptions {
  readonly key: GcmKey;
  /** 12 bytes, never twice under one key. */
  readonly iv: Uint8Array;
  /** Authenticated and not encrypted. */
  readonly aad: Uint8Array;
  readonly turn: Turn;
}

/** A key of 32 bytes made ready, for many messages. */
export function gcmKey(key: Uint8Array): GcmKey {
  const aes = encryptionKey(wordsOfBytes(key));
  return { aes, products: productsOf(encrypted(aes, new Int32Array(4))) };
}

/** The ciphertext, followed by its tag of 16 bytes. */
export async function gcmSeal(options: GcmOptions, plain: Uint8Array): Promise<Uint8Array> {
  const sealed = await crypt(options, plain);
  return concatBytes(sealed, await tagOf(options, sealed));
}

/** The cleartext of what `gcmSeal` answers; null when the tag does not fit. */
export async function gcmOpen(options: GcmOptions, sealed: Uint8Array): Promise<Uint8Array | null> {
  const end = sealed.length - blockBytes;
  if (end < 0) return null;
  const ciphertext = sealed.subarray(0, end);
  const tag = await tagOf(options, ciphertext);
  return equalBytes(tag, sealed.subarray(end)) ? crypt(options, ciphertext) : null;
}

/** For each word of a product: what a byte times the hash key is in the field of the tag. */
type Products = readonly [number[], number[], number[], number[]];

const blockBytes = 16;
/** What a block counts for. */
const cipherGroups = 0.5;
const tagGroups = 0.25;

/** Counter mode: the same for both directions. The first counter belongs to the tag. */
async function crypt({ key, iv, turn }: GcmOptions, bytes: Uint8Array): Promise<Uint8Array> {
  const result = filled(bytes);
  for (let at = 0, counter = 2; at < bytes.length; at += blockBytes, counter++) {
    if (turn.isOver(cipherGroups)) await turn.next();
    const block = counterBlock(key.aes, iv, counter);
    addWords(block, wordsOfBytes(result.subarray(at, at + blockBytes)));
    result.set(bytesOfWords(block), at);
  }
  return result.subarray(0, bytes.length);
}

async function tagOf(
  { key, iv, aad, turn }: GcmOptions,
  ciphertext: Uint8Array,
): Promise<Uint8Array> {
  const lengths = new Int32Array([0, aad.length << 3, 0, ciphertext.length << 3]);
  const hash = new Int32Array(4);
  for (const bytes of [filled(aad), filled(ciphertext), bytesOfWords(lengths)]) {
    for (let at = 0; at < bytes.length; at += blockBytes) {
      if (turn.isOver(tagGroups)) await turn.next();
      addWords(hash, wordsOfBytes(bytes.subarray(at, at + blockBytes)));
      multiply(hash, key.products);
    }
  }
  addWords(hash, counterBlock(key.aes, iv, 1));
  return bytesOfWords(hash);
}

/**
 * `hash` becomes its product with the hash key in the field of SP 800-38D 6.3, a byte at a time
 * from the last one: what there is moves on by eight powers, and the byte's product is added.
 */
function multiply(hash: Int32Array, [m0, m1, m2, m3]: Products): void {
  var at = 15;
  var byte = 0;
  var over = 0;
  var z0 = 0;
  var z1 = 0;
  var z2 = 0;
  var z3 = 0;
  for (; at >= 0; at--) {
    byte = ((hash[at >> 2] as number) >>> (8 * (~at & 3))) & 255;
    // The power 128 is the sum of the powers 0, 1, 2 and 7.
    over = z3 << 24;
    z3 = ((z3 >>> 8) | (z2 << 24)) ^ (m3[byte] as number);
    z2 = ((z2 >>> 8) | (z1 << 24)) ^ (m2[byte] as number);
    z1 = ((z1 >>> 8) | (z0 << 24)) ^ (m1[byte] as number);
    z0 = (z0 >>> 8) ^ over ^ (over >>> 1) ^ (over >>> 2) ^ (over >>> 7) ^ (m0[byte] as number);
  }
  hash.set([z0, z1, z2, z3]);
}

/** The first bit of a byte is the lowest power, as everywhere in this field. */
function productsOf(hashKey: Int32Array): Products {
  const products: Products = [zeros(), zeros(), zeros(), zeros()];
  for (let bit = 128; bit > 0; bit >>= 1) {
    const carry = -((hashKey[3] as number) & 1) & 0xe1000000;
    for (let word = 3; word >= 0; word--) {
      const value = hashKey[word] as number;
      (products[word] as number[])[bit] = value;
      hashKey[word] = (value >>> 1) ^ (word > 0 ? (hashKey[word - 1] as number) << 31 : carry);
    }
  }
  for (const table of products) {
    for (let byte = 1; byte < 256; byte++) {
      // Products of sums are sums of products.
      const bit = byte & -byte;
      table[byte] = (table[bit] as number) ^ (table[byte - bit] as number);
    }
  }
  return products;
}

const zeros = (): number[] => new Array(256).fill(0);

function counterBlock(key: AesKey, iv: Uint8Array, counter: number): Int32Array {
  const block = new Int32Array(4);
  block.set(wordsOfBytes(iv));
  block[3] = counter;
  return encrypted(key, block);
}

/** One block, in place: in CBC mode after a block of zeros it is encrypted as it is. */
function encrypted(key: AesKey, block: Int32Array): Int32Array {
  cbc(key, block, 0, 4, new Int32Array(4));
  return block;
}

function addWords(sum: Int32Array, words: Int32Array): void {
  for (let word = 0; word < 4; word++) {
    sum[word] = (sum[word] as number) ^ (words[word] as number);
  }
}

/** Zeros up to the end of the last block. */
function filled(bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(Math.ceil(bytes.length / blockBytes) * blockBytes);
  whole.set(bytes);
  return whole;
}
