// One open database: an ordered key-value store laid out for flash. Rows are only appended, and
// the index that orders them is written rarely (README.md has the figures).
//
//   kv(id, k, v)       every change as a row, in the order of arrival; v is NULL for a removal
//   idx(k, ref)        the index: one entry a key, as it was at the last merge
//   ram.tail(k, ref)   in memory: the keys changed since then; an entry hides that of idx
//   ram.dead(id)       in memory: rows that a later change of the same key made worthless
//
// A merge moves the tail into idx in key order and deletes dead rows, inside a commit.
// `user_version` is the last id that was merged: opening reads the rows after it into the tail.
// After a call that threw, a session can only be closed: memory is not rolled back, flash is.

import type { Database, PreparedStatement, Sqlite3Static } from '@sqlite.org/sqlite-wasm';
import type { ScanRange, Value } from '../ports.ts';
import { StorageError } from '../storage-rules.ts';

export interface SessionOptions {
  readonly vfs: string;
  /** Pages that the database file may have. */
  readonly pagesMax: number;
  /** Size of the tail, in bytes of keys and entries, that starts a merge. */
  readonly tailBytesMax: number;
  /** Pages in the write-ahead log that start a checkpoint. */
  readonly checkpointPages: number;
  /** SQLite's page cache. */
  readonly cacheKiB: number;
  /** SQLite's whole heap; 0 for no limit. */
  readonly heapBytesMax: number;
}

export class Session {
  readonly #db: Database;
  readonly #tailBytesMax: number;
  readonly #statements: Record<keyof typeof STATEMENTS, PreparedStatement>;
  #nextId: number;
  #tailBytes = 0;

  constructor(sqlite3: Sqlite3Static, options: SessionOptions) {
    this.#tailBytesMax = options.tailBytesMax;
    this.#db = new sqlite3.oo1.DB({ filename: 'store', flags: 'c', vfs: options.vfs });
    try {
      this.#db.exec(configuration(options));
      this.#prepareLayout();
      this.#statements = prepareAll(this.#db);
      this.#nextId = this.#readTail();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  get(key: string): Value | null {
    const ref = this.#first('ref', [key]);
    return typeof ref === 'number' ? this.#value(ref) : null;
  }

  scan({ from, to, limit, reverse = false }: ScanRange): [key: string, value: Value][] {
    const entries: [string, Value][] = [];
    const statement = this.#statements[reverse ? 'backward' : 'forward'].bind([from, to]);
    try {
      let previous: unknown;
      while (entries.length < limit && statement.step()) {
        const [key, ref] = statement.get([]) as [string, number];
        // The tail's entry of a key comes first and hides the older one.
        const value = key === previous ? null : this.#value(ref);
        previous = key;
        if (value !== null) entries.push([key, value]);
      }
    } finally {
      statement.reset(true);
    }
    return entries;
  }

  /** All changes, durably, or none. `mergeNow` frees the room of dead rows in the same commit. */
  commit(changes: ReadonlyMap<string, Value | null>, mergeNow: boolean): void {
    this.#run('begin');
    for (const [key, value] of changes) {
      const id = this.#nextId++;
      this.#run('append', [id, key, value]);
      this.#stage(key, id, value === null ? REMOVAL : value === '' ? EMPTY_TEXT : ROW);
    }
    if (mergeNow || this.#tailBytes > this.#tailBytesMax) this.#merge();
    this.#run('commit');
  }

  /** Checks every page, and that index and rows agree; returns what is wrong with them. */
  check(): string[] {
    const problems = this.#db.selectValues('PRAGMA main.integrity_check').filter((x) => x !== 'ok');
    return [...problems, ...this.#db.selectValues(ORPHANS)].map(String);
  }

  /** Gives back all memory; what was not committed is lost. Never throws. */
  close(): void {
    this.#db.close();
  }

  /** Creates the tables in a new file; refuses a file of another layout. */
  #prepareLayout(): void {
    const layout = this.#db.selectValue('PRAGMA application_id');
    if (layout === 0) this.#db.exec(CREATE);
    else if (layout !== LAYOUT) throw new StorageError('failed', `storage layout ${layout}`);
    this.#db.exec(CREATE_TAIL);
  }

  /** Rebuilds the tail from the rows that no merge has seen; returns the first free id. */
  #readTail(): number {
    let last = Number(this.#db.selectValue('PRAGMA user_version'));
    const rows = this.#db.prepare(UNMERGED).bind(last);
    try {
      while (rows.step()) {
        const [id, key, kind] = rows.get([]) as [number, string, number];
        this.#stage(key, id, kind);
        last = id;
      }
    } finally {
      rows.finalize();
    }
    return last + 1;
  }

  #stage(key: string, id: number, kind: number): void {
    const hidden = this.#first('staged', [key]);
    if (typeof hidden === 'number') this.#run('bury', [idOf(hidden)]);
    this.#run('stage', [key, id * KINDS + kind]);
    this.#tailBytes += key.length + TAIL_ENTRY_BYTES;
  }

  #merge(): void {
    this.#db.exec(MERGE);
    this.#db.exec(`PRAGMA main.user_version=${this.#nextId - 1}`);
    this.#tailBytes = 0;
  }

  #value(ref: number): Value | null {
    if (ref % KINDS === REMOVAL) return null;
    if (ref % KINDS === EMPTY_TEXT) return '';
    const statement = this.#statements.row.bind([idOf(ref)]);
    try {
      if (!statement.step()) throw new StorageError('failed', 'the index names a row that is gone');
      const bytes = statement.getBlob(0) ?? new Uint8Array(0);
      return statement.getInt(1) === 1 ? utf8.decode(bytes) : bytes;
    } finally {
      statement.reset(true);
    }
  }

  #first(name: keyof typeof STATEMENTS, parameters: (string | number)[]): unknown {
    const statement = this.#statements[name].bind(parameters);
    try {
      return statement.step() ? statement.get(0) : undefined;
    } finally {
      statement.reset(true);
    }
  }

  #run(name: keyof typeof STATEMENTS, parameters: (Value | number | null)[] = []): void {
    const statement = this.#statements[name];
    if (parameters.length > 0) statement.bind(parameters);
    statement.step();
    statement.reset(true);
  }
}

// A reference to a row: its id and what it holds, so that most reads need not look at the row.
const KINDS = 4;
const ROW = 0;
const EMPTY_TEXT = 1;
const REMOVAL = 2;

function idOf(ref: number): number {
  return Math.floor(ref / KINDS);
}

/** What an entry of the tail costs beside its key. */
const TAIL_ENTRY_BYTES = 16;

/** Marks the files of this layout. */
const LAYOUT = 0x6b7431;

// The locking mode comes first: without shared memory, a log is only opened under EXCLUSIVE.
// EXTRA makes the switch to the log itself durable; afterwards FULL syncs once a commit.
function configuration(options: SessionOptions): string {
  return `
    PRAGMA locking_mode=EXCLUSIVE;
    PRAGMA synchronous=EXTRA;
    PRAGMA page_size=4096;
    PRAGMA journal_mode=WAL;
    PRAGMA synchronous=FULL;
    PRAGMA temp_store=MEMORY;
    PRAGMA cache_size=-${options.cacheKiB};
    PRAGMA wal_autocheckpoint=${options.checkpointPages};
    PRAGMA max_page_count=${options.pagesMax};
    PRAGMA hard_heap_limit=${options.heapBytesMax};`;
}

const CREATE = `
  BEGIN;
  CREATE TABLE main.kv(id INTEGER PRIMARY KEY, k TEXT NOT NULL, v);
  CREATE TABLE main.idx(k TEXT PRIMARY KEY, ref INTEGER NOT NULL) WITHOUT ROWID;
  PRAGMA main.application_id=${LAYOUT};
  COMMIT;`;

// No journal: it would double the memory of a commit, and a failed commit ends the session anyway.
const CREATE_TAIL = `
  ATTACH ':memory:' AS ram;
  PRAGMA ram.journal_mode=OFF;
  CREATE TABLE ram.tail(k TEXT PRIMARY KEY, ref INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE ram.dead(id INTEGER PRIMARY KEY);`;

const UNMERGED = `
  SELECT id, k, CASE WHEN v IS NULL THEN ${REMOVAL}
                     WHEN typeof(v) = 'text' AND octet_length(v) = 0 THEN ${EMPTY_TEXT}
                     ELSE ${ROW} END
  FROM main.kv WHERE id > ? ORDER BY id`;

// OR FAIL: no conflict can happen, and with the default SQLite would keep a copy of every page
// that the statement changes, in memory.
const MERGE = `
  INSERT INTO ram.dead SELECT idx.ref / ${KINDS} FROM ram.tail CROSS JOIN main.idx USING (k);
  INSERT INTO ram.dead SELECT ref / ${KINDS} FROM ram.tail WHERE ref % ${KINDS} = ${REMOVAL};
  DELETE FROM main.idx WHERE k IN (SELECT k FROM ram.tail);
  INSERT OR FAIL INTO main.idx
    SELECT k, ref FROM ram.tail WHERE ref % ${KINDS} <> ${REMOVAL} ORDER BY k;
  DELETE FROM main.kv WHERE id IN (SELECT id FROM ram.dead);
  DELETE FROM ram.tail;
  DELETE FROM ram.dead;`;

const ORPHANS = `
  SELECT 'no row for ' || k FROM (SELECT * FROM main.idx UNION ALL SELECT * FROM ram.tail)
  WHERE ref / ${KINDS} NOT IN (SELECT id FROM main.kv)`;

const range = (order: string) => `
  SELECT k, ref, 0 AS age FROM ram.tail WHERE k >= ?1 AND k < ?2 UNION ALL
  SELECT k, ref, 1 FROM main.idx WHERE k >= ?1 AND k < ?2 ORDER BY ${order}, age`;

const STATEMENTS = {
  begin: 'BEGIN IMMEDIATE',
  commit: 'COMMIT',
  append: 'INSERT INTO main.kv VALUES (?, ?, ?)',
  staged: 'SELECT ref FROM ram.tail WHERE k = ?',
  stage: 'INSERT OR REPLACE INTO ram.tail VALUES (?, ?)',
  bury: 'INSERT INTO ram.dead VALUES (?)',
  ref: `SELECT coalesce((SELECT ref FROM ram.tail WHERE k = ?1),
                        (SELECT ref FROM main.idx WHERE k = ?1))`,
  row: `SELECT v, typeof(v) = 'text' FROM main.kv WHERE id = ?`,
  forward: range('k'),
  backward: range('k DESC'),
};

function prepareAll(db: Database): Record<keyof typeof STATEMENTS, PreparedStatement> {
  const prepared = Object.entries(STATEMENTS).map(([name, sql]) => [name, db.prepare(sql)]);
  return Object.fromEntries(prepared);
}

// A text may begin with U+FEFF.
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
