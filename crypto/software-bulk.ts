// Bytes to bytes in JavaScript, for a device that has no cryptography of its own: what
// `DeviceCrypto.compute` promises, with a turn for the device between slices of work, however long
// an item is.

import type { Algorithm, DeviceCrypto } from '../platform/crypto-port.ts';
import { type AesKey, cbc, decryptionKey, encryptionKey } from './aes.ts';
import { bytesOfWords, textOfCodes, wordsOfBytes } from './bytes.ts';
import { gcmKey, gcmOpen, gcmSeal } from './gcm.ts';
import { finishHmac, hmacKey, startHmac } from './hmac.ts';
import { padded, unpaddedLength } from './pkcs7.ts';
import { blockBytes, closeHash, hashBlock, newHash } from './sha256.ts';
import { roomFor, type Turn, turnTaker } from './turn.ts';

/** `pause` lets the device do other work and resolves in a later turn. */
export function softwareCompute(pause: () => Promise<void>): NonNullable<DeviceCrypto['compute']> {
  const turn = turnTaker(pause);
  return async (algorithm, key, items) => {
    if (/^(cbc|gcm)/.test(algorithm)) await roomFor(turn, keyGroups);
    const workOn = WORKERS[algorithm](key, turn);
    const answers: (Uint8Array | null)[] = [];
    for (const item of items) answers.push(await workOn(item));
    return answers;
  };
}

/** A key made ready, for every item of a batch. */
type Worker = (key: Uint8Array, turn: Turn) => (item: Pieces) => Promise<Uint8Array | null>;
type Pieces = readonly Uint8Array[];

const noBytes = new Uint8Array(0);
const cipherBlockBytes = 16;
/** Three blocks of AES: a group, as turns are counted. */
const pieceBytes = 48;
/** What a key of a cipher and its tables count for. */
const keyGroups = 18;

const WORKERS: { readonly [algorithm in Algorithm]: Worker } = {
  sha256(_, turn) {
    return async ([bytes = noBytes]) => {
      const state = newHash();
      const tail = await hashBlocks(state, bytes, turn);
      closeHash(state, tail, bytes.length - tail.length);
      return bytesOfWords(state);
    };
  },

  hmac(key, turn) {
    const ready = hmacKey(key);
    return async ([bytes = noBytes]) => {
      const state = startHmac(ready);
      const tail = await hashBlocks(state, bytes, turn);
      return finishHmac(ready, state, tail, bytes.length - tail.length);
    };
  },

  cbcEncrypt(key, turn) {
    const ready = encryptionKey(wordsOfBytes(key));
    return async ([iv = noBytes, bytes = noBytes]) => chained(ready, iv, padded(bytes), turn);
  },

  cbcDecrypt(key, turn) {
    const ready = decryptionKey(wordsOfBytes(key));
    return async ([iv = noBytes, bytes = noBytes]) => {
      const plain = await chained(ready, iv, bytes, turn);
      const last = plain.subarray(plain.length - cipherBlockBytes);
      const length = unpaddedLength(last);
      return length === null ? null : plain.subarray(0, plain.length - last.length + length);
    };
  },

  gcmEncrypt(key, turn) {
    const ready = gcmKey(key);
    return ([iv = noBytes, aad = noBytes, bytes = noBytes]) =>
      gcmSeal({ key: ready, iv, aad, turn }, bytes);
  },

  gcmDecrypt(key, turn) {
    const ready = gcmKey(key);
    return ([iv = noBytes, aad = noBytes, bytes = noBytes]) =>
      gcmOpen({ key: ready, iv, aad, turn }, bytes);
  },
};

/** Adds the whole blocks to the hash; what is left is the answer, as units of a text. */
async function hashBlocks(state: Int32Array, bytes: Uint8Array, turn: Turn): Promise<string> {
  let at = 0;
  for (; at + blockBytes <= bytes.length; at += blockBytes) {
    if (turn.isOver(1)) await turn.next();
    hashBlock(state, wordsOfBytes(bytes.subarray(at, at + blockBytes)));
  }
  // The blocks that close a hash.
  if (turn.isOver(3)) await turn.next();
  return textOfCodes(bytes.subarray(at));
}

/** Whole blocks through a cipher in CBC mode. */
async function chained(
  key: AesKey,
  iv: Uint8Array,
  bytes: Uint8Array,
  turn: Turn,
): Promise<Uint8Array> {
  const chain = wordsOfBytes(iv);
  const result = new Uint8Array(bytes.length);
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    if (turn.isOver(1)) await turn.next();
    const words = wordsOfBytes(bytes.subarray(at, at + pieceBytes));
    cbc(key, words, 0, words.length, chain);
    result.set(bytesOfWords(words), at);
  }
  return result;
}
