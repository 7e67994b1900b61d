// What a transaction has changed, over what is stored: seen by the transaction alone, until
// whoever made it takes the changes and makes them last.

import type { Entry, KeyRange, Reader, Transaction } from './server-storage.ts';

export class Overlay implements Transaction {
  readonly #stored: Reader;
  readonly #changes = new Map<string, string | null>();

  constructor(stored: Reader) {
    this.#stored = stored;
  }

  /** By key; null: it is removed. */
  get changes(): ReadonlyMap<string, string | null> {
    return this.#changes;
  }

  async get(keys: readonly string[]): Promise<(string | null)[]> {
    const unchanged = keys.filter((key) => !this.#changes.has(key));
    const values = unchanged.length === 0 ? [] : await this.#stored.get(unchanged);
    const stored = new Map(unchanged.map((key, index) => [key, values[index] ?? null]));
    return keys.map((key) => stored.get(key) ?? this.#changes.get(key) ?? null);
  }

  async keys(range: KeyRange): Promise<string[]> {
    const changed = this.#changedIn(range);
    if (changed.length === 0) return this.#stored.keys(range);
    // As many more as may turn out to be removed.
    const wider = { ...range, limit: range.limit + changed.length };
    return this.#merged(range, changed, await this.#stored.keys(wider));
  }

  async scan(range: KeyRange): Promise<Entry[]> {
    const changed = this.#changedIn(range);
    if (changed.length === 0) return this.#stored.scan(range);
    const taken = await this.keys(range);
    const values = await this.get(taken);
    return taken.map((key, index) => [key, values[index] ?? '']);
  }

  put(key: string, value: string): void {
    this.#changes.set(key, value);
  }

  remove(key: string): void {
    this.#changes.set(key, null);
  }

  #changedIn({ from, to }: KeyRange): string[] {
    return [...this.#changes.keys()].filter((key) => key >= from && key < to);
  }

  #merged({ limit, reverse = false }: KeyRange, changed: string[], stored: string[]): string[] {
    const keys = [...new Set([...stored, ...changed])]
      .filter((key) => this.#changes.get(key) !== null)
      .sort();
    if (reverse) keys.reverse();
    return keys.slice(0, limit);
  }
}
