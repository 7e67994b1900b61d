// AES-256-GCM (SP 800-38D) with an IV of 96 bits and a tag of 128. The tag is checked before a byte
// is decrypted. Everything is done over big-endian words of whole blocks, in place.
// A key's multiples in the field of the tag are a table, of which a block reads 64 entries: without
// it a block costs ten times as much. The time of that depends on the processor's cache, as with
// the tables of AES.

// biome-ignore-all lint/suspicious/noVar: an interpreter checks every use of a `let`
// biome-ignore-all lint/style/noNonNullAssertion: what is read is within bounds, by construction

import { encryptionKey } from './aes.ts';
import { bytesOfWords, equalBytes, wordsOfBytes } from './bytes.ts';
import { ctr, type Rounds, roundsOf } from './ctr.ts';
import type { Turn } from './turn.ts';

export interface GcmKey {
  readonly rounds: Rounds;
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
  const rounds = roundsOf(encryptionKey(wordsOfBytes(key)));
  const hashKey = new Int32Array(4);
  ctr(rounds, hashKey, 0, 4, new Int32Array(3), 0);
  return { rounds, products: productsOf(hashKey) };
}

/** The ciphertext, followed by its tag of 16 bytes; `head`: what is before both in the answer. */
export async function gcmSeal(
  options: GcmOptions,
  plain: Uint8Array,
  head: Uint8Array = new Uint8Array(0),
): Promise<Uint8Array> {
  const words = await blocksOf(plain, options.turn);
  await gcmCrypt(options, words);
  cutWords(words, plain.length);
  const end = head.length + plain.length;
  const sealed = new Uint8Array(end + tagBytes);
  sealed.set(head);
  await writeBytes(sealed, head.length, words, options.turn);
  sealed.set(await gcmTag(options, words, plain.length), end);
  return sealed;
}

/** The cleartext of what `gcmSeal` answers; null when the tag does not fit. */
export async function gcmOpen(options: GcmOptions, sealed: Uint8Array): Promise<Uint8Array | null> {
  const end = sealed.length - tagBytes;
  if (end < 0) return null;
  const words = await blocksOf(sealed.subarray(0, end), options.turn);
  if (!equalBytes(await gcmTag(options, words, end), sealed.subarray(end))) return null;
  await gcmCrypt(options, words);
  const plain = new Uint8Array(end);
  await writeBytes(plain, 0, words, options.turn);
  return plain;
}

/**
 * Encrypts or decrypts whole blocks: counter mode is the same for both. What is behind the end of a
 * message is of no meaning afterwards.
 */
export async function gcmCrypt({ key, iv, turn }: GcmOptions, words: Int32Array): Promise<void> {
  const start = wordsOfBytes(iv);
  for (let at = 0; at < words.length; at += pieceWords) {
    const end = Math.min(at + pieceWords, words.length);
    if (turn.isOver(cipherGroups * (end - at))) await turn.next();
    // The first counter belongs to the tag.
    ctr(key.rounds, words, at, end, start, 2 + at / blockWords);
  }
}

/** The tag of a ciphertext of so many bytes: whole blocks, with zeros behind its end. */
export async function gcmTag(
  { key, iv, aad, turn }: GcmOptions,
  words: Int32Array,
  byteCount: number,
): Promise<Uint8Array> {
  const hash = new Int32Array(4);
  const lengths = new Int32Array([0, aad.length << 3, 0, byteCount << 3]);
  for (const part of [await blocksOf(aad, turn), words, lengths]) {
    for (let at = 0; at < part.length; at += pieceWords) {
      const end = Math.min(at + pieceWords, part.length);
      if (turn.isOver(tagGroups * (end - at))) await turn.next();
      addBlocks(key.products, hash, part, at, end);
    }
  }
  ctr(key.rounds, hash, 0, blockWords, wordsOfBytes(iv), 1);
  return bytesOfWords(hash);
}

/** Makes what is behind so many bytes zeros. */
export function cutWords(words: Int32Array, byteCount: number): void {
  const last = byteCount >> 2;
  if (byteCount % 4 > 0) words[last]! &= -1 << (32 - 8 * (byteCount % 4));
  words.fill(0, Math.ceil(byteCount / 4));
}

/**
 * What a byte times the hash key is in the field of the tag: four tables for each byte of a word,
 * the first one for its first byte, one for each word of the product.
 */
type Table = readonly number[];
type Four<Table> = [Table, Table, Table, Table];
type Tables = Four<Table>;
type Products = [...Tables, ...Tables, ...Tables, ...Tables];

const tagBytes = 16;
const blockWords = 4;
/** Twelve blocks are worked on in one go; what a word of them counts for. */
const pieceWords = 48;
const pieceBytes = 192;
const cipherGroups = 0.05;
const tagGroups = 0.0125;
/** What it counts for that a piece changes its form. */
const copyGroups = 0.2;

/**
 * Adds blocks to `hash`, which is multiplied by the hash key after each one, in the field of
 * SP 800-38D 6.3. A word at a time, from the last one: what there is moves on by 32 powers, and the
 * products of the word's bytes are added.
 */
function addBlocks(
  products: Products,
  hash: Int32Array,
  words: Int32Array,
  from: number,
  to: number,
): void {
  var [a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3] = products;
  var at = from;
  var a = 0;
  var b = 0;
  var c = 0;
  var d = 0;
  var x0 = 0;
  var x1 = 0;
  var x2 = 0;
  var x3 = 0;
  var z0 = hash[0]!;
  var z1 = hash[1]!;
  var z2 = hash[2]!;
  var z3 = hash[3]!;
  for (; at < to; at += 4) {
    x0 = z0 ^ words[at]!;
    x1 = z1 ^ words[at + 1]!;
    x2 = z2 ^ words[at + 2]!;
    x3 = z3 ^ words[at + 3]!;
    a = x3 >>> 24;
    b = (x3 >>> 16) & 255;
    c = (x3 >>> 8) & 255;
    d = x3 & 255;
    z3 = a0[a]! ^ b0[b]! ^ c0[c]! ^ d0[d]!;
    z0 = a1[a]! ^ b1[b]! ^ c1[c]! ^ d1[d]!;
    z1 = a2[a]! ^ b2[b]! ^ c2[c]! ^ d2[d]!;
    z2 = a3[a]! ^ b3[b]! ^ c3[c]! ^ d3[d]!;
    // Nothing is moved: the last word becomes the first one, and has the next name.
    // The power 128 is the sum of the powers 0, 1, 2 and 7.
    a = x2 >>> 24;
    b = (x2 >>> 16) & 255;
    c = (x2 >>> 8) & 255;
    d = x2 & 255;
    z1 ^= a3[a]! ^ b3[b]! ^ c3[c]! ^ d3[d]!;
    z0 ^= a2[a]! ^ b2[b]! ^ c2[c]! ^ d2[d]!;
    z3 ^= (z2 << 31) ^ (z2 << 30) ^ (z2 << 25) ^ a1[a]! ^ b1[b]! ^ c1[c]! ^ d1[d]!;
    z2 ^= (z2 >>> 1) ^ (z2 >>> 2) ^ (z2 >>> 7) ^ a0[a]! ^ b0[b]! ^ c0[c]! ^ d0[d]!;
    a = x1 >>> 24;
    b = (x1 >>> 16) & 255;
    c = (x1 >>> 8) & 255;
    d = x1 & 255;
    z0 ^= a3[a]! ^ b3[b]! ^ c3[c]! ^ d3[d]!;
    z3 ^= a2[a]! ^ b2[b]! ^ c2[c]! ^ d2[d]!;
    z2 ^= (z1 << 31) ^ (z1 << 30) ^ (z1 << 25) ^ a1[a]! ^ b1[b]! ^ c1[c]! ^ d1[d]!;
    z1 ^= (z1 >>> 1) ^ (z1 >>> 2) ^ (z1 >>> 7) ^ a0[a]! ^ b0[b]! ^ c0[c]! ^ d0[d]!;
    a = x0 >>> 24;
    b = (x0 >>> 16) & 255;
    c = (x0 >>> 8) & 255;
    d = x0 & 255;
    z3 ^= a3[a]! ^ b3[b]! ^ c3[c]! ^ d3[d]!;
    z2 ^= a2[a]! ^ b2[b]! ^ c2[c]! ^ d2[d]!;
    z1 ^= (z0 << 31) ^ (z0 << 30) ^ (z0 << 25) ^ a1[a]! ^ b1[b]! ^ c1[c]! ^ d1[d]!;
    z0 ^= (z0 >>> 1) ^ (z0 >>> 2) ^ (z0 >>> 7) ^ a0[a]! ^ b0[b]! ^ c0[c]! ^ d0[d]!;
  }
  hash.set([z0, z1, z2, z3]);
}

/** The first bit of a byte is the lowest power, as everywhere in this field. */
function productsOf(hashKey: Int32Array): Products {
  const products: number[][] = [];
  for (let byte = 0; byte < 4; byte++) {
    const tables: Four<number[]> = [zeros(), zeros(), zeros(), zeros()];
    for (let bit = 128; bit > 0; bit >>= 1) {
      const carry = -(hashKey[3]! & 1) & 0xe1000000;
      for (let word = 3; word >= 0; word--) {
        const value = hashKey[word]!;
        tables[word]![bit] = value;
        hashKey[word] = (value >>> 1) ^ (word > 0 ? hashKey[word - 1]! << 31 : carry);
      }
    }
    fillSums(tables);
    products.push(...tables);
  }
  return products as readonly Table[] as Products;
}

const zeros = (): number[] => new Array(256).fill(0);

/** Products of sums are sums of products: those of the single bits are there. */
function fillSums([t0, t1, t2, t3]: Four<number[]>): void {
  var bit = 2;
  var low = 1;
  var sum = 3;
  for (; bit < 256; bit <<= 1) {
    for (low = 1; low < bit; low++) {
      sum = bit + low;
      t0[sum] = t0[bit]! ^ t0[low]!;
      t1[sum] = t1[bit]! ^ t1[low]!;
      t2[sum] = t2[bit]! ^ t2[low]!;
      t3[sum] = t3[bit]! ^ t3[low]!;
    }
  }
}

/** As words, with zeros up to the end of the last block. */
async function blocksOf(bytes: Uint8Array, turn: Turn): Promise<Int32Array> {
  const blocks = new Int32Array(blockWords * Math.ceil(bytes.length / tagBytes));
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    if (turn.isOver(copyGroups)) await turn.next();
    readWords(blocks, bytes, at, Math.min(at + pieceBytes, bytes.length));
  }
  return blocks;
}

function readWords(words: Int32Array, bytes: Uint8Array, from: number, to: number): void {
  var at = from;
  // Behind the end there is nothing, which counts as zeros.
  for (; at < to; at += 4) {
    words[at >> 2] =
      (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
  }
}

/** The bytes of words, as many as there is room for behind `at`: an engine copies one by one. */
async function writeBytes(
  bytes: Uint8Array,
  at: number,
  words: Int32Array,
  turn: Turn,
): Promise<void> {
  for (let from = 0; from < words.length; from += pieceWords) {
    if (turn.isOver(copyGroups)) await turn.next();
    writeWords(bytes, at + 4 * from, words, from, Math.min(from + pieceWords, words.length));
  }
}

function writeWords(
  bytes: Uint8Array,
  at: number,
  words: Int32Array,
  from: number,
  to: number,
): void {
  var word = 0;
  for (; from < to; from++, at += 4) {
    word = words[from]!;
    bytes[at] = word >>> 24;
    bytes[at + 1] = word >>> 16;
    bytes[at + 2] = word >>> 8;
    bytes[at + 3] = word;
  }
}
