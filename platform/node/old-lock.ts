// The lock of Kitsync 0.1 as it first was: a file `lock` with the id and the start of its owner's
// process, and a `socket` beside it. It is honoured while its owner runs, and removed after that.

import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';

/** Whether a process of the old kind has the directory. Errors: those of files. */
export async function isHeldByOld(directory: string): Promise<boolean> {
  const path = join(directory, 'lock');
  let owner: string;
  try {
    owner = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Nothing is there, or what is there now.
    if (code === 'ENOENT' || code === 'EISDIR') return false;
    throw error;
  }
  const processId = Number(owner.split(' ', 1)[0]);
  if (ownerOf(processId) === owner || (await answers(join(directory, 'socket')))) return true;
  try {
    rmSync(path, { force: true });
  } catch {
    // Somebody was faster, and has the folder of today in its place.
  }
  return false;
}

/** As it stands in the file; null when there is no such process. */
function ownerOf(processId: number): string | null {
  if (!Number.isInteger(processId) || processId <= 0) return null;
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const stat = readFileSync(`/proc/${processId}/stat`, 'utf8');
    // Behind the name, which may hold anything: proc(5) counts 22 fields up to the start, 2 up to
    // the name.
    const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return `${processId} ${boot} ${start}`;
  } catch {
    return null;
  }
}

async function answers(path: string): Promise<boolean> {
  const socket = createConnection(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
