// Files that appear as a whole or not at all, for their owner only: keys, credentials, exports.
// What is being written lies beside the file under a name that nobody can guess, made new and never
// opened where something is. A process that was killed leaves it there: `removeDrafts` takes it
// away.

import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  linkSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** A file that is not as it has to be; the message says how, without its path. */
export class FileRefused extends Error {}

export type Pieces = Iterable<string | Uint8Array> | AsyncIterable<string>;

interface WholeOptions {
  /** A file system that lets others read the file is refused; true if it is not given. */
  readonly mustBePrivate?: boolean;
}

/**
 * Replaces a file as a whole: whenever the power goes, it is the old one or the new one. A link of
 * one's own stays, and the file that it leads to is replaced; what is no file, such as a pipe, is
 * written to. Errors: `FileRefused`, those of files and of `pieces`.
 */
export async function replaceWhole(
  name: string,
  pieces: Pieces,
  options: WholeOptions = {},
): Promise<void> {
  const { path, isFile } = targetOf(name);
  if (!isFile) return void (await write(openSync(path, 'w'), pieces));
  removeDrafts(path);
  const { draft, file } = openDraft(path, options);
  try {
    await write(file, pieces);
    renameSync(draft, path);
  } catch (error) {
    const isTaken = !existsSync(draft);
    rmSync(draft, { force: true });
    // Another process that writes the same file has taken the draft for a leftover.
    if (isTaken && Array.isArray(pieces)) return replaceWhole(name, pieces, options);
    throw error;
  }
  syncFolder(dirname(path));
}

/** Makes a file that is not there. Errors: `EEXIST` where something is, those of `replaceWhole`. */
export async function createWhole(path: string, bytes: Uint8Array): Promise<void> {
  const { draft, file } = openDraft(path, {});
  try {
    await write(file, [bytes]);
    // A link appears at once, with all that is in it, and only where nothing is.
    linkSync(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
  syncFolder(dirname(path));
}

/**
 * Opens a file for this user only to write to it from its beginning: a new one in the place of what
 * is there, or the pipe that is there. Errors: `FileRefused`, those of files.
 */
export function openNew(name: string): number {
  const { path, isFile } = targetOf(name);
  if (!isFile) return openSync(path, 'w');
  rmSync(path, { force: true });
  return openSync(path, 'wx', 0o600);
}

/**
 * Reads a file of this user, or of the system's: no link, no pipe, nothing that another user made.
 * `check` sees what was opened. Errors: `FileRefused`, those of files and of `check`.
 */
export function readOwn(path: string, check: (stats: Stats) => void = () => undefined): Buffer {
  // A pipe that nobody writes to would be waited for.
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = fstatSync(file);
    if (!stats.isFile()) throw new FileRefused('it is not a file');
    if (!isTrusted(stats.uid)) throw new FileRefused('it belongs to another user');
    check(stats);
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
}

/** Removes what killed processes of this user left beside a file that they wrote. */
export function removeDrafts(name: string): void {
  try {
    const path = existsSync(name) ? realpathSync(name) : name;
    for (const other of readdirSync(dirname(path))) {
      const draft = join(dirname(path), other);
      const isDraft = isDraftName(other) && other.replace(DRAFT, '') === basename(path);
      if (isDraft && isOwn(lstatSync(draft).uid)) rmSync(draft, { force: true });
    }
  } catch {
    // A folder that is not there, or may not be changed: then it cannot be written to either.
  }
}

/** Whether a name is that of a file that was being written. */
export function isDraftName(name: string): boolean {
  return DRAFT.test(name);
}

const DRAFT = /\.[\w-]{16}\.draft$/;

/** Whether a user is this process's, by what the system counts. */
export function isOwn(uid: number): boolean {
  return process.geteuid === undefined || uid === process.geteuid();
}

/** The administrator's files are as good as one's own, and the administrator may use anybody's. */
function isTrusted(uid: number): boolean {
  return isOwn(uid) || uid === 0 || process.geteuid?.() === 0;
}

/** Where to write: the file itself or the one that a link leads to, or what is no file. */
function targetOf(name: string): { readonly path: string; readonly isFile: boolean } {
  const there = lstatSync(name, { throwIfNoEntry: false });
  if (there === undefined || there.isFile() || there.isDirectory()) {
    return { path: name, isFile: true };
  }
  mustBeOwn(there);
  // The pipe behind `/dev/stdout` has no path of its own.
  const target = statSync(name, { throwIfNoEntry: false });
  if (target === undefined) return { path: name, isFile: true };
  if (target.isFile() || target.isDirectory()) return { path: realpathSync(name), isFile: true };
  mustBeOwn(target);
  return { path: name, isFile: false };
}

/** A link or a pipe of another user leads to where that user wants it. */
function mustBeOwn({ uid }: Stats): void {
  if (!isOwn(uid) && uid !== 0) throw new FileRefused('what is there belongs to another user');
}

function openDraft(path: string, { mustBePrivate = true }: WholeOptions) {
  const draft = `${path}.${randomBytes(12).toString('base64url')}.draft`;
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW = 0 } = constants;
  const file = openSync(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    // Windows has no such modes; a profile's folders are its user's there.
    if (mustBePrivate && process.platform !== 'win32') {
      fchmodSync(file, 0o600);
      const { uid, mode, nlink } = fstatSync(file);
      if (!isOwn(uid) || (mode & 0o077) !== 0 || nlink !== 1) {
        throw new FileRefused('its file system lets others read it');
      }
    }
  } catch (error) {
    closeSync(file);
    rmSync(draft, { force: true });
    throw error;
  }
  return { draft, file };
}

/** Writes and closes. */
async function write(file: number, pieces: Pieces): Promise<void> {
  try {
    for await (const piece of pieces) writeFileSync(file, piece);
    if (fstatSync(file).isFile()) fsyncSync(file);
  } finally {
    closeSync(file);
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
