// A pack: small records of a collection that are sealed together, and where a record lies. Packs
// are the nodes of a tree with four branches, and the bits of a record's hash are its way down. A
// record lies in the first pack of its way that was not full when it came, and never moves. A full
// pack takes no other ids, so who finds one of its way full looks further down. A record that is
// too long for a pack lies alone, and its pack says so.

import { decodeBase64 } from '../../../../crypto/bytes.ts';
import { encodeUtf8 } from '../../../../crypto/utf8.ts';
import { STAMP_MS_MAX } from '../../../limits.ts';
import { isHashedId } from '../../ids.ts';

/** How a record lies in its pack. */
export const LIVE = 0;
export const DELETED = 1;
/** Under its own wire id. As long as it is not there, `text` is what was here before. */
export const ALONE = 2;

/** A text that a pack has in pieces. */
interface Pieces {
  readonly text: string;
  /**
   * Of each piece, as two characters: how many characters it has, and bytes as UTF-8. Empty: all of
   * it is ASCII, and is cut where a piece is full.
   */
  readonly cuts: string;
}

/**
 * `text`: the record in JSON; empty: it is not here. Most entries of a pack that is changed go as
 * they came.
 */
export interface PackEntry extends Pieces {
  /** By the writer's word on the server's clock; with `salt` it names the version. */
  readonly writtenMs: number;
  /** 24 bits at random. */
  readonly salt: number;
  readonly kind: typeof LIVE | typeof DELETED | typeof ALONE;
}

export interface Pack {
  /** It takes no other ids, ever. */
  isFull: boolean;
  /** By wire ids. */
  readonly entries: Map<string, PackEntry>;
}

/** Levels of the tree, the first one included: the last one takes what does not fit elsewhere. */
export const LEVELS = 12;

/** The pack of a record at a level. `id`: its wire id. */
export function packIdOf(id: string, level: number): string {
  const bytes = hashOf(id);
  const digits = Array.from({ length: level }, (_, at) => digitAt(bytes, at));
  return `${MARK}${digits.join('')}`;
}

/** The packs one level below it. */
export function packIdsBelow(packId: string): string[] {
  return DIGITS.map((digit) => packId + digit);
}

/** The level of a pack; null: it is no pack's id. */
export function levelOf(packId: string): number | null {
  return PACK_ID.test(packId) ? packId.length - MARK.length : null;
}

/** The version of a record in a pack; no server's stamp looks like it. */
export function versionOf(
  level: number,
  { writtenMs, salt }: Pick<PackEntry, 'writtenMs' | 'salt'>,
): string {
  return `${level}.${writtenMs}.${salt}`;
}

/** Of a version in a pack; null: the record lies alone, or there is none. */
export function placeOfVersion(
  version: string | null,
): { readonly level: number; readonly writtenMs: number; readonly salt: number } | null {
  const words = /^(\d{1,2})\.(\d{1,15})\.(\d{1,8})$/.exec(version ?? '');
  if (words === null) return null;
  const [, level, writtenMs, salt] = words.map(Number);
  return { level: level ?? 0, writtenMs: writtenMs ?? 0, salt: salt ?? 0 };
}

/**
 * Whether a version of a record is from before another one of it. What has come to lie alone was in
 * a pack before, and is never again.
 */
export function isOlder(version: string, known: string): boolean {
  const [one, other] = [placeOfVersion(version), placeOfVersion(known)];
  if (one !== null && other !== null) return one.writtenMs < other.writtenMs;
  if (one !== null) return Number(known) > 0;
  return other === null && Number(version) < Number(known);
}

/** Of an entry that has no text here. */
export const NO_TEXT: Pieces = { text: '', cuts: '' };

/** A text in pieces. Throws CryptoError `badText` for half a surrogate pair. */
export function piecesOf(text: string): Pieces {
  if (isAscii(text)) return { text, cuts: '' };
  let cuts = '';
  for (const piece of text.match(CHUNK) ?? []) {
    cuts += String.fromCharCode(piece.length, textBytes(piece));
  }
  return { text, cuts };
}

/** Bytes of a pack, and of an entry in one, before they are sealed; never too few. */
export function bytesOfPack({ entries }: Pack): number {
  let bytes = PACK_FRAME_BYTES;
  for (const entry of entries.values()) bytes += bytesOfEntry(entry);
  return bytes;
}

export function bytesOfEntry({ text, cuts }: Pieces): number {
  const count = cuts === '' ? Math.ceil(text.length / CHUNK_BYTES) : cuts.length / 2;
  let bytes = cuts === '' ? text.length : 0;
  for (let at = 1; at < cuts.length; at += 2) bytes += cuts.charCodeAt(at);
  return ENTRY_FRAME_BYTES + HEAD_BYTES * count + bytes;
}

/**
 * A pack as text. It begins with 17 bytes that its id makes. No part of it is longer than a head of
 * ASCII can say, so that the CBOR is text, and whatever seals texts seals it.
 */
export function encodePack(packId: string, { isFull, entries }: Pack): string {
  let text = beginningOf(packId) + item(`${FORM} ${isFull ? 1 : 0}`);
  for (const [id, { writtenMs, salt, kind, ...pieces }] of entries) {
    const items = itemsOf(pieces);
    text += item(id.slice(2)) + item(`${kind} ${writtenMs} ${salt} ${items.length}`);
    for (const one of items) text += one;
  }
  return text;
}

/** Null: it is not that pack. */
export function decodePack(packId: string, text: string): Pack | null {
  const beginning = beginningOf(packId);
  if (!text.startsWith(beginning)) return null;
  const reader = { text, at: beginning.length, bytes: 0 };
  const full = next(reader, true);
  if (full !== `${FORM} 0` && full !== `${FORM} 1`) return null;
  const entries = new Map<string, PackEntry>();
  while (reader.at < text.length) {
    // What is not ASCII is not of these forms, wherever it ends.
    const id = `h-${next(reader, true)}`;
    const words = /^([012]) (\d{1,15}) (\d{1,8}) (\d{1,4})$/.exec(next(reader, true) ?? '');
    if (words === null || !isHashedId(id)) return null;
    const kind = Number(words[1]);
    const writtenMs = Number(words[2]);
    const salt = Number(words[3]);
    const taken = takePieces(reader, Number(words[4]));
    if (taken === null || writtenMs > STAMP_MS_MAX || salt > SALT_MAX || !isKind(kind)) return null;
    const isEmpty = taken.text === '';
    if ((kind === LIVE && isEmpty) || (kind === DELETED && !isEmpty)) return null;
    entries.set(id, { writtenMs, salt, kind, ...taken });
  }
  return { isFull: full === `${FORM} 1`, entries };
}

/** A salt of three random bytes. */
export function saltOf(random: Uint8Array): number {
  const [a = 0, b = 0, c = 0] = random;
  return a * 65_536 + b * 256 + c;
}

const FORM = 1;
/** Of a hash in base64url, what its way down is made of: two bits for each level. */
const WAY_CHARS = 4;
const SALT_MAX = 0xffffff;
const MARK = 'p-';
const DIGITS = [0, 1, 2, 3];
const PACK_ID = /^p-[0-3]{0,11}$/;
/** The longest text whose head is ASCII; 31 characters of any script are no longer. */
const CHUNK_BYTES = 127;
/** ASCII is cut without a look at its characters, one by one. */
const CHUNK = /[\0-\x7f]{1,127}|[\s\S]{1,31}/gu;
const HEAD_BYTES = 2;
/** Of an entry, what is not its text: hash, numbers, and their heads. */
const ENTRY_FRAME_BYTES = HEAD_BYTES + 43 + HEAD_BYTES + 28;
const ID_CHARS = 16;
const PACK_FRAME_BYTES = 1 + ID_CHARS + 4;

/** The pack's id as a text of CBOR: as long as a block of AES, whatever the id. */
const beginningOf = (packId: string): string => item(packId.padEnd(ID_CHARS));

const isAscii = (text: string): boolean => !/[^\0-\x7f]/.test(text);

function isKind(kind: number): kind is PackEntry['kind'] {
  return kind === LIVE || kind === DELETED || kind === ALONE;
}

/** A text in pieces as CBOR, a text each. */
function itemsOf({ text, cuts }: Pieces): string[] {
  const items: string[] = [];
  if (cuts === '') {
    for (let at = 0; at < text.length; at += CHUNK_BYTES) {
      items.push(item(text.slice(at, at + CHUNK_BYTES)));
    }
  }
  for (let at = 0, from = 0; at < cuts.length; at += 2) {
    const end = from + cuts.charCodeAt(at);
    items.push(headOf(cuts.charCodeAt(at + 1)) + text.slice(from, end));
    from = end;
  }
  return items;
}

/** What in CBOR stands before a text of so many bytes, at most 127. */
function headOf(bytes: number): string {
  return bytes < 24 ? String.fromCharCode(0x60 + bytes) : `x${String.fromCharCode(bytes)}`;
}

/** A text of CBOR, of at most 127 characters of ASCII. */
const item = (ascii: string): string => headOf(ascii.length) + ascii;

/** Its bytes as UTF-8. */
function textBytes(text: string): number {
  return isAscii(text) ? text.length : encodeUtf8(text).length;
}

/** A CBOR sequence of texts. */
interface Reader {
  readonly text: string;
  /** How far it is read, in characters. */
  at: number;
  /** Of the last text, as UTF-8. */
  bytes: number;
}

/** The next text; null, at the end of the sequence: it is none. `isPlain`: all of it is ASCII. */
function next(reader: Reader, isPlain = false): string | null {
  const { text, at } = reader;
  const isLong = text.charCodeAt(at) === 0x78;
  const from = at + (isLong ? 2 : 1);
  const bytes = isLong ? text.charCodeAt(at + 1) : text.charCodeAt(at) - 0x60;
  const isRight = isLong ? bytes >= 24 && bytes <= CHUNK_BYTES : bytes >= 0 && bytes < 24;
  const slice = isRight ? text.slice(from, from + bytes) : '';
  const isSame = isPlain || isAscii(slice);
  const end = !isRight ? text.length + 1 : isSame ? from + bytes : endOf(text, from, bytes);
  reader.at = Math.min(end, text.length);
  reader.bytes = bytes;
  if (end > text.length) return null;
  return isSame ? slice : text.slice(from, end);
}

/** The next texts as one; null: there are not so many. */
function takePieces(reader: Reader, count: number): Pieces | null {
  let [text, cuts] = ['', ''];
  let isPlain = true;
  for (let n = 0; n < count; n++) {
    const piece = next(reader);
    if (piece === null) return null;
    text += piece;
    isPlain &&= piece.length === reader.bytes;
    cuts += String.fromCharCode(piece.length, reader.bytes);
  }
  return { text, cuts: isPlain ? '' : cuts };
}

/** Where so many bytes of UTF-8 end; past the text: they do not end between two characters. */
function endOf(text: string, from: number, bytes: number): number {
  let at = from;
  for (let left = bytes; left > 0; at++) {
    const code = text.charCodeAt(at);
    if (Number.isNaN(code)) return text.length + 1;
    // Of a pair each half counts for two.
    const isHalf = code >= 0xd800 && code < 0xe000;
    left -= code < 0x80 ? 1 : code < 0x800 || isHalf ? 2 : 3;
    if (left < 0) return text.length + 1;
  }
  return at;
}

/** The first bytes of the hash that a wire id is. Throws for what is none: it comes from ours. */
function hashOf(id: string): Uint8Array {
  const bytes = isHashedId(id) ? decodeBase64(id.slice(2, 2 + WAY_CHARS), 'url') : null;
  if (bytes === null) throw new TypeError('a record in packs has a hashed id');
  return bytes;
}

function digitAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at >> 2] ?? 0) >> (6 - 2 * (at & 3))) & 3;
}
