// The bodies of a server's answers, liberally: records and changes under either name, as maps or
// lists, numbers as numbers or texts. What is none of that is no answer; JSON is never mended.

import { isObject } from '../../../crypto/engine.ts';
import { member } from '../../wire/document.ts';
import { isPiclKey } from '../ids.ts';
import { ID_CHARS_MAX } from './limits.ts';
import type { Signed, Unread } from './scheme.ts';
import { safeSeqnum } from './tag.ts';
import { violation } from './violation.ts';

/** A change as it is listed; `previous`: the id before it, where the server tells it. */
export type ListedChange = Signed & { readonly previous: string | null };

/** `next`: where the next page begins; null: there is none. */
interface ChangesRead {
  readonly changes: readonly ListedChange[];
  readonly next: number | null;
}

interface RecordsRead {
  readonly records: readonly ListedChange[];
  readonly next: string | null;
}

/** What a server says of a collection as a whole. */
interface Metadata {
  readonly seqnum: number;
  readonly changeid: string | null;
  readonly signature: string | null;
}

/** `unread`: what `pageText` has left out. Errors: `badResponse` (`badShape`, `unsafeSeqnum`). */
export function changesIn(value: unknown, unread: readonly Unread[] = []): ChangesRead {
  const listed = member(value, 'changes');
  const isOne = isObject(listed) && !isObject(member(listed, 'seqnum')) && 'seqnum' in listed;
  const items = isOne ? [listed] : isObject(listed) ? Object.values(listed) : listed;
  if (!Array.isArray(items)) throw badShape('changes: neither a list nor a map');
  const changes = items.map((item) => changeOf(item, member(item, 'key'), unread));
  if (!Array.isArray(listed)) changes.sort((one, other) => one.seqnum - other.seqnum);
  const next = member(value, 'next') ?? null;
  return { changes, next: next === null ? null : seqnumOf(next) };
}

/** Errors: as `changesIn`. */
export function recordsIn(value: unknown, unread: readonly Unread[] = []): RecordsRead {
  const [records, items] = ['records', 'items'].map((name) => listOf(member(value, name), unread));
  const found = records ?? items;
  if (!found) throw badShape('records: neither a list nor a map');
  if (records && items && !isSameList(records, items)) throw badShape('records and items differ');
  if (found.some(({ payload }) => payload === null)) throw badShape('a record without a payload');
  const next = member(value, 'next') ?? null;
  if (next !== null && typeof next !== 'string') throw badShape('next: not a key');
  return { records: found, next };
}

/** One record, which was asked for by its key. Errors: as `changesIn`. */
export function recordIn(value: unknown, key: string): ListedChange {
  return changeOf(value, member(value, 'key') ?? key, [], key);
}

/** Errors: as `changesIn`. */
export function metadataIn(value: unknown): Metadata {
  const [changeid, signature] = ['changeid', 'signature'].map((name) => {
    const text = member(value, name);
    return typeof text === 'string' && ID.test(text) ? text : null;
  });
  const seqnum = seqnumOf(member(value, 'seqnum'));
  return { seqnum, changeid: changeid ?? null, signature: signature ?? null };
}

function listOf(value: unknown, unread: readonly Unread[]): ListedChange[] | null {
  if (Array.isArray(value)) return value.map((item) => changeOf(item, member(item, 'key'), unread));
  if (!isObject(value)) return null;
  return Object.keys(value).map((key) => {
    const item = member(value, key);
    return changeOf(item, member(item, 'key') ?? key, unread, key);
  });
}

/** `key`: what it says; `expected`: what it must be, if that is known. */
function changeOf(
  item: unknown,
  key: unknown,
  unread: readonly Unread[],
  expected = key,
): ListedChange {
  const payload = payloadOf(member(item, 'payload'), unread);
  if (typeof key !== 'string' || !isPiclKey(key) || key !== expected) {
    throw badShape('a change has no key that it can have');
  }
  if (payload === undefined) throw badShape('a change has no payload that it can have');
  const changeid = member(item, 'changeid');
  if (typeof changeid !== 'string' || !ID.test(changeid)) throw badShape('a change has no id');
  const signature = member(item, 'signature') ?? '';
  if (typeof signature !== 'string') throw badShape('a signature is not a text');
  const previous = member(item, 'prev');
  return {
    ...{ key, payload, changeid, seqnum: seqnumOf(member(item, 'seqnum')) },
    signature: signature.slice(0, ID_CHARS_MAX),
    previous: typeof previous === 'string' ? previous : null,
  };
}

function seqnumOf(value: unknown): number {
  const number = typeof value === 'string' && /^\d{1,64}$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || number < 0 || number % 1 !== 0) {
    throw badShape('a seqnum is no whole number');
  }
  return safeSeqnum(number);
}

/** Undefined: it is none. What was left out is a number: see `pageText`. */
function payloadOf(value: unknown, unread: readonly Unread[]): Signed['payload'] | undefined {
  if (value === null || typeof value === 'string') return value;
  return typeof value === 'number' ? unread[-1 - value] : undefined;
}

function isSameList(one: readonly Signed[], other: readonly Signed[]): boolean {
  const ids = new Map(one.map(({ key, changeid }) => [key, changeid]));
  return (
    one.length === other.length && other.every(({ key, changeid }) => ids.get(key) === changeid)
  );
}

function badShape(what: string) {
  return violation('badShape', what);
}

const ID = /^[A-Za-z0-9_-]{1,128}$/;
