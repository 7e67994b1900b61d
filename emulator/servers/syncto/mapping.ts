// The translation between Kinto's words and Sync 1.5's: query, preconditions, records, headers,
// and the statuses of the token server and of storage. What has no counterpart is dropped without
// a word, as Syncto does, and numbers are read and cut as Python does.

import { STATUS_CODES } from 'node:http';
import { isObject, textOf } from '../http.ts';
import {
  badRequest,
  bodyFault,
  type Fault,
  internalError,
  OVERLOADED,
  SynctoError,
} from './errors.ts';

type Pairs = readonly (readonly [string, string])[];

const SORTS = new Map([
  ['-last_modified', 'newest'],
  ['newest', 'newest'],
  ['last_modified', 'oldest'],
  ['oldest', 'oldest'],
  ['-sortindex', 'index'],
  ['index', 'index'],
]);
const SORT_FAULT: Fault = {
  location: 'querystring',
  name: '_sort',
  description:
    "_sort should be one of ('-last_modified', 'newest', '-sortindex', 'index', " +
    "'last_modified', 'oldest')",
};
const SINCE_FAULT: Fault = {
  location: 'querystring',
  name: '_since',
  description: '_since should be a number.',
};

/**
 * The parameters of a request, in their order. Semicolons separate them, too. Errors: SynctoError
 * 400 where they are no UTF-8.
 */
export function pairsOf(url: URL): Pairs {
  const parts = url.search.slice(1).split(/[&;]/);
  const pairs = parts.flatMap((part) => [...new URLSearchParams(part)]);
  if (/%[\da-f]{2}/i.test(url.search) && pairs.some((pair) => pair.join('').includes('\ufffd')))
    checkEscapes(url.search);
  return pairs;
}

function checkEscapes(search: string): void {
  try {
    search.replace(/(%[\da-f]{2})+/gi, decodeURIComponent);
  } catch {
    const description = 'Its escapes are no UTF-8';
    throw badRequest({ location: 'querystring', name: null, description });
  }
}

/** The storage query of a list request. Errors: SynctoError 400. */
export function listQuery(pairs: Pairs): URLSearchParams {
  // Of several ones the last counts.
  const query = new Map(pairs);
  const mapped = new URLSearchParams({ full: 'True' });
  const since = query.get('_since');
  if (since !== undefined) {
    const newer = decimalSeconds(since);
    // Kinto takes a quoted number, too; Syncto never did.
    if (newer === null) throw badRequest(SINCE_FAULT);
    mapped.set('newer', newer);
  }
  for (const [name, target] of [
    ['_limit', 'limit'],
    ['_token', 'offset'],
  ] as const) {
    const value = query.get(name);
    if (value !== undefined) mapped.set(target, value);
  }
  const sort = query.get('_sort');
  const sorted = SORTS.get(sort ?? '');
  if (sort !== undefined && sorted === undefined) throw badRequest(SORT_FAULT);
  if (sorted !== undefined) mapped.set('sort', sorted);
  const ids = query.get('in_ids');
  const named = ids?.split(',').filter((id) => id !== '');
  if (named !== undefined) mapped.set('ids', named.map((id) => id.trim()).join(','));
  return mapped;
}

/** The URL of the next page: this one with the offset as its `_token`. */
function nextPage(url: URL, offset: string): string {
  const query = new URLSearchParams();
  for (const [name, value] of pairsOf(url)) if (name !== '_token') query.append(name, value);
  query.append('_token', offset);
  return `${url.origin}${url.pathname}?${query.toString().replaceAll('*', '%2A')}`;
}

/** The storage preconditions of a request. Errors: SynctoError 400. */
export function preconditions(headers: Headers): Record<string, string> {
  const match = headers.get('if-match');
  const noneMatch = headers.get('if-none-match');
  const mapped: Record<string, string> = {};
  if (match !== null) mapped['X-If-Unmodified-Since'] = quotedSeconds(match, 'If-Match');
  if (noneMatch === '*') mapped['X-If-Unmodified-Since'] = '0';
  else if (noneMatch !== null)
    mapped['X-If-Modified-Since'] = quotedSeconds(noneMatch, 'If-None-Match');
  return mapped;
}

/** The object that a body holds. Errors: SynctoError 400, which counts `wanted` as missing, too. */
export function bodyObject(
  text: string,
  type: string | null,
  wanted: string,
): Record<string, unknown> {
  const missing: Fault = {
    location: 'body',
    name: wanted,
    description: `${wanted} is missing`,
  };
  // Another body is as good as none.
  if (text === '' || !/^application\/json *(;|$)/.test(type ?? '')) throw badRequest(missing);
  const value = parsed(text);
  if (value === undefined) throw badRequest(bodyIs('Invalid JSON request body'), missing);
  if (!isObject(value)) throw badRequest(bodyIs('Invalid JSON: Should be a JSON object'), missing);
  if (nestingOf(text) > NESTING_MAX)
    throw badRequest(bodyIs(`It has more than ${NESTING_MAX} levels`), missing);
  return value;
}

/** What is written out again must not be nested deeper than a stack is high. */
const NESTING_MAX = 500;

/** How many objects and lists of a JSON text are open at a time, at most. */
function nestingOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let isInText = false;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (isInText && character === '\\') index++;
    else if (character === '"') isInText = !isInText;
    else if (isInText) continue;
    else if (character === '[' || character === '{') deepest = Math.max(deepest, ++depth);
    else if (character === ']' || character === '}') depth--;
  }
  return deepest;
}

/** Undefined where it is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\ufeff/, ''));
  } catch {
    return undefined;
  }
}

function bodyIs(description: string): Fault {
  return { location: 'body', name: null, description };
}

/** The BSO that a PUT body holds; there must be no `pairs`. Errors: SynctoError 400. */
export function readRecordBody(
  text: string,
  type: string | null,
  pairs: Pairs,
): Record<string, unknown> {
  const body = bodyObject(text, type, 'data');
  const faults: Fault[] = Object.hasOwn(body, 'data')
    ? []
    : [{ location: 'body', name: 'data', description: 'data is missing' }];
  for (const name of Object.keys(body)) {
    if (name === 'data') continue;
    faults.push({ location: 'body', name, description: `${name} is not allowed` });
  }
  for (const name of new Map(pairs).keys()) {
    if (name === 'data') continue;
    faults.push({ location: 'querystring', name, description: `${name} is not allowed` });
  }
  if (faults.length > 0) throw badRequest(...faults);
  if (!isObject(body.data))
    throw badRequest({ location: 'body', name: 'data', description: 'data is not an object' });
  const { last_modified: _stamp, id: _id, ...bso } = body.data;
  return bso;
}

/** A BSO as a Kinto record. Errors: SynctoError 500 where it is none. */
export function toKintoRecord(bso: unknown): object {
  if (!isObject(bso)) throw internalError();
  const { modified, ...rest } = bso;
  return { ...rest, last_modified: stampMs(modified) };
}

/** Decimal seconds as whole milliseconds. Errors: SynctoError 500 where they are none. */
export function stampMs(seconds: unknown): number {
  const isNumber = typeof seconds === 'number' || typeof seconds === 'boolean';
  const timeMs = isNumber ? Math.trunc(Number(seconds) * 1000) : Number.NaN;
  if (!Number.isFinite(timeMs)) throw internalError();
  return timeMs;
}

/**
 * What a client learns from the headers of an answer, success or not. `url` is what it asked for.
 * Errors: SynctoError 500 where a stamp is none.
 */
export function answerHeaders(headers: Headers, url: URL): Record<string, string> {
  const mapped: Record<string, string> = { 'Cache-Control': 'no-cache' };
  const modified = headers.get('x-last-modified');
  if (modified !== null) {
    const seconds = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(modified)
      ? Number(modified)
      : null;
    mapped.ETag = `"${stampMs(seconds)}"`;
    mapped['Last-Modified'] = new Date(Math.floor(Number(seconds)) * 1000).toUTCString();
  }
  const offset = headers.get('x-weave-next-offset');
  if (offset !== null) mapped['Next-Page'] = nextPage(url, offset);
  for (const [name, target] of [
    ['x-weave-records', 'Total-Records'],
    ['x-weave-quota-remaining', 'Quota-Remaining'],
    ['x-weave-alert', 'Alert'],
    ['x-weave-backoff', 'Backoff'],
  ] as const) {
    const value = headers.get(name);
    if (value !== null) mapped[target] = value;
  }
  return mapped;
}

/** Those not named here look like an outage: a record that is too large (413) does, too. */
const ERRNO: Readonly<Record<number, number>> = {
  304: 0,
  400: 107,
  401: 105,
  403: 121,
  404: 110,
  412: 114,
};

/** The refusal that an unsuccessful answer of the token server or of storage leads to. */
export async function fromUpstream(response: Response, url: URL): Promise<SynctoError> {
  const { status } = response;
  const headers = answerHeaders(response.headers, url);
  const errno = ERRNO[status];
  const why = await textOf(response, REASON_BYTES_MAX).catch(() => 'a long answer');
  if (errno === undefined) return new SynctoError(503, 201, OVERLOADED, { headers });
  const text = `${status} ${STATUS_CODES[status] ?? ''}: ${why}`;
  const message = status === 412 ? 'Resource was modified meanwhile' : text;
  return new SynctoError(status, errno, message, { headers });
}

/** Why a request was refused is repeated; a page of HTML is not. */
const REASON_BYTES_MAX = 2_048;
/** A record, or credentials: above what storage takes, with every character escaped. */
const ANSWER_BYTES_MAX = 16_777_216;

/** The JSON of an answer that should have some. Errors: SynctoError 500, 503. */
export async function jsonOf(response: Response): Promise<unknown> {
  try {
    return JSON.parse(await textOf(response, ANSWER_BYTES_MAX));
  } catch (error) {
    throw bodyFault(error);
  }
}

function quotedSeconds(value: string, name: string): string {
  const [, text = ''] = /^"(.*)"$/.exec(value) ?? [];
  const seconds = decimalSeconds(text);
  if (seconds !== null) return seconds;
  const description = `Invalid value for ${name}`;
  throw badRequest({ location: 'headers', name: null, description });
}

/** A whole number of milliseconds, as Python reads one, as seconds; null where it is none. */
function decimalSeconds(text: string): string | null {
  if (text.length > NUMBER_CHARS_MAX || !/^\s*[+-]?\d+(_\d+)*\s*$/.test(text)) return null;
  const timeMs = BigInt(text.trim().replace(/^\+|_/g, ''));
  const seconds = Number(timeMs) / 1000;
  // From here on a number is written with an exponent; it has no decimals then.
  if (Math.abs(seconds) >= 1e21) return `${BigInt(seconds)}.00`;
  // In the middle between two hundredths Python takes the even one: .125 and .625 go down.
  const isToGoDown = Math.abs(seconds * 8) % 4 === 1;
  return isToGoDown ? seconds.toFixed(3).slice(0, -1) : seconds.toFixed(2);
}

/** What is longer is no time of anything. */
const NUMBER_CHARS_MAX = 64;
