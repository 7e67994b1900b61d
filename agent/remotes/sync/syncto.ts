// Kinto's protocol as Syncto speaks it: a bucket per client state, BSOs as records, payloads
// untouched. It knows Syncto's traps: `_since` without quotes, tokens instead of whole next URLs,
// conflicts without the server's copy, refusals that look like outages. It never sends
// `X-Client-State`, which Syncto deprecates.
// Sources: syncto.readthedocs.io (API), Kinto HTTP API 1.x (batch, timestamps, backoff).

import { isObject } from '../../../crypto/engine.ts';
import type { Header } from '../../../platform/ports.ts';
import { heapOf } from '../../config.ts';
import { badResponse, SyncError } from '../../errors.ts';
import {
  DOCUMENT_CHARS_MAX,
  DOCUMENT_VALUES_MAX,
  JSON_DEPTH_MAX,
  PAGE_RECORDS_MAX,
} from '../../limits.ts';
import { member, parseDocument, parseInTurns, readDocument } from '../../wire/document.ts';
import { etagMs, header } from '../../wire/headers.ts';
import { type Answer, createHttp, type Http, JSON_BODY } from '../../wire/http.ts';
import { createSplitter } from '../../wire/records.ts';
import { envelopeOf, listingPage } from '../listing.ts';
import type { Fetched, Outgoing, PushResult } from '../remote.ts';
import type { Cursor } from './cursor.ts';
import { type SyncDriver, syncDriver } from './driver.ts';
import { refusedOf } from './refusal.ts';
import { ending, unexpected } from './statuses.ts';
import { type StorageOptions, type SyncPage, type SyncStorage, stored } from './storage.ts';

/** Syncto, by BrowserID assertions as in 2016 or by OAuth tokens. */
export const syncto: SyncDriver = /* @__PURE__ */ syncDriver('syncto', openSyncto);

/** An id that no record has: asking for it gives a collection's version without its records. */
const NO_RECORD = '-';
/** Cliquet's own default, used when a server does not say. */
const BATCH_MAX_DEFAULT = 25;

interface SubRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: { readonly [name: string]: string };
  readonly body?: unknown;
}

interface SubResponse {
  readonly status: number;
  /** The record that it says it is about. */
  readonly data: unknown;
  /** By their names, in any case. */
  readonly headers: unknown;
}

const UNAVAILABLE: SubResponse = { status: 503, data: null, headers: null };

function openSyncto(options: StorageOptions): SyncStorage {
  const { config, memory } = options;
  const { recordCharsMax } = config;
  const heap = heapOf(config);
  const { platform, notes, abort } = options;
  const authorize = authorization(options);
  const http = createHttp({ platform, notes, abort, authorize, judge: ending });
  const base = `${config.remote.serverUrl}/v1`;
  const recordsPath = (collection: string): string =>
    `/buckets/${options.keyName}/collections/${encodeURIComponent(collection)}/records`;
  const recordPath = (collection: string, id: string): string =>
    `${recordsPath(collection)}/${encodeURIComponent(id)}`;

  /** `requests` as JSON: so many. Null: the server is not available. */
  const batchOf = async (requests: string, count: number): Promise<SubResponse[] | null> => {
    const answer = await http.send({
      method: 'POST',
      url: `${base}/batch`,
      headers: [JSON_BODY],
      body: `{"requests":[${requests}]}`,
    });
    if (answer.status >= 500) {
      answer.cancel();
      return null;
    }
    // Too many for it now, maybe: it is asked again how many it takes.
    if (answer.status === 400) delete memory.batchRequestsMax;
    if (answer.status !== 200) throw unexpected(answer, 'batch');
    return subResponses(answer, count);
  };
  const batch = (requests: readonly SubRequest[]): Promise<SubResponse[] | null> =>
    batchOf(requests.map((request) => JSON.stringify(request)).join(), requests.length);

  const single = async (request: SubRequest, id: string): Promise<SubResponse> => {
    const answer = await http.send({
      method: 'PUT',
      url: base + request.path,
      headers: [JSON_BODY, ...Object.entries(request.headers)],
      body: JSON.stringify(request.body),
    });
    // The answer has the record again, maybe a long one: its beginning tells it from an error.
    const isRecord = RECORD_ANSWER.test((await answer.read()) ?? '');
    answer.cancel();
    const data = isRecord ? { id, last_modified: etagMs(answer.headers) } : null;
    return { status: answer.status, data, headers: null };
  };

  return {
    place: async () => config.remote.serverUrl,

    async poll(items) {
      const requests = items.map(({ collection, id, knownMs }) => {
        const path =
          id === null
            ? `${recordsPath(collection)}?in_ids=${NO_RECORD}`
            : recordPath(collection, id);
        // A collection's version is compared here: a condition would hide a cursor that is ahead of
        // the server.
        const headers = id === null ? '' : `"If-None-Match":"\\"${knownMs}\\""`;
        return `{"method":"GET","path":"${path}","headers":{${headers}}}`;
      });
      const responses = await batchOf(requests.join(), items.length);
      if (responses === null)
        throw new SyncError('unavailable', 'poll: the server is not available');
      return responses.map(
        ({ status, headers }, index) =>
          status !== 304 && stampOf(headers) !== items[index]?.knownMs,
      );
    },

    async fetch(collection, id): Promise<Fetched> {
      const answer = await http.send({
        method: 'GET',
        url: base + recordPath(collection, id),
      });
      if (answer.status === 404) {
        answer.cancel();
        return { kind: 'missing' };
      }
      if (answer.status !== 200) throw unexpected(answer, `${collection}/${id}`);
      const text = await readDocument(() => answer.read(), recordCharsMax);
      const parsed = await parseInTurns(text, answer.pause);
      const listed = envelopeOf(member(parsed, 'data'), text.length, bso);
      if (!listed.ok || listed.envelope.id !== id) {
        throw badResponse(`${collection}/${id}: the answer is not that record`);
      }
      const modifiedMs = listed.envelope.modifiedMs ?? 0;
      if ((etagMs(answer.headers) ?? modifiedMs) !== modifiedMs) {
        throw badResponse(`${collection}/${id}: its time is not its entity tag`);
      }
      return { kind: 'found', envelope: listed.envelope, serverNowMs: answer.serverNowMs };
    },

    async changes(collection, cursor) {
      const answer = await http.send({
        method: 'GET',
        url: base + recordsPath(collection) + listQuery(cursor),
        headers: listHeaders(cursor),
      });
      if (answer.status === 304 || answer.status === 412) {
        answer.cancel();
        return answer.status === 304 ? null : 'restart';
      }
      // A token that the server no longer knows is refused as a bad request.
      if (answer.status === 400 && cursor.page !== null) {
        answer.cancel();
        return 'restart';
      }
      if (answer.status !== 200) throw unexpected(answer, collection);
      return page(answer, recordCharsMax);
    },

    async write(collection, record) {
      const request = putRequest(recordPath(collection, record.id), record);
      return pushResult(record, await single(request, record.id));
    },

    async upload(collection) {
      memory.batchRequestsMax ??= await batchMaxOf(http, base);
      return {
        addMax: Math.min(memory.batchRequestsMax, heap.pushRecordsMax),
        addCharsMax: heap.pushCharsMax,
        async add(records) {
          const requests = records.map((record) =>
            putRequest(recordPath(collection, record.id), record),
          );
          const responses = await inBatches(records, requests, heap.echoCharsMax, batch, single);
          return records.map((record, index) => pushResult(record, responses[index]));
        },
        commit: async () => ({ kind: 'none' }),
      };
    },
  };
}

function authorization({
  platform,
  config,
}: StorageOptions): (fresh: boolean) => Promise<readonly Header[]> {
  const { auth, audience } = config.remote;
  return async (fresh) => {
    const value =
      auth === 'bearer'
        ? `Bearer ${(await platform.identity.accessToken(fresh)).token}`
        : `BrowserID ${await platform.identity.assertion(audience, fresh)}`;
    return [['Authorization', value]];
  };
}

function listQuery(cursor: Cursor): string {
  const since = cursor.sinceMs > 0 ? `_since=${cursor.sinceMs}&` : '';
  const token = cursor.page === null ? '' : `&_token=${encodeURIComponent(cursor.page)}`;
  return `?${since}_sort=oldest&_limit=${PAGE_RECORDS_MAX}${token}`;
}

function listHeaders({ page, stampMs }: Cursor): [string, string][] {
  return page === null ? [] : [['If-Match', `"${stampMs}"`]];
}

function page(answer: Answer, recordCharsMax: number): SyncPage {
  const splitter = createSplitter({ recordCharsMax, depthMax: JSON_DEPTH_MAX, member: 'data' });
  const stampMs = etagMs(answer.headers) ?? 0;
  return listingPage(answer, splitter, bso, {
    stampMs,
    serverNowMs: answer.serverNowMs,
    nextPage: () => tokenOf(header(answer.headers, 'next-page')),
  });
}

/**
 * The `_token` of a Next-Page URL. Its host and scheme can be wrong behind a proxy and are not
 * used.
 */
function tokenOf(nextPage: string | null): string | null {
  if (nextPage === null) return null;
  const match = /[?&]_token=([^&#]{1,2048})/.exec(nextPage);
  if (match === null) throw badResponse('Next-Page: no _token in it');
  try {
    return decodeURIComponent((match[1] ?? '').replace(/\+/g, ' '));
  } catch (error) {
    if ((error as Error | null)?.name !== 'URIError') throw error;
    throw badResponse('Next-Page: _token is not percent-encoded');
  }
}

function bso(value: unknown): { id: unknown; modifiedMs: unknown; payload: unknown } {
  const [id, modifiedMs, payload] = ['id', 'last_modified', 'payload'].map((name) =>
    member(value, name),
  );
  return { id, modifiedMs, payload };
}

function putRequest(path: string, record: Outgoing): SubRequest {
  const condition: { readonly [name: string]: string } =
    record.base === null ? { 'If-None-Match': '*' } : { 'If-Match': `"${record.base}"` };
  return {
    method: 'PUT',
    path,
    headers: condition,
    body: { data: { payload: record.payload, ...record.beside } },
  };
}

/**
 * Small records in one batch, large ones alone. A batch that fails as a whole says nothing of its
 * members, so it is halved until the one that the server cannot take stands alone: a refusal of one
 * must not look like an outage.
 */
async function inBatches(
  records: readonly Outgoing[],
  requests: readonly SubRequest[],
  charsMax: number,
  batch: (requests: readonly SubRequest[]) => Promise<SubResponse[] | null>,
  single: (request: SubRequest, id: string) => Promise<SubResponse>,
): Promise<SubResponse[]> {
  const results: SubResponse[] = [];
  let size = requests.length;
  while (results.length < requests.length) {
    const at = results.length;
    const first = requests[at];
    const end = batchEnd(records, at, at + size, charsMax);
    if (results.slice(-2).filter(({ status }) => status >= 500).length === 2) {
      // Two single refusals in a row: it is an outage after all.
      results.push(...requests.slice(at).map(() => UNAVAILABLE));
      break;
    }
    if (first !== undefined && end - at <= 1) {
      results.push(await single(first, records[at]?.id ?? ''));
      continue;
    }
    const responses = await batch(requests.slice(at, end));
    if (responses === null) size = Math.ceil((end - at) / 2);
    else results.push(...responses);
  }
  return results;
}

function batchEnd(
  records: readonly Outgoing[],
  from: number,
  to: number,
  charsMax: number,
): number {
  let chars = 0;
  for (let at = from; at < to && at < records.length; at++) {
    chars += records[at]?.payload?.length ?? 0;
    // A large payload goes alone, so that its echo in a batch's answer is never read.
    if (chars > charsMax) return Math.max(at, from + 1);
  }
  return Math.min(to, records.length);
}

const RECORD_ANSWER = /^\s*\{\s*"(data|permissions)"\s*:/;

/** Values of one answer: a record, its permissions and a dozen headers are half as many. */
const ANSWER_VALUES_MAX = 64;

/** Batches are small in both directions: see `batchEnd`. */
async function subResponses(answer: Answer, count: number): Promise<SubResponse[]> {
  const text = await readDocument(() => answer.read(), DOCUMENT_CHARS_MAX);
  const valuesMax = Math.max(DOCUMENT_VALUES_MAX, ANSWER_VALUES_MAX * count);
  const responses = member(parseDocument(text, valuesMax), 'responses');
  if (!Array.isArray(responses) || responses.length !== count) {
    throw badResponse(`batch: not ${count} answers to ${count} requests`);
  }
  return responses.map(subResponse);
}

function subResponse(value: unknown): SubResponse {
  const status = member(value, 'status');
  if (typeof status !== 'number') throw badResponse('batch: an answer has no status');
  const data = member(member(value, 'body'), 'data');
  return { status, data, headers: member(value, 'headers') };
}

/** The version that the entity tag tells: of the record, or of the listed collection. */
function stampOf(headers: unknown): number | null {
  const tags = (isObject(headers) ? Object.keys(headers) : [])
    .filter((name) => name.length === 4 && name.toLowerCase() === 'etag')
    .map((name): Header => ['etag', `${member(headers, name)}`]);
  return etagMs(tags);
}

/** Statuses of a request that may be taken another time: who asks, how often, who else does. */
const TRANSIENT: ReadonlySet<number> = new Set([401, 403, 408, 409, 425, 429]);

function pushResult(record: Outgoing, response: SubResponse | undefined): PushResult {
  const { status, data } = response ?? UNAVAILABLE;
  if (status === 200 || status === 201) {
    const modifiedMs = member(data, 'last_modified');
    // Not surely this record, or under a version that we do not know: the next pull tells.
    const isKnown = Number.isSafeInteger(modifiedMs) && member(data, 'id') === record.id;
    return isKnown ? stored(Number(modifiedMs)) : { kind: 'failed' };
  }
  if (status === 412) return { kind: 'conflict' };
  if (status === 405) return { kind: 'readOnly' };
  const isFinal = status >= 400 && status < 500 && !TRANSIENT.has(status);
  return isFinal ? refusedOf(record) : { kind: 'failed' };
}

async function batchMaxOf(http: Http, base: string): Promise<number> {
  const answer = await http.send({ method: 'GET', url: `${base}/` });
  if (answer.status !== 200) throw unexpected(answer, 'hello');
  const hello = parseDocument(await readDocument(() => answer.read(), DOCUMENT_CHARS_MAX));
  const settings = member(hello, 'settings');
  for (const prefix of ['', 'kinto.', 'cliquet.']) {
    const max = member(settings, `${prefix}batch_max_requests`);
    if (Number.isSafeInteger(max) && Number(max) > 0) return Number(max);
  }
  return BATCH_MAX_DEFAULT;
}
