// What a server keeps, whatever keeps it: texts under keys, in transactions. One is whole and
// durable when it resolves, or has not happened, a loss of power included. Two that lock one name
// run one after the other, in whichever process they are; others may run at once, and see of each
// other what was committed. Who changes a thing locks its name: for records, their user.

/** Part of the keys: from the first one, inclusive, to the last one, exclusive. */
export interface KeyRange {
  readonly from: string;
  readonly to: string;
  /** At most this many entries. */
  readonly limit: number;
  /** Last keys first. */
  readonly reverse?: boolean;
}

export type Entry = [key: string, value: string];

export interface Reader {
  /** One entry per asked key, in the asked order; null where there is none. */
  get(keys: readonly string[]): Promise<(string | null)[]>;
  /** The keys of a range, in order. */
  keys(range: KeyRange): Promise<string[]>;
  /** The entries of a range in the order of their keys, with what this transaction has changed. */
  scan(range: KeyRange): Promise<Entry[]>;
}

export interface Transaction extends Reader {
  put(key: string, value: string): void;
  remove(key: string): void;
}

export interface ServerStorage {
  /**
   * Runs `work` while nobody else has the lock. What it throws undoes all that it changed. Keys
   * are 1 to 240 printable ASCII characters without a space. Errors: those of `work`, RangeError
   * for a key that is none, StorageError.
   */
  transaction<T>(lock: string, work: (transaction: Transaction) => Promise<T>): Promise<T>;
  /**
   * Runs `work` on one state of all that is changed under the lock, as it was committed. It may
   * wait for such changes. Errors: as of `transaction`.
   */
  read<T>(lock: string, work: (reader: Reader) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** The range of all keys that begin so. */
export function keysUnder(prefix: string, limit: number): KeyRange {
  return { from: prefix, to: `${prefix}~~`, limit };
}
