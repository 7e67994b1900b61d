// A list of objects as a query asks for it: filters, order, pages.
// Source: Kinto HTTP API 1.x (filtering, sorting, pagination); what Kinto 26.5.0 was seen to do.

import { type HeaderValues, isObject, parseObject } from '../http.ts';
import { kintoError } from './errors.ts';
import type { Data, Place } from './place.ts';

const DAY_MS = 24 * 3_600_000;
/** Queries that are not filters by a member. */
const WORDS = new Set(['_since', '_to', '_before', '_sort', '_limit', '_token', '_fields']);

interface Listed {
  readonly data: readonly unknown[];
  readonly headers: HeaderValues;
  /** Live ones that the filters let through, on all pages. */
  readonly total: number;
}

/**
 * `pageMax`: `paginate_by`; null: pages are as long as they were asked for.
 * `isTheirs`: who asks may see it. Errors: 400.
 */
export function listed(
  place: Place,
  url: URL,
  pageMax: number | null,
  nowMs: number,
  isTheirs: (data: Data) => boolean,
): Listed {
  const query = url.searchParams;
  const stampMs = place.stampMs;
  const since = stampOf(query, '_since', nowMs);
  const before = stampOf(query, '_before', nowMs) ?? stampOf(query, '_to', nowMs);
  // Tombstones are there for who asks since when.
  const isTimed = since !== null || before !== null;
  const isFound = (data: Data): boolean =>
    data.last_modified > (since ?? -1) &&
    data.last_modified < (before ?? Number.POSITIVE_INFINITY) &&
    matches(data, query) &&
    isTheirs(data);
  const live = place.live().filter(isFound);
  const found = [...live, ...(isTimed ? place.tombstones().filter(isFound) : [])];
  const sorted = sortedBy(found, query.get('_sort'));
  const [data, next] = pageOf(sorted, query, pageMax);
  const headers = {
    ETag: `"${stampMs}"`,
    'Last-Modified': new Date(stampMs).toUTCString(),
    'Cache-Control': 'no-cache, no-store',
    ...(next !== null && { 'Next-Page': nextUrl(url, next) }),
  };
  const shown = data.map((one) => fieldsOf(one, query.get('_fields')));
  return { data: shown, headers, total: live.length };
}

function stampOf(query: URLSearchParams, name: string, nowMs: number): number | null {
  const text = query.get(name);
  if (text === null || text === 'null') return null;
  const value = Number(text.replace(/^"(.*)"$/, '$1'));
  if (text === '' || !(value >= 0) || value >= nowMs + DAY_MS) {
    throw kintoError('badBody', {
      message: `${name} in querystring: The value should be a timestamp`,
    });
  }
  return value;
}

/** Every other word of the query is a filter by the member of that name. */
function matches(data: Data, query: URLSearchParams): boolean {
  const members = new Map(Object.entries(data));
  for (const [name, text] of query) {
    if (WORDS.has(name)) continue;
    const [, kind = '', member = name] =
      /^(in|exclude|not|min|max|has|like)_(.*)$/.exec(name) ?? [];
    const value = members.get(member);
    if (kind === 'like') {
      if (!isLike(String(value), text)) return false;
      continue;
    }
    const isIn = text.split(',').includes(String(value));
    if (kind === 'exclude' || kind === 'not') {
      if (isIn) return false;
    } else if (!isIn) return false;
  }
  return true;
}

/** Without a `*` it may stand anywhere; in any case of letters. */
function isLike(value: string, text: string): boolean {
  const parts = (text.includes('*') ? text : `*${text}*`).split('*');
  const pattern = parts.map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&')).join('.*');
  return new RegExp(`^${pattern}$`, 'is').test(value);
}

/** By one member; the newest first by default, and for a word that is no member. */
function sortedBy(all: readonly Data[], sort: string | null): Data[] {
  const [, minus = '', member = ''] = /^(-?)(.*)$/.exec(sort ?? '-last_modified') ?? [];
  const isKnown = member === 'last_modified' || member === 'id';
  const name = isKnown ? member : 'last_modified';
  const sign = minus === '-' || !isKnown ? -1 : 1;
  return [...all].sort((a, b) => {
    const [one, other] = [a[name] ?? '', b[name] ?? ''];
    return one === other ? 0 : one < other ? -sign : sign;
  });
}

function pageOf(
  all: readonly Data[],
  query: URLSearchParams,
  pageMax: number | null,
): [data: readonly Data[], next: string | null] {
  const text = query.get('_limit') ?? '0';
  if (!/^\d+$/.test(text)) {
    throw kintoError('badBody', { message: '_limit in querystring: Invalid value' });
  }
  const limit = Math.min(Number(text) || Number.POSITIVE_INFINITY, pageMax ?? 10_000);
  const after = tokenOf(query.get('_token'));
  const from = after === null ? 0 : all.findIndex(({ id }) => id === after.id) + 1;
  const at = after !== null && from === 0 ? all.findIndex(isBehind(after)) : from;
  const data = at < 0 ? [] : all.slice(at, at + limit);
  const last = data.at(-1);
  if (last === undefined || at + data.length >= all.length) return [data, null];
  return [
    data,
    JSON.stringify({ last_object: { id: last.id, last_modified: last.last_modified } }),
  ];
}

const isBehind =
  ({ last_modified }: Pick<Data, 'last_modified'>) =>
  (data: Data): boolean =>
    data.last_modified > last_modified;

function tokenOf(token: string | null): Pick<Data, 'id' | 'last_modified'> | null {
  if (token === null) return null;
  const last = parseObject(Buffer.from(token, 'base64').toString('utf8'))?.last_object;
  if (isObject(last) && typeof last.id === 'string' && typeof last.last_modified === 'number') {
    return { id: last.id, last_modified: last.last_modified };
  }
  throw kintoError('badBody', { message: '_token in querystring: Invalid pagination token' });
}

function nextUrl(url: URL, token: string): string {
  const next = new URL(url);
  next.searchParams.set('_token', Buffer.from(token).toString('base64'));
  return next.href;
}

function fieldsOf(data: Data, fields: string | null): unknown {
  if (fields === null) return data;
  const names = new Set(['id', 'last_modified', 'deleted', ...fields.split(',')]);
  return Object.fromEntries(Object.entries(data).filter(([name]) => names.has(name)));
}
