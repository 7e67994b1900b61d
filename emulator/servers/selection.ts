// Which records of a collection a GET names: ids, newer, older, sort, limit, offset.
// Reading one page costs the page (for `sort=index`: one look at the whole selection).
// An offset names the stamp where the last page ended and how many records of that stamp it held,
// so it stays true when records of other stamps come or go.

import { CODE, isBsoId } from './bso.ts';
import { HttpError } from './http.ts';
import { type Bso, type Collection, type Sequence, toStampMs } from './store.ts';

interface Page {
  readonly records: readonly Bso[];
  /** The offset of the next page; null at the end. */
  readonly nextOffset: string | null;
}

const IDS_MAX = 100;

/** The page that a query asks for. A missing collection is an empty one. Errors: HttpError 400. */
export function selectPage(
  collection: Collection | undefined,
  query: URLSearchParams,
  nowMs: number,
): Page {
  const newerMs = timeParameter(query, 'newer') ?? Number.NEGATIVE_INFINITY;
  const olderMs = timeParameter(query, 'older') ?? Number.POSITIVE_INFINITY;
  const limit = countParameter(query, 'limit') ?? Number.POSITIVE_INFINITY;
  const sort = query.get('sort') ?? 'newest';
  if (sort !== 'newest' && sort !== 'oldest' && sort !== 'index') refuse();
  if (limit === 0) return { records: [], nextOffset: null };
  const named = namedRecords(collection, query, nowMs);
  const all = window(named, firstAfter(named, newerMs), firstAfter(named, olderMs - 1));
  const offset = query.get('offset');
  if (sort === 'index') return pageByIndex(all, limit, offset);
  const ordered = sort === 'oldest' ? all : reversed(all);
  return pageByStamp(ordered, limit, offset, sort, newerMs);
}

/** A decimal number of seconds, as milliseconds on the grid; null when it is none. */
export function parseSeconds(text: string): number | null {
  if (!/^\d{1,12}(\.\d{1,12})?$/.test(text)) return null;
  // Rounded first: 1388635807.41 * 1000 falls just short of the integer in floating point.
  return toStampMs(Math.round(Number(text) * 1000));
}

/** The ids of a comma-separated parameter; null when absent. Errors: HttpError 400. */
export function idsParameter(query: URLSearchParams): string[] | null {
  const text = query.get('ids');
  if (text === null) return null;
  const ids = text.split(',').filter((id) => id !== '');
  if (ids.length > IDS_MAX || !ids.every(isBsoId)) refuse();
  return ids;
}

function namedRecords(
  collection: Collection | undefined,
  query: URLSearchParams,
  nowMs: number,
): Sequence<Bso> {
  const ids = idsParameter(query);
  if (!collection) return listOf([]);
  if (ids === null) return collection.oldestFirst(nowMs);
  const found = [...new Set(ids)].flatMap((id) => collection.get(id, nowMs) ?? []);
  return listOf(found.sort((a, b) => a.modifiedMs - b.modifiedMs || (a.id < b.id ? -1 : 1)));
}

function pageByIndex(all: Sequence<Bso>, limit: number, offset: string | null): Page {
  if (offset !== null && !/^\d{1,9}$/.test(offset)) refuse();
  const from = Number(offset ?? 0);
  const records = slice(all, 0, all.length).sort(
    (a, b) =>
      (b.sortindex ?? Number.NEGATIVE_INFINITY) - (a.sortindex ?? Number.NEGATIVE_INFINITY) ||
      (a.id < b.id ? -1 : 1),
  );
  const end = Math.min(records.length, from + limit);
  return {
    records: records.slice(from, end),
    nextOffset: end < records.length ? String(end) : null,
  };
}

function pageByStamp(
  ordered: Sequence<Bso>,
  limit: number,
  offset: string | null,
  sort: 'newest' | 'oldest',
  newerMs: number,
): Page {
  const start = offset === null ? 0 : startOf(ordered, offset, sort, newerMs);
  const end = Math.min(ordered.length, start + limit);
  const records = slice(ordered, start, end);
  return { records, nextOffset: end < ordered.length ? offsetAt(ordered, end, sort) : null };
}

function startOf(
  ordered: Sequence<Bso>,
  offset: string,
  sort: 'newest' | 'oldest',
  newerMs: number,
): number {
  const [, stampMs, skip] = /^(\d{1,15}):(\d{1,9})$/.exec(offset) ?? refuse();
  if (Number(stampMs) < newerMs) refuse();
  return Math.min(ordered.length, firstOfStamp(ordered, Number(stampMs), sort) + Number(skip));
}

/** The offset that starts at a position: the stamp of the record before it, and its place there. */
function offsetAt(ordered: Sequence<Bso>, position: number, sort: 'newest' | 'oldest'): string {
  const stampMs = ordered.at(position - 1).modifiedMs;
  return `${stampMs}:${position - firstOfStamp(ordered, stampMs, sort)}`;
}

function firstOfStamp(ordered: Sequence<Bso>, stampMs: number, sort: 'newest' | 'oldest'): number {
  return firstIndex(ordered, ({ modifiedMs }) =>
    sort === 'oldest' ? modifiedMs >= stampMs : modifiedMs <= stampMs,
  );
}

function firstAfter(oldestFirst: Sequence<Bso>, timeMs: number): number {
  return firstIndex(oldestFirst, ({ modifiedMs }) => modifiedMs > timeMs);
}

/** The first index whose record passes, where all after it pass too; the length when none does. */
function firstIndex(records: Sequence<Bso>, passes: (bso: Bso) => boolean): number {
  let low = 0;
  let high = records.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (passes(records.at(middle))) high = middle;
    else low = middle + 1;
  }
  return low;
}

function window<T>(all: Sequence<T>, from: number, to: number): Sequence<T> {
  return { length: Math.max(0, to - from), at: (index) => all.at(from + index) };
}

function reversed<T>(all: Sequence<T>): Sequence<T> {
  return { length: all.length, at: (index) => all.at(all.length - 1 - index) };
}

function listOf(records: readonly Bso[]): Sequence<Bso> {
  return { length: records.length, at: (index) => records[index] as Bso };
}

function slice<T>(all: Sequence<T>, from: number, to: number): T[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, index) => all.at(from + index));
}

function timeParameter(query: URLSearchParams, name: string): number | null {
  const text = query.get(name);
  return text === null ? null : (parseSeconds(text) ?? refuse());
}

function countParameter(query: URLSearchParams, name: string): number | null {
  const text = query.get(name);
  if (text === null) return null;
  return /^\d{1,9}$/.test(text) ? Number(text) : refuse();
}

function refuse(): never {
  throw new HttpError(400, CODE.unknown);
}
