// A directory for one process at a time: a file in it that names its owner.
// The owner is a process id and the start of that process, because ids come again: after a power cut, and in
// every container. Who ended without unlocking is replaced; nobody is ever waited for.

import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StorageError } from '../storage-rules.ts';

/** Another process, or another storage of this one, has the directory. */
export class InUseError extends StorageError {
  constructor(directory: string) {
    super('failed', `${directory} is in use`);
  }
}

/** Takes the lock and returns its path; removing that file gives it back. Errors: `InUseError`, those of files. */
export function lockDirectory(directory: string): string {
  const path = join(directory, 'lock');
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, ownerOf(process.pid));
  try {
    const isTaken = appears(draft, path) || (leaves(path) && appears(draft, path));
    if (!isTaken) throw new InUseError(directory);
  } finally {
    rmSync(draft, { force: true });
  }
  return path;
}

/** A link appears at once, with its text, and only where nothing is. */
function appears(draft: string, path: string): boolean {
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Removes the lock of an owner that is no more. */
function leaves(path: string): boolean {
  const owner = readFileSync(path, 'utf8');
  const processId = Number(owner.split(' ', 1)[0]);
  if (isRunning(processId) && ownerOf(processId) === owner) return false;
  const aside = `${path}.left.${process.pid}`;
  renameSync(path, aside);
  // Somebody may have been faster: then this is the lock of a new owner, and it goes back.
  const isLeft = readFileSync(aside, 'utf8') === owner || !appears(aside, path);
  rmSync(aside);
  return isLeft;
}

function isRunning(processId: number): boolean {
  if (!Number.isInteger(processId) || processId <= 0) return false;
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** The id alone where the system does not tell when a process began. */
function ownerOf(processId: number): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const stat = readFileSync(`/proc/${processId}/stat`, 'utf8');
    // Behind the name, which may hold anything: proc(5) counts 22 fields up to the start, 2 up to the name.
    const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return `${processId} ${boot} ${start}`;
  } catch {
    return `${processId}`;
  }
}
