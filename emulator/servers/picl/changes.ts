// The changes that a request brings: their members and limits, and the chain that they form. The
// server knows all of it but the signatures, whose key it has not.

import { createHash } from 'node:crypto';
import { isObject } from '../http.ts';
import { refusal } from './refusals.ts';

export interface Change {
  readonly key: string;
  /** Null: the record goes. */
  readonly payload: string | null;
  readonly seqnum: number;
  readonly changeid: string;
  readonly signature: string;
  /** The changeid of the change before it, where its author said so. */
  readonly prev?: string;
}

/** Of the state before the first change: 32 bytes of zero. */
export const GENESIS = 'A'.repeat(43);

const PAYLOAD_CHARS_MAX = 262_144;
const CHANGES_MAX = 100;
/** A MiB, and the longest payload. */
export const BODY_BYTES_MAX = 1_048_576 + PAYLOAD_CHARS_MAX;

const ID = /^[A-Za-z0-9_-]{1,128}$/;
/** The alphabet of base64url, and what else a URL leaves as it is, with padding. */
const PAYLOAD = /^[A-Za-z0-9_.~=-]*$/;

/** Whether a text may be the name of a collection, or the key of a record. */
export function isName(text: string): boolean {
  return /^[A-Za-z0-9_-]{1,64}$/.test(text);
}

/** The changeid of a change after another one. */
export function changeIdOf(
  { seqnum, key, payload }: Pick<Change, 'seqnum' | 'key' | 'payload'>,
  prev: string,
): string {
  const tag = payload === null ? 'D' : `S:${hash(payload)}`;
  return hash(`picl-change-v1\n${seqnum}\n${prev}\n${key}\n${tag}\n`);
}

/**
 * The changes of a body, `{"changes": [...]}` or the list alone; of one for a record, whose key is
 * in the URL, the change itself. Errors: HttpError 400 with the index and the member, 413.
 */
export function changesIn(text: string, urlKey: string | null): Change[] {
  const body = parsed(text);
  if (urlKey !== null) {
    if (!isObject(body)) throw refusal('bad-body');
    const { key = urlKey } = body;
    if (key !== urlKey) throw refusal('bad-change', { index: 0, member: 'key' });
    return [changeOf({ ...body, key }, 0)];
  }
  const list = isObject(body) ? body.changes : body;
  if (!Array.isArray(list) || list.length === 0) throw refusal('bad-body', { member: 'changes' });
  if (list.length > CHANGES_MAX) throw refusal('too-large', { changesMax: CHANGES_MAX });
  return list.map(changeOf);
}

/**
 * Whether changes follow a state one by one; else the index of the first that does not. `first`:
 * the seqnum that is next. Ids that are `opaque` are not recomputed.
 */
export function brokenAt(
  changes: readonly Change[],
  { first, changeid }: { readonly first: number; readonly changeid: string },
  isOpaque: boolean,
): number | null {
  let before = changeid;
  for (const [index, change] of changes.entries()) {
    const isNext = change.seqnum === first + index && (change.prev ?? before) === before;
    if (!isNext || !(isOpaque || change.changeid === changeIdOf(change, before))) return index;
    before = change.changeid;
  }
  return null;
}

function changeOf(value: unknown, index: number): Change {
  const { key, payload, seqnum, changeid, signature, prev } = isObject(value) ? value : {};
  const bad = (member: string) => refusal('bad-change', { index, member });
  if (typeof key !== 'string' || !isName(key)) throw bad('key');
  if (!isPayload(payload)) throw bad('payload');
  if ((payload?.length ?? 0) > PAYLOAD_CHARS_MAX)
    throw refusal('too-large', { index, member: 'payload', charsMax: PAYLOAD_CHARS_MAX });
  if (!Number.isSafeInteger(seqnum) || Number(seqnum) < 0) throw bad('seqnum');
  if (!isId(changeid)) throw bad('changeid');
  if (!isId(signature)) throw bad('signature');
  const change = { key, payload, seqnum: Number(seqnum), changeid, signature };
  if (prev === undefined) return change;
  if (!isId(prev)) throw bad('prev');
  return { ...change, prev };
}

/** A change without one is not a deletion. */
function isPayload(value: unknown): value is string | null {
  return value === null || (typeof value === 'string' && PAYLOAD.test(value));
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && ID.test(value);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw refusal('bad-json');
  }
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
