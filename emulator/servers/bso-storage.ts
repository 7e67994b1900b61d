// What a storage node asks of whatever keeps its records: users, their collections, basic storage
// objects in the order of their stamps or their sort index, and batches that are gathered. Stamps
// of one user strictly rise, over all collections, in whichever process they are taken. A record
// past its time to live is in no answer. It knows no HTTP, and the time is handed in.

import type { Bso, BsoChange } from './store.ts';

export type Order = 'oldest' | 'newest' | 'index';

/** Part of a collection in an order; ids order what is equal. No index comes after all of them. */
export interface Stretch {
  readonly order: Order;
  /** Stamps after this one. */
  readonly newerMs: number;
  /** Stamps before this one. */
  readonly olderMs: number;
  /** Begins with the first record of this stamp, in order; null: with the first one of all. */
  readonly fromMs: number | null;
  /** By index: begins behind this place, whether or not a record is there; null: at the start. */
  readonly behind: IndexPlace | null;
  /** So many records are left out first. */
  readonly skip: number;
  readonly limit: number;
}

/** Where a record is in the order by index. */
export interface IndexPlace {
  readonly sortindex: number | null;
  readonly id: string;
}

/** By index its place counts, by stamp the other two. */
interface ListingEnd extends IndexPlace {
  readonly stampMs: number;
  /** The number of records of this stamp up to it. */
  readonly position: number;
}

/** Of nothing. */
export const NO_END: ListingEnd = { stampMs: 0, position: 0, sortindex: null, id: '' };

export interface Listing<T> {
  readonly count: number;
  /** What of it was at hand; else it comes in portions, and breaks off where one has changed. */
  readonly items: readonly T[] | AsyncIterable<readonly T[]>;
  /** Whether there are more behind the limit. */
  readonly hasMore: boolean;
  /** Of the last item. */
  readonly end: ListingEnd;
}

export interface BatchState {
  readonly openedMs: number;
  readonly records: number;
  /** Of payload. */
  readonly bytes: number;
}

/** One user, as it is at a moment. */
export interface UserReader {
  /** The last stamp. */
  readonly modifiedMs: number;
  /** The stamp of a collection; null: there is none. */
  stampOf(name: string): Promise<number | null>;
  stamps(): Promise<ReadonlyMap<string, number>>;
  counts(): Promise<ReadonlyMap<string, number>>;
  /** UTF-8 bytes of payloads. */
  usage(): Promise<ReadonlyMap<string, number>>;
  /** Those of the records that are there. */
  get(name: string, ids: readonly string[]): Promise<Bso[]>;
  list(name: string, stretch: Stretch): Promise<Listing<Bso>>;
  listIds(name: string, stretch: Stretch): Promise<Listing<string>>;
}

/** One user, whom nobody else changes meanwhile. */
export interface UserWriter extends UserReader {
  /**
   * Whether a request is the first with this MAC (base64), which is remembered until `untilMs`.
   * Nothing is remembered of a request that changes nothing.
   */
  isFirst(mac: string, untilMs: number): Promise<boolean>;
  /** Writes all changes under one new stamp, which is returned. */
  write(name: string, changes: readonly BsoChange[]): Promise<number>;
  /** Removes records and returns the new stamp; the collection stays, even when it is empty. */
  deleteRecords(name: string, ids: readonly string[]): Promise<number>;
  /**
   * Removes a collection with its open batches and returns the new stamp, or the old one if there
   * was none.
   */
  deleteCollection(name: string): Promise<number>;
  /** Removes everything and returns the new stamp. */
  deleteAll(): Promise<number>;
  batch(name: string, id: string): Promise<BatchState | null>;
  /** `state`: with the changes. Makes the batch where there is none. */
  extendBatch(
    name: string,
    id: string,
    changes: readonly BsoChange[],
    state: BatchState,
  ): Promise<void>;
  /** Ends it, and returns all its changes in the order they came. */
  closeBatch(name: string, id: string): Promise<BsoChange[]>;
}

export interface BsoStorage {
  /** `work` sees one state. Undefined: there is no such user. Errors: those of `work`. */
  read<T>(
    uid: number,
    nowMs: number,
    work: (user: UserReader) => Promise<T>,
  ): Promise<T | undefined>;
  /** What `work` throws undoes all that it changed. Undefined: there is no such user. */
  write<T>(
    uid: number,
    nowMs: number,
    work: (user: UserWriter) => Promise<T>,
  ): Promise<T | undefined>;
}
