// A pack: small records of a collection that are sealed together, and where a record lies. Packs
// are the nodes of a tree with four branches, and the bits of a record's hash are its way down. A
// record lies in the first pack of its way that was not full when it came, and never moves. A full
// pack takes no other ids, so who finds one of its way full looks further down. A record that is
// too long for a pack lies alone, and its pack says so.

import { decodeBase64, encodeBase64 } from '../../../../crypto/bytes.ts';
import { type CborValue, decodeCbor, encodeCbor } from '../../../../crypto/cbor.ts';
import { CryptoError } from '../../../../crypto/error.ts';
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

/** Bytes of a pack, and of an entry in one, before they are sealed; a little more for texts. */
export const bytesOfPack = ({ entries }: Pack): number =>
  [...entries.values()].reduce((sum, entry) => sum + bytesOfEntry(entry.text), PACK_FRAME_BYTES);
export const bytesOfEntry = (text: string): number => ENTRY_FRAME_BYTES + encodeUtf8(text).length;

/** Errors: `CryptoError` `badText` for half a surrogate pair. */
export function encodePack({ isFull, entries }: Pack): Uint8Array {
  const values: CborValue[] = [FORM, isFull ? 1 : 0];
  for (const [id, { writtenMs, salt, kind, text }] of entries) {
    values.push(hashOf(id), writtenMs, salt, kind, text);
  }
  return encodeCbor(values);
}

/** Null: it is none. */
export function decodePack(bytes: Uint8Array): Pack | null {
  const values = valuesOf(bytes);
  if (values === null) return null;
  const [form, full, ...rest] = values;
  if (form !== FORM || (full !== 0 && full !== 1) || rest.length % MEMBERS !== 0) return null;
  const entries = new Map<string, PackEntry>();
  for (let at = 0; at < rest.length; at += MEMBERS) {
    const [hash, writtenMs, salt, kind, text] = rest.slice(at, at + MEMBERS);
    const isPlaced = hash instanceof Uint8Array && hash.length === HASH_BYTES;
    const isKind = kind === LIVE || kind === DELETED || kind === ALONE;
    const isNumbered = typeof writtenMs === 'number' && writtenMs <= STAMP_MS_MAX;
    if (!isPlaced || !isKind || !isNumbered || typeof salt !== 'number') return null;
    if (typeof text !== 'string' || salt > SALT_MAX) return null;
    if ((kind === LIVE && text === '') || (kind === DELETED && text !== '')) return null;
    entries.set(`h-${encodeBase64(hash, 'url')}`, { writtenMs, salt, kind, text });
  }
  return { isFull: full === 1, entries };
}

/** A salt of three random bytes. */
export function saltOf(random: Uint8Array): number {
  const [a = 0, b = 0, c = 0] = random;
  return a * 65_536 + b * 256 + c;
}

const FORM = 1;
const MEMBERS = 5;
const HASH_BYTES = 32;
const SALT_MAX = 0xffffff;
const MARK = 'p-';
const PACK_ID = /^p-[0-3]{0,11}$/;
/** Of an entry, what is not its text: hash, time, salt, kind, and the heads of all five. */
const ENTRY_FRAME_BYTES = 34 + 9 + 5 + 1 + 3;
const PACK_FRAME_BYTES = 8;

/** The 32 bytes that a wire id is made of. Throws for what is no hashed id: it comes from ours. */
function hashOf(id: string): Uint8Array {
  const bytes = isHashedId(id) ? decodeBase64(id.slice(2), 'url') : null;
  if (bytes === null) throw new TypeError('a record in packs has a hashed id');
  return bytes;
}

function digitAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at >> 2] ?? 0) >> (6 - 2 * (at & 3))) & 3;
}

function valuesOf(bytes: Uint8Array): CborValue[] | null {
  try {
    return decodeCbor(bytes);
  } catch (error) {
    if (error instanceof CryptoError) return null;
    throw error;
  }
}
