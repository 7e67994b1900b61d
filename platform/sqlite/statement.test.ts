import type { Database } from '@sqlite.org/sqlite-wasm';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEngine } from './engine.ts';
import { type Parameter, type Statement, Statements } from './statement.ts';

let db: Database;
let statements: Statements;
beforeAll(async () => {
  const { sqlite3 } = await startEngine();
  db = new sqlite3.oo1.DB(':memory:');
  statements = new Statements(sqlite3, db);
});
afterAll(() => {
  statements.close();
  db.close();
});

/** The one row of a statement. */
function rowOf<T>(statement: Statement, parameters: readonly Parameter[], read: () => T): T {
  expect(statement.bind(parameters).step()).toBe(true);
  const found = read();
  expect(statement.step()).toBe(false);
  statement.reset();
  return found;
}

const SELF = 'SELECT ?1, typeof(?1)';

describe('a statement', () => {
  it('gives back every text and all bytes that it is given, long ones too', () => {
    const self = statements.prepare(SELF);
    const text = (length: number) =>
      fc.string({ unit: 'grapheme', minLength: 0, maxLength: length });
    const values = fc.oneof(text(40), text(4_000), fc.uint8Array({ maxLength: 9_000 }));
    fc.assert(
      fc.property(values, (value) => {
        const isText = typeof value === 'string';
        const read = () => [isText ? self.text(0) : self.bytes(0), self.text(1)];
        expect(rowOf(self, [value], read)).toEqual([value, isText ? 'text' : 'blob']);
      }),
      { numRuns: 300 },
    );
    for (const length of [1_365, 1_366, 4_095, 4_096, 4_097, 70_000]) {
      const long = '\ufeff€'.repeat(length);
      expect(rowOf(self, [long], () => self.text(0)) === long).toBe(true);
    }
  });

  it('knows whole numbers as far as a number does, and none', () => {
    const self = statements.prepare(SELF);
    for (const value of [0, 1, -1, 2 ** 31, 2 ** 43, Number.MAX_SAFE_INTEGER]) {
      const read = () => [self.number(0), self.text(1)];
      expect(rowOf(self, [value], read)).toEqual([value, 'integer']);
    }
    const read = () => [self.number(0), self.text(0), self.bytes(0), self.text(1)];
    expect(rowOf(self, [null], read)).toEqual([0, '', new Uint8Array(0), 'null']);
  });

  it('keeps each of several parameters, and none of them past a reset', () => {
    const three = statements.prepare(`SELECT ?1 || ',' || ?2 || ',' || coalesce(?3, 'none')`);
    expect(rowOf(three, ['a', 'b', 'c'.repeat(5_000)], () => three.text(0))).toHaveLength(5_004);
    expect(rowOf(three, ['long', 'b'], () => three.text(0))).toBe('long,b,none');
  });

  it('gives copies: what was read stays as it was', () => {
    const self = statements.prepare(SELF);
    const first = rowOf(self, [Uint8Array.of(1, 2, 3)], () => self.bytes(0));
    rowOf(self, [Uint8Array.of(9, 9, 9)], () => self.bytes(0));
    expect(first).toEqual(Uint8Array.of(1, 2, 3));
  });

  it('counts the rows that were changed', () => {
    db.exec('CREATE TABLE counted(k TEXT PRIMARY KEY)');
    const insert = statements.prepare('INSERT INTO counted VALUES (?) ON CONFLICT DO NOTHING');
    const changed = ['a', 'a', 'b'].map((key) => {
      insert.bind([key]).step();
      insert.reset();
      return statements.changes();
    });
    expect(changed).toEqual([1, 0, 1]);
  });

  it('says what SQLite says, and can be used again', () => {
    db.exec('CREATE TABLE once(k TEXT PRIMARY KEY)');
    const insert = statements.prepare('INSERT INTO once VALUES (?)');
    const tried = (key: string): unknown => {
      try {
        return insert.bind([key]).step();
      } catch (error) {
        return (error as { resultCode?: number }).resultCode;
      } finally {
        insert.reset();
      }
    };
    const CONSTRAINT_PRIMARYKEY = 1_555;
    expect(['a', 'a', 'b'].map(tried)).toEqual([false, CONSTRAINT_PRIMARYKEY, false]);
    expect(() => statements.prepare('SELECT ?').bind([1, 2])).toThrow('SQLITE_RANGE');
    expect(() => statements.prepare('SELECT 1 FROM nowhere')).toThrow('no such table');
  });
});
