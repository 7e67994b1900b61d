// Texts to texts in JavaScript, for a device that has no cryptography of its own: what
// `DeviceCrypto.computeTexts` promises, with a turn for the device between slices of work, however
// long an item is.

// biome-ignore-all lint/suspicious/noVar: an interpreter checks every use of a `let`

import type {
  CipherRefusal,
  DeviceCrypto,
  TextAlgorithm,
  TextAnswer,
} from '../platform/crypto-port.ts';
import { bytesOfWords, decodeBase64, encodeBase64, equalBytes, wordsOfBytes } from './bytes.ts';
import { cutWords, type GcmKey, gcmCrypt, gcmKey, gcmSeal, gcmTag } from './gcm.ts';
import { finishHmac, type HmacKey, hmacKey, startHmac } from './hmac.ts';
import { textOf, utf8Of } from './long-utf8.ts';
import {
  digestText,
  hashOf,
  hashText,
  type Reader,
  readSealed,
  readTail,
  textReader,
} from './text-hash.ts';
import { roomFor, type Turn, turnTaker } from './turn.ts';

/** `pause` and `keptUnitsMax`: see `textCrypto`. */
export function softwareTexts(pause: () => Promise<void>, keptUnitsMax: number): Compute {
  const turn = turnTaker(pause);
  const means: Means = {
    turn,
    reader: textReader(turn, keptUnitsMax),
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
  readonly reader: Reader;
  macKey(key: Uint8Array): Promise<HmacKey>;
  cipherKey(key: Uint8Array): Promise<GcmKey>;
}

type Worker = (
  means: Means,
  key: Uint8Array,
  item: readonly string[],
) => Promise<TextAnswer> | TextAnswer;

const WORKERS: { readonly [algorithm in TextAlgorithm]: Worker } = {
  sha256: ({ reader }, _, [text = '']) => hashText(reader, text),

  async hmac(means, key, [text = '']) {
    const mac = await macOf(means, key, text);
    return mac === null ? refusal('badUtf8') : { text: digestText(means.reader, mac) };
  },

  async hmacCheck(means, key, [text = '', claimed = '']) {
    const mac = await macOf(means, key, text);
    if (mac === null) return refusal('badUtf8');
    const words = new Int32Array(groupWords);
    const unused = new Int32Array(16);
    if (
      claimed.length !== digestUnits ||
      !readTail(means.reader.digits, claimed, unused, words, 0)
    ) {
      return refusal('badMac');
    }
    let difference = 0;
    // All of it is compared, wherever the first difference is; behind the digest there are zeros.
    for (let at = 0; at < groupWords; at++) difference |= (words[at] as number) ^ (mac[at] ?? 0);
    return difference === 0 ? { text: '' } : refusal('badMac');
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
    const read = await readSealed(means.reader, sealed);
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

const digestUnits = 43;
const groupWords = 12;
const pieceWords = 48;
/** Where in what is sealed. */
const ivAt = 1;
const textAt = 13;
const tagBytes = 16;
/** What new keys and their tables count for. */
const keyGroups = 18;
const macKeyGroups = 3;
/** What is written as base64 in one go, and counts for; and what a piece that is moved does. */
const writtenBytes = 480;
const writtenGroups = 3;
const movedGroups = 0.1;

async function macOf(means: Means, key: Uint8Array, text: string): Promise<Int32Array | null> {
  const ready = await means.macKey(key);
  const hashed = await hashOf(means.reader, () => startHmac(ready), text, null);
  if (hashed === null) return null;
  const { state, tail, units } = hashed;
  return wordsOfBytes(finishHmac(ready, state, tail, units));
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

function refusal(code: CipherRefusal): TextAnswer {
  return { code };
}
