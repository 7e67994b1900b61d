// The Storage port for Node: SQLite on real files in a directory, for one process at a time.
// Promises what the port says as far as the machine's own fsync keeps its word. It never waits for
// another process: a directory in use is refused. All work happens inside the calls.

import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Change, ScanRange, Storage, Value } from '../ports.ts';
import type { BlockFile, BlockFiles } from '../sqlite/block-files.ts';
import { startEngine } from '../sqlite/engine.ts';
import { SqliteStore } from '../sqlite/store.ts';
import { type CommitLimits, StorageError } from '../storage-rules.ts';
import { type DirectoryLock, lockDirectory } from './lock.ts';
import { inRuns } from './write-runs.ts';

interface NodeStorageOptions {
  /** The directory's files stay under this; no limit of its own without it. */
  readonly quotaBytes?: number;
  /** What one commit may hold; a device's by default. */
  readonly limits?: CommitLimits;
  /** SQLite's page cache; 4 MiB by default. */
  readonly cacheKiB?: number;
  /** Another process has taken the directory over: every write fails from then on. */
  readonly onLost?: () => void;
}

/**
 * Opens the storage of a directory, which is made when it is missing. Throws a StorageError
 * `failed` when another process, or another storage of this one, has it open.
 */
export async function openNodeStorage(
  directory: string,
  options: NodeStorageOptions = {},
): Promise<NodeStorage> {
  const engine = await startEngine();
  mkdirSync(directory, { recursive: true });
  const { onLost, cacheKiB = TUNING.cacheKiB, ...limits } = options;
  const lock = await lockDirectory(directory, onLost && { onLost }).catch((error: unknown) => {
    throw translated(error);
  });
  const store = new SqliteStore(engine, {
    ...limits,
    files: directoryFiles(directory, lock),
    random: randomBytes,
    nowMs: Date.now,
    tuning: { ...TUNING, cacheKiB },
  });
  return new NodeStorage(store, lock);
}

/** More changes than a device's: each commit waits for the disk once. */
export const COMMIT_LIMITS: CommitLimits = { changesMax: 4_096, valueBytesMax: 2 * 1_024 * 1_024 };

/** A computer has more memory than a device; opening reads again what has gathered. */
const TUNING = { cacheKiB: 4_096, tailBytesMax: 1_024 * 1_024 };

export class NodeStorage implements Storage {
  readonly #store: SqliteStore;
  readonly #lock: DirectoryLock;

  /** See `openNodeStorage`. */
  constructor(store: SqliteStore, lock: DirectoryLock) {
    this.#store = store;
    this.#lock = lock;
  }

  async get(keys: readonly string[]): Promise<(Value | null)[]> {
    return this.#store.get(keys);
  }

  async scan(range: ScanRange): Promise<string[]> {
    return this.#store.scan(range);
  }

  /** As `scan`, with the values, all of which are in memory at once. */
  async entries(range: ScanRange): Promise<[key: string, value: Value][]> {
    return this.#store.entries(range);
  }

  async commit(changes: readonly Change[]): Promise<void> {
    this.#store.commit(changes);
  }

  async repair(ifLost: readonly Change[] = []): Promise<boolean> {
    return this.#store.repair(ifLost);
  }

  /** What is wrong with the stored data; empty when all is well. Errors: `StorageError`. */
  check(): string[] {
    return this.#store.check();
  }

  /** Closes the files and lets others open the directory. Use nothing of this afterwards. */
  close(): void {
    try {
      this.#store.close();
    } finally {
      this.#lock.release();
    }
  }
}

/** Nothing is changed once the lock is lost. */
function directoryFiles(directory: string, lock: DirectoryLock): BlockFiles {
  const path = (name: string) => join(directory, name);
  return {
    open: (name, create) =>
      translating(() => {
        const isNew = !existsSync(path(name));
        if (isNew && !create) return null;
        lock.check();
        const descriptor = openSync(path(name), isNew ? 'wx+' : 'r+');
        if (isNew) syncDirectory(directory);
        return inRuns(blockFile(descriptor, lock));
      }),
    exists: (name) => existsSync(path(name)),
    remove: (name) =>
      translating(() => {
        lock.check();
        unlinkSync(path(name));
        syncDirectory(directory);
      }),
    rename: (from, to) =>
      translating(() => {
        renameSync(path(from), path(to));
        syncDirectory(directory);
      }),
  };
}

function blockFile(descriptor: number, lock: DirectoryLock): BlockFile {
  return {
    size: () => translating(() => fstatSync(descriptor).size),
    read: (into, offset) =>
      translating(() =>
        whole(into.length, (done) =>
          readSync(descriptor, into, done, into.length - done, offset + done),
        ),
      ),
    write: (bytes, offset) =>
      translating(() => {
        lock.check();
        whole(bytes.length, (done) =>
          writeSync(descriptor, bytes, done, bytes.length - done, offset + done),
        );
      }),
    truncate: (size) =>
      translating(() => {
        lock.check();
        ftruncateSync(descriptor, size);
      }),
    sync: () => translating(() => fsyncSync(descriptor)),
    close: () => translating(() => closeSync(descriptor)),
  };
}

/** Repeats `step` until all is done, or until it does nothing more; returns how much was done. */
function whole(length: number, step: (done: number) => number): number {
  let done = 0;
  while (done < length) {
    const more = step(done);
    if (more === 0) break;
    done += more;
  }
  return done;
}

/** Makes new and removed names durable. */
function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function translating<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw translated(error);
  }
}

function translated(error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  const code = codeOf(error);
  const isFull = code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG';
  return isFull
    ? new StorageError('full', `there is no room left (${code})`, error)
    : new StorageError('failed', `file error ${code}`, error);
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | null)?.code;
}
