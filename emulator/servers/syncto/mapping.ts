// The translation between Kinto's words and Sync 1.5's: query, preconditions, records, headers,
// and the statuses of the token server and of storage.
// What has no counterpart is dropped without a word, as Syncto does.

import { STATUS_CODES } from 'node:http';
import { isObject, parseObject, textOf } from '../http.ts';
import { badRequest, bodyFault, SynctoError } from './errors.ts';

type Sort = Readonly<Record<string, string>>;

const SORTS: Sort = {
  '-last_modified': 'newest',
  newest: 'newest',
  last_modified: 'oldest',
  oldest: 'oldest',
  '-sortindex': 'index',
  index: 'index',
};

/** The storage query of a list request. Errors: SynctoError 400. */
export function listQuery(query: URLSearchParams): URLSearchParams {
  const mapped = new URLSearchParams({ full: 'true' });
  const since = query.get('_since');
  // Kinto takes a quoted number, too; Syncto never did.
  if (since !== null && !/^\d{1,15}$/.test(since))
    throw badRequest('querystring', '_since should be a number.');
  if (since !== null) mapped.set('newer', decimalSeconds(since));
  const sort = query.get('_sort');
  if (sort !== null && !Object.hasOwn(SORTS, sort))
    throw badRequest('querystring', '_sort should be one of newest, oldest, index.');
  if (sort !== null) mapped.set('sort', SORTS[sort] ?? '');
  for (const [name, target] of [
    ['_limit', 'limit'],
    ['_token', 'offset'],
    ['in_ids', 'ids'],
  ] as const) {
    const value = query.get(name);
    if (value !== null) mapped.set(target, value);
  }
  return mapped;
}

/** The URL of the next page: this one with the offset as its `_token`. */
export function nextPage(url: URL, offset: string): string {
  const next = new URL(url);
  next.searchParams.set('_token', offset);
  return next.href;
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

/** The BSO that a PUT body holds. Errors: SynctoError 400. */
export function readRecordBody(text: string): Record<string, unknown> {
  const body = parseObject(text);
  if (!body || !isObject(body.data)) throw badRequest('body', 'data is missing or not an object');
  const [extra] = Object.keys(body).filter((name) => name !== 'data');
  if (extra !== undefined) throw badRequest('body', `${extra} is not allowed`);
  const { last_modified: _stamp, id: _id, ...bso } = body.data;
  return bso;
}

/** A BSO as a Kinto record. */
export function toKintoRecord(bso: unknown): object {
  const { modified, ...rest } = isObject(bso) ? bso : {};
  return { ...rest, last_modified: Math.round(Number(modified) * 1000) };
}

/** What a client learns from the headers of a storage answer, success or not. */
export function answerHeaders(headers: Headers): Record<string, string> {
  const mapped: Record<string, string> = {};
  const modified = headers.get('x-last-modified');
  if (modified !== null && /^\d{1,12}(\.\d{1,12})?$/.test(modified)) {
    const modifiedMs = Math.round(Number(modified) * 1000);
    mapped.ETag = `"${modifiedMs}"`;
    mapped['Last-Modified'] = new Date(modifiedMs).toUTCString();
  }
  for (const [name, target] of [
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
export async function fromUpstream(response: Response): Promise<SynctoError> {
  const { status } = response;
  const headers = answerHeaders(response.headers);
  const errno = ERRNO[status];
  const why = await textOf(response, REASON_BYTES_MAX).catch(() => 'a long answer');
  const text = `${status} ${STATUS_CODES[status] ?? ''}: ${why}`;
  if (errno === undefined) return new SynctoError(503, 201, text, headers);
  const message = status === 412 ? 'Resource was modified meanwhile' : text;
  return new SynctoError(status, errno, message, headers);
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
  const [, timeMs] = /^"(\d{1,15})"$/.exec(value) ?? [];
  if (timeMs === undefined) throw badRequest('headers', `Invalid value for ${name}`);
  return decimalSeconds(timeMs);
}

function decimalSeconds(timeMs: string): string {
  return (Number(timeMs) / 1000).toFixed(2);
}
