// A process that writes to a disk, and is killed before one of its writes: it writes nothing any
// more. A test file lets its `node:fs` be `killable`.

import type * as Fs from 'node:fs';
import { type Revive, type Revived, sweep } from './old-stores.ts';
import { every } from './share.ts';

/** Writes to files: the process is killed before the one that brings `left` to 0. */
const disk = { writes: 0, left: Number.POSITIVE_INFINITY };

/** The same file system, whose writes count. */
export function killable(fs: typeof Fs): typeof Fs {
  const counted = <A extends unknown[], T>(write: (...args: A) => T) => {
    return (...args: A): T => {
      if (--disk.left <= 0)
        throw Object.assign(new Error('killed'), { code: 'EIO', syscall: 'write', path: 'disk' });
      disk.writes++;
      return write(...args);
    };
  };
  return {
    ...fs,
    writeSync: counted(fs.writeSync as (...args: unknown[]) => number),
    ftruncateSync: counted(fs.ftruncateSync),
    unlinkSync: counted(fs.unlinkSync),
    // The lock of the folder has names of its own.
    renameSync: (from: string, to: string) =>
      (from.includes('/lock') ? fs.renameSync : counted(fs.renameSync))(from, to),
  } as typeof Fs;
}

interface WriteBudget {
  /** Done so far. */
  writes: number;
  /** Until the process is killed; infinite once it was. */
  left: number;
}

/** Works with the writes that are left, and counts them. */
async function untilKilled<T>(budget: WriteBudget, work: () => Promise<T>): Promise<T> {
  Object.assign(disk, { writes: 0, left: budget.left });
  try {
    return await work();
  } finally {
    budget.writes += disk.writes;
    budget.left = disk.left <= 0 ? Number.POSITIVE_INFINITY : disk.left;
    disk.left = Number.POSITIVE_INFINITY;
  }
}

interface Commands {
  /** A look at the folder is the step. */
  look(): Promise<unknown>;
  /** A sync is the first pass. */
  sync(): Promise<{ readonly code: number; readonly complaints: string }>;
}

/** Goes on by these commands; `cutAt`: the write that the process does not outlive. */
export function killedAt(
  cutAt: number | null,
  { look, sync }: Commands,
): Pick<Revived, 'goOn' | 'writes' | 'bootWrites'> {
  const budget: WriteBudget = { writes: 0, left: cutAt ?? Number.POSITIVE_INFINITY };
  let bootWrites = 0;
  let wasKilled = false;
  return {
    get writes() {
      return budget.writes;
    },
    get bootWrites() {
      return bootWrites;
    },
    async goOn() {
      const isFirst = budget.writes === 0 && !wasKilled;
      const before = budget.left;
      if (isFirst) {
        await untilKilled(budget, look);
        bootWrites = budget.writes;
      }
      const isOver = () =>
        before !== Number.POSITIVE_INFINITY && budget.left === Number.POSITIVE_INFINITY;
      if (!isOver()) {
        const { code, complaints } = await untilKilled(budget, sync);
        if (!isOver() && code !== 0) throw new Error(complaints);
      }
      wasKilled = isOver();
      return !wasKilled;
    },
  };
}

/** What is wrong in the end, wherever the process is killed: at a share of its writes. */
export async function complaintsOfKills<S extends { readonly name: string }, E>(
  store: S,
  revive: Revive<S, E>,
  wrongs: (store: S, ended: E) => string[],
): Promise<readonly string[]> {
  const options = { wrongs, stride: every(7, 7), faults: ['kept'] } as const;
  const { writes, bootWrites, cuts, complaints } = await sweep(store, revive, options);
  console.log(`${store.name}: ${writes} writes, ${bootWrites} of the step; ${cuts} kills`);
  return complaints;
}
