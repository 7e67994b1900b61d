// Files and folders that only their owner may read: credentials, and what was synced.
// What others can read is refused with the command that mends it; nothing is changed behind the owner's back.

import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { systemReason, UsageError } from './complaint.ts';

/** The text of a file that nobody else can read. Errors: `UsageError`. */
export function readPrivate(path: string): string {
  const stats = statOf(path);
  if (!stats.isFile()) throw new UsageError(`${path} is not a file`);
  checkPrivate(path, stats, '600');
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read ${path}: ${systemReason(error)}`);
  }
}

/**
 * Replaces a file as a whole, for its owner only: whenever the power goes, it is the old one or the new one. Where a
 * link leads to the file, the link stays. Errors: `UsageError`, those of `pieces`.
 */
export async function writePrivate(
  name: string,
  pieces: Iterable<string> | AsyncIterable<string>,
): Promise<void> {
  const path = existsSync(name) ? realpathSync(name) : name;
  const draft = `${path}.${process.pid}`;
  try {
    const file = openSync(draft, 'w', 0o600);
    try {
      for await (const piece of pieces) writeSync(file, piece);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(draft, path);
    syncFolder(dirname(path));
  } catch (error) {
    rmSync(draft, { force: true });
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    throw new UsageError(`cannot write ${path}: ${systemReason(error)}`);
  }
}

/** Makes a new name durable. Windows cannot, and need not. */
function syncFolder(path: string): void {
  if (process.platform === 'win32') return;
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** Errors: `UsageError` when it is no folder, or one that others can look into. */
export function checkPrivateFolder(path: string): void {
  const stats = statOf(path);
  if (!stats.isDirectory()) throw new UsageError(`${path} is not a folder`);
  checkPrivate(path, stats, '700');
}

function checkPrivate(path: string, { mode }: Stats, wanted: string): void {
  // Windows has no such modes; a profile's folders are its user's there.
  if (process.platform === 'win32' || (mode & 0o077) === 0) return;
  throw new UsageError(`${path} can be read by others; mend it with: chmod ${wanted} ${path}`);
}

function statOf(path: string): Stats {
  try {
    return statSync(path);
  } catch (error) {
    throw new UsageError(`cannot read ${path}: ${systemReason(error)}`);
  }
}

/** Refused before a long dialogue and not after it. Errors: `UsageError`. */
export function checkWritable(path: string): void {
  try {
    accessSync(dirname(path), constants.W_OK);
  } catch (error) {
    throw new UsageError(`cannot write ${path}: ${systemReason(error)}`);
  }
}
