// A directory for one process at a time. Whoever wants it raises a flag in `lock/`: a socket that
// listens, under a name that is used once. Then it looks for the flags of others; while one of them
// answers, it takes its own down. The system answers for a process that is stopped, and for nobody
// who has ended, in every container of a machine: nothing is left behind that a person would have
// to remove. Where sockets cannot be reached (another kernel, another file system laid over this
// one) a flag lives while its owner touches it, which it does as long as it sees a stranger's. An
// owner whose flag was taken down writes no more: `check` throws from then on.

import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { StorageError } from '../storage-rules.ts';
import { isHeldByOld } from './old-lock.ts';

/** Another process, or another storage of this one, has the directory. */
export class InUseError extends StorageError {
  constructor(directory: string) {
    super('failed', `${directory} is in use`);
  }
}

export interface DirectoryLock {
  /**
   * To be called before every write; costs one look at a file. Errors: `InUseError`, once the lock
   * was taken over.
   */
  check(): void;
  /** Lets others have the directory. Does nothing the second time. */
  release(): void;
}

interface LockOptions {
  /** Called once, within seconds, when another process has taken the lock over. */
  readonly onLost?: () => void;
  /** How long the flag of a stranger is watched that cannot be asked. */
  readonly leaseMs?: number;
}

/** The name of the folder that holds the flags. */
export const LOCK_FOLDER = 'lock';

/**
 * The longest path of a directory that can be locked: of a socket's, every system takes 103 bytes.
 */
export const DIRECTORY_BYTES_MAX = 86;

/**
 * Takes the lock of a directory, which exists. Errors: `InUseError`, `StorageError` `failed`, those
 * of files.
 */
export async function lockDirectory(
  directory: string,
  { leaseMs = LEASE_MS, onLost }: LockOptions = {},
): Promise<DirectoryLock> {
  if (Buffer.byteLength(directory) > DIRECTORY_BYTES_MAX) {
    throw new StorageError(
      'failed',
      `the path of ${directory} is over ${DIRECTORY_BYTES_MAX} bytes`,
    );
  }
  if (await isHeldByOld(directory)) throw new InUseError(directory);
  const folder = join(directory, LOCK_FOLDER);
  for (let turn = 1; ; turn++) {
    const flag = await raise(folder);
    let isMine = false;
    try {
      isMine = !(await hasOthers(folder, flag.name, leaseMs)) && flag.isUp();
    } finally {
      if (!isMine) flag.lower();
    }
    if (isMine) return held(directory, flag, onLost);
    if (turn === TURNS_MAX) throw new InUseError(directory);
    // Two that began at once have seen each other, and both let go.
    await setTimeout(turn * 20 * Math.random());
  }
}

const TURNS_MAX = 5;
const LOOK_MS = 2_000;
/** Ten looks: an owner may have its hands full for seconds. */
const LEASE_MS = 20_000;
const PLACE_CHARS = 5;

interface Flag {
  readonly name: string;
  isUp(): boolean;
  lower(): void;
}

/** Takes away what ended processes left, and keeps watch. */
function held(directory: string, flag: Flag, onLost: LockOptions['onLost']): DirectoryLock {
  let state: 'held' | 'lost' | 'released' = 'held';
  const isLost = (): boolean => {
    if (state === 'held' && !flag.isUp()) {
      state = 'lost';
      onLost?.();
    }
    return state !== 'held';
  };
  const watch = setInterval(isLost, LOOK_MS).unref();
  return {
    check() {
      if (isLost()) throw new InUseError(directory);
    },
    release() {
      clearInterval(watch);
      state = 'released';
      flag.lower();
    },
  };
}

/** The flag is seen by others only when its socket answers already. */
async function raise(folder: string): Promise<Flag> {
  for (let tries = 1; ; tries++) {
    const random = randomBytes(9).toString('base64url');
    const draft = join(folder, `.${random.slice(0, 10)}`);
    const server = createServer((socket) => socket.destroy()).unref();
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const place = placeOf(folder);
      const name = place + random.slice(0, 6);
      const path = join(folder, name);
      server.listen(draft);
      await once(server, 'listening');
      renameSync(draft, path);
      return flagAt(folder, name, () => server.close());
    } catch (error) {
      server.close();
      rmSync(draft, { force: true });
      const { code, syscall } = error as NodeJS.ErrnoException;
      // Whoever left at this moment has removed the folder, and whoever came has taken the draft
      // for a leftover. Node.js calls a missing folder EACCES where it binds a socket.
      const isGone = code === 'ENOENT' || (code === 'EACCES' && syscall === 'listen');
      if ((isGone || code === 'EEXIST') && tries < RAISES_MAX) continue;
      if (syscall !== 'listen' || code === 'ENOSPC' || code === 'EDQUOT') throw error;
      // Each file system without sockets says it in its own way.
      throw new StorageError('failed', `no socket can be made in ${folder} (${code})`);
    }
  }
}

const RAISES_MAX = 1_000;

function flagAt(folder: string, name: string, close: () => void): Flag {
  const path = join(folder, name);
  const isUp = (): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  const beat = setInterval(() => {
    if (isUp() && hasStrangers(folder, name)) utimesSync(path, new Date(), new Date());
  }, LOOK_MS).unref();
  return {
    name,
    isUp,
    lower() {
      clearInterval(beat);
      close();
      rmSync(path, { force: true });
      try {
        rmdirSync(folder);
      } catch {
        // Somebody else has a flag in it, or has removed it.
      }
    },
  };
}

/**
 * Whether a flag of another process stands; those of processes that ended are removed on the way.
 */
async function hasOthers(folder: string, mine: string, leaseMs: number): Promise<boolean> {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (name === mine) continue;
    const isDraft = name.startsWith('.');
    const answer = await ask(path);
    if (answer === 'alive' && !isDraft) return true;
    if (answer !== 'silent') continue;
    const isNear = isDraft || placeIn(name) === placeIn(mine);
    if (!isNear && (await isTouched(path, leaseMs))) return true;
    rmSync(path, { force: true });
  }
  return false;
}

/** `silent`: nobody listens there. Whatever cannot be told counts as alive. */
async function ask(path: string): Promise<'alive' | 'silent' | 'gone'> {
  const socket = createConnection(path);
  try {
    await once(socket, 'connect');
    return 'alive';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ECONNREFUSED' ? 'silent' : code === 'ENOENT' ? 'gone' : 'alive';
  } finally {
    socket.destroy();
  }
}

/** By ages alone: clocks of two machines are never compared. */
async function isTouched(path: string, leaseMs: number): Promise<boolean> {
  const touched = (): bigint | undefined =>
    lstatSync(path, { throwIfNoEntry: false, bigint: true })?.mtimeNs;
  const first = touched();
  const endMs = performance.now() + leaseMs;
  while (performance.now() < endMs) {
    await setTimeout(Math.min(leaseMs, 500));
    const now = touched();
    if (now === undefined) return false;
    if (now !== first) return true;
  }
  return false;
}

function hasStrangers(folder: string, mine: string): boolean {
  try {
    return readdirSync(folder).some(
      (name) => !name.startsWith('.') && placeIn(name) !== placeIn(mine),
    );
  } catch {
    return false;
  }
}

function placeIn(name: string): string {
  return name.slice(0, PLACE_CHARS);
}

/**
 * From where the same sockets are reached: one kernel and one file system, whatever the container.
 */
function placeOf(folder: string): string {
  const place = `${kernelOf()} ${statSync(folder, { bigint: true }).dev}`;
  return createHash('sha256').update(place).digest('base64url').slice(0, PLACE_CHARS);
}

function kernelOf(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return hostname();
  }
}
