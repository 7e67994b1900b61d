// What a PiCL server answers, read as liberally as docs/picl.md allows: both spellings, lists and
// maps, numbers as texts. What is no JSON is never mended, and no number is ever rounded.

import type { Change } from './chain.ts';

/** A record of `/records`: what the last change of its key says. */
export type LiveRecord = Change & { readonly payload: string };

/** `next`: where the next page begins; null: nothing is left. */
interface PageOf<Item, Next> {
  readonly items: readonly Item[];
  readonly next: Next | null;
}

/** A collection's state, as an entity tag has it. */
export interface Head {
  readonly seqnum: number;
  readonly changeid: string;
}

/** An answer that a reader has to refuse. `reason`: one of docs/picl.md's words. */
export class Refused extends Error {
  constructor(
    readonly reason: string,
    /** What of the answer it is, and what is wrong with it. */
    readonly what: string,
  ) {
    super(`${reason}: ${what}`);
  }
}

/** A page of `/changes`. Throws Refused `malformed` or `seqnum-unsafe`. */
export function changesPage(text: string): PageOf<Change, number> {
  const members = parsedMembers(text);
  const given = members.get('changes');
  const items = changeList(given).map(changeOf);
  const next = members.get('next') ?? null;
  if (next === null) return { items, next };
  const following = seqnumOf(next, 'next');
  const last = items.at(-1);
  if (last === undefined || following <= last.seqnum)
    throw malformed('next', 'does not come behind the changes of its page');
  return { items, next: following };
}

/** A page of `/records`, in the order of keys. Throws as above. */
export function recordsPage(text: string): PageOf<LiveRecord, string> {
  const members = parsedMembers(text);
  const both = ['records', 'items'].filter((name) => members.has(name));
  const [first, second] = both.map((name) => recordList(members.get(name), name));
  if (first === undefined) throw malformed('records', 'is missing');
  if (second !== undefined && JSON.stringify(first) !== JSON.stringify(second))
    throw malformed('items', 'is not what records is');
  const next = members.get('next') ?? null;
  if (next === null) return { items: first, next };
  if (!isKey(next)) throw malformed('next', 'is no key');
  const last = first.at(-1);
  if (last === undefined || next <= last.key)
    throw malformed('next', 'does not come behind the records of its page');
  return { items: first, next };
}

/** A change by itself. Throws as above. */
export function changeOf(value: unknown, at: number | string): Change {
  const members = membersOf(value);
  const where = `change ${at}`;
  if (members === null) throw malformed(where, 'is no object');
  const text = (name: string, form: RegExp, rule: string): string => {
    const found = members.get(name);
    if (typeof found === 'string' && form.test(found)) return found;
    throw malformed(`${where}, ${name}`, rule);
  };
  const key = text('key', KEY, 'is not 1 to 64 letters, digits, "_" and "-"');
  const payload = members.get('payload');
  if (payload !== null) text('payload', PAYLOAD, 'is no text of base64url, and not null');
  const id = 'is not 1 to 128 letters, digits, "_" and "-"';
  return {
    ...{ key, payload: typeof payload === 'string' ? payload : null },
    seqnum: seqnumOf(members.get('seqnum'), `${where}, seqnum`),
    changeid: text('changeid', ID, id),
    signature: text('signature', ID, id),
  };
}

/** Bare, quoted or weak; null: it is none. Throws Refused `seqnum-unsafe`. */
export function headOfTag(text: string | null): Head | null {
  const [, , digits, changeid] = TAG.exec(text?.trim() ?? '') ?? [];
  if (digits === undefined || changeid === undefined) return null;
  return { seqnum: seqnumOf(digits, 'ETag'), changeid };
}

/** A JSON object's members; null: it is none. */
export function membersOf(value: unknown): ReadonlyMap<string, unknown> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? new Map(Object.entries(value))
    : null;
}

const KEY = /^[A-Za-z0-9_-]{1,64}$/;
const ID = /^[A-Za-z0-9_-]{1,128}$/;
const PAYLOAD = /^[A-Za-z0-9_.~=-]*$/;
const TAG = /^(?:W\/)?("?)(\d+)-([A-Za-z0-9_-]{1,128})\1$/;

function malformed(where: string, what: string): Refused {
  return new Refused('malformed', `${where} ${what}`);
}

function parsedMembers(text: string): ReadonlyMap<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw malformed('the answer', 'is not JSON');
  }
  const members = membersOf(value);
  if (members === null) throw malformed('the answer', 'is no JSON object');
  return members;
}

/** A list as it comes, a map by its numbers, one change by itself. */
function changeList(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  const members = membersOf(value);
  if (members === null) throw malformed('changes', 'is no list');
  if (members.has('seqnum')) return [value];
  return [...members]
    .sort(([one], [other]) => seqnumOf(one, 'changes') - seqnumOf(other, 'changes'))
    .map(([, change]) => change);
}

function recordList(value: unknown, name: string): LiveRecord[] {
  const members = membersOf(value);
  if (!Array.isArray(value) && members === null) throw malformed(name, 'is no map and no list');
  const given = members === null ? (value as unknown[]) : [...members].map(withKey);
  const records = given.map((one, at) => {
    const { payload, ...rest } = changeOf(one, at);
    if (payload === null) throw malformed(`${name}, ${rest.key}`, 'is there without a payload');
    return { ...rest, payload };
  });
  return records.sort((one, other) => (one.key < other.key ? -1 : Number(one.key > other.key)));
}

function withKey([key, value]: [string, unknown]): unknown {
  const members = membersOf(value);
  if (members === null) throw malformed(`record ${key}`, 'is no object');
  if (members.has('key') && members.get('key') !== key)
    throw malformed(`record ${key}`, 'has another key inside');
  return { ...Object.fromEntries(members), key };
}

/** A whole number that JavaScript counts to, or such a text. */
function seqnumOf(value: unknown, where: string): number {
  const isText = typeof value === 'string' && /^\d{1,20}$/.test(value);
  const number = isText ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isInteger(number) || number < 0)
    throw malformed(where, 'is no number of a change');
  if (!Number.isSafeInteger(number)) throw new Refused('seqnum-unsafe', `${where} is past 2^53`);
  return number;
}

function isKey(value: unknown): value is string {
  return typeof value === 'string' && KEY.test(value);
}
