// One collection on the storage port: records, outbox, quarantine, index, cursor and counters.
// Every change of a record goes through `Transaction.set`, which keeps the index and the counters
// in step, and every transaction is one atomic commit that carries the cursor. Keeps no record in
// memory.

import type { Storage } from '../../platform/ports.ts';
import type { Collection } from '../collections/collection.ts';
import { escapeId } from '../collections/record-id.ts';
import { ported, SyncError } from '../errors.ts';
import { COMMIT_CHARS, type HeapLimits, SMALL_HEAP } from '../limits.ts';
import { type CollectionState, inForm, stateOf } from './collection-state.ts';
import {
  type CollectionKeys,
  collectionKeys,
  idOfIndexKey,
  rangeEnd,
  unescapeId,
} from './layout.ts';
import { createLoad } from './load.ts';
import { createLock, type Lock } from './lock.ts';
import { createPacer } from './pacer.ts';
import type { Entry } from './record.ts';
import { hasSets, type Sets } from './sets.ts';
import { beginTransaction, isNoting, type Transaction, type WriteCommit } from './transaction.ts';
import type { Vault } from './vault.ts';

export interface CollectionStore {
  readonly collection: Collection;
  readonly keys: CollectionKeys;
  /** Guards load, decide, commit; the local API takes it too. */
  readonly lock: Lock;
  readonly state: CollectionState;
  /** What lies under the keys: for who mends or replaces it. */
  readonly storage: Storage & Partial<Sets>;
  /** Seals what lies under them, where the collection is sealed. */
  readonly vault: Vault;
  /** How much of the collection may be in memory at a time. */
  readonly heap: HeapLimits;
  /**
   * Gives the device its turns, so that whoever works on many records need not. Nothing is said of
   * a record whose stored texts have more than `charsMax` characters. Errors: `damaged` names the
   * first value that is not what was written.
   */
  load(ids: readonly string[], charsMax?: number): Promise<Entry[]>;
  begin(): Transaction;
  /** Outbox ids in key order, after `after` (exclusive). */
  pendingIds(after: string | null, limit: number): Promise<string[]>;
  /** Those that are deletions. */
  deletionIds(after: string | null, limit: number): Promise<string[]>;
  /**
   * Ids of index entries whose suffix starts with `prefix`, the place behind each, and that to go
   * on from.
   */
  indexed(query: IndexQuery): Promise<{ ids: string[]; places: string[]; next: string | null }>;
  mirrorIds(after: string | null, limit: number): Promise<{ ids: string[]; next: string | null }>;
  /**
   * Why nothing is committed any more: `close` was called, or a commit ended without a word of the
   * storage, and what is in memory may be behind what is stored. Null: it is.
   */
  readonly closed: SyncError | null;
  /** Nothing is committed from now on: whoever tries gets `why`. */
  close(why: SyncError): void;
}

interface IndexQuery {
  readonly prefix: string;
  readonly limit: number;
  /** `next` of the call before. */
  readonly after?: string | null;
  readonly reverse?: boolean;
}

/**
 * Opens a collection: reads its one state value, nothing else. A long record takes turns (`pause`).
 * Errors: `storageFailed`, `damaged`; `clientTooOld` for one that a build has replaced at once, and
 * this one cannot.
 */
export async function openCollectionStore(
  device: Storage,
  vault: Vault,
  generation: string,
  collection: Collection,
  pause: () => Promise<void>,
  heap = SMALL_HEAP,
): Promise<CollectionStore> {
  const keys = collectionKeys(generation, collection.letter);
  const storage = hasSets(collection)
    ? await collection.openSets(device, keys, (other, kind, wrap) =>
        openCollectionStore(other, wrap(vault), generation, kind, pause, heap),
      )
    : device;
  const [stored, second] = await ported(storage.get([keys.cursor, keys.second]));
  // Another build has made the second of two sets the live one: see sets.ts.
  if (storage === device && second && !stateOf(second).staging) {
    throw new SyncError('clientTooOld', `${collection.name}: needs atomic()`);
  }
  let state = inForm(collection, stateOf(stored));
  let closed: SyncError | null = null;
  const pacer = createPacer(pause);
  const load = createLoad(collection, keys, storage, vault, pacer, pause);
  const write: WriteCommit = async (changes, next, chars) => {
    if (closed) throw closed;
    try {
      await ported(storage.commit(changes));
      state = next;
    } catch (error) {
      // What the storage refuses has changed nothing. Of anything else nobody knows.
      if (!isRefusal(error)) closed = STALE;
      throw error;
    }
    await pacer(chars + COMMIT_CHARS);
  };

  return {
    collection,
    keys,
    lock: closingLock(() => {
      closed ??= STALE;
    }),
    heap,
    storage,
    vault,
    get state() {
      return state;
    },

    load: (ids, charsMax = Number.MAX_VALUE) => load(ids, charsMax, state.quarantined > 0),

    begin: () => {
      const transaction = beginTransaction(collection, keys, state, heap, vault, write);
      return isNoting(collection) ? collection.noting(transaction, keys, state) : transaction;
    },

    ...scans(storage, keys),

    get closed() {
      return closed;
    },
    close(why) {
      closed = why;
    },
  };
}

/** Which records there are, in the order of their keys, so many at a time. */
function scans(
  storage: Storage,
  keys: CollectionKeys,
): Pick<CollectionStore, 'pendingIds' | 'deletionIds' | 'mirrorIds' | 'indexed'> {
  const idsIn = async (range: string, after: string | null, limit: number): Promise<string[]> => {
    const from = after === null ? range : `${range}${escapeId(after)}!`;
    const found = await ported(storage.scan({ from, to: rangeEnd(range), limit }));
    return found.map((key) => unescapeId(key.slice(range.length)));
  };

  return {
    pendingIds: (after, limit) => idsIn(keys.outbox(), after, limit),
    deletionIds: (after, limit) => idsIn(keys.deletion(), after, limit),

    async mirrorIds(after, limit) {
      const ids = await idsIn(keys.record(), after, limit);
      return { ids, next: nextOf(ids, limit) };
    },

    async indexed({ prefix, limit, after = null, reverse = false }) {
      const base = keys.indexes + prefix;
      const from = after && !reverse ? `${after}!` : base;
      const to = after && reverse ? after : rangeEnd(base);
      const places = await ported(storage.scan({ from, to, limit, reverse }));
      return { ids: places.map(idOfIndexKey), places, next: nextOf(places, limit) };
    },
  };
}

/** Where to go on behind what was found; null: that was all. */
function nextOf(found: readonly string[], limit: number): string | null {
  return found.length < limit ? null : (found[limit - 1] ?? null);
}

/**
 * Where the engine fails in a task it is over for who waits, but what it has begun goes on: the
 * next task would not see what that commits later.
 */
function closingLock(close: () => void): Lock {
  const lock = createLock();
  return {
    run: (task) =>
      lock.run(async () => {
        try {
          return await task();
        } catch (error) {
          if (!isRefusal(error)) close();
          throw error;
        }
      }),
  };
}

/** Said by the agent or a port, and not by an engine that has failed. */
function isRefusal(error: unknown): boolean {
  return error instanceof SyncError && error.code !== 'outOfMemory';
}

const STALE = new SyncError('outOfMemory', 'open the collection anew');
