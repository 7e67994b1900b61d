// A pack: small records of a collection that are sealed together, and where a record lies. Packs
// are the nodes of a tree with four branches, and the bits of a record's hash are its way down. A
// record lies in the first pack of its way that was not full when it came, and never moves. A full
// pack takes no other ids, so who finds one of its way full looks further down. A record that is
// too long for a pack lies alone, and its pack says so.

import { urlDigits } from '../../../../crypto/bytes.ts';
import { STAMP_MS_MAX } from '../../../limits.ts';
import { isHashedId } from '../../ids.ts';
import {
  countOf,
  HEAD_BYTES,
  item,
  itemsOf,
  next,
  type Pieces,
  readerOf,
  takePieces,
} from './texts.ts';

/** How a record lies in its pack. */
export const LIVE = 0;
export const DELETED = 1;
/** Under its own wire id. As long as it is not there, `text` is what was here before. */
export const ALONE = 2;

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

/**
 * The pack of a record at a level. `id`: its wire id. Throws for one that is no hash: it comes from
 * ours.
 */
export function packIdOf(id: string, level: number): string {
  if (id.length !== HASHED_ID_CHARS) throw new TypeError('a record in packs has a hashed id');
  let packId = MARK;
  for (let at = 0, value = 0; at < level; at++) {
    const step = at % LEVELS_A_CHAR;
    if (step === 0) value = urlDigits.indexOf(id.charAt(2 + at / LEVELS_A_CHAR));
    packId += (value >> (4 - 2 * step)) & 3;
  }
  return packId;
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

/** Bytes of a pack, and of an entry in one, before they are sealed; never too few. */
export function bytesOfPack({ entries }: Pack): number {
  let bytes = PACK_FRAME_BYTES;
  for (const entry of entries.values()) bytes += bytesOfEntry(entry);
  return bytes;
}

export function bytesOfEntry({ bytes }: Pick<Pieces, 'bytes'>): number {
  return ENTRY_FRAME_BYTES + bytes;
}

/**
 * A pack as text. It begins with 17 bytes that its id makes, and is CBOR: whatever seals texts
 * seals it.
 */
export function encodePack(packId: string, { isFull, entries }: Pack): string {
  let text = beginningOf(packId) + item(`${FORM} ${isFull ? 1 : 0}`);
  for (const [id, entry] of entries) {
    const { writtenMs, salt, kind } = entry;
    text += item(id.slice(2)) + item(`${kind} ${writtenMs} ${salt} ${countOf(entry)}`);
    text += itemsOf(entry);
  }
  return text;
}

/** Null: it is not that pack. */
export function decodePack(packId: string, text: string): Pack | null {
  const beginning = beginningOf(packId);
  if (!text.startsWith(beginning)) return null;
  const reader = readerOf(text);
  reader.at = beginning.length;
  const full = next(reader);
  if (full !== `${FORM} 0` && full !== `${FORM} 1`) return null;
  const entries = new Map<string, PackEntry>();
  while (reader.at < text.length) {
    const id = `h-${next(reader)}`;
    const words = /^([012]) (\d{1,15}) (\d{1,8}) (\d{1,4})$/.exec(next(reader) ?? '');
    if (words === null || !isHashedId(id)) return null;
    const [kind, writtenMs, salt] = [Number(words[1]), Number(words[2]), Number(words[3])];
    const taken = takePieces(reader, Number(words[4]));
    if (taken === null || writtenMs > STAMP_MS_MAX || salt > SALT_MAX || !isKind(kind)) return null;
    const isEmpty = taken.bytes === 0 || taken.text === '';
    if ((kind === LIVE && isEmpty) || (kind === DELETED && !isEmpty)) return null;
    const { text: json, cuts, bytes } = taken;
    entries.set(id, { writtenMs, salt, kind, text: json, cuts, bytes });
  }
  return { isFull: full === `${FORM} 1`, entries };
}

/** A salt of three random bytes. */
export function saltOf(random: Uint8Array): number {
  const [a = 0, b = 0, c = 0] = random;
  return a * 65_536 + b * 256 + c;
}

const FORM = 1;
/** Of a wire id: its mark, and 32 bytes in base64url. */
const HASHED_ID_CHARS = 45;
/** The way down is two bits of the hash for each level. */
const LEVELS_A_CHAR = 3;
const SALT_MAX = 0xffffff;
const MARK = 'p-';
const DIGITS = [0, 1, 2, 3];
const PACK_ID = /^p-[0-3]{0,11}$/;
/** Of an entry, what is not its text: hash, numbers, and their heads. */
const ENTRY_FRAME_BYTES = HEAD_BYTES + 43 + HEAD_BYTES + 28;
const ID_CHARS = 16;
const PACK_FRAME_BYTES = 1 + ID_CHARS + 4;

/** The pack's id as a text of CBOR: as long as a block of AES, whatever the id. */
const beginningOf = (packId: string): string => item(packId.padEnd(ID_CHARS));

function isKind(kind: number): kind is PackEntry['kind'] {
  return kind === LIVE || kind === DELETED || kind === ALONE;
}
