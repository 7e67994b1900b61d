// Files and folders that only their owner may read: credentials, and what was synced.
// What others can read is refused with the command that mends it; nothing is changed behind the
// owner's back.

import { accessSync, constants, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { FileRefused, isOwn, type Pieces, readOwn, replaceWhole } from '../whole-files.ts';
import { Failure, isRefusal, systemReason, UsageError } from './complaint.ts';

/** The text of a file that nobody else can read. Errors: `UsageError`. */
export function readPrivate(path: string): string {
  return asUsage(`cannot read ${path}`, () =>
    readOwn(path, (stats) => checkPrivate(path, stats, '600')).toString('utf8'),
  );
}

/** See `replaceWhole`. Errors: `UsageError`, those of `pieces`. */
export async function writePrivate(path: string, pieces: Pieces): Promise<void> {
  try {
    await replaceWhole(path, pieces);
  } catch (error) {
    throw toUsage(`cannot write ${path}`, error);
  }
}

/** A file that its owner has chosen the place of, be it a disk that keeps no modes. */
export async function writeOutput(path: string, pieces: Pieces): Promise<void> {
  try {
    await replaceWhole(path, pieces, { mustBePrivate: false });
  } catch (error) {
    throw toUsage(`cannot write ${path}`, error);
  }
}

/** Errors: `UsageError` when it is no folder, or one that others can look into. */
export function checkPrivateFolder(path: string): void {
  const stats = asUsage(`cannot read ${path}`, () => statSync(path));
  if (!stats.isDirectory()) throw new UsageError(`${path} is not a folder`);
  if (!isOwn(stats.uid) && process.geteuid?.() !== 0) {
    throw new UsageError(`${path} belongs to another user`);
  }
  checkPrivate(path, stats, '700');
}

function checkPrivate(path: string, { mode }: Stats, wanted: string): void {
  // Windows has no such modes; a profile's folders are its user's there.
  if (process.platform === 'win32' || (mode & 0o077) === 0) return;
  throw new UsageError(`${path} can be read by others; mend it with: chmod ${wanted} ${path}`);
}

/** Refused before a long dialogue and not after it. Errors: `UsageError`. */
export function checkWritable(path: string): void {
  asUsage(`cannot write ${path}`, () => accessSync(dirname(path), constants.W_OK));
}

function asUsage<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw toUsage(what, error);
  }
}

/** An error that is none of files stays what it is; one that no other path mends is a `Failure`. */
function toUsage(what: string, error: unknown): unknown {
  if (error instanceof FileRefused) return new UsageError(`${what}: ${error.message}`);
  if ((error as NodeJS.ErrnoException).syscall === undefined) return error;
  const line = `${what}: ${systemReason(error)}`;
  return isRefusal(error) ? new Failure(line) : new UsageError(line);
}
