// The Storage port's work on SQLite, synchronous: what a commit, a full device and a failure mean.
// Promises that a commit is whole and durable or has not happened, and that removals are possible
// when nothing else is. After any failure the database is closed, and opened again by the next
// call, just as after a loss of power. Never used by two at once. session.ts has the layout.

import type { Change, ScanRange, Value } from '../ports.ts';
import { checkKeys, lastChanges, StorageError } from '../storage-rules.ts';
import type { BlockFiles } from './block-files.ts';
import type { Engine } from './engine.ts';
import { Session, type SessionOptions } from './session.ts';
import { installVfs, SECTOR_BYTES, type Vfs } from './vfs.ts';

export interface StoreOptions {
  readonly files: BlockFiles;
  /** Salt for SQLite's log; need not be secret. */
  random(count: number): Uint8Array;
  nowMs(): number;
  /** All files together stay under this; no limit without it. */
  readonly quotaBytes?: number;
  /** SQLite's heap stays under this; a commit that needs more fails. No limit without it. */
  readonly heapBytesMax?: number;
  /** Overrides of `TUNING`, for measurements and tests. */
  readonly tuning?: Partial<Tuning>;
}

export type Tuning = Omit<SessionOptions, 'vfs' | 'pagesMax' | 'heapBytesMax'>;

/** The measured choice: see README.md. */
export const TUNING: Tuning = {
  tailBytesMax: 384 * 1024,
  youngEntriesMax: 60_000,
  checkpointPages: 2000,
  cacheKiB: 96,
};

export class SqliteStore {
  readonly #engine: Engine;
  readonly #tuning: Tuning;
  readonly #vfs: Vfs;
  readonly #pagesMax: number;
  readonly #heapBytesMax: number;
  #session: Session | undefined;

  /** Opens nothing yet: the first call does. An engine has at most one store. */
  constructor(engine: Engine, options: StoreOptions) {
    const quotaPages = Math.floor((options.quotaBytes ?? UNLIMITED_BYTES) / SECTOR_BYTES);
    // The log's share is its own: a checkpoint can then always finish, however full the device is.
    const logPages = Math.floor(quotaPages / 3);
    this.#engine = engine;
    const tuning = { ...TUNING, ...options.tuning };
    const checkpointPages = Math.min(tuning.checkpointPages, Math.floor(logPages / 2));
    this.#tuning = { ...tuning, checkpointPages };
    this.#pagesMax = quotaPages - logPages;
    this.#vfs = installVfs(engine.sqlite3, { ...options, logBytesMax: logPages * SECTOR_BYTES });
    this.#heapBytesMax = options.heapBytesMax ?? 0;
  }

  get(keys: readonly string[]): (Value | null)[] {
    checkKeys(keys);
    return this.#withSession((session) => keys.map((key) => session.get(key)));
  }

  scan(range: ScanRange): string[] {
    return this.#withSession((session) => session.scan(range));
  }

  commit(changes: readonly Change[]): void {
    const last = lastChanges(changes);
    if (last.size === 0) return;
    try {
      this.#withSession((session) => session.commit(last, false));
    } catch (error) {
      const onlyRemovals = [...last.values()].every((value) => value === null);
      if (!isFull(error) || !onlyRemovals) throw error;
      this.#commitToReserve(last);
    }
  }

  /** What is wrong with the stored data: nothing, unless something broke SQLite's promises. */
  check(): string[] {
    return this.#withSession((session) => session.check());
  }

  /** Most heap that SQLite has had at once, everything that this store keeps in memory included. */
  heapPeakBytes(): number {
    const { capi, wasm } = this.#engine.sqlite3;
    const scope = wasm.scopedAllocPush();
    try {
      const current = wasm.scopedAlloc(16);
      capi.sqlite3_status64(capi.SQLITE_STATUS_MEMORY_USED, current, current + 8, 0);
      return Number(wasm.peek(current + 8, 'i64'));
    } finally {
      wasm.scopedAllocPop(scope);
    }
  }

  /** Moves everything into the main file. The next call opens it again. */
  close(): void {
    this.#session?.close();
    this.#session = undefined;
    this.#vfs.takeFault();
  }

  #open(reserve: boolean): Session {
    const reservePages = reserve ? 0 : Math.ceil(this.#pagesMax / 32);
    return new Session(this.#engine.sqlite3, {
      ...this.#tuning,
      vfs: this.#vfs.name,
      pagesMax: this.#pagesMax - reservePages,
      heapBytesMax: this.#heapBytesMax,
    });
  }

  /** Removals need some room before they give room back: the reserve, which only they may use. */
  #commitToReserve(changes: ReadonlyMap<string, null | Value>): void {
    this.close();
    this.#withSession((session) => session.commit(changes, true), true);
    this.close();
  }

  #withSession<T>(work: (session: Session) => T, reserve = false): T {
    try {
      this.#session ??= this.#open(reserve);
      const result = work(this.#session);
      this.#throwIfOff(this.#vfs.takeFault());
      return result;
    } catch (error) {
      const fault = this.#vfs.takeFault();
      this.close();
      this.#throwIfOff(fault);
      throw this.#translated(fault ?? error);
    }
  }

  /**
   * A StorageError of the files reached SQLite as a result code, which it answered or may ignore
   * (a checkpoint that failed after a commit). Anything else means that the device is off.
   */
  #throwIfOff(fault: unknown): void {
    if (fault !== undefined && !(fault instanceof StorageError)) throw fault;
  }

  #translated(error: unknown): unknown {
    const { capi, SQLite3Error, WasmAllocError } = this.#engine.sqlite3;
    if (error instanceof WasmAllocError) return new StorageError('failed', 'no memory', error);
    if (!(error instanceof SQLite3Error)) return error;
    const full = (error.resultCode & 0xff) === capi.SQLITE_FULL;
    return new StorageError(full ? 'full' : 'failed', error.message, error);
  }
}

const UNLIMITED_BYTES = 2 ** 40;

function isFull(error: unknown): boolean {
  return error instanceof StorageError && error.code === 'full';
}
