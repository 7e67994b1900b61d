// Firefox Sync's own protocol, storage 1.5: records one a line, pages in the order of their
// writing, uploads that become visible at once, and one request that tells what changed. Times are
// decimal seconds on the wire and whole milliseconds everywhere else; they are compared as
// integers.
// Source: SyncStorage API 1.5 (mozilla-services.readthedocs.io).

import { heapOf } from '../../config.ts';
import { badResponse } from '../../errors.ts';
import { DOCUMENT_CHARS_MAX, JSON_DEPTH_MAX, PAGE_RECORDS_MAX } from '../../limits.ts';
import { member, parseDocument, readDocument } from '../../wire/document.ts';
import { decimalHeader, header, headerMs, secondsMs } from '../../wire/headers.ts';
import { type Answer, JSON_BODY } from '../../wire/http.ts';
import { createLineSplitter } from '../../wire/records.ts';
import { listingPage } from '../listing.ts';
import type { Outgoing, PushResult } from '../remote.ts';
import type { Cursor } from './cursor.ts';
import { type SyncDriver, syncDriver } from './driver.ts';
import { fetchedOf } from './fetched.ts';
import { unexpected } from './statuses.ts';
import { type StorageOptions, type SyncPage, type SyncStorage, stored } from './storage.ts';
import { limitsOf } from './sync15-limits.ts';
import { openNode, quoted, type StorageNode, unmodifiedSince } from './sync15-node.ts';
import { openUpload } from './sync15-upload.ts';

/** Firefox Sync with an OAuth access token; `serverUrl` is the token server's. */
export const sync15: SyncDriver = /* @__PURE__ */ syncDriver('sync15', openSync15);

const OFFSET_CHARS_MAX = 2_048;

function openSync15(options: StorageOptions): SyncStorage {
  const { cache } = options;
  const heap = heapOf(options.config);
  const { recordCharsMax } = options.config;
  const node = openNode(options);

  return {
    place: () => node.endpoint(),

    async poll(items) {
      const answer = await node.send({ method: 'GET', url: '/info/collections' });
      if (answer.status !== 200) throw unexpected(answer, 'info/collections');
      const text = await readDocument(() => answer.read(), DOCUMENT_CHARS_MAX);
      const stamps = parseDocument(text);
      // Any other time is news, also an older one: a server may have been restored.
      return items.map(
        ({ collection, knownMs }) => (secondsMs(member(stamps, collection)) ?? 0) !== knownMs,
      );
    },

    async fetch(collection, id) {
      const url = recordPath(collection, id);
      const answer = await node.send({ method: 'GET', url });
      return fetchedOf(answer, collection, id, recordCharsMax, bso);
    },

    async changes(collection, cursor) {
      const answer = await node.send({
        method: 'GET',
        url: storagePath(collection) + listQuery(cursor),
        headers: [
          ['Accept', 'application/newlines'],
          ...(cursor.page === null ? [] : [unmodifiedSince(cursor.stampMs)]),
        ],
      });
      // An offset that the server does not know any more is refused as a bad request.
      if (answer.status === 412 || (answer.status === 400 && cursor.page !== null)) {
        answer.cancel();
        return 'restart';
      }
      if (answer.status !== 200) throw unexpected(answer, collection);
      return page(answer, recordCharsMax);
    },

    write: (collection, record) => write(node, collection, record),

    async upload(collection, cursor) {
      return openUpload({
        node,
        path: storagePath(collection),
        limits: await limitsOf(node, cache, collection, heap),
        pushCharsMax: heap.pushCharsMax,
        sinceMs: Math.max(0, cursor.sinceMs),
        cache,
      });
    },
  };
}

function storagePath(collection: string): string {
  return `/storage/${quoted(collection)}`;
}

function recordPath(collection: string, id: string): string {
  return `${storagePath(collection)}/${quoted(id)}`;
}

async function write(
  node: StorageNode,
  collection: string,
  { id, payload, base }: Outgoing,
): Promise<PushResult> {
  const answer = await node.send({
    method: 'PUT',
    url: recordPath(collection, id),
    headers: [JSON_BODY, unmodifiedSince(Number(base))],
    body: JSON.stringify({ payload }),
  });
  const { status } = answer;
  if (status === 200) {
    const text = await readDocument(() => answer.read(), DOCUMENT_CHARS_MAX);
    const modifiedMs = secondsMs(parseDocument(text));
    return modifiedMs === null ? { kind: 'failed' } : stored(modifiedMs);
  }
  answer.cancel();
  return { kind: status === 412 ? 'conflict' : status === 405 ? 'readOnly' : 'failed' };
}

function page(answer: Answer, recordCharsMax: number): SyncPage {
  const { headers, serverNowMs } = answer;
  const splitter = createLineSplitter({ recordCharsMax, depthMax: JSON_DEPTH_MAX });
  const stampMs = headerMs(headers, 'x-last-modified') ?? 0;
  const rest = { stampMs, serverNowMs, nextPage: () => nextOffset(answer) };
  return listingPage(answer, splitter, bso, rest, decimalHeader(headers, 'x-weave-records') ?? 0);
}

function listQuery({ sinceMs, page }: Cursor): string {
  const newer = sinceMs > 0 ? `&newer=${sinceMs / 1000}` : '';
  const offset = page === null ? '' : `&offset=${quoted(page)}`;
  return `?full=1${newer}&sort=oldest&limit=${PAGE_RECORDS_MAX}${offset}`;
}

function nextOffset({ headers }: Answer): string | null {
  const offset = header(headers, 'x-weave-next-offset');
  if (offset === null || offset.length <= OFFSET_CHARS_MAX) return offset;
  throw badResponse(
    `X-Weave-Next-Offset: ${offset.length} characters, at most ${OFFSET_CHARS_MAX}`,
  );
}

function bso(value: unknown): { id: unknown; modifiedMs: unknown; payload: unknown } {
  const [id, modified, payload] = ['id', 'modified', 'payload'].map((name) => member(value, name));
  return { id, modifiedMs: secondsMs(modified), payload };
}
