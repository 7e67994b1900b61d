import { describe, expect, it, onTestFinished } from 'vitest';
import { MemoryFiles } from '../../test/support/memory-files.ts';
import type { Value } from '../ports.ts';
import { PAGE_BYTES, sealPage } from './checksum.ts';
import { startEngine } from './engine.ts';
import { SealedFiles } from './sealed-files.ts';
import { Session, type SessionOptions } from './session.ts';
import { installVfs } from './vfs.ts';

const ENGINE = startEngine();
const ALL = { from: '!', to: '~~', limit: 1000 };

type Numbers = Omit<SessionOptions, 'vfs' | 'files' | 'name'>;
const NUMBERS: Numbers = {
  pagesMax: 10_000,
  tailBytesMax: 100_000,
  youngEntriesMax: 1000,
  checkpointPages: 1000,
  cacheKiB: 96,
  heapBytesMax: 0,
};

/** Sessions on the same files, one after the other. */
async function place(files = new MemoryFiles()) {
  const { sqlite3 } = await ENGINE;
  const random = (count: number) => new Uint8Array(count).fill(2);
  const sealed = new SealedFiles(files);
  const vfs = installVfs(sqlite3, { files: sealed, random, nowMs: () => 0, logBytesMax: 2 ** 24 });
  const open = (numbers: Partial<Numbers> = {}): Session => {
    const where = { vfs: vfs.name, files: sealed, name: 'store' };
    const session = new Session(sqlite3, { ...NUMBERS, ...numbers, ...where });
    onTestFinished(() => session.close());
    return session;
  };
  /** What the database says, with nobody in it. */
  const ask = (sql: string): unknown => {
    const db = new sqlite3.oo1.DB({ filename: 'store', flags: 'w', vfs: vfs.name });
    try {
      db.exec('PRAGMA locking_mode=EXCLUSIVE');
      return db.selectValue(sql);
    } finally {
      db.close();
    }
  };
  return { files, open, ask };
}

function put(session: Session, changes: Record<string, Value | null>, mergeNow = false): void {
  session.commit(new Map(Object.entries(changes)), mergeNow);
}

/** Keys `k100`, ... with their number as value. */
function puts(from: number, count: number): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, i) => [`k${from + i}`, `=${from + i}`]),
  );
}

/** Key by key, and all at once. */
function contentOf(session: Session): Record<string, Value | null> {
  const content = session.scan(ALL).map((key) => [key, session.get(key)]);
  expect(session.entries(ALL)).toEqual(content);
  return Object.fromEntries(content);
}

const ROWS = 'SELECT count(*) FROM kv';
const YOUNG = 'SELECT count(*) FROM young';
const OLD = 'SELECT count(*) FROM old';

describe('a session', () => {
  it('reads a key from the tail, the young and the old index, the newest of it', async () => {
    const { open } = await place();
    const session = open({ youngEntriesMax: 2 });
    put(session, { a: 'old', b: 'old', c: 'old', d: 'old' }, true);
    put(session, { b: 'young', c: 'young' }, true);
    put(session, { c: 'tail', e: 'tail' });
    const content = { a: 'old', b: 'young', c: 'tail', d: 'old', e: 'tail' };
    expect(contentOf(session)).toEqual(content);
    expect(session.get('none')).toBeNull();
    expect(session.scan({ ...ALL, reverse: true })).toEqual(['e', 'd', 'c', 'b', 'a']);
    expect(session.scan({ from: 'b', to: 'd', limit: 1000 })).toEqual(['b', 'c']);
    expect(session.scan({ from: 'b', to: 'd', limit: 1, reverse: true })).toEqual(['c']);
    expect(session.check()).toEqual([]);
  });

  it('has no key that was removed, whichever index has it', async () => {
    const { open } = await place();
    const session = open({ youngEntriesMax: 2 });
    put(session, { a: '1', b: '1', c: '1' }, true);
    put(session, { d: '1' }, true);
    put(session, { a: null, d: null, e: null });
    expect(contentOf(session)).toEqual({ b: '1', c: '1' });
    expect(session.scan({ ...ALL, limit: 1 })).toEqual(['b']);
    put(session, { a: '2' });
    expect(session.get('a')).toBe('2');
    expect(session.check()).toEqual([]);
  });

  it('keeps empty texts, long values in pieces, bytes, and what begins with U+FEFF', async () => {
    const { open } = await place();
    const long = '\u{1f9a6}'.repeat(20_000);
    const content = { a: '', b: new Uint8Array(0), c: long, d: '\ufeffx', e: Uint8Array.of(1, 0) };
    const session = open();
    put(session, content);
    expect(contentOf(session)).toEqual(content);
    session.close();
    const later = open();
    expect(contentOf(later)).toEqual(content);
    put(later, { c: 'short' }, true);
    expect(later.check()).toEqual([]);
    expect(later.get('c')).toBe('short');
  });
});

describe('opening', () => {
  it('finds what no merge has seen: the last value of each key, and removals', async () => {
    const { open, ask } = await place();
    const first = open();
    put(first, { a: 'merged', b: 'merged', gone: 'merged' }, true);
    put(first, { a: '1', long: 'x'.repeat(50_000), last: '' });
    put(first, { a: '2', gone: null });
    const content = contentOf(first);
    first.close();
    expect([ask(YOUNG), ask('PRAGMA user_version')]).toEqual([3, 3]);
    const second = open();
    expect(contentOf(second)).toEqual(content);
    // It goes on behind the last row, be it one of several of a value.
    put(second, { tail: 'y'.repeat(40_000) });
    second.close();
    const third = open();
    put(third, { more: '1' }, true);
    expect(contentOf(third)).toEqual({ ...content, tail: 'y'.repeat(40_000), more: '1' });
    expect(third.check()).toEqual([]);
  });

  it('refuses a database of another layout, and leaves it as it is', async () => {
    const { open, ask, files } = await place();
    open().close();
    ask('PRAGMA application_id=77');
    const asItWas = Buffer.from(files.of('store')).toString('base64');
    const refused = { code: 'failed', message: 'storage layout 77 is not known' };
    expect(() => open()).toThrow(expect.objectContaining(refused));
    expect(Buffer.from(files.of('store')).toString('base64')).toBe(asItWas);
  });

  it('reads on behind a bit of the log that has flipped', async () => {
    const { open, files } = await place();
    const session = open();
    for (let at = 0; at < 6; at++) put(session, puts(100 + at, 1));
    const left = files.copy();
    left.flip('store-wal', 32 + 4 * 4120 + 24 + 50);
    const later = (await place(left)).open();
    expect(contentOf(later)).toEqual(puts(100, 6));
    put(later, { more: '1' });
    expect(later.check()).toEqual([]);
  });

  it('is an error, and touches nothing, when the log has lost commits', async () => {
    const { open, files } = await place();
    const session = open();
    for (let at = 0; at < 6; at++) put(session, puts(100 + at, 1));
    const left = files.copy();
    left.flip('store-wal', 32 + 4 * 4120 + 24 + 50, 0x55);
    const log = Buffer.from(left.of('store-wal')).toString('base64');
    const next = await place(left);
    expect(() => next.open()).toThrow(expect.objectContaining({ code: 'damaged' }));
    expect(Buffer.from(left.of('store-wal')).toString('base64')).toBe(log);
  });
});

describe('a merge', () => {
  it('comes when the tail is as long as it may be, also within a commit', async () => {
    const { open, ask } = await place();
    // 20 bytes a key, and an eighth more for single changes: 16 of them.
    const few = open({ tailBytesMax: 300 });
    for (let at = 0; at < 16; at++) put(few, puts(100 + at, 1));
    few.close();
    expect(ask(YOUNG)).toBe(0);
    const more = open({ tailBytesMax: 300 });
    put(more, puts(116, 1));
    more.close();
    expect(ask(YOUNG)).toBe(17);
    // Many changes are long anyway: 16 of them begin a merge, and what comes then is tail again.
    const bulk = open({ tailBytesMax: 300 });
    put(bulk, puts(200, 70));
    bulk.close();
    expect(ask(YOUNG)).toBe(17 + 64);
    expect(contentOf(open())).toEqual({ ...puts(100, 17), ...puts(200, 70) });
  });

  it('erases rows that are worth nothing any more: overwritten, removed, removals', async () => {
    const { open, ask } = await place();
    const session = open({ youngEntriesMax: 3 });
    put(session, { a: '1', b: 'x'.repeat(40_000), c: '1' }, true);
    put(session, { d: '1' }, true);
    put(session, { a: '2', b: null, d: '2', never: null });
    put(session, { a: '3' }, true);
    expect(session.check()).toEqual([]);
    session.close();
    expect([ask(ROWS), ask(YOUNG), ask(OLD)]).toEqual([3, 2, 1]);
  });

  it('erases whole runs of rows, and nothing between two of them', async () => {
    const { open, ask } = await place();
    const session = open();
    put(session, { ...puts(100, 20), long: 'x'.repeat(40_000) }, true);
    const gone = [100, 101, 102, 104, 106, 107, 119].map((n) => [`k${n}`, null]);
    put(session, { ...Object.fromEntries(gone), long: null }, true);
    expect(Object.keys(contentOf(session))).toEqual([
      ...['k103', 'k105'],
      ...Array.from({ length: 11 }, (_, n) => `k${108 + n}`),
    ]);
    expect(session.check()).toEqual([]);
    session.close();
    expect(ask(ROWS)).toBe(13);
  });

  it('moves the young index into the old one when it is large', async () => {
    const { open, ask } = await place();
    const session = open({ youngEntriesMax: 10 });
    put(session, puts(100, 10), true);
    session.close();
    expect([ask(YOUNG), ask(OLD)]).toEqual([10, 0]);
    // Counted when it is opened, not only in one session.
    const later = open({ youngEntriesMax: 10 });
    put(later, puts(110, 1), true);
    put(later, puts(111, 1), true);
    later.close();
    expect([ask(YOUNG), ask(OLD)]).toEqual([1, 11]);
    expect(contentOf(open())).toEqual(puts(100, 12));
  });

  it('is part of its commit: none of both without room, and the session is of no use', async () => {
    const { open, files } = await place();
    const session = open();
    put(session, puts(100, 3));
    session.close();
    const full = open({ pagesMax: files.of('store').length / PAGE_BYTES });
    expect(() => put(full, { much: 'x'.repeat(50_000) }, true)).toThrow(/SQLITE_FULL/);
    full.close();
    expect(contentOf(open())).toEqual(puts(100, 3));
  });
});

describe('the log', () => {
  const pagesOf = (files: MemoryFiles): number => files.of('store').length / PAGE_BYTES;

  it('goes into the database when it is long, later where changes are few', async () => {
    const commits = async (changes: number): Promise<number> => {
      const { open, files } = await place();
      const session = open({ checkpointPages: 40 });
      put(session, { first: '1' });
      const before = files.of('store').length;
      let count = 0;
      for (; files.of('store').length === before; count++) {
        put(session, puts(1000 + count * changes, changes));
      }
      return count;
    };
    const [few, many] = [await commits(63), await commits(64)];
    expect(few).toBeGreaterThan(many);
  });

  it('goes into it when a session is closed, and stays when it is abandoned', async () => {
    const { open, files } = await place();
    const session = open();
    put(session, puts(100, 200));
    const before = pagesOf(files);
    session.abandon();
    expect([pagesOf(files), files.exists('store-wal')]).toEqual([before, true]);
    const later = open();
    expect(contentOf(later)).toEqual(puts(100, 200));
    later.close();
    expect(pagesOf(files)).toBeGreaterThan(before);
    expect(files.exists('store-wal')).toBe(false);
    expect(() => {
      later.close();
      later.abandon();
    }).not.toThrow();
  });
});

describe('damage', () => {
  it('is said by a check: rows that nobody names', async () => {
    const { open, ask } = await place();
    const session = open();
    put(session, puts(100, 5), true);
    session.close();
    ask("DELETE FROM young WHERE k = 'k101'");
    const later = open();
    expect(later.check()).toEqual(['5 rows, 4 named']);
  });

  it('is an error where the index names a row that is not there', async () => {
    const { open, ask } = await place();
    const session = open();
    put(session, { a: 'x'.repeat(40_000), b: '1' }, true);
    session.close();
    ask('DELETE FROM kv WHERE id = 2');
    const later = open();
    const lost = { code: 'damaged', message: 'the index names a row that is not there' };
    expect(() => later.get('a')).toThrow(expect.objectContaining(lost));
    expect(later.get('b')).toBe('1');
  });

  it('is said by a check of what SQLite finds in a page', async () => {
    const { open, files } = await place();
    const session = open();
    put(session, puts(100, 300), true);
    session.close();
    // A page whose sum is right, and whose cells are not in order.
    const number = files.of('store').length / PAGE_BYTES;
    const page = files.of('store').subarray((number - 1) * PAGE_BYTES);
    page.copyWithin(8, 12, 14);
    sealPage(page, number);
    expect(open().check().length).toBeGreaterThan(0);
  });
});
