// One upload to a Sync 1.5 collection: portions under all limits of the server, gathered in a batch that becomes
// visible as a whole, and only if nobody else wrote meanwhile. A server without batches gets plain posts.
// A batch whose end was not seen is never taken up again: the server forgets it.
// Source: SyncStorage API 1.5, batch uploads and error codes.

import { SyncError, type SyncErrorCode } from '../errors.ts';
import { DOCUMENT_CHARS_MAX } from '../limits.ts';
import { parseDocument, readDocument } from '../wire/document.ts';
import { headerMs, secondsMs } from '../wire/headers.ts';
import { type Answer, unexpected } from '../wire/http.ts';
import { member } from './listing.ts';
import type { Outgoing, PushResult, Upload } from './remote.ts';
import type { Limits } from './sync15-limits.ts';
import { quoted, type StorageNode, unmodifiedSince } from './sync15-node.ts';

export interface UploadOptions {
  readonly node: StorageNode;
  /** The collection's path under the endpoint. */
  readonly path: string;
  readonly limits: Limits;
  /** The version of the collection that this device has seen. */
  readonly sinceMs: number;
  readonly cache: Map<string, unknown>;
}

/** Payloads only, as the server counts them. Sealed payloads are ASCII: characters are bytes. */
interface Size {
  readonly records: number;
  readonly bytes: number;
}

/** Records that go out in one request. */
interface Portion extends Size {
  /** The request's body. */
  readonly text: string;
}

/** `split`: not taken as it is, for a reason that may be one record's. */
type Posted =
  | { readonly kind: 'taken'; readonly verdict: (id: string) => PushResult }
  | { readonly kind: 'moved' }
  | { readonly kind: 'split'; readonly code: number };

type End = Awaited<ReturnType<Upload['commit']>>;

const INVALID_RECORD = 8;
const SIZE_LIMIT = 17;
/** Codes of a 400 that are no record's fault. */
const REFUSALS: ReadonlyMap<number, readonly [SyncErrorCode, string]> = new Map([
  [6, ['badResponse', 'the server does not read our JSON']],
  [13, ['badResponse', 'the server does not take this collection']],
  [14, ['overQuota', "the user's space on the server is full"]],
  [16, ['clientTooOld', 'the server asks for a newer client']],
]);

const NOTHING: Portion = { records: 0, bytes: 0, text: '[]' };

/** In the cache: this server has no batches, or loses them. */
const NO_BATCHES = 'noBatches';

/** An upload that nothing was sent of yet. */
export function openUpload({ node, path, limits, sinceMs, cache }: UploadOptions): Upload {
  let batch: string | null = null;
  /** What the batch holds. */
  let staged: Size = NOTHING;
  let seenMs = sinceMs;
  let end: End = { kind: 'none' };

  const post = async (portion: Portion, isLast: boolean): Promise<Posted> => {
    const isBatch = batch !== null || !(isLast || cache.has(NO_BATCHES));
    const commit = isLast ? '&commit=true' : '';
    const total = sum(staged, portion);
    const answer = await node.send({
      method: 'POST',
      url: isBatch ? `${path}?batch=${quoted(batch ?? 'true')}${commit}` : path,
      headers: [
        ['Content-Type', 'application/json'],
        unmodifiedSince(seenMs),
        ...announced('', portion),
        ...(isBatch && isLast ? announced('Total-', total) : []),
      ],
      body: portion.text,
    });
    const refused = await refusal(answer, path);
    if (refused !== null) return lostBatch(refused) ? moved() : refused;
    const body = await bodyOf(answer);
    if (answer.status === 202) {
      batch = batchId(body) ?? batch;
      staged = total;
      return { kind: 'taken', verdict: verdicts(body, { kind: 'staged' }) };
    }
    const modifiedMs =
      secondsMs(member(body, 'modified')) ?? headerMs(answer.headers, 'x-last-modified');
    if (modifiedMs === null) throw new SyncError('badResponse', `${path}: modified is missing`);
    seenMs = modifiedMs;
    const stored = { kind: 'stored', modifiedMs } as const;
    if (isLast) end = stored;
    else cache.set(NO_BATCHES, true);
    return { kind: 'taken', verdict: verdicts(body, isLast ? { kind: 'staged' } : stored) };
  };

  const moved = (): Posted => {
    end = { kind: 'moved' };
    return { kind: 'moved' };
  };

  /** A refusal that only an unknown batch explains; from now on it goes without. */
  const lostBatch = (refused: Posted): boolean => {
    if (refused.kind === 'moved') return true;
    if (batch === null || refused.kind !== 'split') return false;
    const isRecords = refused.code === INVALID_RECORD || refused.code === SIZE_LIMIT;
    if (!isRecords) cache.set(NO_BATCHES, true);
    return !isRecords;
  };

  return {
    addMax: Math.min(limits.max_post_records, limits.max_total_records),

    async add(records, isLast) {
      const results: PushResult[] = [];
      const rest = (result: PushResult): PushResult[] => [
        ...results,
        ...records.slice(results.length).map(() => result),
      ];
      let most = records.length;
      while (results.length < records.length) {
        const left = records.slice(results.length, results.length + most);
        const portion = portionOf(left, limits, staged);
        if (portion === 'tooLarge') {
          results.push({ kind: 'refused', code: 'tooLarge' });
          continue;
        }
        if (portion.records === 0) return rest({ kind: 'later' });
        const isEnd = isLast && results.length + portion.records === records.length;
        const posted = await post(portion, isEnd);
        if (posted.kind === 'moved') return rest({ kind: 'moved' });
        if (posted.kind === 'taken') {
          for (const { id } of left.slice(0, portion.records)) results.push(posted.verdict(id));
        } else if (portion.records > 1) most = Math.ceil(portion.records / 2);
        else if (posted.code !== SIZE_LIMIT) results.push({ kind: 'refused' });
        else if (staged.records > 0) return rest({ kind: 'later' });
        else results.push({ kind: 'refused', code: 'tooLarge' });
      }
      return results;
    },

    async commit() {
      if (batch !== null && end.kind === 'none') {
        const posted = await post(NOTHING, true);
        if (posted.kind !== 'taken') moved();
      }
      return end;
    },
  };
}

/** As many records from the start as one post and this batch can hold; none if the batch is full. */
function portionOf(
  records: readonly Outgoing[],
  limits: Limits,
  staged: Size,
): Portion | 'tooLarge' {
  let portion = NOTHING;
  for (const { id, payload, sortindex, ttlSeconds } of records) {
    const item = JSON.stringify({
      id,
      payload,
      ...(sortindex === null ? {} : { sortindex }),
      ...(ttlSeconds === null ? {} : { ttl: ttlSeconds }),
    });
    const alone: Portion = { records: 1, bytes: payload.length, text: `[${item}]` };
    if (payload.length > limits.max_record_payload_bytes || !fits(alone, alone, limits)) {
      return portion.records === 0 ? 'tooLarge' : portion;
    }
    const { length } = portion.text;
    const comma = length > 2 ? ',' : '';
    const text = `${portion.text.slice(0, length - 1)}${comma}${item}]`;
    const next = { ...sum(portion, alone), text };
    if (!fits(next, sum(staged, next), limits)) return portion;
    portion = next;
  }
  return portion;
}

function fits(portion: Portion, total: Size, limits: Limits): boolean {
  return (
    portion.records <= limits.max_post_records &&
    portion.bytes <= limits.max_post_bytes &&
    portion.text.length <= limits.max_request_bytes &&
    total.records <= limits.max_total_records &&
    total.bytes <= limits.max_total_bytes
  );
}

function sum(a: Size, b: Size): Size {
  return { records: a.records + b.records, bytes: a.bytes + b.bytes };
}

function announced(what: string, { records, bytes }: Size): [string, string][] {
  return [
    [`X-Weave-${what}Records`, `${records}`],
    [`X-Weave-${what}Bytes`, `${bytes}`],
  ];
}

/** What a status says that is no success; null for 200 and 202. Errors: those that are no record's fault. */
async function refusal(answer: Answer, path: string): Promise<Posted | null> {
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

async function bodyOf(answer: Answer): Promise<unknown> {
  return parseDocument(await readDocument(() => answer.read(), DOCUMENT_CHARS_MAX));
}

function batchId(body: unknown): string | null {
  const id = member(body, 'batch');
  return typeof id === 'string' || typeof id === 'number' ? `${id}` : null;
}

/** What became of each record that a post has named, where a success means `taken`. */
function verdicts(body: unknown, taken: PushResult): (id: string) => PushResult {
  const success = member(body, 'success');
  const succeeded = new Set(Array.isArray(success) ? success : []);
  const failed = member(body, 'failed');
  return (id) => {
    if (succeeded.has(id)) return taken;
    const reason = member(failed, id);
    const isFinal = typeof reason === 'string' && !reason.startsWith('retry');
    return { kind: isFinal ? 'refused' : 'failed' };
  };
}
