// Python tools of given versions, for tests against other clients: an environment of its own for
// each set, made once and kept with what else is installed for this checkout.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type DirectoryLock, InUseError, lockDirectory } from '../../platform/node/lock.ts';

const run = promisify(execFile);
// Scripts in an environment name its place, which must not be a link that goes away.
const MODULES = realpathSync(new URL('../../node_modules', import.meta.url));
const FOLDER = join(MODULES, '.cache', 'kitsync', 'python');

/**
 * The `bin` folder of an environment that holds the packages (`NAME==VERSION`). Rejects where there
 * is no Python 3 that can make one, or a package cannot be had.
 */
export async function pythonWith(packages: readonly string[]): Promise<string> {
  const place = await madeOnce(packages, async (folder) => {
    await run('python3', ['-m', 'venv', folder]);
    await run(join(folder, 'bin', 'pip'), ['install', '--quiet', ...packages]);
  });
  return join(place, 'bin');
}

/**
 * A folder with these packages alone, for who finds it (`PYTHONPATH`) before those of an
 * environment. `bin`: the environment's. Errors: as of `pythonWith`.
 */
export function pythonBefore(bin: string, packages: readonly string[]): Promise<string> {
  return madeOnce(packages, async (folder) => {
    const alone = ['--quiet', '--no-deps', '--target', folder];
    await run(join(bin, 'pip'), ['install', ...alone, ...packages]);
  });
}

/** It is made where it stays, by one process at a time, and marked when it is complete. */
async function madeOnce(
  packages: readonly string[],
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const place = join(FOLDER, hashOf(packages.join('\n')));
  const mark = join(place, 'complete');
  if (existsSync(mark)) return place;
  const turn = await turnFor(place);
  try {
    if (existsSync(mark)) return place;
    rmSync(place, { recursive: true, force: true });
    mkdirSync(FOLDER, { recursive: true });
    await make(place);
    writeFileSync(mark, `${packages.join('\n')}\n`);
    return place;
  } finally {
    turn.release();
  }
}

const hashOf = (text: string): string =>
  createHash('sha256').update(text).digest('hex').slice(0, 12);

/** Waits for whoever is making it. What is locked has a short path, as locks want it. */
async function turnFor(place: string): Promise<DirectoryLock> {
  const folder = join(tmpdir(), `kitsync-python-${hashOf(place)}`);
  mkdirSync(folder, { recursive: true });
  for (;;) {
    try {
      return await lockDirectory(folder);
    } catch (error) {
      if (!(error instanceof InUseError)) throw error;
      await setTimeout(200);
    }
  }
}
