// Opening a database file, and what is asked of SQLite that is no SQL. Decides nothing.

import type { Database, Sqlite3Static } from '@sqlite.org/sqlite-wasm';
import type { Value } from '../ports.ts';
import { SUM_BYTES } from './checksum.ts';
import type { SealedFiles } from './sealed-files.ts';
import type { Statement } from './statement.ts';

/** What it takes to open a database file. */
export interface Place {
  readonly vfs: string;
  /** What that file system reads and writes. */
  readonly files: SealedFiles;
  /** The database file. */
  readonly name: string;
}

export function openDatabase(sqlite3: Sqlite3Static, { vfs, name }: Place): Database {
  return new sqlite3.oo1.DB({ filename: name, flags: 'c', vfs });
}

/** Closing moves nothing of the log into the database. */
export function leaveLog({ capi }: Sqlite3Static, db: Database): void {
  if (db.isOpen()) capi.sqlite3_db_config(db, capi.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, 0);
}

/** See `SealedFiles.mendLog`. Changes nothing. */
export function mendLog(db: Database, { files, name }: Place): boolean {
  // Reading anything makes SQLite read its log.
  db.selectValue('PRAGMA application_id');
  return files.mendLog(name);
}

/** Of a row of `v, typeof(v) = 'text'`, which is no removal. */
export function pieceOf(row: Statement): Value {
  return row.number(1) === 1 ? row.text(0) : row.bytes(0);
}

/** Has room for the sum kept at the end of every page of a new file. */
export function reserveSums({ capi, wasm }: Sqlite3Static, db: Database): void {
  const scope = wasm.scopedAllocPush();
  try {
    const bytes = wasm.scopedAlloc(4);
    wasm.poke32(bytes, SUM_BYTES);
    capi.sqlite3_file_control(db, 'main', capi.SQLITE_FCNTL_RESERVE_BYTES, bytes);
  } finally {
    wasm.scopedAllocPop(scope);
  }
}
