// A prepared statement, driven by what SQLite's WebAssembly module exports: a store makes some ten
// calls for a record, and the package's own way to them costs more than they do. A statement takes
// the parameters it is given and keeps none of them past `reset`; what a row gives is a copy.

import type { Database, Sqlite3Static } from '@sqlite.org/sqlite-wasm';
import type { Value } from '../ports.ts';

export type Parameter = Value | number | null;

/** https://sqlite.org/c3ref/funclist.html; pointers are numbers. */
interface Functions {
  sqlite3_bind_blob(at: number, index: number, from: number, bytes: number, free: number): number;
  sqlite3_bind_text(at: number, index: number, from: number, bytes: number, free: number): number;
  sqlite3_bind_int64(at: number, index: number, value: bigint): number;
  sqlite3_bind_null(at: number, index: number): number;
  sqlite3_changes(db: number): number;
  sqlite3_clear_bindings(at: number): number;
  sqlite3_column_blob(at: number, column: number): number;
  sqlite3_column_bytes(at: number, column: number): number;
  sqlite3_column_double(at: number, column: number): number;
  sqlite3_step(at: number): number;
  sqlite3_reset(at: number): number;
}

/** Texts and bytes up to this are handed over in one place, which SQLite copies them from. */
const SCRATCH_BYTES = 4_096;

/** Prepares statements of one database. `close` finalizes them all; the database is to be open. */
export class Statements {
  readonly #sqlite3: Sqlite3Static;
  readonly #db: Database;
  readonly #opened: Statement[] = [];
  #scratch = 0;

  constructor(sqlite3: Sqlite3Static, db: Database) {
    this.#sqlite3 = sqlite3;
    this.#db = db;
  }

  /** Errors: those of SQLite. */
  prepare(sql: string): Statement {
    this.#scratch ||= this.#sqlite3.wasm.alloc(SCRATCH_BYTES);
    const statement = new Statement(this.#sqlite3, this.#db, sql, this.#scratch);
    this.#opened.push(statement);
    return statement;
  }

  /** Rows that the last statement has changed which changes rows. */
  changes(): number {
    const { wasm }: { wasm: { exports: Functions } } = this.#sqlite3;
    return wasm.exports.sqlite3_changes(Number(this.#db.pointer));
  }

  close(): void {
    for (const statement of this.#opened.splice(0)) statement.finalize();
    this.#sqlite3.wasm.dealloc(this.#scratch);
    this.#scratch = 0;
  }
}

class Statement {
  readonly #sqlite3: Sqlite3Static;
  readonly #db: Database;
  readonly #prepared: ReturnType<Database['prepare']>;
  readonly #pointer: number;
  readonly #functions: Functions;
  readonly #scratch: number;
  readonly #hasParameters: boolean;

  constructor(sqlite3: Sqlite3Static, db: Database, sql: string, scratch: number) {
    this.#sqlite3 = sqlite3;
    this.#db = db;
    this.#prepared = db.prepare(sql);
    this.#pointer = Number(this.#prepared.pointer);
    this.#functions = sqlite3.wasm.exports;
    this.#scratch = scratch;
    this.#hasParameters = this.#prepared.parameterCount > 0;
  }

  /** Errors: those of SQLite. */
  bind(parameters: readonly Parameter[]): this {
    for (let at = 0; at < parameters.length; at++) {
      this.#check(this.#bindOne(at + 1, parameters[at] ?? null));
    }
    return this;
  }

  /** Whether there is a row. Errors: those of SQLite. */
  step(): boolean {
    const code = this.#functions.sqlite3_step(this.#pointer);
    const { SQLITE_ROW, SQLITE_DONE } = this.#sqlite3.capi;
    if (code === SQLITE_ROW) return true;
    if (code !== SQLITE_DONE) this.#check(code);
    return false;
  }

  /** Ready to be bound and stepped again. What the last step failed with was said there. */
  reset(): void {
    this.#functions.sqlite3_reset(this.#pointer);
    if (this.#hasParameters) this.#functions.sqlite3_clear_bindings(this.#pointer);
  }

  finalize(): void {
    this.#prepared.finalize();
  }

  /** Of an integer that a number holds exactly; 0 for NULL. */
  number(column: number): number {
    return this.#functions.sqlite3_column_double(this.#pointer, column);
  }

  text(column: number): string {
    return utf8.decode(this.bytes(column));
  }

  bytes(column: number): Uint8Array {
    const from = this.#functions.sqlite3_column_blob(this.#pointer, column);
    const length = this.#functions.sqlite3_column_bytes(this.#pointer, column);
    return this.#sqlite3.wasm.heap8u().slice(from, from + length);
  }

  #bindOne(index: number, value: Parameter): number {
    const { sqlite3_bind_int64: bindNumber, sqlite3_bind_null: bindNull } = this.#functions;
    if (value === null) return bindNull(this.#pointer, index);
    if (typeof value === 'number') return bindNumber(this.#pointer, index, BigInt(value));
    const isText = typeof value === 'string';
    const { sqlite3_bind_text: bindText, sqlite3_bind_blob: bindBlob } = this.#functions;
    const bind = isText ? bindText : bindBlob;
    const { wasm, capi } = this.#sqlite3;
    const bytesMax = isText ? value.length * UTF8_BYTES_MAX : value.length;
    if (bytesMax <= SCRATCH_BYTES) {
      const bytes = this.#written(value, this.#scratch, SCRATCH_BYTES);
      return bind(this.#pointer, index, this.#scratch, bytes, capi.SQLITE_TRANSIENT as number);
    }
    const at = wasm.alloc(bytesMax);
    const bytes = this.#written(value, at, bytesMax);
    return bind(this.#pointer, index, at, bytes, capi.SQLITE_WASM_DEALLOC as number);
  }

  /** Returns how many bytes `value` has. */
  #written(value: Value, at: number, bytesMax: number): number {
    const into = this.#sqlite3.wasm.heap8u().subarray(at, at + bytesMax);
    if (typeof value === 'string') return encoder.encodeInto(value, into).written;
    into.set(value);
    return value.length;
  }

  #check(code: number): void {
    if (code !== 0) this.#sqlite3.oo1.DB.checkRc(this.#db, code);
  }
}

export type { Statement };

const UTF8_BYTES_MAX = 3;
const encoder = new TextEncoder();
// A text may begin with U+FEFF.
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
