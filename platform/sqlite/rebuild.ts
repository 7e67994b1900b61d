// A database made anew from the rows of another one, damaged or of an older form: what proves
// itself is kept, and the index is made again, for it says nothing that the rows do not say. Rows
// are read in the order of their arrival, so the last one of a key wins; a key whose last value is
// lost has none. One value is in memory at a time, and those of one commit. Reads the old file and
// its log, and leaves both as they are.

import type { Database, Sqlite3Static } from '@sqlite.org/sqlite-wasm';
import type { Value } from '../ports.ts';
import { isKey } from '../storage-rules.ts';
import { openDatabase, type Place, pieceOf } from './database.ts';
import { isFull, join } from './reference.ts';
import type { Salvage } from './sealed-files.ts';
import type { Session } from './session.ts';
import { type Statement, Statements } from './statement.ts';

/** A commit has so many changes, or so many characters and bytes. */
const COMMIT_CHANGES = 200;
const COMMIT_LENGTH = 256 * 1024;

/**
 * Fills `into`, an empty session, from the database at `from`. `firstPage`: what SQLite is to read
 * as its first page.
 * False: some values were lost, or the last commits of all. Errors: those of the files.
 */
export function rebuild(
  sqlite3: Sqlite3Static,
  from: Place,
  firstPage: Uint8Array,
  into: Session,
): boolean {
  const salvage = from.files.beginSalvage(from.name, firstPage);
  let old: Database | undefined;
  let statements: Statements | undefined;
  try {
    old = openDatabase(sqlite3, from);
    old.exec('PRAGMA locking_mode=EXCLUSIVE; PRAGMA cache_size=-96;');
    statements = new Statements(sqlite3, old);
    copyValues(statements, salvage, into);
    return salvage.losses === 0;
  } catch (error) {
    if (!isCorrupt(error)) throw error;
    return false;
  } finally {
    statements?.close();
    old?.close();
    from.files.endSalvage();
  }
}

/** The rows of one value: a key and consecutive ids. */
interface Rows {
  readonly key: string;
  readonly first: number;
  last: number;
  /** Losses before its last row was reached. */
  losses: number;
}

function copyValues(old: Statements, salvage: Salvage, into: Session): void {
  const pieces = old.prepare("SELECT v, typeof(v) = 'text' FROM kv WHERE id = ? AND v IS NOT NULL");
  const changes = new Map<string, Value | null>();
  let length = 0;
  const commit = (): void => {
    into.commit(changes, false);
    changes.clear();
    length = 0;
  };
  const keep = (rows: Rows | null): void => {
    if (rows === null) return;
    const value = readValue(pieces, rows, salvage);
    changes.set(rows.key, value);
    length += rows.key.length + (value?.length ?? 0);
    if (changes.size >= COMMIT_CHANGES || length >= COMMIT_LENGTH) commit();
  };
  let rows: Rows | null = null;
  for (const [id, key] of rowsOf(old, salvage)) {
    if (key === '' && rows !== null && id === rows.last + 1) {
      rows.last = id;
      rows.losses = salvage.losses;
      continue;
    }
    keep(rows);
    rows = null;
    if (isKey(key)) rows = { key, first: id, last: id, losses: salvage.losses };
    else salvage.losses++;
  }
  keep(rows);
  commit();
}

/** All rows by id that can be reached: behind one that cannot, it goes on as near as possible. */
function* rowsOf(old: Statements, salvage: Salvage): Generator<[id: number, key: string]> {
  const rows = old.prepare('SELECT id, k FROM kv WHERE id > ? ORDER BY id');
  let last = 0;
  for (let skip = 0; skip < ID_MAX; skip = skip * 2 + 1) {
    try {
      rows.bind([last + skip]);
      while (rows.step()) {
        const id = rows.number(0);
        // The row of a page that was replaced.
        if (id === 0) continue;
        yield [id, rows.text(1)];
        last = id;
        skip = 0;
      }
      return;
    } catch (error) {
      if (!isCorrupt(error)) throw error;
      salvage.losses++;
      rows.reset();
    }
  }
}

const ID_MAX = 2 ** 43;

/** Null if it is a removal, and if not all of it is there. */
function readValue(statement: Statement, rows: Rows, salvage: Salvage): Value | null {
  const pieces: Value[] = [];
  // A piece that is full may have had another one behind it.
  let isCut = salvage.losses > rows.losses;
  const before = salvage.losses;
  try {
    for (let id = rows.first; id <= rows.last; id++) {
      const piece = statement.bind([id]).step() ? pieceOf(statement) : null;
      if (piece === null && rows.first < rows.last) salvage.losses++;
      if (piece !== null) pieces.push(piece);
      statement.reset();
    }
  } catch (error) {
    statement.reset();
    if (!isCorrupt(error)) throw error;
    salvage.losses++;
  }
  const last = pieces.at(-1);
  isCut &&= last !== undefined && isFull(last);
  return isCut || salvage.losses > before || last === undefined ? null : join(pieces);
}

const CORRUPT = 11;
const NO_DATABASE = 26;

function isCorrupt(error: unknown): boolean {
  const { resultCode } = error as { resultCode?: number };
  return resultCode !== undefined && [CORRUPT, NO_DATABASE].includes(resultCode & 0xff);
}
