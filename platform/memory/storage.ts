// The reference implementation of the Storage port: a map and its keys in order, in RAM.
// It promises the port's contract, and to be fast, because power tests run it thousands of times:
// it can lose its power at a chosen commit, and be copied as it would be found after a reboot.
// It never keeps anything beyond the process.

import type { Change, ScanRange, Storage, Value } from '../ports.ts';
import { type CommitLimits, checkKeys, lastChanges, StorageError } from '../storage-rules.ts';

/** Where the power goes: at the n-th commit (from 1), before or after it became durable. */
export interface StorageCut {
  readonly atCommit: number;
  readonly when: 'before' | 'after';
}

export class MemoryStorage implements Storage {
  readonly #values: Map<string, Value>;
  readonly #keys: string[];
  readonly #cut: StorageCut | undefined;
  readonly #limits: CommitLimits | undefined;
  #commits = 0;
  #dead = false;

  /**
   * `entries` in any order; `cut`: the commit that fails, after which every call fails; `limits`:
   * a device's by default.
   */
  constructor(
    entries: Iterable<readonly [string, Value]> = [],
    cut?: StorageCut,
    limits?: CommitLimits,
  ) {
    this.#limits = limits;
    this.#values = new Map(entries);
    this.#keys = [...this.#values.keys()].sort();
    this.#cut = cut;
  }

  /** Commits that were asked for so far, the failed one included. */
  get commits(): number {
    return this.#commits;
  }

  /** Everything stored, in key order. */
  snapshot(): [key: string, value: Value][] {
    return this.#keys.map((key) => [key, this.#read(key)]);
  }

  /** What a reboot finds: an independent copy with power, and maybe with the next cut. */
  fork(cut?: StorageCut): MemoryStorage {
    return new MemoryStorage(this.#values, cut, this.#limits);
  }

  async get(keys: readonly string[]): Promise<(Value | null)[]> {
    this.#needPower();
    checkKeys(keys);
    return keys.map((key) => (this.#values.has(key) ? this.#read(key) : null));
  }

  async scan(range: ScanRange): Promise<string[]> {
    this.#needPower();
    const start = this.#position(range.from);
    const end = Math.max(start, this.#position(range.to));
    return range.reverse
      ? this.#keys.slice(Math.max(start, end - range.limit), end).reverse()
      : this.#keys.slice(start, Math.min(end, start + range.limit));
  }

  async commit(changes: readonly Change[]): Promise<void> {
    this.#needPower();
    const last = lastChanges(changes, this.#limits);
    this.#commits++;
    this.#dead = this.#commits === this.#cut?.atCommit;
    if (!this.#dead || this.#cut?.when === 'after') {
      for (const [key, value] of last) this.#apply(key, value);
    }
    this.#needPower();
  }

  #apply(key: string, value: Value | null): void {
    const known = this.#values.has(key);
    if (value === null) {
      if (known) this.#keys.splice(this.#position(key), 1);
      this.#values.delete(key);
      return;
    }
    if (!known) this.#keys.splice(this.#position(key), 0, key);
    this.#values.set(key, copy(value));
  }

  /** Index of the first key that is not before `key`. */
  #position(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#keys[middle] ?? '') < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #read(key: string): Value {
    return copy(this.#values.get(key) ?? '');
  }

  #needPower(): void {
    if (this.#dead) throw new StorageError('failed', 'the power was cut');
  }
}

/** Bytes are the caller's to change, before and after. */
function copy(value: Value): Value {
  return typeof value === 'string' ? value : value.slice();
}
