// Folders that appear as a whole: what is built lies beside the place until all of it is there.
// Whoever builds the same place at the same time gets the one or the other, never a mixture; what
// fails changes nothing. A process that was killed leaves its part beside the place, for an hour.

import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

/**
 * Lets `fill` write into an empty folder and puts that in the place of `name`, with all that was in
 * it. Errors: those of `fill` and of files; then `name` is as it was.
 */
export async function replaceFolder<T>(
  name: string,
  fill: (folder: string) => Promise<T>,
): Promise<T> {
  const place = resolve(name);
  const parent = dirname(place);
  await mkdir(parent, { recursive: true });
  await removeLeft(parent, basename(place));
  const draft = besides(place);
  await mkdir(draft);
  try {
    const result = await fill(draft);
    await exchange(draft, place);
    return result;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function exchange(draft: string, place: string): Promise<void> {
  const old = besides(place);
  for (let tries = 1; ; tries++) {
    try {
      await rename(place, old);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
    }
    try {
      await rename(draft, place);
      break;
    } catch (error) {
      // Somebody else was faster: then that one is the old one.
      const isTaken = codeOf(error) === 'ENOTEMPTY' || codeOf(error) === 'EEXIST';
      if (!isTaken || tries === TRIES_MAX) {
        await rename(old, place).catch(() => undefined);
        throw error;
      }
      await rm(old, { recursive: true, force: true });
    }
  }
  await rm(old, { recursive: true, force: true });
}

const TRIES_MAX = 20;
const LEFT_MS = 3_600_000;
const BESIDES = /\.[\w-]{8}\.building$/;

function besides(place: string): string {
  return `${place}.${randomBytes(6).toString('base64url')}.building`;
}

async function removeLeft(parent: string, name: string): Promise<void> {
  for (const other of await readdir(parent)) {
    if (!BESIDES.test(other) || other.replace(BESIDES, '') !== name) continue;
    const path = join(parent, other);
    const age = Date.now() - (await stat(path).catch(() => ({ mtimeMs: Date.now() }))).mtimeMs;
    if (age > LEFT_MS) await rm(path, { recursive: true, force: true });
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
