// A server's storage in one process: on SQLite in a folder, or in memory. What a transaction
// changes lies over the stored entries until it is done, and goes down in one commit. The folder
// belongs to the process that has it open; another one is refused.

import { MemoryStorage } from '../../../platform/memory/storage.ts';
import { openNodeStorage } from '../../../platform/node/storage.ts';
import type { Storage } from '../../../platform/ports.ts';
import type { CommitLimits } from '../../../platform/storage-rules.ts';
import type { KeyRange, ServerStorage, Transaction } from './server-storage.ts';

/** A whole batch of Sync 1.5 in one commit, its longest record in one value, and more. */
const SERVER_LIMITS: CommitLimits = {
  changesMax: 100_000,
  valueBytesMax: 16 * 1024 * 1024,
};

/** Opens the folder, which is made when it is missing, for its owner only. Errors: StorageError. */
export async function openSqliteStorage(folder: string): Promise<ServerStorage> {
  const storage = await openNodeStorage(folder, { limits: SERVER_LIMITS });
  return localStorage(storage, () => storage.close());
}

export function memoryStorage(): ServerStorage {
  return localStorage(new MemoryStorage([], undefined, SERVER_LIMITS), () => undefined);
}

/** A storage of this process alone. `close`: ends what is below. */
export function localStorage(storage: Storage, close: () => void): ServerStorage {
  /** The last transaction of each lock that is held or waited for. */
  const held = new Map<string, Promise<unknown>>();
  return {
    async transaction(lock, work) {
      const before = held.get(lock);
      const turn = (async () => {
        await before;
        const overlay = new Overlay(storage);
        const result = await work(overlay);
        await overlay.commit();
        return result;
      })();
      const settled = turn.catch(() => undefined);
      held.set(lock, settled);
      await settled;
      if (held.get(lock) === settled) held.delete(lock);
      return turn;
    },
    async close() {
      await Promise.all(held.values());
      close();
    },
  };
}

class Overlay implements Transaction {
  readonly #storage: Storage;
  readonly #changes = new Map<string, string | null>();

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  async get(keys: readonly string[]): Promise<(string | null)[]> {
    const stored = await this.#storage.get(keys);
    return keys.map((key, index) => {
      const changed = this.#changes.get(key);
      const value = stored[index] ?? null;
      return changed === undefined ? (value === null ? null : String(value)) : changed;
    });
  }

  async scan(range: KeyRange): Promise<[key: string, value: string][]> {
    const { from, to, limit, reverse = false } = range;
    const changed = [...this.#changes.keys()].filter((key) => key >= from && key < to);
    // As many more as may turn out to be removed.
    const stored = await this.#storage.scan({ ...range, limit: limit + changed.length });
    const keys = [...new Set([...stored, ...changed])]
      .filter((key) => this.#changes.get(key) !== null)
      .sort();
    if (reverse) keys.reverse();
    const taken = keys.slice(0, limit);
    const values = await this.get(taken);
    return taken.flatMap((key, index) => {
      const value = values[index] ?? null;
      return value === null ? [] : [[key, value]];
    });
  }

  put(key: string, value: string): void {
    this.#changes.set(key, value);
  }

  remove(key: string): void {
    this.#changes.set(key, null);
  }

  async commit(): Promise<void> {
    if (this.#changes.size > 0) await this.#storage.commit([...this.#changes]);
  }
}
