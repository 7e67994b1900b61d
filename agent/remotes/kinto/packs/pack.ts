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

export interface PackEntry {
  /** By the writer's word on the server's clock; with `salt` it names the version. */
  readonly writtenMs: number;
  /** 24 bits at random. */
  readonly salt: number;
  readonly kind: typeof LIVE | typeof DELETED | typeof ALONE;
  /** The record in JSON; empty: it is not here. */
  readonly text: string;
}

export interface Pack {
  /** It takes no other ids, ever. */
  isFull: boolean;
  /** By wire ids; changed by `putEntry` alone. */
  readonly entries: Map<string, PackEntry>;
  /** What `bytesOfPack` has measured; left out: nobody has asked. */
  bytes?: number;
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

/** An entry of the pack, in the place of the one that it has of that id. */
export function putEntry(pack: Pack, id: string, entry: PackEntry): void {
  const before = pack.entries.get(id);
  pack.entries.set(id, entry);
  if (pack.bytes === undefined || before?.text === entry.text) return;
  pack.bytes += bytesOfEntry(entry.text) - (before ? bytesOfEntry(before.text) : 0);
}

/**
 * Bytes of a pack, and of an entry in one, before they are sealed; never too few. It is asked
 * for each record that comes to a pack, which is measured once.
 */
export function bytesOfPack(pack: Pack): number {
  if (pack.bytes !== undefined) return pack.bytes;
  let bytes = PACK_FRAME_BYTES;
  for (const { text } of pack.entries.values()) bytes += bytesOfEntry(text);
  pack.bytes = bytes;
  return bytes;
}

export function bytesOfEntry(text: string): number {
  let bytes = ENTRY_FRAME_BYTES;
  for (const chunk of chunksOf(text)) bytes += HEAD_BYTES + textBytes(chunk);
  return bytes;
}

/**
 * A pack as text. It begins with 17 bytes that its id makes. No part of it is longer than a head of
 * ASCII can say, so that the CBOR is text, and whatever seals texts seals it.
 */
export function encodePack(packId: string, { isFull, entries }: Pack): string {
  let text = beginningOf(packId) + item(`${FORM} ${isFull ? 1 : 0}`);
  for (const [id, { writtenMs, salt, kind, text: json }] of entries) {
    const chunks = chunksOf(json);
    text += item(id.slice(2)) + item(`${kind} ${writtenMs} ${salt} ${chunks.length}`);
    for (const chunk of chunks) text += item(chunk);
  }
  return text;
}

/** Null: it is not that pack. */
export function decodePack(packId: string, text: string): Pack | null {
  const beginning = beginningOf(packId);
  const items = text.startsWith(beginning) ? itemsOf(text, beginning.length) : null;
  if (items === null) return null;
  const full = items.shift();
  if (full !== `${FORM} 0` && full !== `${FORM} 1`) return null;
  const entries = new Map<string, PackEntry>();
  for (let at = 0; at < items.length; ) {
    const id = `h-${items[at++]}`;
    const words = /^([012]) (\d{1,15}) (\d{1,8}) (\d{1,4})$/.exec(items[at++] ?? '');
    if (words === null || !isHashedId(id)) return null;
    const [kind = 0, writtenMs = 0, salt = 0, count = 0] = words.slice(1).map(Number);
    const json = items.slice(at, at + count).join('');
    at += count;
    const isWhole = at <= items.length && writtenMs <= STAMP_MS_MAX && salt <= SALT_MAX;
    if (!isWhole || !isKind(kind)) return null;
    if ((kind === LIVE && json === '') || (kind === DELETED && json !== '')) return null;
    entries.set(id, { writtenMs, salt, kind, text: json });
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
/** Where a text is ASCII it is cut without a look at its characters, one by one. */
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

function chunksOf(text: string): readonly string[] {
  return text.match(CHUNK) ?? [];
}

/** A text of CBOR, at most 127 bytes. */
function item(text: string): string {
  const bytes = textBytes(text);
  return (bytes < 24 ? String.fromCharCode(0x60 + bytes) : `x${String.fromCharCode(bytes)}`) + text;
}

/** Its bytes as UTF-8. */
function textBytes(text: string): number {
  return isAscii(text) ? text.length : encodeUtf8(text).length;
}

/** The texts of a CBOR sequence; null: it has something else in it. */
function itemsOf(text: string, from: number): string[] | null {
  const items: string[] = [];
  for (let at = from; at < text.length; ) {
    const head = text.charCodeAt(at++);
    const bytes = head === 0x78 ? text.charCodeAt(at++) : head - 0x60;
    const isShort = head !== 0x78 && bytes >= 0 && bytes < 24;
    if (!isShort && !(head === 0x78 && bytes >= 24 && bytes <= CHUNK_BYTES)) return null;
    const ascii = text.slice(at, at + bytes);
    const end = isAscii(ascii) ? at + bytes : endOf(text, at, bytes);
    if (end > text.length) return null;
    items.push(end === at + bytes ? ascii : text.slice(at, end));
    at = end;
  }
  return items;
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
