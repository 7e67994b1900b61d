// POST to a collection: writing a list at once, or gathering lists into a batch that is written
// under one stamp when it is committed. Nothing of an open batch can be seen.
// A batch belongs to one user and one collection, and is forgotten after two hours.

import {
  CODE,
  type CollectionLimits,
  changeBytes,
  faultOf,
  isKnownBad,
  type Limits,
  limitsOf,
  toChange,
} from './bso.ts';
import type { BatchState, UserWriter } from './bso-storage.ts';
import { HttpError, isObject } from './http.ts';
import type { BsoChange } from './store.ts';

/** Which of the given records were taken, and why the others were not. */
interface Verdict {
  readonly success: string[];
  readonly failed: Record<string, string>;
}

/** An open batch is as good as none after this. */
export const BATCH_LIFE_MS = 2 * 3600 * 1000;

/** What a POST led to: a stamp when records were written, a batch id when they were gathered. */
type PostResult = Verdict & ({ readonly stampMs: number } | { readonly batch: string });

interface Posted {
  readonly user: UserWriter;
  readonly name: string;
  /** It may have `batch` and `commit`. */
  readonly query: URLSearchParams;
  /** The parsed body. */
  readonly list: unknown;
  readonly limits: Limits;
  readonly nowMs: number;
  newId(): string;
}

/**
 * Takes one POST. Errors: HttpError 400 (8: not a list of BSOs with distinct ids; 17: too much; 0:
 * no such batch).
 */
export async function post(posted: Posted): Promise<PostResult> {
  const { user, name, query, list, nowMs } = posted;
  const limits = limitsOf(posted.limits, name);
  const { taken, ...verdict } = judge(list, name, limits);
  const batchId = query.get('batch');
  const isCommit = isCommitted(query);
  if (batchId === null || (batchId === 'true' && isCommit))
    return { ...verdict, stampMs: await user.write(name, taken) };
  const isNew = batchId === 'true';
  const id = isNew ? posted.newId() : batchId;
  const open = isNew
    ? { openedMs: nowMs, records: 0, bytes: 0 }
    : await find(user, name, id, nowMs);
  await user.extendBatch(name, id, taken, extended(open, taken, limits));
  if (!isCommit) return { ...verdict, batch: id };
  const changes = await user.closeBatch(name, id);
  return { ...verdict, stampMs: await user.write(name, changes) };
}

async function find(
  user: UserWriter,
  name: string,
  id: string,
  nowMs: number,
): Promise<BatchState> {
  const batch = await user.batch(name, id);
  if (batch === null || nowMs - batch.openedMs > BATCH_LIFE_MS)
    throw new HttpError(400, CODE.unknown);
  return batch;
}

/** Unlike the reference server, which trusts the declared totals, this one counts. */
function extended(
  batch: BatchState,
  taken: readonly BsoChange[],
  limits: CollectionLimits,
): BatchState {
  const bytes = batch.bytes + taken.reduce((sum, change) => sum + changeBytes(change), 0);
  const records = batch.records + taken.length;
  if (bytes > limits.max_total_bytes || records > limits.max_total_records)
    throw new HttpError(400, CODE.sizeLimit);
  return { ...batch, bytes, records };
}

/** Checks the X-Weave-* headers that announce a POST's size. Errors: HttpError 400. */
export function checkAnnounced(headers: Headers, limits: CollectionLimits): void {
  const announced: [string, number][] = [
    ['x-weave-records', limits.max_post_records],
    ['x-weave-bytes', limits.max_post_bytes],
    ['x-weave-total-records', limits.max_total_records],
    ['x-weave-total-bytes', limits.max_total_bytes],
  ];
  for (const [name, max] of announced) {
    const text = headers.get(name);
    if (text === null) continue;
    if (!/^\d{1,15}$/.test(text)) throw new HttpError(400, CODE.unknown);
    if (Number(text) > max) throw new HttpError(400, CODE.sizeLimit);
  }
}

function isCommitted(query: URLSearchParams): boolean {
  const commit = query.get('commit');
  if (commit !== null && (commit !== 'true' || !query.has('batch')))
    throw new HttpError(400, CODE.unknown);
  return commit !== null;
}

function judge(
  list: unknown,
  name: string,
  limits: CollectionLimits,
): Verdict & { taken: BsoChange[] } {
  if (!Array.isArray(list)) throw new HttpError(400, CODE.invalidBso);
  const taken: BsoChange[] = [];
  // A null prototype: `__proto__` is a legal record id.
  const failed: Record<string, string> = Object.create(null);
  const seen = new Set<string>();
  let bytes = 0;
  for (const bso of list as unknown[]) {
    const id = isObject(bso) ? bso.id : undefined;
    if (!isObject(bso) || typeof id !== 'string' || seen.has(id) || isKnownBad(bso, name))
      throw new HttpError(400, CODE.invalidBso);
    seen.add(id);
    const fault = faultOf(bso, name);
    if (fault !== null) {
      failed[id] = fault;
      continue;
    }
    const change = toChange(bso, id);
    const size = changeBytes(change);
    if (taken.length >= limits.max_post_records) failed[id] = 'retry bso';
    else if (size > limits.max_record_payload_bytes || bytes + size > limits.max_post_bytes)
      failed[id] = 'retry bytes';
    else {
      taken.push(change);
      bytes += size;
    }
  }
  return { taken, success: taken.map(({ id }) => id), failed };
}
