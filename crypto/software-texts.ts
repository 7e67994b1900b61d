// Texts to texts in JavaScript, for a device that has no cryptography of its own: what
// `DeviceCrypto.computeTexts` promises, with a turn for the device between slices of work, however
// long an item is. What base64url means is found out while it is hashed, and kept for a while: who
// opens a text has mostly hashed it before.

// biome-ignore-all lint/suspicious/noVar: an interpreter checks every use of a `let`

import type {
  CipherRefusal,
  DeviceCrypto,
  TextAlgorithm,
  TextAnswer,
} from '../platform/crypto-port.ts';
import {
  bytesOfWords,
  decodeBase64,
  encodeBase64,
  equalBytes,
  textOfCodes,
  urlDigits,
  wordsOfBytes,
} from './bytes.ts';
import { CryptoError } from './error.ts';
import { cutWords, type GcmKey, gcmCrypt, gcmKey, gcmSeal, gcmTag } from './gcm.ts';
import { type DigitTables, digitTables, readGroup } from './groups.ts';
import { finishHmac, type HmacKey, hmacKey, startHmac } from './hmac.ts';
import { closeHash, hashBlock, newHash } from './sha256.ts';
import { roomFor, type Turn, turnTaker } from './turn.ts';
import { encodeUtf8, pieceEnd, utf8Decoder } from './utf8.ts';

/** `pause` and `keptUnitsMax`: see `textCrypto`. */
export function softwareTexts(pause: () => Promise<void>, keptUnitsMax: number): Compute {
  const turn = turnTaker(pause);
  const means: Means = {
    turn,
    digits: digitTables(urlDigits),
    kept: keptWords(keptUnitsMax),
    macKey: lastKey(turn, macKeyGroups, hmacKey),
    cipherKey: lastKey(turn, keyGroups, gcmKey),
  };
  return async (algorithm, key, items) => {
    const answers: TextAnswer[] = [];
    for (const item of items) answers.push(await WORKERS[algorithm](means, key, item));
    return answers;
  };
}

type Compute = NonNullable<DeviceCrypto['computeTexts']>;

interface Means {
  readonly turn: Turn;
  readonly digits: DigitTables;
  readonly kept: KeptWords;
  macKey(key: Uint8Array): Promise<HmacKey>;
  cipherKey(key: Uint8Array): Promise<GcmKey>;
}

type Worker = (
  means: Means,
  key: Uint8Array,
  item: readonly string[],
) => Promise<TextAnswer> | TextAnswer;

const WORKERS: { readonly [algorithm in TextAlgorithm]: Worker } = {
  async sha256(means, _, [text = '']) {
    const words = means.kept.roomFor(text);
    const hashed = await hashOf(means, newHash, text, words);
    if (hashed === null) return refusal('badUtf8');
    const { state, tail, units } = hashed;
    if (hashed.isBase64 && words !== null) means.kept.keep(text, words);
    closeHash(state, tail, units);
    return { text: encodeBase64(bytesOfWords(state), 'url') };
  },

  async hmac(means, key, [text = '']) {
    const mac = await macOf(means, key, text);
    return mac === null ? refusal('badUtf8') : { text: mac };
  },

  async hmacCheck(means, key, [text = '', claimed = '']) {
    const mac = await macOf(means, key, text);
    if (mac === null) return refusal('badUtf8');
    return isSame(mac, claimed) ? { text: '' } : refusal('badMac');
  },

  async gcmEncrypt({ turn, cipherKey }, key, [head = '', aad = '', text = '']) {
    const before = decodeBase64(head, 'url') ?? new Uint8Array(textAt);
    const [beside, plain] = [await utf8Of(aad, turn), await utf8Of(text, turn)];
    if (beside === null || plain === null) return refusal('badUtf8');
    const options = { key: await cipherKey(key), iv: before.subarray(ivAt), aad: beside, turn };
    const bytes = await gcmSeal(options, plain, before);
    let sealed = '';
    for (let at = 0; at < bytes.length; at += writtenBytes) {
      if (turn.isOver(writtenGroups)) await turn.next();
      sealed += encodeBase64(bytes.subarray(at, at + writtenBytes), 'url');
    }
    return { text: sealed };
  },

  async gcmDecrypt(means, key, [aad = '', sealed = '']) {
    const beside = await utf8Of(aad, means.turn);
    if (beside === null) return refusal('badUtf8');
    const read = await readSealed(means, sealed);
    if (read === null) return refusal('badBase64');
    const { words, byteCount } = read;
    const end = byteCount - textAt - tagBytes;
    if (end < 0) return refusal('badMac');
    const iv = bytesOfWords(words.subarray(0, 4)).subarray(ivAt, textAt);
    const options = { key: await means.cipherKey(key), iv, aad: beside, turn: means.turn };
    const from = textAt + end;
    const around = bytesOfWords(words.subarray(from >> 2, (from >> 2) + 5));
    const tag = around.subarray(from & 3, (from & 3) + tagBytes);
    await moveText(words, end, means.turn);
    const blocks = words.subarray(0, 4 * Math.ceil(end / 16));
    if (!equalBytes(await gcmTag(options, blocks, end), tag)) return refusal('badMac');
    await gcmCrypt(options, blocks);
    const text = await textOf(blocks, end, means.turn);
    return text === null ? refusal('badUtf8') : { text };
  },
};

const groupUnits = 64;
const groupBytes = 48;
const groupWords = 12;
const pieceWords = 48;
/** Where in what is sealed. */
const ivAt = 1;
const textAt = 13;
const tagBytes = 16;
/** What new keys and their tables count for, and the blocks that close a hash. */
const keyGroups = 18;
const macKeyGroups = 3;
const closingGroups = 3;
/** What is written as base64 or read as UTF-8 in one go, and what that counts for. */
const writtenBytes = 480;
const writtenGroups = 3;
const encodedGroups = 3;
const asciiUnits = 4_096;
const asciiGroups = 2;
const copiedGroups = 0.5;
const movedGroups = 0.1;
const textGroups = 0.2;

interface Hashed {
  readonly state: Int32Array;
  /** What is left behind the whole blocks, and how much is in these. */
  readonly tail: string;
  readonly units: number;
  /** Whole blocks are nothing but digits of base64url. */
  readonly isBase64: boolean;
}

/**
 * A hash to which a text's whole blocks are added; null: it has half a surrogate pair. `words`: for
 * what these mean in base64url.
 */
async function hashOf(
  means: Means,
  start: () => Int32Array,
  text: string,
  words: Int32Array | null,
): Promise<Hashed | null> {
  const { turn } = means;
  const state = start();
  const checksum = await addGroups(means, state, text, words);
  const isBase64 = !Number.isNaN(checksum);
  const units = text.length - (text.length % groupUnits);
  const tail = text.slice(units);
  const isPlain = await isAscii(isBase64 ? tail : text, turn);
  if (turn.isOver(closingGroups)) await turn.next();
  if (isPlain) return { state, tail, units, isBase64 };
  const bytes = await utf8Of(text, turn);
  if (bytes === null) return null;
  const whole = bytes.length - (bytes.length % groupUnits);
  const again = start();
  await addGroups(means, again, textOfCodes(bytes), null);
  const rest = textOfCodes(bytes.subarray(whole));
  return { state: again, tail: rest, units: whole, isBase64: false };
}

/** The answer is NaN when a whole group has something else than digits of base64url. */
async function addGroups(
  { digits, turn }: Means,
  state: Int32Array | null,
  text: string,
  words: Int32Array | null,
): Promise<number> {
  const block = new Int32Array(16);
  const into = words ?? new Int32Array(groupWords);
  let checksum = 0;
  for (let at = 0, to = 0; at + groupUnits <= text.length; at += groupUnits) {
    if (turn.isOver(1)) await turn.next();
    checksum += readGroup(digits, text, at, block, into, to);
    if (state !== null) hashBlock(state, block);
    if (words !== null) to += groupWords;
  }
  return checksum;
}

async function macOf(means: Means, key: Uint8Array, text: string): Promise<string | null> {
  const ready = await means.macKey(key);
  const hashed = await hashOf(means, () => startHmac(ready), text, null);
  if (hashed === null) return null;
  const { state, tail, units } = hashed;
  return encodeBase64(finishHmac(ready, state, tail, units), 'url');
}

/** What a text means in base64url, as words with room behind them; null: it is none. */
async function readSealed(
  means: Means,
  text: string,
): Promise<{ readonly words: Int32Array; readonly byteCount: number } | null> {
  const groups = Math.floor(text.length / groupUnits);
  let words = means.kept.take(text);
  if (words === null) {
    words = wordsFor(text);
    if (Number.isNaN(await addGroups(means, null, text, words))) return null;
  }
  const tail = decodeBase64(text.slice(groups * groupUnits), 'url');
  if (tail === null) return null;
  const filled = new Uint8Array(groupBytes);
  filled.set(tail);
  words.set(wordsOfBytes(filled), groups * groupWords);
  return { words, byteCount: groups * groupBytes + tail.length };
}

function wordsFor({ length }: string): Int32Array {
  return new Int32Array(groupWords * Math.floor(length / groupUnits) + 16);
}

/** What is encrypted goes to the beginning, with zeros behind it. */
async function moveText(words: Int32Array, byteCount: number, turn: Turn): Promise<void> {
  const end = Math.ceil(byteCount / 4);
  for (let from = 0; from < end; from += pieceWords) {
    if (turn.isOver(movedGroups)) await turn.next();
    moveWords(words, from, Math.min(from + pieceWords, end));
  }
  cutWords(words, byteCount);
}

function moveWords(words: Int32Array, from: number, to: number): void {
  var next = words[from + 3] as number;
  var word = 0;
  var at = from;
  for (; at < to; at++) {
    word = next;
    next = words[at + 4] as number;
    words[at] = (word << 8) | (next >>> 24);
  }
}

/** The text whose UTF-8 so many bytes are; null: they are none. */
async function textOf(words: Int32Array, byteCount: number, turn: Turn): Promise<string | null> {
  const decoder = utf8Decoder();
  for (let from = 0; from < words.length; from += pieceWords) {
    if (turn.isOver(textGroups)) await turn.next();
    if (!decoder.push(words, from, Math.min(4 * pieceWords, byteCount - 4 * from))) return null;
  }
  return decoder.finish();
}

async function isAscii(text: string, turn: Turn): Promise<boolean> {
  for (let at = 0; at < text.length; at += asciiUnits) {
    if (text.length > groupUnits && turn.isOver(asciiGroups)) await turn.next();
    if (!/^[\0-\x7f]*$/.test(text.slice(at, at + asciiUnits))) return false;
  }
  return true;
}

/** Null: it has half a surrogate pair. */
async function utf8Of(text: string, turn: Turn): Promise<Uint8Array | null> {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < text.length; ) {
    if (text.length > groupUnits && turn.isOver(encodedGroups)) await turn.next();
    const end = pieceEnd(text, at);
    try {
      parts.push(encodeUtf8(text.slice(at, end)));
    } catch (error) {
      if (error instanceof CryptoError) return null;
      throw error;
    }
    at = end;
  }
  const [first = new Uint8Array(0)] = parts;
  if (parts.length <= 1) return first;
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let to = 0;
  for (const part of parts) {
    if (turn.isOver(copiedGroups)) await turn.next();
    bytes.set(part, to);
    to += part.length;
  }
  return bytes;
}

/** Compares all of it, wherever the first difference is. */
function isSame(one: string, other: string): boolean {
  let difference = one.length ^ other.length;
  for (let at = 0; at < one.length; at++) difference |= one.charCodeAt(at) ^ other.charCodeAt(at);
  return difference === 0;
}

/** A key made ready, kept from one call to the next: usually it is the same. */
function lastKey<Ready>(
  turn: Turn,
  groups: number,
  make: (key: Uint8Array) => Ready,
): (key: Uint8Array) => Promise<Ready> {
  let last: { readonly key: Uint8Array; readonly ready: Ready } | undefined;
  return async (key) => {
    if (last?.key === key) return last.ready;
    await roomFor(turn, groups);
    last = { key, ready: make(key) };
    return last.ready;
  };
}

/** What texts mean that were hashed. */
interface KeptWords {
  /** Null: the text is too long to be kept. */
  roomFor(text: string): Int32Array | null;
  keep(text: string, words: Int32Array): void;
  /** Not needed again: who takes them may change them. */
  take(text: string): Int32Array | null;
}

function keptWords(unitsMax: number): KeptWords {
  const known = new Map<string, Int32Array>();
  let units = 0;
  return {
    roomFor: (text) => (text.length > unitsMax ? null : wordsFor(text)),
    keep(text, words) {
      if (text.length < groupUnits || known.has(text)) return;
      // Whoever did not take them will not come.
      if (units + text.length > unitsMax) {
        known.clear();
        units = 0;
      }
      known.set(text, words);
      units += text.length;
    },
    take(text) {
      const words = known.get(text) ?? null;
      if (words !== null) {
        known.delete(text);
        units -= text.length;
      }
      return words;
    },
  };
}

function refusal(code: CipherRefusal): TextAnswer {
  return { code };
}
