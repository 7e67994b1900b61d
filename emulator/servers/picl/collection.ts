// What can be asked of one PiCL collection, once it is known who asks: its state, its records, its
// changes, and to append some. The checks come in one order: the path and its parameters, the
// limits of what was sent, the condition, the chain.

import type { HeaderValues } from '../http.ts';
import { brokenAt, type Change, changesIn, isName } from './changes.ts';
import type { KeptRecord, LogEnd, LogReader, Logs, LogWriter, PageLimits } from './log.ts';
import { refusal } from './refusals.ts';
import { type Conditions, conditionsOf, isMatch, isNamed } from './tags.ts';

export interface CollectionOptions {
  nowMs(): number;
  /** The number of the first change of a collection; 1 by default. */
  readonly firstSeqnum?: 0 | 1;
  /** Entity tags in quotes, for proxies that drop others; bare by default, as proposed. */
  readonly quotedEtags?: boolean;
  /** What a list of records is called, which the proposal calls both; `records` by default. */
  readonly recordsKey?: 'records' | 'items' | 'both';
  /** `opaque`: ids are the clients' own affair, and only numbers are checked. */
  readonly chain?: 'v1' | 'opaque';
  readonly page?: Partial<PageLimits>;
}

/** A request to a collection. */
interface Asked {
  readonly method: string;
  readonly headers: Headers;
  readonly name: string;
  /** Behind the collection's URL. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
  readonly text: string;
}

/** An answer before it is put in words. */
export interface Answer {
  readonly status: number;
  readonly headers?: HeaderValues;
  /** What it says, in JSON where it is a text; undefined: nothing. */
  readonly json?: object | string;
}

const PAGE: PageLimits = { items: 1_000, chars: 1_048_576 };

/** Errors: HttpError of the refusal. */
export async function answerTo(
  asked: Asked,
  logs: Logs,
  user: string,
  options: CollectionOptions,
): Promise<Answer> {
  const { method, path, name } = asked;
  const [kind, key, ...rest] = path;
  const isKnown = kind === undefined || kind === 'records' || (kind === 'changes' && !key);
  if (!isKnown || rest.length > 0) throw refusal('not-found');
  if (key !== undefined && !isName(key)) throw refusal('bad-key');
  const isRead = method === 'GET' || method === 'HEAD';
  if (isRead) {
    const conditions = conditionsOf(asked.headers);
    const read = readingOf(asked, options);
    return logs.read(user, name, (log) => reading(log, conditions, read, options));
  }
  if (method !== 'POST' || kind === undefined) {
    const Allow = kind === undefined ? 'GET, HEAD' : 'GET, HEAD, POST';
    throw refusal('method-not-allowed', {}, { Allow });
  }
  const changes = changesIn(asked.text, key ?? null);
  const conditions = conditionsOf(asked.headers);
  if (!namesHead(conditions)) throw refusal('precondition-required');
  return logs.write(
    user,
    name,
    (log) => append(log, changes, options),
    (end) => expectHead(end, conditions, options),
  );
}

/** What is read of a collection; null: there is no such record. */
type Read = (log: LogReader) => Promise<object | string | null>;

/** Errors: HttpError 400. */
function readingOf({ path, query, name }: Asked, options: CollectionOptions): Read {
  const [kind, key] = path;
  if (kind === undefined) return async (log) => metadata(name, log);
  if (key !== undefined)
    return async (log) => {
      const record = await log.record(key);
      return record && alone(record);
    };
  const limits = { ...PAGE, ...options.page };
  const asked = numberOf('limit', query, 1) ?? limits.items;
  const page = { ...limits, items: Math.min(asked, limits.items) };
  if (kind === 'changes') {
    const since = numberOf('since', query, 0);
    return (log) => changesOf(log, since, page, options);
  }
  const range = { start: keyOf('start', query), end: keyOf('end', query) };
  return (log) => recordsOf(log, range, page, options);
}

async function reading(
  log: LogReader,
  conditions: Conditions,
  read: Read,
  options: CollectionOptions,
): Promise<Answer> {
  const headers = { ETag: tagOf(log, options) };
  if (!isMatch(conditions, log.head)) throw refusal('precondition-failed', {}, headers);
  const json = await read(log);
  if (json === null) throw refusal('no-such-record', {}, headers);
  if (isNamed(conditions, log.head)) return { status: 304, headers };
  return { status: 200, headers, json };
}

function metadata(name: string, { row, head }: LogReader): object {
  const { seqnum, changeid } = head;
  return { name, seqnum, changeid, signature: row?.signature ?? null };
}

/** As a text: an object of JavaScript would put keys that look like numbers first. */
async function recordsOf(
  log: LogReader,
  range: { readonly start: string | null; readonly end: string | null },
  page: PageLimits,
  { recordsKey = 'records' }: CollectionOptions,
): Promise<string> {
  const { items, next } = await log.records(range, page);
  const members = items.map((record) => `"${record.key}":${JSON.stringify(withoutKey(record))}`);
  const names = recordsKey === 'both' ? ['records', 'items'] : [recordsKey];
  const lists = names.map((name) => `"${name}":{${members.join(',')}}`);
  return `{${[...(next === null ? [] : [`"next":"${next}"`]), ...lists].join(',')}}`;
}

async function changesOf(
  log: LogReader,
  since: number | null,
  page: PageLimits,
  options: CollectionOptions,
): Promise<object> {
  const { seqnum, changeid } = log.head;
  const headers = { ETag: tagOf(log, options) };
  const { first, oldest } = log.row ?? { first: 0, oldest: 0 };
  if (Math.max(since ?? first, first) < oldest)
    throw refusal('history-compacted', { oldest, seqnum, changeid }, headers);
  if (since !== null && since > Math.max(1, nextSeqnum(log, options)))
    throw refusal('future-seqnum', { seqnum, changeid }, headers);
  const { items, next: more } = await log.changes(since ?? 0, page);
  const changes = items.map(({ key, payload, seqnum: number, changeid: id, signature, prev }) => ({
    ...{ seqnum: number, changeid: id, signature, key, payload },
    ...(prev === undefined ? {} : { prev }),
  }));
  return { ...(more === null ? {} : { next: more }), changes };
}

/** Errors: HttpError 412 for changes that are made for another head. */
function expectHead({ row, head }: LogEnd, conditions: Conditions, options: CollectionOptions) {
  // There is nothing that the asterisk could be about before the first change.
  const isTaken = conditions.noneMatch === 'any' ? row !== null : isNamed(conditions, head);
  if (!isTaken && isMatch(conditions, head)) return;
  throw refusal('precondition-failed', {}, { ETag: tagOf({ head }, options) });
}

/** Errors: HttpError 412, 507. */
async function append(
  log: LogWriter,
  changes: readonly Change[],
  options: CollectionOptions,
): Promise<Answer> {
  const { head } = log;
  const headers = { ETag: tagOf(log, options) };
  const first = nextSeqnum(log, options);
  if (!Number.isSafeInteger(first + changes.length - 1))
    throw refusal('seqnum-exhausted', {}, headers);
  const start = { first, changeid: head.changeid };
  const index = brokenAt(changes, start, options.chain === 'opaque');
  if (index !== null) throw refusal('bad-chain', { index }, headers);
  await log.append(changes, options.nowMs());
  return { status: 204, headers: { ETag: tagOf(log, options) } };
}

/** Whether a condition says what its author has seen. */
function namesHead({ match, noneMatch }: Conditions): boolean {
  return match === null ? noneMatch !== null : match !== 'any';
}

function nextSeqnum({ row }: LogReader, { firstSeqnum = 1 }: CollectionOptions): number {
  return row === null ? firstSeqnum : row.seqnum + 1;
}

function tagOf({ head }: Pick<LogEnd, 'head'>, { quotedEtags }: CollectionOptions): string {
  const tag = `${head.seqnum}-${head.changeid}`;
  return quotedEtags === true ? `"${tag}"` : tag;
}

/** A record, as it is shown by itself. */
function alone({ key, seqnum, changeid, payload, signature, prev }: KeptRecord): object {
  return { key, seqnum, changeid, payload, signature, ...(prev === undefined ? {} : { prev }) };
}

/** A record, as a list has it. */
function withoutKey({ payload, seqnum, changeid, signature, prev }: KeptRecord): object {
  return { payload, seqnum, changeid, signature, ...(prev === undefined ? {} : { prev }) };
}

/** Null: it was not said. Errors: HttpError 400. */
function numberOf(name: string, query: URLSearchParams, min: number): number | null {
  const text = query.get(name);
  if (text === null) return null;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value) || value < min) throw refusal('bad-parameter', { name });
  return value;
}

function keyOf(name: string, query: URLSearchParams): string | null {
  const text = query.get(name);
  if (text !== null && !isName(text)) throw refusal('bad-parameter', { name });
  return text;
}
