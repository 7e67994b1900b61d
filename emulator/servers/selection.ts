// Which records of a collection a GET names: ids, newer, older, sort, limit, offset.
// An offset names the stamp where the last page ended and how many records of that stamp it held,
// so it stays true when records of other stamps come or go; by index, it names the last record.

import { CODE, isBsoId } from './bso.ts';
import type { IndexPlace, Listing, Order, Stretch, UserReader } from './bso-storage.ts';
import { HttpError } from './http.ts';
import { listOf, sequenceOf } from './sequence.ts';
import { type Bso, toStampMs } from './store.ts';

interface Page<T> extends Pick<Listing<T>, 'count' | 'items'> {
  /** The offset of the next page; null at the end. */
  readonly nextOffset: string | null;
}

const IDS_MAX = 100;

/** What a query asks for, in words; whole records are listed with `full`. Errors: HttpError 400. */
export async function selectPage(
  user: UserReader,
  name: string,
  query: URLSearchParams,
): Promise<Page<Bso> | Page<string>> {
  const stretch = stretchOf(query);
  if (stretch.limit === 0) return { count: 0, items: [], nextOffset: null };
  const ids = idsParameter(query);
  const isFull = query.has('full');
  if (ids !== null) {
    const found = await user.get(name, [...new Set(ids)]);
    const { items, ...listing } = listOf(sequenceOf(found), stretch);
    const records = items as readonly Bso[];
    if (isFull) return pageOf({ ...listing, items: records }, stretch);
    return pageOf({ ...listing, items: records.map(({ id }) => id) }, stretch);
  }
  return isFull
    ? pageOf(await user.list(name, stretch), stretch)
    : pageOf(await user.listIds(name, stretch), stretch);
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

function stretchOf(query: URLSearchParams): Stretch {
  const newerMs = timeParameter(query, 'newer') ?? Number.NEGATIVE_INFINITY;
  const olderMs = timeParameter(query, 'older') ?? Number.POSITIVE_INFINITY;
  const limit = countParameter(query, 'limit') ?? Number.POSITIVE_INFINITY;
  const order = orderParameter(query);
  const offset = limit === 0 ? null : query.get('offset');
  return { order, newerMs, olderMs, limit, ...startOf(offset, order, newerMs) };
}

function startOf(
  offset: string | null,
  order: Order,
  newerMs: number,
): Pick<Stretch, 'fromMs' | 'behind' | 'skip'> {
  const first = { fromMs: null, behind: null, skip: 0 };
  if (offset === null) return first;
  // What any client may write; it costs what is left out.
  if (/^\d{1,9}$/.test(offset)) return { ...first, skip: Number(offset) };
  if (order === 'index') return { ...first, behind: placeOf(offset) };
  const [, stampMs, skip] = /^(\d{1,15}):(\d{1,9})$/.exec(offset) ?? refuse();
  if (Number(stampMs) < newerMs) refuse();
  return { ...first, fromMs: Number(stampMs), skip: Number(skip) };
}

function placeOf(offset: string): IndexPlace {
  const [, index, text = ''] = /^(-?\d{1,10})?:([\w-]+)$/.exec(offset) ?? refuse();
  const id = Buffer.from(text, 'base64url').toString('latin1');
  const place = { sortindex: index === undefined ? null : Number(index), id };
  return isBsoId(id) && offsetAt(place) === offset ? place : refuse();
}

function offsetAt({ sortindex, id }: IndexPlace): string {
  return `${sortindex ?? ''}:${Buffer.from(id, 'latin1').toString('base64url')}`;
}

function pageOf<T>({ count, items, hasMore, end }: Listing<T>, { order }: Stretch): Page<T> {
  const offset = order === 'index' ? offsetAt(end) : `${end.stampMs}:${end.position}`;
  return { count, items, nextOffset: hasMore ? offset : null };
}

function orderParameter(query: URLSearchParams): Order {
  const sort = query.get('sort') ?? 'newest';
  return sort === 'newest' || sort === 'oldest' || sort === 'index' ? sort : refuse();
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
