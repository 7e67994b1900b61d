// One open database: an ordered key-value store laid out for flash. Rows are only appended, and
// the index that orders them is written rarely (README.md has the figures).
//
//   kv(id, k, v)       every change, in the order of arrival; v is NULL for a removal
//   old, young(k, ref) the index as it was at the last merge: where the value of a key is
//   ram.tail(k, ref)   in memory: the keys changed since then; an entry hides that of the index
//   ram.dead(ref)      in memory: what a later change of the same key made worthless
//
// A merge moves the tail into `young` in key order and deletes dead rows, inside a commit; when
// `young` has become large, it moves into `old` in the same way. No key is in both.
// `user_version` is the last id that was merged: opening reads the rows after it into the tail.
// After a call that threw, a session can only be closed: memory is not rolled back, flash is.
// The rows alone say everything: the index can be made again from them (rebuild.ts).

import type { Database, Sqlite3Static } from '@sqlite.org/sqlite-wasm';
import type { ScanRange, Value } from '../ports.ts';
import { StorageError } from '../storage-rules.ts';
import { leaveLog, mendLog, openDatabase, type Place, pieceOf, reserveSums } from './database.ts';
import {
  decodeReference,
  encodeReference,
  firstOf,
  join,
  Kind,
  kindOf,
  kindOfValue,
  lastOf,
  type Reference,
  split,
} from './reference.ts';
import { UNSEALED_LAYOUT } from './sealed-files.ts';
import { type Parameter, type Statement, Statements } from './statement.ts';

export interface SessionOptions extends Place {
  /** Pages that the database file may have. */
  readonly pagesMax: number;
  /** Size of the tail, in bytes of keys and entries, that starts a merge. */
  readonly tailBytesMax: number;
  /** Entries of the young index that move it into the old one. */
  readonly youngEntriesMax: number;
  /** Pages in the write-ahead log that start a checkpoint. */
  readonly checkpointPages: number;
  /** SQLite's page cache. */
  readonly cacheKiB: number;
  /** SQLite's whole heap; 0 for no limit. */
  readonly heapBytesMax: number;
}

export class Session {
  readonly #sqlite3: Sqlite3Static;
  #db: Database;
  readonly #options: SessionOptions;
  #statements: Statements;
  readonly #prepared = new Map<Name, Statement>();
  #nextId: number;
  #tailBytes = 0;
  /** At most so many; counted when it is first needed. */
  #youngEntries: number | undefined;
  #patienceNow = 1;

  constructor(sqlite3: Sqlite3Static, options: SessionOptions) {
    this.#sqlite3 = sqlite3;
    this.#options = options;
    this.#db = openDatabase(sqlite3, options);
    this.#statements = new Statements(sqlite3, this.#db);
    try {
      this.#configure();
      this.#prepareLayout();
      this.#nextId = this.#readTail();
    } catch (error) {
      this.abandon();
      throw error;
    }
  }

  get(key: string): Value | null {
    const code = this.#first('find', [key]);
    return code === NO_REFERENCE ? null : this.#value(code);
  }

  scan(range: ScanRange): string[] {
    return this.#references(range).map(([key]) => key);
  }

  entries(range: ScanRange): [key: string, value: Value][] {
    return this.#references(range).map(([key, code]) => [key, this.#value(code) ?? '']);
  }

  #references({ from, to, limit, reverse = false }: ScanRange): [key: string, code: number][] {
    const found: [string, number][] = [];
    const statement = this.#statement(reverse ? 'backward' : 'forward').bind([from, to]);
    try {
      let previous: unknown;
      while (found.length < limit && statement.step()) {
        const key = statement.text(0);
        const code = statement.number(1);
        // The tail's entry of a key comes first and hides the older one.
        const isThere = key !== previous && decodeReference(code).kind !== Kind.removal;
        previous = key;
        if (isThere) found.push([key, code]);
      }
    } finally {
      statement.reset();
    }
    return found;
  }

  /** All changes, durably, or none. `mergeNow` frees the room of dead rows in the same commit. */
  commit(changes: ReadonlyMap<string, Value | null>, mergeNow: boolean): void {
    const tailBytesMax = this.#patience(changes.size) * this.#options.tailBytesMax;
    this.#run('begin');
    for (const [key, value] of changes) {
      const first = this.#nextId;
      // Only the first row has the key: the others belong to it.
      for (const piece of value === null ? [null] : split(value)) {
        this.#run('append', [this.#nextId, this.#nextId === first ? key : '', piece]);
        this.#nextId++;
      }
      this.#stage(key, { kind: kindOfValue(value), first, last: this.#nextId - 1 });
      if (this.#tailBytes > tailBytesMax) this.#merge();
    }
    if (mergeNow) this.#merge();
    this.#run('commit');
  }

  /** Checks every page, and that index and rows agree; returns what is wrong with them. */
  check(): string[] {
    const problems = this.#db.selectValues('PRAGMA main.integrity_check').filter((x) => x !== 'ok');
    return [...problems, ...this.#db.selectValues(MISCOUNT)].map(String);
  }

  /** Gives back all memory; what was not committed is lost. Never throws. */
  close(): void {
    // The package's own close leaves statements behind, and SQLite then keeps the files open.
    this.#statements.close();
    this.#db.close();
  }

  /** As `close`, but the log is left as it is: what is to be read in it may not have been read. */
  abandon(): void {
    leaveLog(this.#sqlite3, this.#db);
    this.close();
  }

  /** A log that damage has cut off is read to its end before anything else is done. */
  #configure(): void {
    reserveSums(this.#sqlite3, this.#db);
    this.#db.exec(configuration(this.#options));
    if (!mendLog(this.#db, this.#options)) return;
    leaveLog(this.#sqlite3, this.#db);
    this.close();
    this.#db = openDatabase(this.#sqlite3, this.#options);
    this.#statements = new Statements(this.#sqlite3, this.#db);
    this.#db.exec(configuration(this.#options));
  }

  /** Creates the tables in a new file; refuses a file of another layout. */
  #prepareLayout(): void {
    const layout = this.#db.selectValue('PRAGMA application_id');
    if (layout === 0) this.#db.exec(CREATE);
    else if (layout !== LAYOUT && layout !== UNSEALED_LAYOUT) {
      throw new StorageError('failed', `storage layout ${layout} is not known`);
    }
    this.#db.exec(CREATE_TAIL);
  }

  /** Rebuilds the tail from the rows that no merge has seen; returns the first free id. */
  #readTail(): number {
    let last = Number(this.#db.selectValue('PRAGMA user_version'));
    const rows = this.#statements.prepare(UNMERGED).bind([last]);
    let pending: [key: string, kind: Kind, first: number] | undefined;
    const stagePending = () => {
      if (pending === undefined) return;
      const [key, kind, first] = pending;
      this.#stage(key, { kind, first, last });
    };
    try {
      while (rows.step()) {
        const id = rows.number(0);
        const key = rows.text(1);
        if (key !== '') {
          stagePending();
          pending = [key, rows.number(2) as Kind, id];
        }
        last = id;
      }
      stagePending();
    } finally {
      rows.finalize();
    }
    return last + 1;
  }

  #stage(key: string, reference: Reference): void {
    const code = encodeReference(reference);
    this.#run('stage', [key, code]);
    if (this.#statements.changes() === 0) {
      this.#run('bury', [this.#first('staged', [key])]);
      this.#run('restage', [key, code]);
    }
    this.#tailBytes += key.length + TAIL_ENTRY_BYTES;
  }

  /** Leaves merges and checkpoints to the commits that take long anyway, while there is room. */
  #patience(changes: number): number {
    const patience = changes < BULK_CHANGES ? PATIENCE : 1;
    if (patience !== this.#patienceNow) {
      const pages = Math.round(this.#options.checkpointPages * patience);
      this.#db.exec(`PRAGMA wal_autocheckpoint=${pages}`);
      this.#patienceNow = patience;
    }
    return patience;
  }

  // Row by row where SQLite would collect a list of all rows to delete, in memory, before it began.
  #merge(): void {
    this.#youngEntries ??= this.#first('countYoung');
    for (const age of ['Young', 'Old'] as const) {
      this.#each(`outdated${age}`, (row) => {
        this.#run('bury', [row.number(0)]);
        this.#run(`unindex${age}`, [row.text(1)]);
      });
    }
    this.#run('buryRemovals');
    this.#run('index');
    this.#youngEntries += this.#statements.changes();
    if (this.#youngEntries > this.#options.youngEntriesMax) this.#ageYoung();
    this.#eraseDead();
    this.#db.exec(EMPTY_TAIL);
    this.#db.exec(`PRAGMA main.user_version=${this.#nextId - 1}`);
    this.#tailBytes = 0;
  }

  /** Rows that follow each other go at once: those of a commit often end together. */
  #eraseDead(): void {
    let [begin, end] = [0, -1];
    this.#each('dead', (row) => {
      const { first, last } = decodeReference(row.number(0));
      if (first !== end + 1) {
        this.#run('erase', [begin, end]);
        begin = first;
      }
      end = last;
    });
    this.#run('erase', [begin, end]);
  }

  #ageYoung(): void {
    this.#run('age');
    this.#db.exec('DELETE FROM main.young');
    this.#youngEntries = 0;
  }

  #value(code: number): Value | null {
    const { kind, first, last } = decodeReference(code);
    if (kind === Kind.removal) return null;
    if (kind === Kind.emptyText) return '';
    const statement = this.#statement('rows').bind([first, last]);
    const pieces: Value[] = [];
    try {
      while (statement.step()) pieces.push(pieceOf(statement));
    } finally {
      statement.reset();
    }
    if (pieces.length === last - first + 1) return join(pieces);
    throw new StorageError('damaged', 'the index names a row that is not there');
  }

  /** Prepared when it is first needed: most boots need few. */
  #statement(name: Name): Statement {
    const statement = this.#prepared.get(name) ?? this.#statements.prepare(STATEMENTS[name]);
    this.#prepared.set(name, statement);
    return statement;
  }

  #each(name: Name, use: (row: Statement) => void): void {
    const statement = this.#statement(name);
    try {
      while (statement.step()) use(statement);
    } finally {
      statement.reset();
    }
  }

  /** The number that a statement answers; 0 for none. */
  #first(name: Name, parameters: readonly Parameter[] = []): number {
    const statement = this.#statement(name).bind(parameters);
    try {
      return statement.step() ? statement.number(0) : 0;
    } finally {
      statement.reset();
    }
  }

  #run(name: Name, parameters: readonly Parameter[] = []): void {
    const statement = this.#statement(name).bind(parameters);
    statement.step();
    statement.reset();
  }
}

/** References begin with the first row. */
const NO_REFERENCE = 0;

/** What an entry of the tail costs beside its key. */
const TAIL_ENTRY_BYTES = 16;

/** A commit of fewer changes is somebody's single change: it lets tail and log grow a bit more. */
const BULK_CHANGES = 64;
const PATIENCE = 1.125;

/** Marks the files of this layout. */
const LAYOUT = 0x6b7443;

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
  CREATE TABLE main.young(k TEXT PRIMARY KEY, ref INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE main.old(k TEXT PRIMARY KEY, ref INTEGER NOT NULL) WITHOUT ROWID;
  PRAGMA main.application_id=${LAYOUT};
  COMMIT;`;

// No journal: it would double the memory of a commit, and a failed commit ends the session anyway.
const CREATE_TAIL = `
  ATTACH ':memory:' AS ram;
  PRAGMA ram.journal_mode=OFF;
  CREATE TABLE ram.tail(k TEXT PRIMARY KEY, ref INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE ram.dead(ref INTEGER PRIMARY KEY);`;

const UNMERGED = `
  SELECT id, k, CASE WHEN v IS NULL THEN ${Kind.removal}
                     WHEN typeof(v) = 'text' AND octet_length(v) = 0 THEN ${Kind.emptyText}
                     ELSE ${Kind.rows} END
  FROM main.kv WHERE id > ? ORDER BY id`;

const EMPTY_TAIL = 'DELETE FROM ram.tail; DELETE FROM ram.dead;';

// Every row is named once: by the index, by the tail, or as dead.
const REFERENCES = `
  SELECT ref FROM main.young UNION ALL SELECT ref FROM main.old UNION ALL
  SELECT ref FROM ram.tail UNION ALL SELECT ref FROM ram.dead`;
const MISCOUNT = `
  SELECT rows || ' rows, ' || named || ' named' FROM (
    SELECT (SELECT count(*) FROM main.kv) AS rows,
           (SELECT count(*) FROM (${REFERENCES}) CROSS JOIN main.kv
            ON id BETWEEN ${firstOf('ref')} AND ${lastOf('ref')}) AS named)
  WHERE rows <> named`;

const range = (order: string) => `
  SELECT k, ref, 0 AS age FROM ram.tail WHERE k >= ?1 AND k < ?2 UNION ALL
  SELECT k, ref, 1 FROM main.young WHERE k >= ?1 AND k < ?2 UNION ALL
  SELECT k, ref, 1 FROM main.old WHERE k >= ?1 AND k < ?2 ORDER BY ${order}, age`;

const STATEMENTS = {
  begin: 'BEGIN IMMEDIATE',
  commit: 'COMMIT',
  append: 'INSERT INTO main.kv VALUES (?, ?, ?)',
  stage: 'INSERT INTO ram.tail VALUES (?, ?) ON CONFLICT DO NOTHING',
  staged: 'SELECT ref FROM ram.tail WHERE k = ?',
  restage: 'UPDATE ram.tail SET ref = ?2 WHERE k = ?1',
  bury: 'INSERT INTO ram.dead VALUES (?)',
  countYoung: 'SELECT count(*) FROM main.young',
  outdatedYoung: 'SELECT young.ref, k FROM ram.tail CROSS JOIN main.young USING (k)',
  outdatedOld: 'SELECT old.ref, k FROM ram.tail CROSS JOIN main.old USING (k)',
  unindexYoung: 'DELETE FROM main.young WHERE k = ?',
  unindexOld: 'DELETE FROM main.old WHERE k = ?',
  buryRemovals: `INSERT INTO ram.dead SELECT ref FROM ram.tail
                 WHERE ${kindOf('ref')} = ${Kind.removal}`,
  // OR FAIL: no conflict is possible, and with the default SQLite would keep a copy of every page
  // that the statement changes, in memory.
  index: `INSERT OR FAIL INTO main.young SELECT k, ref FROM ram.tail
          WHERE ${kindOf('ref')} <> ${Kind.removal} ORDER BY k`,
  age: 'INSERT OR FAIL INTO main.old SELECT k, ref FROM main.young ORDER BY k',
  dead: 'SELECT ref FROM ram.dead ORDER BY ref',
  erase: 'DELETE FROM main.kv WHERE id BETWEEN ? AND ?',
  find: `SELECT coalesce((SELECT ref FROM ram.tail WHERE k = ?1),
                         (SELECT ref FROM main.young WHERE k = ?1),
                         (SELECT ref FROM main.old WHERE k = ?1))`,
  rows: `SELECT v, typeof(v) = 'text' FROM main.kv WHERE id BETWEEN ? AND ? ORDER BY id`,
  forward: range('k'),
  backward: range('k DESC'),
};

type Name = keyof typeof STATEMENTS;
