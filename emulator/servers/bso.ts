// What a client may write: the body formats and the rules for one BSO of Sync storage 1.5.

import { HttpError, isObject } from './http.ts';
import type { BsoChange } from './store.ts';

/** Limits of one collection. Bytes count UTF-8; payload bytes count the payload text. */
export interface CollectionLimits {
  readonly max_request_bytes: number;
  readonly max_post_bytes: number;
  readonly max_post_records: number;
  readonly max_record_payload_bytes: number;
  readonly max_total_bytes: number;
  readonly max_total_records: number;
}

/** The limits of `info/configuration`; some collections may have others. */
export interface Limits extends CollectionLimits {
  readonly collections?: { readonly [name: string]: Partial<CollectionLimits> };
}

/** What counts for one collection. */
export function limitsOf({ collections = {}, ...general }: Limits, name: string): CollectionLimits {
  return { ...general, ...(Object.hasOwn(collections, name) ? collections[name] : {}) };
}

/** The defaults of the reference server. */
export const DEFAULT_LIMITS: Limits = {
  max_request_bytes: 2_625_536,
  max_post_bytes: 2_621_440,
  max_post_records: 100,
  max_record_payload_bytes: 2_621_440,
  max_total_bytes: 262_144_000,
  max_total_records: 10_000,
};

/** The codes that Sync storage answers as a JSON number. */
export const CODE = {
  unknown: 0,
  badJson: 6,
  invalidBso: 8,
  badCollection: 13,
  overQuota: 14,
  sizeLimit: 17,
} as const;

const ID = /^[\x20-\x7e]{1,64}$/;
const SORTINDEX_MAX = 999_999_999;
const TTL_MAX_SECONDS = 999_999_999;
const MEMBERS = new Set(['id', 'payload', 'sortindex', 'ttl', 'modified', 'collection']);
const ZERO_IV = /"IV"\s*:\s*"AAAAAAAAAAAAAAAAAAAAAA=="/;

export function isBsoId(id: string): boolean {
  return ID.test(id);
}

/** The JSON value of a body, or the list of values of newline-separated ones. */
export function parseBody(contentType: string | null, bytes: Uint8Array, isList: boolean): unknown {
  const mediaType = (contentType ?? 'text/plain').split(';')[0]?.trim().toLowerCase();
  const isLines = isList && mediaType === 'application/newlines';
  if (!isLines && mediaType !== 'application/json' && mediaType !== 'text/plain')
    throw new HttpError(415, CODE.unknown);
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    if (!isLines) return JSON.parse(text);
    const lines = text.split('\n');
    // The last line may have an end. An empty one before it is no JSON, and refused as such.
    if (lines.at(-1) === '') lines.pop();
    return lines.map((line): unknown => JSON.parse(line));
  } catch {
    throw new HttpError(400, CODE.badJson);
  }
}

/** What is wrong with a BSO for this collection, in a word or two; null when nothing is. */
export function faultOf(value: unknown, collection: string): string | null {
  if (!isObject(value)) return 'invalid bso';
  const { payload, sortindex, ttl } = value;
  if (typeof value.id === 'string' && !isBsoId(value.id)) return 'invalid id';
  if (Object.keys(value).some((name) => !MEMBERS.has(name))) return 'invalid member';
  if (payload != null && typeof payload !== 'string') return 'invalid payload';
  if (sortindex != null && !isInteger(sortindex, -SORTINDEX_MAX, SORTINDEX_MAX))
    return 'invalid sortindex';
  if (ttl != null && !isInteger(ttl, 0, TTL_MAX_SECONDS)) return 'invalid ttl';
  return isKnownBad(value, collection) ? 'invalid payload' : null;
}

/** Keys sealed under an initialisation vector of zeros come from a client without randomness. */
export function isKnownBad(bso: Readonly<Record<string, unknown>>, collection: string): boolean {
  return collection === 'crypto' && typeof bso.payload === 'string' && ZERO_IV.test(bso.payload);
}

/** A BSO that has no fault, as a change of record `id`. */
export function toChange(bso: unknown, id: string): BsoChange {
  const { payload, sortindex, ttl } = bso as Omit<BsoChange, 'id'>;
  return {
    id,
    ...(payload === undefined ? {} : { payload }),
    ...(sortindex === undefined ? {} : { sortindex }),
    ...(ttl === undefined ? {} : { ttl }),
  };
}

/** UTF-8 bytes of the payload that a change brings. */
export function changeBytes(change: BsoChange): number {
  return Buffer.byteLength(change.payload ?? '');
}

function isInteger(value: unknown, min: number, max: number): boolean {
  return Number.isInteger(value) && Number(value) >= min && Number(value) <= max;
}
