// SQLite's file system interface (https://sqlite.org/vfs.html) over `BlockFiles`.
// Promises that nothing is thrown through SQLite: a failing file becomes a result code, and what
// was thrown waits in `takeFault()`. Locks are no-ops, for one connection only (locking mode
// EXCLUSIVE). It claims no atomic, ordered or overwrite-safe writes: a sector is 4,096 bytes and
// writing it may destroy all of it.

import type { Sqlite3Static } from '@sqlite.org/sqlite-wasm';
import { StorageError } from '../storage-rules.ts';
import type { BlockFile, BlockFiles } from './block-files.ts';

interface VfsOptions {
  readonly files: BlockFiles;
  /** Seeds SQLite's own generator, which salts the log. */
  random(count: number): Uint8Array;
  nowMs(): number;
  /** The write-ahead log may not grow past this; beyond it a commit is `full`. */
  readonly logBytesMax: number;
}

export interface Vfs {
  readonly name: string;
  /**
   * What the files threw since the last call: the first of it, or that the device is off.
   * Undefined when nothing was.
   */
  takeFault(): unknown;
}

export const SECTOR_BYTES = 4096;

// The log grows by this: a commit then seldom changes the file's size, which costs a page more.
const LOG_STEP_BYTES = 256 * 1024;
const UNIX_EPOCH_JULIAN_MS = 210_866_760_000_000;

/** Registers a file system of its own as the engine's default. */
export function installVfs(sqlite3: Sqlite3Static, options: VfsOptions): Vfs {
  const { capi } = sqlite3;
  let fault: unknown;
  /** Runs `work`; what it throws is kept, and becomes `code`. */
  const guard = (code: number, work: () => number | undefined): number => {
    try {
      return work() ?? capi.SQLITE_OK;
    } catch (error) {
      const isOff = !(error instanceof StorageError);
      // What fails after it is what it has led to.
      if (fault === undefined || (isOff && fault instanceof StorageError)) fault = error;
      return !isOff && error.code === 'full' ? capi.SQLITE_FULL : code;
    }
  };

  const name = `blocks-${++installed}`;
  const io = Object.assign(new capi.sqlite3_io_methods(), { $iVersion: 1 });
  const open = new Map<number, OpenFile>();
  const fileMethods = makeFileMethods(sqlite3, open, options.logBytesMax, guard);
  const vfsMethods = makeVfsMethods(sqlite3, open, options, guard, io.pointer);
  const vfs = Object.assign(new capi.sqlite3_vfs(), {
    $iVersion: 2,
    $szOsFile: (capi.sqlite3_file as unknown as typeof capi.sqlite3_file.prototype).structInfo
      .sizeof,
    $mxPathname: 512,
  });
  sqlite3.vfs.installVfs({
    io: { struct: io, methods: fileMethods as object },
    vfs: { struct: vfs, methods: vfsMethods as object, name, asDefault: true },
  });
  return {
    name,
    takeFault() {
      const taken = fault;
      fault = undefined;
      return taken;
    },
  };
}

let installed = 0;

interface OpenFile {
  readonly file: BlockFile;
  readonly isLog: boolean;
}

type Guard = (code: number, work: () => number | undefined) => number;

/** sqlite3_io_methods: https://sqlite.org/c3ref/io_methods.html */
function makeFileMethods(
  { capi, wasm }: Sqlite3Static,
  open: Map<number, OpenFile>,
  logBytesMax: number,
  guard: Guard,
) {
  const opened = (pointer: number): OpenFile => {
    const found = open.get(pointer);
    if (found === undefined) throw new Error('SQLite used a file that is not open');
    return found;
  };
  const heap = (pointer: number, length: number) =>
    wasm.heap8u().subarray(pointer, pointer + length);
  const nothing = () => capi.SQLITE_OK;

  return {
    xClose: (pointer: number) =>
      guard(capi.SQLITE_IOERR_CLOSE, () => {
        opened(pointer).file.close();
        open.delete(pointer);
        return undefined;
      }),
    xRead: (pointer: number, into: number, length: number, offset: bigint) =>
      guard(capi.SQLITE_IOERR_READ, () => {
        const target = heap(into, length);
        const found = opened(pointer).file.read(target, Number(offset));
        target.fill(0, found);
        return found < length ? capi.SQLITE_IOERR_SHORT_READ : undefined;
      }),
    xWrite: (pointer: number, from: number, length: number, offset: bigint) =>
      guard(capi.SQLITE_IOERR_WRITE, () => {
        const { file, isLog } = opened(pointer);
        if (isLog) growLog(file, Number(offset) + length, logBytesMax);
        file.write(heap(from, length), Number(offset));
        return undefined;
      }),
    xTruncate: (pointer: number, size: bigint) =>
      guard(capi.SQLITE_IOERR_TRUNCATE, () => {
        opened(pointer).file.truncate(Number(size));
        return undefined;
      }),
    xSync: (pointer: number) =>
      guard(capi.SQLITE_IOERR_FSYNC, () => {
        opened(pointer).file.sync();
        return undefined;
      }),
    xFileSize: (pointer: number, into: number) =>
      guard(capi.SQLITE_IOERR_FSTAT, () => {
        wasm.poke64(into, BigInt(opened(pointer).file.size()));
        return undefined;
      }),
    xLock: nothing,
    xUnlock: nothing,
    xCheckReservedLock(_pointer: number, into: number) {
      wasm.poke32(into, 0);
      return capi.SQLITE_OK;
    },
    xFileControl: () => capi.SQLITE_NOTFOUND,
    xSectorSize: () => SECTOR_BYTES,
    xDeviceCharacteristics: () => 0,
  };
}

function growLog(file: BlockFile, end: number, logBytesMax: number): void {
  if (end <= file.size()) return;
  if (end > logBytesMax) throw new StorageError('full', 'the write-ahead log is full');
  const grown = Math.ceil(end / LOG_STEP_BYTES) * LOG_STEP_BYTES;
  file.truncate(Math.min(grown, logBytesMax));
}

/** sqlite3_vfs: https://sqlite.org/c3ref/vfs.html */
function makeVfsMethods(
  { capi, wasm }: Sqlite3Static,
  open: Map<number, OpenFile>,
  { files, random, nowMs }: VfsOptions,
  guard: Guard,
  ioMethods: number,
) {
  const julianMs = () => Math.floor(nowMs()) + UNIX_EPOCH_JULIAN_MS;
  return {
    xOpen: (_vfs: number, path: number, pointer: number, flags: number, flagsOut: number) =>
      guard(capi.SQLITE_CANTOPEN, () => {
        const name = wasm.cstrToJs(path);
        const create = (flags & capi.SQLITE_OPEN_CREATE) !== 0;
        const file = name === null ? null : files.open(name, create);
        if (file === null) return capi.SQLITE_CANTOPEN;
        open.set(pointer, { file, isLog: (flags & capi.SQLITE_OPEN_WAL) !== 0 });
        const struct = new capi.sqlite3_file(pointer);
        struct.$pMethods = ioMethods;
        struct.dispose();
        if (flagsOut) wasm.poke32(flagsOut, flags);
        return undefined;
      }),
    xDelete: (_vfs: number, path: number) =>
      guard(capi.SQLITE_IOERR_DELETE, () => {
        files.remove(wasm.cstrToJs(path) ?? '');
        return undefined;
      }),
    xAccess: (_vfs: number, path: number, _flags: number, into: number) =>
      guard(capi.SQLITE_IOERR_ACCESS, () => {
        wasm.poke32(into, files.exists(wasm.cstrToJs(path) ?? '') ? 1 : 0);
        return undefined;
      }),
    xFullPathname: (_vfs: number, path: number, length: number, into: number) =>
      wasm.cstrncpy(into, path, length) < length ? capi.SQLITE_OK : capi.SQLITE_CANTOPEN,
    xRandomness(_vfs: number, length: number, into: number) {
      wasm.heap8u().set(random(length), into);
      return length;
    },
    xSleep: (_vfs: number, microseconds: number) => microseconds,
    xCurrentTime(_vfs: number, into: number) {
      wasm.poke64f(into, julianMs() / 86_400_000);
      return capi.SQLITE_OK;
    },
    xCurrentTimeInt64(_vfs: number, into: number) {
      wasm.poke64(into, BigInt(julianMs()));
      return capi.SQLITE_OK;
    },
  };
}
