import type { Database } from '@sqlite.org/sqlite-wasm';
import { describe, expect, it } from 'vitest';
import { MemoryFiles } from '../../test/support/memory-files.ts';
import { StorageError } from '../storage-rules.ts';
import { startEngine } from './engine.ts';
import { installVfs, SECTOR_BYTES } from './vfs.ts';

const KIB = 1024;
const NOW_MS = Date.UTC(2016, 1, 29, 12, 30);

const ENGINE = startEngine();

/** SQLite on files in memory, its log in use. */
async function started({
  engine = ENGINE,
  logBytesMax = 1024 * KIB,
  files = new MemoryFiles(),
} = {}) {
  const { sqlite3 } = await engine;
  const asked: number[] = [];
  const random = (count: number) => {
    asked.push(count);
    return new Uint8Array(count).fill(5);
  };
  const vfs = installVfs(sqlite3, { files, random, nowMs: () => NOW_MS + 0.7, logBytesMax });
  const open = (flags = 'c'): Database => {
    const db = new sqlite3.oo1.DB({ filename: 'db', flags, vfs: vfs.name });
    db.exec('PRAGMA locking_mode=EXCLUSIVE; PRAGMA page_size=4096; PRAGMA journal_mode=WAL;');
    db.exec('PRAGMA synchronous=FULL');
    return db;
  };
  return { sqlite3, files, vfs, open, asked };
}

const CREATE = 'CREATE TABLE t(x);';
const insert = (bytes: number): string => `INSERT INTO t VALUES (zeroblob(${bytes}));`;

/** The result code that work fails with. */
function failure(work: () => unknown): number | null {
  try {
    work();
    return null;
  } catch (error) {
    return (error as { resultCode: number }).resultCode;
  }
}

describe('a database on given files', () => {
  it('is found again when it is closed and opened', async () => {
    const { open, files } = await started();
    let db = open();
    db.exec([CREATE, insert(9000)]);
    db.close();
    expect([...files.bytes.keys()]).toEqual(['db']);
    db = open('w');
    expect(db.selectValue('SELECT length(x) FROM t')).toBe(9000);
    db.close();
  });

  it('is not made where none is wanted', async () => {
    const { open, files, sqlite3, vfs } = await started();
    expect(failure(() => open('w'))).toBe(sqlite3.capi.SQLITE_CANTOPEN);
    expect(files.bytes.size).toBe(0);
    expect(vfs.takeFault()).toBeUndefined();
  });

  it('goes back to before a commit that has not ended, from what is in the files', async () => {
    const { open, files, sqlite3 } = await started();
    const db = open();
    db.exec([CREATE, insert(10)]);
    const asItWas = files.copy();
    db.exec(`BEGIN; ${insert(20)}`);
    db.close();
    const next = await started({ files: asItWas });
    expect(next.open().selectValues('SELECT length(x) FROM t')).toEqual([10]);
    expect(sqlite3.capi.SQLITE_OK).toBe(0);
  });

  it('has a rollback journal where SQLite wants one, and no file too many', async () => {
    const { sqlite3, files, vfs } = await started();
    const db = new sqlite3.oo1.DB({ filename: 'db', flags: 'c', vfs: vfs.name });
    const seen = new Set<string>();
    files.onCall = (call, name) => seen.add(`${call} ${name}`);
    db.exec([CREATE, insert(10)]);
    expect([...seen]).toEqual(expect.arrayContaining(['open db-journal', 'remove db-journal']));
    db.close();
    expect([...files.bytes.keys()]).toEqual(['db']);
  });

  it('knows the time and the chance that it is given', async () => {
    const { open, asked } = await started({ engine: startEngine() });
    const db = open();
    expect(db.selectValue("SELECT strftime('%Y-%m-%d %H:%M:%f')")).toBe('2016-02-29 12:30:00.000');
    expect(db.selectValue("SELECT datetime('now')")).toBe('2016-02-29 12:30:00');
    db.selectValue('SELECT random()');
    expect(asked.length).toBeGreaterThan(0);
    db.close();
  });

  it('writes whole sectors, which a power cut may destroy', async () => {
    const { open, files } = await started();
    const db = open();
    db.exec([CREATE, insert(10)]);
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    expect(files.of('db').length % SECTOR_BYTES).toBe(0);
    db.exec(insert(10));
    // The one frame of this commit is written again, up to the end of a sector.
    const log = Buffer.from(files.of('db-wal'));
    const frames = [0, 1].map((at) => log.readUInt32BE(32 + at * (24 + 4096)));
    expect(frames[1]).toBe(frames[0]);
    db.close();
  });
});

describe('the log', () => {
  it('grows in steps of 256 KiB, up to its limit', async () => {
    const { open, files } = await started({ logBytesMax: 400 * KIB });
    const db = open();
    db.exec(CREATE);
    expect(files.of('db-wal').length).toBe(256 * KIB);
    db.exec(insert(200 * KIB));
    expect(files.of('db-wal').length).toBe(256 * KIB);
    db.exec(insert(100 * KIB));
    expect(files.of('db-wal').length).toBe(400 * KIB);
    db.close();
  });

  it('is full beyond, and the commit has not happened', async () => {
    const { open, sqlite3, vfs } = await started({ logBytesMax: 256 * KIB });
    const db = open();
    db.exec([CREATE, insert(10)]);
    expect(failure(() => db.exec(insert(300 * KIB)))).toBe(sqlite3.capi.SQLITE_FULL);
    expect(vfs.takeFault()).toMatchObject({ code: 'full', message: 'the write-ahead log is full' });
    expect(db.selectValues('SELECT length(x) FROM t')).toEqual([10]);
    db.exec(insert(20));
    db.close();
  });

  it('is the only file that has this limit', async () => {
    const { open } = await started({ logBytesMax: 256 * KIB });
    const db = open();
    db.exec(CREATE);
    for (let i = 0; i < 10; i++) db.exec([insert(100 * KIB), 'PRAGMA wal_checkpoint']);
    expect(db.selectValue('SELECT count(*) FROM t')).toBe(10);
    db.close();
  });
});

describe('a file that fails', () => {
  type Call = Parameters<NonNullable<MemoryFiles['onCall']>>[0];

  /** What comes of it if a call fails with this, for the database's own file or its log. */
  async function failing(call: Call, file: string, error: Error) {
    const { open, files, vfs, sqlite3 } = await started();
    const db = open();
    db.exec([CREATE, insert(10)]);
    if (file === 'db') db.exec('PRAGMA wal_checkpoint; PRAGMA shrink_memory');
    files.onCall = (now, name) => {
      if (now === call && name === file) throw error;
    };
    const code = failure(() => db.exec([insert(5000), 'PRAGMA wal_checkpoint(TRUNCATE)']));
    const fault = vfs.takeFault();
    expect(vfs.takeFault()).toBeUndefined();
    files.onCall = null;
    db.close();
    vfs.takeFault();
    return { code, fault, capi: sqlite3.capi };
  }

  const broken = new StorageError('failed', 'file error EIO');
  const full = new StorageError('full', 'there is no room left');

  it.each<[Call, string, 'SQLITE_IOERR_WRITE' | 'SQLITE_IOERR_FSYNC' | 'SQLITE_IOERR_TRUNCATE']>([
    ['write', 'db-wal', 'SQLITE_IOERR_WRITE'],
    ['sync', 'db-wal', 'SQLITE_IOERR_FSYNC'],
    ['write', 'db', 'SQLITE_IOERR_WRITE'],
    ['sync', 'db', 'SQLITE_IOERR_FSYNC'],
    ['truncate', 'db-wal', 'SQLITE_IOERR_TRUNCATE'],
  ])('is a result code of SQLite, and what it threw waits: %s of %s', async (call, file, name) => {
    const { code, fault, capi } = await failing(call, file, broken);
    expect([code, fault]).toEqual([capi[name], broken]);
  });

  it('is full where it says so, whatever it was asked', async () => {
    for (const call of ['write', 'sync'] as const) {
      const { code, fault, capi } = await failing(call, 'db-wal', full);
      expect([code, fault]).toEqual([capi.SQLITE_FULL, full]);
    }
  });

  it('may be one that cannot be opened, found, measured, read or removed', async () => {
    for (const [call, code] of [
      ['open', 'SQLITE_CANTOPEN'],
      ['read', 'SQLITE_IOERR_READ'],
      ['size', 'SQLITE_IOERR_FSTAT'],
      ['exists', 'SQLITE_IOERR_ACCESS'],
    ] as const) {
      const { open, files, vfs, sqlite3 } = await started();
      open().close();
      files.onCall = (now) => {
        if (now === call) throw broken;
      };
      const found = failure(() => open().selectValue('SELECT count(*) FROM sqlite_schema'));
      expect([call, found, vfs.takeFault()]).toEqual([call, sqlite3.capi[code], broken]);
    }
    const { open, files, vfs } = await started();
    const db = open();
    db.exec(CREATE);
    files.onCall = (now) => {
      if (now === 'remove' || now === 'close') throw broken;
    };
    db.close();
    expect(vfs.takeFault()).toBe(broken);
  });

  it('says what failed first, but for the device that is off', async () => {
    const { open, files, vfs } = await started();
    const db = open();
    db.exec(CREATE);
    const errors = [full, broken];
    files.onCall = (now) => {
      if (now === 'write' || now === 'sync') throw errors.shift() ?? broken;
    };
    expect(failure(() => db.exec(insert(10)))).not.toBeNull();
    expect(failure(() => db.exec(insert(10)))).not.toBeNull();
    expect(vfs.takeFault()).toBe(full);
    const off = new Error('the power is gone');
    const later = [full, off, broken];
    files.onCall = (now) => {
      if (now === 'write') throw later.shift() ?? broken;
    };
    for (let i = 0; i < 3; i++) failure(() => db.exec(insert(10)));
    expect(vfs.takeFault()).toBe(off);
    files.onCall = null;
    db.close();
  });
});

it('has a name of its own each time', async () => {
  const [one, other] = [await started(), await started()];
  expect(one.vfs.name).not.toBe(other.vfs.name);
});
