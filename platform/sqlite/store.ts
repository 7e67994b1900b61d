// The Storage port's work on SQLite, synchronous: what a commit, a full device and a failure mean.
// Promises that a commit is whole and durable or has not happened, and that removals are possible
// when nothing else is. What does not prove itself is an error, `damaged`, until `repair`. After
// any failure the database is closed, and opened again by the next call, just as after a loss of
// power. Never used by two at once. session.ts has the layout.

import type { Change, ScanRange, Value } from '../ports.ts';
import { type CommitLimits, checkKeys, lastChanges, StorageError } from '../storage-rules.ts';
import type { BlockFiles } from './block-files.ts';
import { PAGE_BYTES } from './checksum.ts';
import type { Place } from './database.ts';
import type { Engine } from './engine.ts';
import { rebuild } from './rebuild.ts';
import { SealedFiles } from './sealed-files.ts';
import { Session, type SessionOptions } from './session.ts';
import { installVfs, SECTOR_BYTES, type Vfs } from './vfs.ts';

interface StoreOptions {
  readonly files: BlockFiles;
  /** Salt for SQLite's log; need not be secret. */
  random(count: number): Uint8Array;
  nowMs(): number;
  /** All files together stay under this; no limit without it. */
  readonly quotaBytes?: number;
  /** SQLite's heap stays under this; a commit that needs more fails. No limit without it. */
  readonly heapBytesMax?: number;
  /** Those of a device by default. */
  readonly limits?: CommitLimits;
  /** Overrides of `TUNING`, for measurements and tests. */
  readonly tuning?: Partial<Tuning>;
}

export type Tuning = Omit<SessionOptions, keyof Place | 'pagesMax' | 'heapBytesMax'>;

/** The database; one that is being made; one that is complete and takes the place of the first. */
const STORE = 'store';
const DRAFT = 'store-draft';
const NEXT = 'store-next';

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
  readonly #limits: CommitLimits | undefined;
  readonly #vfs: Vfs;
  readonly #blocks: BlockFiles;
  readonly #files: SealedFiles;
  readonly #quotaBytes: number;
  readonly #pagesMax: number;
  readonly #heapBytesMax: number;
  #session: Session | undefined;
  /** The key that is being read, or that a range begins with. */
  #key: string | undefined;

  /** Opens nothing yet: the first call does. An engine has at most one store. */
  constructor(engine: Engine, options: StoreOptions) {
    this.#quotaBytes = options.quotaBytes ?? UNLIMITED_BYTES;
    const quotaPages = Math.floor(this.#quotaBytes / SECTOR_BYTES);
    // The log's share is its own: a checkpoint can then always finish, however full the device is.
    const logPages = Math.floor(quotaPages / 3);
    this.#engine = engine;
    this.#limits = options.limits;
    const tuning = { ...TUNING, ...options.tuning };
    const checkpointPages = Math.min(tuning.checkpointPages, Math.floor(logPages / 2));
    this.#tuning = { ...tuning, checkpointPages };
    this.#pagesMax = quotaPages - logPages;
    this.#blocks = options.files;
    this.#files = new SealedFiles(options.files);
    this.#vfs = installVfs(engine.sqlite3, {
      ...options,
      files: this.#files,
      logBytesMax: logPages * SECTOR_BYTES,
    });
    this.#heapBytesMax = options.heapBytesMax ?? 0;
  }

  get(keys: readonly string[]): (Value | null)[] {
    checkKeys(keys);
    return this.#withSession((session) =>
      keys.map((key) => {
        this.#key = key;
        return session.get(key);
      }),
    );
  }

  scan(range: ScanRange): string[] {
    return this.#withSession((session) => {
      this.#key = range.from;
      return session.scan(range);
    });
  }

  /** As `scan`, with the values. */
  entries(range: ScanRange): [key: string, value: Value][] {
    return this.#withSession((session) => {
      this.#key = range.from;
      return session.entries(range);
    });
  }

  commit(changes: readonly Change[]): void {
    const last = lastChanges(changes, this.#limits);
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

  /**
   * Makes the database anew from what proves itself. True: all that was ever committed is there.
   * False: some values are lost, a key may have one that it had before, and `ifLost` is committed
   * with it. Errors: `StorageError` `full` when there is no room for a second database, `failed`;
   * then nothing has changed.
   */
  repair(ifLost: readonly Change[]): boolean {
    this.#abandon();
    return this.#translating(() => {
      this.#settleFiles();
      const isWhole = this.#rebuild(ifLost);
      this.#settleFiles();
      return isWhole;
    });
  }

  /** Pages whose sum was made or checked: work that SQLite does not see. */
  get pagesSummed(): number {
    return this.#files.pagesSummed;
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
    this.#settleFiles();
    const session = this.#openNamed(STORE, reserve);
    if (!this.#files.isUnsealed(STORE) || !this.#hasRoomForTwo()) return session;
    session.abandon();
    this.#rebuild();
    this.#settleFiles();
    return this.#openNamed(STORE, reserve);
  }

  #openNamed(name: string, reserve: boolean): Session {
    const reservePages = reserve ? 0 : Math.ceil(this.#pagesMax / 32);
    return new Session(this.#engine.sqlite3, {
      ...this.#tuning,
      ...this.#place(name),
      pagesMax: this.#pagesMax - reservePages,
      heapBytesMax: this.#heapBytesMax,
    });
  }

  #place(name: string): Place {
    return { vfs: this.#vfs.name, files: this.#files, name };
  }

  /**
   * Ends what a loss of power has left half done. A log must never meet another database than its
   * own.
   */
  #settleFiles(): void {
    for (const name of [`${DRAFT}-wal`, `${DRAFT}-journal`, DRAFT]) this.#remove(name);
    if (!this.#files.exists(NEXT)) return;
    for (const name of [`${STORE}-wal`, `${STORE}-journal`]) this.#remove(name);
    this.#files.rename(NEXT, STORE);
  }

  #remove(name: string): void {
    if (this.#files.exists(name)) this.#files.remove(name);
  }

  #hasRoomForTwo(): boolean {
    const sizeOf = (name: string): number => {
      const file = this.#blocks.open(name, false);
      const bytes = file?.size() ?? 0;
      file?.close();
      return bytes;
    };
    // The draft has a log too.
    const logBytes = this.#tuning.checkpointPages * 2 * SECTOR_BYTES;
    return sizeOf(STORE) * 2 + sizeOf(`${STORE}-wal`) * 2 + logBytes < this.#quotaBytes;
  }

  /** Makes `NEXT` of what the database holds. True if that is all of it. */
  #rebuild(ifLost: readonly Change[] = []): boolean {
    const { sqlite3 } = this.#engine;
    let draft = this.#openNamed(DRAFT, true);
    let isWhole: boolean;
    try {
      // What is in the file is what SQLite would read of one.
      draft.close();
      const firstPage = this.#firstPage();
      draft = this.#openNamed(DRAFT, true);
      isWhole = rebuild(sqlite3, this.#place(STORE), firstPage, draft);
      if (!isWhole && ifLost.length > 0) draft.commit(lastChanges(ifLost, this.#limits), false);
    } finally {
      draft.close();
    }
    const fault = this.#vfs.takeFault();
    if (fault !== undefined) throw fault;
    // Closing says nothing when it could not move all of the log into the file.
    if (this.#files.exists(`${DRAFT}-wal`)) throw new StorageError('failed', 'not made anew');
    this.#files.rename(DRAFT, NEXT);
    return isWhole;
  }

  /**
   * Of an empty database: it leaves the number of pages to the file, and reads as one without an
   * index.
   */
  #firstPage(): Uint8Array {
    const page = new Uint8Array(PAGE_BYTES);
    const file = this.#files.open(DRAFT, false);
    file?.read(page, 0);
    file?.close();
    page.fill(0, PAGE_COUNT_AT, PAGE_COUNT_AT + 4);
    page.fill(NO_LOG, MODE_AT, MODE_AT + 2);
    return page;
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
      const translated = this.#translated(fault ?? error);
      // What a damaged database keeps in its log may be all that is left of it.
      if (translated instanceof StorageError && translated.code === 'damaged') this.#abandon();
      else this.close();
      this.#throwIfOff(fault);
      throw translated;
    } finally {
      this.#key = undefined;
    }
  }

  #abandon(): void {
    this.#session?.abandon();
    this.#session = undefined;
    this.#vfs.takeFault();
  }

  #translating<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      const fault = this.#vfs.takeFault();
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
    if (error instanceof StorageError && error.code === 'damaged') {
      return new StorageError('damaged', error.message, error, this.#key);
    }
    if (!(error instanceof SQLite3Error)) return error;
    const code = error.resultCode & 0xff;
    if (code === capi.SQLITE_CORRUPT || code === capi.SQLITE_NOTADB) {
      return new StorageError('damaged', error.message, error, this.#key);
    }
    return new StorageError(code === capi.SQLITE_FULL ? 'full' : 'failed', error.message, error);
  }
}

/** Where a database's first page has the number of all pages. */
const PAGE_COUNT_AT = 28;
/** Where it says how it is written, and that it is written without a log. */
const MODE_AT = 18;
const NO_LOG = 1;
const UNLIMITED_BYTES = 2 ** 40;

function isFull(error: unknown): boolean {
  return error instanceof StorageError && error.code === 'full';
}
