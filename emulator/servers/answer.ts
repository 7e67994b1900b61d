// An answer of a storage node before it is put in words, the conditions under which there is one,
// and its words. A list goes out record by record where it is not at hand as a whole.

import { CODE } from './bso.ts';
import { bodyOf, type HeaderValues, type Health, HttpError } from './http.ts';
import { parseSeconds } from './selection.ts';
import { toStampMs } from './store.ts';

/** At hand, or in portions. */
export type List = readonly unknown[] | AsyncIterable<readonly unknown[]>;

export interface Answer {
  readonly status?: number;
  readonly json?: unknown;
  /** Sent as a list, or one by line where the client accepts that. */
  readonly list?: List;
  readonly modifiedMs?: number;
  readonly headers?: HeaderValues;
}

/** 304 and 412, judged by the stamp of what is addressed: a record, a collection, or everything. */
export function checkPreconditions(request: Request, modifiedMs: number): void {
  const since = request.headers.get('x-if-modified-since');
  const unmodifiedSince = request.headers.get('x-if-unmodified-since');
  if (since !== null && unmodifiedSince !== null) throw new HttpError(400, CODE.unknown);
  const text = since ?? unmodifiedSince;
  if (text === null) return;
  const timeMs = parseSeconds(text);
  if (timeMs === null) throw new HttpError(400, CODE.unknown);
  const headers = { 'X-Last-Modified': formatSeconds(modifiedMs) };
  if (since !== null && request.method === 'GET' && modifiedMs <= timeMs)
    throw new HttpError(304, null, headers);
  if (unmodifiedSince !== null && modifiedMs > timeMs)
    throw new HttpError(412, CODE.unknown, headers);
}

/** Puts an answer in words. */
export function finish(request: Request, answer: Answer, nowMs: number, health: Health): Response {
  const status = answer.status ?? 200;
  const { modifiedMs, list } = answer;
  const headers = new Headers(answer.headers);
  headers.set('X-Weave-Timestamp', formatSeconds(Math.max(toStampMs(nowMs), modifiedMs ?? 0)));
  if (modifiedMs !== undefined) headers.set('X-Last-Modified', formatSeconds(modifiedMs));
  if (health.alert !== undefined) headers.set('X-Weave-Alert', health.alert);
  if (health.backoffSeconds !== undefined)
    headers.set('X-Weave-Backoff', String(health.backoffSeconds));
  if (status === 304) return new Response(null, { status, headers });
  const type = list ? acceptedType(request) : 'application/json';
  if (type === null) return new Response('0', { status: 406, headers });
  headers.set('Content-Type', type);
  const isLines = type === 'application/newlines';
  if (list && Symbol.asyncIterator in list)
    return new Response(bodyOf(isLines ? lines(list) : members(list)), { status, headers });
  const text =
    list && isLines
      ? list.map((value) => `${JSON.stringify(value)}\n`).join('')
      : JSON.stringify(list ?? answer.json);
  return new Response(text, { status, headers });
}

async function* lines(portions: AsyncIterable<readonly unknown[]>): AsyncGenerator<Uint8Array> {
  for await (const portion of portions)
    yield Buffer.from(portion.map((value) => `${JSON.stringify(value)}\n`).join(''));
}

async function* members(portions: AsyncIterable<readonly unknown[]>): AsyncGenerator<Uint8Array> {
  let before = '[';
  for await (const portion of portions) {
    if (portion.length === 0) continue;
    yield Buffer.from(before + portion.map((value) => JSON.stringify(value)).join(','));
    before = ',';
  }
  yield Buffer.from(before === '[' ? '[]' : ']');
}

/** A stamp as decimal seconds with two digits, as headers carry it. */
function formatSeconds(timeMs: number): string {
  return (timeMs / 1000).toFixed(2);
}

function acceptedType(request: Request): string | null {
  const accept = request.headers.get('accept') ?? '*/*';
  if (accept.includes('application/newlines')) return 'application/newlines';
  return /application\/json|application\/\*|\*\/\*/.test(accept) ? 'application/json' : null;
}
