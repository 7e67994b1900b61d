// A server's storage in one process: on SQLite in a folder, or in memory. What a transaction
// changes lies over the stored entries until it is done, and goes down in one commit. The folder
// belongs to the process that has it open; another one is refused.

import { MemoryStorage } from '../../../platform/memory/storage.ts';
import { openNodeStorage } from '../../../platform/node/storage.ts';
import type { ScanRange, Storage, Value } from '../../../platform/ports.ts';
import type { CommitLimits } from '../../../platform/storage-rules.ts';
import { Locks } from './locks.ts';
import { Overlay } from './overlay.ts';
import type { Reader, ServerStorage } from './server-storage.ts';

/** A whole batch of Sync 1.5 in one commit, its longest record in one value, and more. */
const SERVER_LIMITS: CommitLimits = {
  changesMax: 100_000,
  valueBytesMax: 16 * 1024 * 1024,
};

/** Opens the folder, which is made when it is missing, for its owner only. Errors: StorageError. */
export async function openSqliteStorage(folder: string): Promise<ServerStorage> {
  const storage = await openNodeStorage(folder, { limits: SERVER_LIMITS });
  return localStorage(storage, () => storage.close(), turn);
}

export function memoryStorage(): ServerStorage {
  return localStorage(new MemoryStorage([], undefined, SERVER_LIMITS), () => undefined);
}

/** All that waits is done, and requests that came meanwhile are read. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * A storage of this process alone. `close`: ends what is below. `pause`, behind each transaction:
 * where calls do their work at once, nobody else would have a turn before the last of many.
 */
export function localStorage(
  storage: Readable,
  close: () => void,
  pause: () => Promise<void> = async () => undefined,
): ServerStorage {
  const locks = new Locks();
  const reader = readerOf(storage);
  return {
    async transaction(lock, work) {
      const result = await locks.run(lock, async () => {
        const overlay = new Overlay(reader);
        const done = await work(overlay);
        if (overlay.changes.size > 0) await storage.commit([...overlay.changes]);
        return done;
      });
      await pause();
      return result;
    },
    read: (lock, work) => locks.run(lock, () => work(reader)),
    async close() {
      await locks.idle();
      close();
    },
  };
}

/** One that finds the entries of a range faster than one by one may say so. */
interface Readable extends Storage {
  entries?(range: ScanRange): Promise<[key: string, value: Value][]>;
}

function readerOf(storage: Readable): Reader {
  const get = async (keys: readonly string[]) =>
    (await storage.get(keys)).map((value) => (value === null ? null : String(value)));
  return {
    get,
    keys: (range) => storage.scan(range),
    async scan(range) {
      const entries = await storage.entries?.(range);
      if (entries !== undefined) return entries.map(([key, value]) => [key, String(value)]);
      const keys = await storage.scan(range);
      const values = await get(keys);
      // What went meanwhile, under another lock, is not there any more.
      return keys.flatMap((key, index) => {
        const value = values[index] ?? null;
        return value === null ? [] : [[key, value]];
      });
    },
  };
}
