// Which key of a ServerStorage holds what of Sync storage:
//
//   u/UID                      the user: its last stamp, when it has to be looked at for records
//                              that expire, how many places it has had
//   c/UID/NAME                 a collection: its place, its stamp, and what is in it
//   r/PLACE/ID                 a record
//   t/PLACE/STAMP/ID!!BYTES            records in the order of their stamps; bytes of payload
//   s/PLACE/INDEX/ID!!STAMP:BYTES      records in the order of their sort index
//   x/UID/TIME/PLACE/ID        records in the order in which they expire: the collection, and what
//                              else is needed to take one away
//   b/UID/NAME/BATCH           an open batch; with /NUMBER, what one request brought
//   g/PLACE                    a place whose collection was deleted: the last key that is gone
//   h/UID/TIME/MAC             a request that has changed something, and may not come again
//
// A place is `UID.NUMBER` and belongs to one collection for ever, so that deleting a collection of
// any size is one change; what lay there is taken away later. Keys are in the order of their bytes,
// and so are times (15 digits), sort indexes (highest first, then none) and ids.

import type { IndexPlace } from '../bso-storage.ts';
import { parseObject } from '../http.ts';
import type { Bso } from '../store.ts';
import type { KeyRange } from './server-storage.ts';

export interface UserRow {
  readonly modifiedMs: number;
  /** No record expires before; null: none does. */
  readonly nextExpiryMs: number | null;
  readonly places: number;
}

export interface CollectionRow {
  readonly place: string;
  readonly modifiedMs: number;
  readonly records: number;
  /** UTF-8 bytes of payloads. */
  readonly bytes: number;
}

/** What its keys are made of, and what it adds to its collection. */
export type Placed = Pick<Bso, 'id' | 'modifiedMs' | 'sortindex' | 'expiresMs'> & {
  /** Of payload. */
  readonly bytes: number;
};

export function placed({ payload, ...bso }: Bso): Placed {
  return { ...bso, bytes: Buffer.byteLength(payload) };
}

/** What the two orders say of a record without it. */
export interface Head {
  /** Its place in the order. */
  readonly key: string;
  readonly id: string;
  readonly modifiedMs: number;
  readonly bytes: number;
  /** Known to the order by index alone. */
  readonly sortindex: number | null;
}

export const userKey = (uid: number): string => `u/${uid}`;
export const collectionKey = (uid: number, name: string): string => `c/${uid}/${name}`;
export const recordKey = (place: string, id: string): string => `r/${place}/${inKey(id)}`;
export const garbageKey = (place: string): string => `g/${place}`;
export const batchKey = (uid: number, name: string, id: string): string => `b/${uid}/${name}/${id}`;
/** `mac`: base64, or nothing for the first key of that time. */
export const macKey = (uid: number, untilMs: number, mac: string): string =>
  `h/${uid}/${digits(Math.max(0, untilMs))}/${mac.replaceAll('/', '_')}`;
/** Of the so manieth request of a batch. */
export const batchPartKey = (batch: string, number: number): string =>
  `${batch}/${String(number).padStart(6, '0')}`;

/** Whether a text may be the id of a batch. */
export function isBatchId(text: string): boolean {
  return /^[\w-]{1,40}$/.test(text);
}

/** What a record adds to the orders, by key. */
export function orderEntries(
  uid: number,
  name: string,
  place: string,
  { id, modifiedMs, sortindex, expiresMs, bytes }: Placed,
): [key: string, value: string][] {
  const index = indexInKey(sortindex);
  return [
    [`t/${place}/${digits(modifiedMs)}/${inKey(id)}${END}${bytes}`, ''],
    [`s/${place}/${index}/${inKey(id)}${END}${modifiedMs}:${bytes}`, ''],
    ...(expiresMs === null
      ? []
      : [
          [
            `x/${uid}/${digits(expiresMs)}/${place}/${inKey(id)}`,
            `${name}:${modifiedMs}:${sortindex ?? ''}:${bytes}`,
          ] as [string, string],
        ]),
  ];
}

/** All keys under a prefix that ends with a slash. */
export function under(prefix: string, limit: number): KeyRange {
  // 0 is the character after the slash.
  return { from: prefix, to: `${prefix.slice(0, -1)}0`, limit };
}

/** Records in the order of stamps: those after one and before another one. */
export function stampRange(place: string, newerMs: number, olderMs: number): [string, string] {
  const at = (timeMs: number) => `t/${place}/${digits(Math.min(Math.max(0, timeMs), TIME_MAX))}/`;
  return [at(newerMs + 1), at(olderMs)];
}

/** Records in the order of sort indexes, behind a place. */
export function behindIndex(place: string, { sortindex, id }: IndexPlace): [string, string] {
  const { from, to } = under(`s/${place}/`, 0);
  const last = `${from}${indexInKey(sortindex)}/${inKey(id)}${END}`;
  // What is behind an id in its key are digits.
  return [`${last}~`, to];
}

/** Of a key of the order of stamps. */
export function headOfStamp(key: string): Head {
  const { order, id, rest } = partsOf(key);
  return { key, id, modifiedMs: Number(order), bytes: Number(rest), sortindex: null };
}

/** Of a key of the order of sort indexes. */
export function headOfIndex(key: string): Head {
  const { order, id, rest } = partsOf(key);
  const [modifiedMs = Number.NaN, bytes = Number.NaN] = rest.split(':').map(Number);
  const sortindex = order === NO_INDEX ? null : INDEX_MAX - Number(order);
  return { key, id, modifiedMs, bytes, sortindex };
}

function partsOf(key: string): { order: string; id: string; rest: string } {
  const [, , order = '', ...id] = key.slice(0, key.lastIndexOf(END)).split('/');
  return { order, id: fromKey(id.join('/')), rest: key.slice(key.lastIndexOf(END) + END.length) };
}

/** Of a key of the order in which records expire. */
export function expiryOf(key: string): { expiresMs: number; place: string; id: string } {
  const [, , time, place = '', ...id] = key.split('/');
  return { expiresMs: Number(time), place, id: fromKey(id.join('/')) };
}

/** Of an entry of it: the collection, and the record; null where an older version made it. */
export function expiringOf(key: string, value: string): { name: string; record: Placed | null } {
  const [name = '', modified, index, bytes] = value.split(':');
  if (modified === undefined) return { name, record: null };
  const { id, expiresMs } = expiryOf(key);
  const sortindex = index === '' ? null : Number(index);
  return {
    name,
    record: { id, expiresMs, sortindex, modifiedMs: +modified, bytes: Number(bytes) },
  };
}

/** The range of what expires between two times, both inclusive. */
export function expiredBetween(
  uid: number,
  fromMs: number,
  untilMs: number,
  limit: number,
): KeyRange {
  const at = (timeMs: number) => `x/${uid}/${digits(Math.max(0, timeMs))}/`;
  return { from: at(fromMs), to: at(untilMs + 1), limit };
}

/** The next key in order. */
export function after(key: string): string {
  return `${key}!`;
}

export function readUserRow(key: string, text: string): UserRow {
  const row = parseObject(text) ?? {};
  const { modifiedMs, nextExpiryMs, places } = row;
  const isTime = nextExpiryMs === null || typeof nextExpiryMs === 'number';
  if (typeof modifiedMs !== 'number' || typeof places !== 'number' || !isTime) throw damaged(key);
  return { modifiedMs, places, nextExpiryMs };
}

export function readCollectionRow(key: string, text: string): CollectionRow {
  const { place, modifiedMs, records, bytes } = parseObject(text) ?? {};
  const isWhole = [modifiedMs, records, bytes].every((value) => typeof value === 'number');
  if (typeof place !== 'string' || !isWhole) throw damaged(key);
  return { place, modifiedMs, records, bytes } as CollectionRow;
}

export function readBso(key: string, text: string): Bso {
  const { id, modifiedMs, payload, sortindex, expiresMs } = parseObject(text) ?? {};
  const isNumber = (value: unknown) => value === null || typeof value === 'number';
  const isText = typeof id === 'string' && typeof payload === 'string';
  if (!isText || typeof modifiedMs !== 'number' || !isNumber(sortindex) || !isNumber(expiresMs))
    throw damaged(key);
  return { id, modifiedMs, payload, sortindex, expiresMs } as Bso;
}

export function damaged(key: string): Error {
  return new Error(`the database holds something else at ${key}`);
}

function indexInKey(sortindex: number | null): string {
  return sortindex === null ? NO_INDEX : digits(INDEX_MAX - sortindex, 10);
}

const TIME_MAX = 999_999_999_999_999;
const INDEX_MAX = 1_000_000_000;
/** Behind every number. */
const NO_INDEX = '~';

function digits(value: number, count = 15): string {
  return String(value).padStart(count, '0');
}

/** Behind an id: it sorts before all that an id may go on with. */
const END = '!!';

/** An id has spaces, a key has none: the order of keys is that of ids. */
function inKey(id: string): string {
  return id.replaceAll('!', '!#').replaceAll(' ', '!"');
}

function fromKey(text: string): string {
  return text.replaceAll('!"', ' ').replaceAll('!#', '!');
}
