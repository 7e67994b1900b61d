// Kinto's protocol as Syncto speaks it: a bucket per client state, BSOs as records, payloads
// untouched. It knows Syncto's traps: `_since` without quotes, tokens instead of whole next URLs,
// conflicts without the server's copy. It never sends `X-Client-State`, which Syncto deprecates.
// Sources: syncto.readthedocs.io (API), Kinto HTTP API 1.x (timestamps, backoff).

import type { Header } from '../../../platform/ports.ts';
import { heapOf } from '../../config.ts';
import { badResponse, SyncError } from '../../errors.ts';
import { JSON_DEPTH_MAX, PAGE_RECORDS_MAX } from '../../limits.ts';
import { member } from '../../wire/document.ts';
import { etagMs, header } from '../../wire/headers.ts';
import { type Answer, createHttp } from '../../wire/http.ts';
import { createSplitter } from '../../wire/records.ts';
import { batchMaxOf } from '../batches.ts';
import { listingPage } from '../listing.ts';
import type { Outgoing, PushResult } from '../remote.ts';
import type { Cursor } from './cursor.ts';
import { type SyncDriver, syncDriver } from './driver.ts';
import { fetchedOf } from './fetched.ts';
import { refusedOf } from './refusal.ts';
import { ending, NOTED, unexpected } from './statuses.ts';
import {
  type PollItem,
  type StorageOptions,
  type SyncPage,
  type SyncStorage,
  stored,
} from './storage.ts';
import {
  type Batches,
  inBatches,
  isOf,
  openBatches,
  type SubRequest,
  type SubResponse,
  UNAVAILABLE,
} from './syncto-batch.ts';

/** Syncto, by BrowserID assertions as in 2016 or by OAuth tokens. */
export const syncto: SyncDriver = /* @__PURE__ */ syncDriver('syncto', openSyncto);

/** An id that no record has: asking for it gives a collection's version without its records. */
const NO_RECORD = '-';

function openSyncto(options: StorageOptions): SyncStorage {
  const { config, keyName: bucket, memory, platform, notes, abort } = options;
  const { recordCharsMax } = config;
  const heap = heapOf(config);
  const authorize = authorization(options);
  const http = createHttp({ platform, notes, abort, authorize, judge: ending, noted: NOTED });
  const base = `${config.remote.serverUrl}/v1`;
  const batches = openBatches(http, base, memory, notes);

  return {
    place: () => config.remote.serverUrl,

    poll: (items) => poll(batches, bucket, items),

    async fetch(collection, id) {
      const answer = await http.send({
        method: 'GET',
        url: base + recordPath(bucket, collection, id),
      });
      const fetched = await fetchedOf(answer, collection, id, recordCharsMax, (value) =>
        bso(member(value, 'data')),
      );
      if (fetched.kind === 'found') {
        const { modifiedMs } = fetched.envelope;
        if ((etagMs(answer.headers) ?? modifiedMs) !== modifiedMs) {
          throw badResponse(`${collection}/${id}: its time is not its entity tag`);
        }
      }
      return fetched;
    },

    async changes(collection, cursor) {
      const answer = await http.send({
        method: 'GET',
        url: base + recordsPath(bucket, collection) + listQuery(cursor),
        headers: listHeaders(cursor),
      });
      const { status } = answer;
      // A token that the server no longer knows is refused as a bad request.
      const isOver = status === 412 || (status === 400 && cursor.page !== null);
      if (isOver || status === 304) {
        answer.cancel();
        return isOver ? 'restart' : null;
      }
      if (status !== 200) throw unexpected(answer, collection);
      return page(answer, recordCharsMax);
    },

    async write(collection, record) {
      const request = putRequest(recordPath(bucket, collection, record.id), record);
      return pushResult(record, await batches.single(request, record.id));
    },

    async upload(collection) {
      memory.batchRequestsMax ??= await batchMaxOf(http, base, unexpected);
      return {
        addMax: Math.min(memory.batchRequestsMax, heap.pushRecordsMax),
        addCharsMax: heap.pushCharsMax,
        async add(records) {
          const requests = records.map((record) =>
            putRequest(recordPath(bucket, collection, record.id), record),
          );
          const responses = await inBatches(batches, records, requests, heap.echoCharsMax);
          return records.map((record, index) => pushResult(record, responses[index]));
        },
        commit: async () => ({ kind: 'none' }),
      };
    },
  };
}

function recordsPath(bucket: string, collection: string): string {
  return `/buckets/${bucket}/collections/${encodeURIComponent(collection)}/records`;
}

function recordPath(bucket: string, collection: string, id: string): string {
  return `${recordsPath(bucket, collection)}/${encodeURIComponent(id)}`;
}

async function poll(
  batches: Batches,
  bucket: string,
  items: readonly PollItem[],
): Promise<boolean[]> {
  const requests = items.map(({ collection, id, knownMs }) => {
    const path =
      id === null
        ? `${recordsPath(bucket, collection)}?in_ids=${NO_RECORD}`
        : recordPath(bucket, collection, id);
    // A collection's version is compared here: a condition would hide a cursor that is ahead of
    // the server.
    const headers = id === null ? '' : `"If-None-Match":"\\"${knownMs}\\""`;
    return `{"method":"GET","path":"${path}","headers":{${headers}}}`;
  });
  const responses = await batches.ask(requests.join(), items.length);
  if (responses === null) throw new SyncError('unavailable', 'poll: the server is not available');
  return responses.map(
    ({ status, headers }, index) => status !== 304 && !isOf(items[index]?.knownMs, headers),
  );
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
