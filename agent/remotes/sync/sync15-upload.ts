// One upload to a Sync 1.5 collection: portions under all limits of the server, gathered in a batch
// that becomes visible as a whole, and only if nobody else wrote meanwhile. A server without
// batches gets plain posts. A batch whose end was not seen is never taken up again: the server
// forgets it.
// Source: SyncStorage API 1.5, batch uploads and error codes.

import { badResponse, SyncError, type SyncErrorCode } from '../../errors.ts';
import { DOCUMENT_CHARS_MAX } from '../../limits.ts';
import { member, parseDocument, readDocument } from '../../wire/document.ts';
import { headerMs, secondsMs } from '../../wire/headers.ts';
import { type Answer, JSON_BODY } from '../../wire/http.ts';
import type { Outgoing, PushResult } from '../remote.ts';
import { refusedOf } from './refusal.ts';
import { unexpected } from './statuses.ts';
import { type SyncUpload, stored } from './storage.ts';
import type { Limits } from './sync15-limits.ts';
import { quoted, type StorageNode, unmodifiedSince } from './sync15-node.ts';

interface UploadOptions {
  readonly node: StorageNode;
  /** The collection's path under the endpoint. */
  readonly path: string;
  readonly limits: Limits;
  /** What the device holds of one request. */
  readonly pushCharsMax: number;
  /** The version of the collection that this device has seen. */
  readonly sinceMs: number;
  readonly cache: Map<string, unknown>;
}

/** What a request or a batch holds. Sealed payloads are ASCII: characters are bytes. */
interface Size {
  readonly records: number;
  /** Of the payloads alone, as most limits count. */
  readonly bytes: number;
  readonly bodyBytes: number;
}

/** Records that go out in one request, as JSON. */
interface Portion {
  /** Emptied by the request: a long one is not kept beside its body. */
  readonly items: string[];
  readonly size: Size;
}

/** `split`: not taken as it is, for a reason that may be one record's. */
type Refused = { readonly kind: 'moved' } | { readonly kind: 'split'; readonly code: number };
type Posted =
  | Refused
  | { readonly kind: 'taken'; readonly verdict: (record: Outgoing) => PushResult };

type End = Awaited<ReturnType<SyncUpload['commit']>>;

const SIZE_LIMIT = 17;
/** Codes of a 400 that are about records: invalid, too large. */
const RECORD_CODES: readonly number[] = [8, SIZE_LIMIT];
/** Codes of a 400 that are no record's fault. */
const REFUSALS: ReadonlyMap<number, readonly [SyncErrorCode, string]> = new Map([
  [6, ['badResponse', 'the server does not read our JSON']],
  [13, ['badResponse', 'the server does not take this collection']],
  [14, ['overQuota', "the user's space on the server is full"]],
  [16, ['clientTooOld', 'the server asks for a newer client']],
]);

/**
 * Records that are refused one by one before the rest waits for another upload: it is hardly their
 * fault.
 */
const REFUSED_ALONE_MAX = 8;
const BATCH_CHARS_MAX = 2_048;

/** An empty list, but for its end: every record brings a comma or the end. */
const NOTHING: Size = { records: 0, bytes: 0, bodyBytes: 1 };

const MOVED = { kind: 'moved' } as const;

/** In the cache: this server has no batches, or loses them. */
const NO_BATCHES = 'noBatches';

/** What the server holds of an upload, and how that ended. */
interface Batch {
  id: string | null;
  /** What it holds. */
  staged: Size;
  seenMs: number;
  end: End;
}

/** An upload that nothing was sent of yet. */
export function openUpload(options: UploadOptions): SyncUpload {
  const { limits, pushCharsMax, sinceMs } = options;
  const batch: Batch = { id: null, staged: NOTHING, seenMs: sinceMs, end: { kind: 'none' } };
  let refusedAlone = 0;
  return {
    addMax: Math.min(limits.max_post_records, limits.max_total_records),
    addCharsMax: Math.min(limits.max_post_bytes, pushCharsMax),

    async add(records, isLast) {
      const results: PushResult[] = [];
      const rest = (result: PushResult): PushResult[] => [
        ...results,
        ...records.slice(results.length).map(() => result),
      ];
      let most = records.length;
      while (results.length < records.length) {
        const left = records.slice(results.length, results.length + most);
        const portion = portionOf(left, limits, batch.staged);
        if (portion === 'tooLarge') {
          results.push({ kind: 'refused', code: 'tooLarge' });
          continue;
        }
        const sent = left.slice(0, portion.items.length);
        if (sent.length === 0 || refusedAlone >= REFUSED_ALONE_MAX) return rest({ kind: 'later' });
        const isEnd = isLast && results.length + sent.length === records.length;
        const posted = await post(options, batch, portion, isEnd);
        if (posted.kind === 'moved') return rest(MOVED);
        if (posted.kind === 'taken') {
          results.push(...sent.map(posted.verdict));
          most = sent.length * 2;
        } else if (sent.length > 1) most = Math.ceil(sent.length / 2);
        else if (posted.code === SIZE_LIMIT && batch.staged.records > 0) {
          return rest({ kind: 'later' });
        } else {
          refusedAlone++;
          const code = posted.code === SIZE_LIMIT ? 'tooLarge' : undefined;
          results.push(...sent.map((record) => refusedOf(record, code)));
        }
      }
      return results;
    },

    async commit() {
      if (batch.id !== null && batch.end.kind === 'none') {
        const posted = await post(options, batch, { items: [], size: NOTHING }, true);
        if (posted.kind !== 'taken') moved(batch);
      }
      return batch.end;
    },
  };
}

async function post(
  { node, path, cache }: UploadOptions,
  batch: Batch,
  { items, size }: Portion,
  isLast: boolean,
): Promise<Posted> {
  const isBatch = batch.id !== null || !(isLast || cache.has(NO_BATCHES));
  const commit = isLast ? '&commit=true' : '';
  const total = sum(batch.staged, size);
  const answer = await node.send({
    method: 'POST',
    url: isBatch ? `${path}?batch=${quoted(batch.id ?? 'true')}${commit}` : path,
    headers: [
      JSON_BODY,
      unmodifiedSince(batch.seenMs),
      ...announced('', size),
      ...(isBatch && isLast ? announced('Total-', total) : []),
    ],
    body: `[${items.splice(0).join(',')}]`,
  });
  const refused = await refusal(answer, path);
  if (refused?.kind === 'moved') return moved(batch);
  if (refused !== null) {
    if (batch.id === null || RECORD_CODES.includes(refused.code)) return refused;
    // Nothing but an unknown batch explains it: from now on it goes without.
    cache.set(NO_BATCHES, true);
    return moved(batch);
  }
  const body = parseDocument(await readDocument(() => answer.read(), DOCUMENT_CHARS_MAX));
  let taken: PushResult = { kind: 'staged' };
  if (answer.status === 202) {
    batch.id = batchOf(body, batch.id, path);
    batch.staged = total;
  } else {
    const modifiedMs =
      secondsMs(member(body, 'modified')) ?? headerMs(answer.headers, 'x-last-modified');
    if (modifiedMs === null) throw missing(path, 'modified');
    batch.seenMs = modifiedMs;
    const done = stored(modifiedMs);
    if (isLast) batch.end = done;
    else {
      cache.set(NO_BATCHES, true);
      taken = done;
    }
  }
  return { kind: 'taken', verdict: verdicts(body, taken) };
}

/** The batch's id as an answer tells it, or the one that was known. */
function batchOf(body: unknown, known: string | null, path: string): string {
  const id = member(body, 'batch') ?? known;
  if (typeof id !== 'string' && typeof id !== 'number') throw missing(path, 'batch');
  const batch = `${id}`;
  if (batch.length > BATCH_CHARS_MAX) throw missing(path, 'batch of a usable length');
  return batch;
}

function moved(batch: Batch): Posted {
  batch.end = MOVED;
  return MOVED;
}

function missing(path: string, name: string): SyncError {
  return badResponse(`${path}: ${name} is missing`);
}

/**
 * As many records from the start as one post and this batch can hold; none if the batch is full.
 */
function portionOf(
  records: readonly Outgoing[],
  limits: Limits,
  staged: Size,
): Portion | 'tooLarge' {
  const items: string[] = [];
  let size = NOTHING;
  for (const { id, payload, beside } of records) {
    const item = JSON.stringify({ id, payload, ...beside });
    const own: Size = { records: 1, bytes: payload?.length ?? 0, bodyBytes: item.length + 1 };
    if (own.bytes > limits.max_record_payload_bytes || !fits(sum(NOTHING, own), own, limits)) {
      return items.length === 0 ? 'tooLarge' : { items, size };
    }
    const next = sum(size, own);
    if (!fits(next, sum(staged, next), limits)) break;
    size = next;
    items.push(item);
  }
  return { items, size };
}

function fits(post: Size, total: Size, limits: Limits): boolean {
  return (
    post.records <= limits.max_post_records &&
    post.bytes <= limits.max_post_bytes &&
    post.bodyBytes <= limits.max_request_bytes &&
    total.records <= limits.max_total_records &&
    total.bytes <= limits.max_total_bytes
  );
}

function sum(a: Size, b: Size): Size {
  return {
    records: a.records + b.records,
    bytes: a.bytes + b.bytes,
    bodyBytes: a.bodyBytes + b.bodyBytes,
  };
}

function announced(what: string, { records, bytes }: Size): [string, string][] {
  return [
    [`X-Weave-${what}Records`, `${records}`],
    [`X-Weave-${what}Bytes`, `${bytes}`],
  ];
}

/**
 * What a status says that is no success; null for 200 and 202. Errors: those that are no record's
 * fault.
 */
async function refusal(answer: Answer, path: string): Promise<Refused | null> {
  const { status } = answer;
  if (status === 200 || status === 202) return null;
  if (status !== 400) {
    if (status !== 412 && status !== 413) throw unexpected(answer, path);
    answer.cancel();
    return status === 412 ? { kind: 'moved' } : { kind: 'split', code: SIZE_LIMIT };
  }
  const code = Number.parseInt(await readDocument(() => answer.read(), DOCUMENT_CHARS_MAX), 10);
  const known = REFUSALS.get(code);
  if (known === undefined) return { kind: 'split', code };
  throw new SyncError(known[0], `${path}: ${known[1]}`, { status });
}

/** What became of each record that a post has named, where a success means `taken`. */
function verdicts(body: unknown, taken: PushResult): (record: Outgoing) => PushResult {
  const success = member(body, 'success');
  const succeeded = new Set(Array.isArray(success) ? success : []);
  const failed = member(body, 'failed');
  return (record) => {
    if (succeeded.has(record.id)) return taken;
    const reason = member(failed, record.id);
    const isFinal = typeof reason === 'string' && !reason.startsWith('retry');
    return isFinal ? refusedOf(record) : { kind: 'failed' };
  };
}
