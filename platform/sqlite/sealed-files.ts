// Files for SQLite in which damage shows. Every page of a database file ends in a sum (checksum.ts)
// that is made when it is written and checked when it is read: one flipped bit is put right where
// it can be told which, and any other page that does not prove itself is an error, `damaged`,
// whatever it holds. A log has sums of its own; log.ts looks at where SQLite ended it. A database
// from before the sums is read and written as it is. Never changes what it has not been asked to
// write.

import { StorageError } from '../storage-rules.ts';
import type { BlockFile, BlockFiles } from './block-files.ts';
import { isSealed, mendedPage, PAGE_BYTES, SUM_BYTES, sealPage } from './checksum.ts';
import { examineLog, type LoggedPages, loggedPages, type Mended } from './log.ts';

/**
 * How a damaged database is read nevertheless: with the pages of its log in it, and as if it had no
 * log.
 */
export interface Salvage {
  readonly name: string;
  /** Read in place of its first page. */
  readonly firstPage: Uint8Array;
  /**
   * Grows with every damaged page that is read, as one with a single row of id 0, and with every
   * other loss.
   */
  losses: number;
}

interface Salvaged extends Salvage {
  readonly log: BlockFile | null;
  readonly logged: LoggedPages;
}

export class SealedFiles implements BlockFiles {
  #salvage: Salvaged | null = null;
  readonly #files: BlockFiles;
  readonly #databases = new Map<string, Database>();
  readonly #logs = new Map<string, BlockFile>();
  readonly #logMended = new Map<string, Map<number, Uint8Array>>();
  #pagesSummed = 0;

  constructor(files: BlockFiles) {
    this.#files = files;
  }

  /** Sums of pages that were made or checked so far. */
  get pagesSummed(): number {
    return this.#pagesSummed;
  }

  open(name: string, create: boolean): BlockFile | null {
    const file = this.#files.open(name, create);
    if (file === null || name.endsWith('-journal')) return file;
    if (name.endsWith(LOG)) {
      this.#logs.set(name, file);
      return this.#logOf(name, file);
    }
    const salvage = this.#salvage?.name === name ? this.#salvage : null;
    const database = { file, isSealed: salvage ? hasSealed(file) : !isUnsealed(file), salvage };
    if (salvage !== null) salvage.firstPage[RESERVED_AT] = database.isSealed ? SUM_BYTES : 0;
    this.#databases.set(name, database);
    return this.#databaseOf(database);
  }

  exists(name: string): boolean {
    if (this.#salvage !== null && name.startsWith(`${this.#salvage.name}-`)) return false;
    return this.#files.exists(name);
  }

  remove(name: string): void {
    this.#files.remove(name);
    this.#logMended.delete(name);
  }

  rename(from: string, to: string): void {
    this.#files.rename(from, to);
  }

  /** Whether an open database has no sums: it is of before. */
  isUnsealed(name: string): boolean {
    return this.#databases.get(name)?.isSealed === false;
  }

  /**
   * Looks at the log of an open database. True: more can be read than SQLite has taken, once the
   * database is opened again. Errors: `StorageError` `damaged`, when commits are lost that were
   * acknowledged.
   */
  mendLog(name: string): boolean {
    const log = this.#logs.get(name + LOG);
    const database = this.#databases.get(name);
    if (log === undefined || database === undefined || this.#logMended.has(name + LOG))
      return false;
    const { mended, isLost } = examineLog(log, (number) => pageAt(database.file, number));
    if (isLost) throw new StorageError('damaged', 'the log has lost commits');
    if (mended.size > 0) this.#logMended.set(name + LOG, new Map(mended));
    return mended.size > 0;
  }

  /**
   * From now on the database is read as `Salvage` says; `endSalvage` is to be called. It must not
   * be open.
   */
  beginSalvage(name: string, firstPage: Uint8Array): Salvage {
    const log = this.#files.open(name + LOG, false);
    const salvage: Salvage = { name, firstPage, losses: 0 };
    if (log === null) {
      const logged = { offsets: new Map(), pageCount: 0 };
      this.#salvage = Object.assign(salvage, { log, logged });
      return salvage;
    }
    const file = this.#files.open(name, false);
    const { mended, isLost } = examineLog(log, (number) => file && pageAt(file, number));
    file?.close();
    this.#logMended.set(name + LOG, new Map(mended));
    if (isLost) salvage.losses++;
    const logged = loggedPages(this.#logOf(name + LOG, log));
    this.#salvage = Object.assign(salvage, { log: this.#logOf(name + LOG, log), logged });
    return salvage;
  }

  endSalvage(): void {
    this.#salvage?.log?.close();
    this.#salvage = null;
  }

  #databaseOf(database: Database): BlockFile {
    const { file, isSealed: sealed, salvage } = database;
    const checked = (number: number): Uint8Array | null => {
      if (salvage !== null && number === 1) return salvage.firstPage;
      const logged = salvage?.logged.offsets.get(number);
      const page = logged === undefined ? pageAt(file, number) : pageIn(salvage, logged);
      if (page === null && logged === undefined) return null;
      if (page !== null && (logged !== undefined || !sealed)) return page;
      this.#pagesSummed++;
      if (page !== null && isSealed(page, number)) return page;
      const mended = page && this.#mended(page, number);
      if (mended !== null) return mended;
      if (salvage === null) throw damagedPage(number);
      salvage.losses++;
      return FILLER;
    };
    /** As SQLite reads nearly always, and without a copy. */
    const readPage = (into: Uint8Array, offset: number): number => {
      const length = file.read(into, offset);
      if (length < PAGE_BYTES || !sealed) return length;
      this.#pagesSummed++;
      const number = offset / PAGE_BYTES + 1;
      if (isSealed(into, number)) return length;
      const mended = this.#mended(into, number);
      if (mended === null) throw damagedPage(number);
      into.set(mended);
      return length;
    };
    const readHeader = (into: Uint8Array, offset: number): number => {
      const page = sealed && salvage === null && offset === 0 ? pageAt(file, 1) : null;
      this.#pagesSummed += page === null ? 0 : 1;
      const mended = page !== null && !isSealed(page, 1) ? this.#mended(page, 1) : null;
      if (mended === null) return file.read(into, offset);
      into.set(mended.subarray(0, into.length));
      return into.length;
    };
    return {
      ...file,
      size: () => (salvage?.logged.pageCount ?? 0) * PAGE_BYTES || file.size(),
      read(into, offset) {
        // SQLite's first look, before it knows whether a journal or a log has a better page.
        if (into.length <= HEADER_BYTES) return readHeader(into, offset);
        if (salvage === null && into.length === PAGE_BYTES && offset % PAGE_BYTES === 0) {
          return readPage(into, offset);
        }
        const first = Math.floor(offset / PAGE_BYTES);
        const last = Math.floor((offset + into.length - 1) / PAGE_BYTES);
        for (let index = first; index <= last; index++) {
          const page = checked(index + 1);
          // The end of the file.
          if (page === null) return file.read(into, offset);
          const at = index * PAGE_BYTES - offset;
          into.set(page.subarray(Math.max(0, -at), into.length - at), Math.max(0, at));
        }
        return into.length;
      },
      write: (bytes, offset) => {
        if (!sealed) return file.write(bytes, offset);
        const pages = bytes.slice();
        for (let at = 0; at < pages.length; at += PAGE_BYTES) {
          this.#pagesSummed++;
          sealPage(pages.subarray(at, at + PAGE_BYTES), (offset + at) / PAGE_BYTES + 1);
        }
        file.write(pages, offset);
      },
    };
  }

  /** It is right in what is read of it; on the flash, when it is written next. */
  #mended(page: Uint8Array, number: number): Uint8Array | null {
    this.#pagesSummed += SUMS_OF_MENDING;
    return mendedPage(page, number);
  }

  /**
   * What was found to be right about a log is read in place of what it holds, until that is written
   * over.
   */
  #logOf(name: string, file: BlockFile): BlockFile {
    return {
      ...file,
      read: (into, offset) => {
        const length = file.read(into, offset);
        for (const [start, bytes] of this.#logMended.get(name) ?? NOTHING) {
          const from = Math.max(start, offset);
          const to = Math.min(start + bytes.length, offset + length);
          if (from < to) into.set(bytes.subarray(from - start, to - start), from - offset);
        }
        return length;
      },
      write: (bytes, offset) => {
        // A new log begins with its header, and then nothing of the old one is read any more.
        if (offset === 0) this.#logMended.delete(name);
        for (const [start, { length }] of this.#logMended.get(name) ?? NOTHING) {
          if (start < offset + bytes.length && offset < start + length) {
            this.#logMended.get(name)?.delete(start);
          }
        }
        file.write(bytes, offset);
      },
    };
  }
}

const LOG = '-wal';
const SUMS_OF_MENDING = 3;
const NOTHING: Mended = new Map();

interface Database {
  readonly file: BlockFile;
  readonly isSealed: boolean;
  readonly salvage: Salvaged | null;
}

function damagedPage(number: number): StorageError {
  return new StorageError('damaged', `page ${number} is damaged`);
}

function pageIn(salvage: Salvaged | null, offset: number | null): Uint8Array | null {
  const page = new Uint8Array(PAGE_BYTES);
  return offset === null || !salvage?.log?.read(page, offset) ? null : page;
}

function pageAt(file: BlockFile, number: number): Uint8Array | null {
  const page = new Uint8Array(PAGE_BYTES);
  return file.read(page, (number - 1) * PAGE_BYTES) < PAGE_BYTES ? null : page;
}

/** Marks the databases without sums. */
export const UNSEALED_LAYOUT = 0x6b7432;
const HEADER_BYTES = 100;
/** The first byte of every database. */
const MAGIC = 0x53;
const RESERVED_AT = 20;
const LAYOUT_AT = 68;

/**
 * A database without sums says so in several ways, which no few flipped bits say of one that has
 * them.
 */
function isUnsealed(file: BlockFile): boolean {
  const page = pageAt(file, 1);
  if (page === null || isSealed(page, 1)) return false;
  if (page[0] !== MAGIC || page[RESERVED_AT] !== 0) return false;
  const layout = new DataView(page.buffer).getUint32(LAYOUT_AT);
  // Before its first checkpoint the file has an empty page.
  const isEmpty = layout === 0 && page.subarray(-SUM_BYTES).every((byte) => byte === 0);
  return layout === UNSEALED_LAYOUT || isEmpty;
}

/** Where the first page cannot be trusted, any other tells. */
function hasSealed(file: BlockFile): boolean {
  for (let number = 1; ; number++) {
    const page = pageAt(file, number);
    if (page === null) return number === 1;
    if (isSealed(page, number)) return true;
  }
}

/** A leaf of a table with one row of three columns: (id 0, an empty text, nothing). */
const FILLER = (() => {
  const page = new Uint8Array(PAGE_BYTES);
  const row = [4, 0, 4, 0, 13, 0];
  const rowAt = PAGE_BYTES - SUM_BYTES - row.length;
  page.set([13, 0, 0, 0, 1, rowAt >> 8, rowAt & 0xff, 0, rowAt >> 8, rowAt & 0xff]);
  page.set(row, rowAt);
  return page;
})();
