// SHA-256 of texts, which finds out on its way what they mean in base64url, and keeps that for a
// while: who opens a text has mostly hashed it before, and each look at a character is dear.

import type { TextAnswer } from '../platform/crypto-port.ts';
import { textOfCodes, urlDigits } from './bytes.ts';
import { type DigitTables, digitCodes, digitTables, readGroup, writeGroup } from './groups.ts';
import { isAscii, utf8Of } from './long-utf8.ts';
import { closeHash, hashBlock, newHash } from './sha256.ts';
import type { Turn } from './turn.ts';
import { encodeUtf8 } from './utf8.ts';

/** What texts are read with. */
export interface Reader {
  readonly turn: Turn;
  readonly digits: DigitTables;
  /** Of the digits. */
  readonly codes: readonly number[];
  readonly kept: KeptWords;
}

/** `keptUnitsMax`: so much of the texts is kept. */
export function textReader(turn: Turn, keptUnitsMax: number): Reader {
  const [digits, codes] = [digitTables(urlDigits), digitCodes(urlDigits)];
  return { turn, digits, codes, kept: keptWords(keptUnitsMax) };
}

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
export async function hashOf(
  reader: Reader,
  start: () => Int32Array,
  text: string,
  words: Int32Array | null,
): Promise<Hashed | null> {
  const { turn } = reader;
  const state = start();
  const isShort = text.length < groupUnits;
  const checksum = isShort ? 0 : await addGroups(reader, state, text, words);
  const isBase64 = !Number.isNaN(checksum);
  const units = text.length - (text.length % groupUnits);
  const tail = text.slice(units);
  const isPlain = isBase64 ? ASCII.test(tail) : await isAscii(text, turn);
  if (turn.isOver(closingGroups)) await turn.next();
  if (isPlain) return { state, tail, units, isBase64 };
  const bytes = await utf8Of(text, turn);
  if (bytes === null) return null;
  const whole = bytes.length - (bytes.length % groupUnits);
  const again = start();
  await addGroups(reader, again, textOfCodes(bytes), null);
  const rest = textOfCodes(bytes.subarray(whole));
  return { state: again, tail: rest, units: whole, isBase64: false };
}

/** The answer is NaN when a whole group has something else than digits of base64url. */
async function addGroups(
  { digits, turn }: Reader,
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

/** As `DeviceCrypto.computeTexts` hashes a text. What it means is kept. */
export async function hashText(reader: Reader, text: string): Promise<TextAnswer> {
  const { kept } = reader;
  const words = kept.roomFor(text);
  const hashed = await hashOf(reader, newHash, text, words);
  if (hashed === null) return { code: 'badUtf8' };
  const { state, tail, units } = hashed;
  if (hashed.isBase64 && words !== null && closeDigits(reader, hashed, words))
    kept.keep(text, words);
  else closeHash(state, tail, units);
  return { text: digestText(reader, state) };
}

/** The SHA-256 of a text that comes in pieces, of which none is kept. */
export function piecesHash(reader: Reader) {
  const state = newHash();
  let tail = '';
  let units = 0;
  return {
    /** No piece ends within a surrogate pair. Errors: `CryptoError` `badText`. */
    async add(piece: string): Promise<void> {
      const text = tail + (ASCII.test(piece) ? piece : textOfCodes(encodeUtf8(piece)));
      await addGroups(reader, state, text, null);
      const whole = text.length - (text.length % groupUnits);
      tail = text.slice(whole);
      units += whole;
    },
    /** As `hashText` answers it. */
    end(): string {
      closeHash(state, tail, units);
      return digestText(reader, state);
    },
  };
}

/** Base64url of a digest's eight words. */
export function digestText({ codes }: Reader, digest: Int32Array): string {
  let text = '';
  for (let at = 0; at < 9; at += 3) {
    const last = at < 6 ? digest[at + 2] : 0;
    text += writeGroup(codes, digest[at] as number, digest[at + 1] as number, last as number);
  }
  return text.slice(0, digestUnits);
}

/** What a text means in base64url, as words with room behind them; null: it is none. */
export async function readSealed(
  reader: Reader,
  text: string,
): Promise<{ readonly words: Int32Array; readonly byteCount: number } | null> {
  const groups = Math.floor(text.length / groupUnits);
  const byteCount = (text.length * 3) >> 2;
  const known = reader.kept.take(text);
  if (known !== null) return { words: known, byteCount };
  const words = wordsFor(text);
  if (Number.isNaN(await addGroups(reader, null, text, words))) return null;
  const tail = text.slice(groups * groupUnits);
  const isRead = readTail(reader.digits, tail, new Int32Array(16), words, groups * groupWords);
  return isRead ? { words, byteCount } : null;
}

/**
 * The last digits, fewer than a group: what they are to a hash, with others behind them, and what
 * they mean. False: they are none, or have bits that mean nothing, so that another text would be
 * the same value.
 */
export function readTail(
  digits: DigitTables,
  tail: string,
  block: Int32Array,
  words: Int32Array,
  at: number,
): boolean {
  const { length } = tail;
  const checksum = readGroup(digits, tail + ZEROS.slice(length), 0, block, words, at);
  const byteCount = (length * 3) >> 2;
  const whole = at + (byteCount >> 2);
  let bits = (words[whole] as number) << (8 * (byteCount & 3));
  for (let word = whole + 1; word < at + groupWords; word++) bits |= words[word] as number;
  return length % 4 !== 1 && !Number.isNaN(checksum) && bits === 0;
}

/** Closes the hash of a text that may be base64url; false, and nothing is done: it is none. */
function closeDigits(
  { digits }: Reader,
  { state, tail, units }: Hashed,
  words: Int32Array,
): boolean {
  const { length } = tail;
  const block = new Int32Array(16);
  if (!readTail(digits, tail, block, words, (units / groupUnits) * groupWords)) return false;
  const last = length >> 2;
  const shift = 8 * (length & 3);
  block[last] = ((block[last] as number) & ~(-1 >>> shift)) | (0x80 << (24 - shift));
  block.fill(0, last + 1);
  if (length >= lengthAt) {
    hashBlock(state, block);
    block.fill(0);
  }
  block[15] = 8 * (units + length);
  hashBlock(state, block);
  return true;
}

function wordsFor({ length }: string): Int32Array {
  return new Int32Array(groupWords * Math.floor(length / groupUnits) + 16);
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

const groupUnits = 64;
const groupWords = 12;
/** A group of base64 without a bit. */
const ZEROS = 'A'.repeat(64);
const ASCII = /^[\0-\x7f]*$/;
/** Where the length of what is hashed begins in its last block. */
const lengthAt = 56;
const digestUnits = 43;
/** What the blocks that close a hash count for. */
const closingGroups = 3;
