// POST to a collection: writing a list at once, or gathering lists into a batch that is written
// under one stamp when it is committed. Nothing of an open batch can be seen.
// A batch belongs to one user and one collection, and is forgotten after two hours.

import {
  CODE,
  type CollectionLimits,
  changeBytes,
  faultOf,
  isBsoId,
  type Limits,
  limitsOf,
  toChange,
} from './bso.ts';
import { HttpError, isObject } from './http.ts';
import type { BsoChange, User } from './store.ts';

/** Which of the given records were taken, and why the others were not. */
interface Verdict {
  readonly success: string[];
  readonly failed: Record<string, string>;
}

interface Batch {
  readonly user: User;
  readonly collection: string;
  readonly openedMs: number;
  readonly changes: BsoChange[];
  bytes: number;
}

const LIFETIME_MS = 2 * 3600 * 1000;

/** What a POST led to: a stamp when records were written, a batch id when they were gathered. */
type PostResult = Verdict & ({ readonly stampMs: number } | { readonly batch: string });

/** The open batches of a storage node. */
export class Batches {
  readonly #open = new Map<string, Batch>();
  readonly #limits: Limits;
  readonly #newId: () => string;

  constructor(limits: Limits, newId: () => string) {
    this.#limits = limits;
    this.#newId = newId;
  }

  /**
   * Takes one POST. `query` holds `batch` and `commit`; `list` is the parsed body.
   * Errors: HttpError 400 (8: not a list of BSOs with distinct ids; 17: too much; 0: no such
   * batch).
   */
  post(user: User, name: string, query: URLSearchParams, list: unknown, nowMs: number): PostResult {
    const limits = limitsOf(this.#limits, name);
    const { taken, ...verdict } = judge(list, name, limits);
    const batchId = query.get('batch');
    const isCommit = isCommitted(query);
    if (batchId === null || (batchId === 'true' && isCommit))
      return { ...verdict, stampMs: user.write(name, taken, nowMs) };
    const id = batchId === 'true' ? this.#newId() : batchId;
    if (batchId === 'true')
      this.#open.set(id, { user, collection: name, openedMs: nowMs, changes: [], bytes: 0 });
    const batch = this.#find(id, user, name, nowMs);
    append(batch, taken, limits);
    if (!isCommit) return { ...verdict, batch: id };
    this.#open.delete(id);
    return { ...verdict, stampMs: user.write(name, batch.changes, nowMs) };
  }

  /** Forgets the open batches of a user, of one collection or of all. */
  drop(user: User, collection: string | null): void {
    for (const [id, batch] of this.#open)
      if (batch.user === user && (collection ?? batch.collection) === batch.collection)
        this.#open.delete(id);
  }

  #find(id: string, user: User, name: string, nowMs: number): Batch {
    const batch = this.#open.get(id);
    const isOwn = batch?.user === user && batch.collection === name;
    if (!batch || !isOwn || nowMs - batch.openedMs > LIFETIME_MS)
      throw new HttpError(400, CODE.unknown);
    return batch;
  }
}

/** Unlike the reference server, which trusts the declared totals, this one counts. */
function append(batch: Batch, taken: readonly BsoChange[], limits: CollectionLimits): void {
  const bytes = batch.bytes + taken.reduce((sum, change) => sum + changeBytes(change), 0);
  const records = batch.changes.length + taken.length;
  if (bytes > limits.max_total_bytes || records > limits.max_total_records)
    throw new HttpError(400, CODE.sizeLimit);
  batch.changes.push(...taken);
  batch.bytes = bytes;
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
    if (typeof id !== 'string' || !isBsoId(id) || seen.has(id))
      throw new HttpError(400, CODE.invalidBso);
    seen.add(id);
    const fault = faultOf(bso, name);
    if (fault !== null && name === 'crypto') throw new HttpError(400, CODE.invalidBso);
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
