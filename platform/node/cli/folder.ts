// What lies in the folder of synced data, by name: all that is Kitsync's, and what a process that
// was killed has left. It touches no file that somebody else has put there.

import { lstatSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { APPS_FOLDER, APPS_MARK } from '../apps.ts';
import { DEVICE_KEY_FILE } from '../device-key.ts';
import { LOCK_FOLDER, lockDirectory } from '../lock.ts';
import { isDraftName, isOwn } from '../whole-files.ts';
import { removeApps } from './brought-apps.ts';
import { NOTES_FILE } from './notes.ts';

/** Removes what was being written when a process was killed. For the owner of the folder. */
export function removeLeftovers(directory: string): void {
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    const isOurs = isLeftover(name) && isOwn(lstatSync(path).uid);
    if (isOurs) rmSync(path, { force: true });
  }
}

/**
 * Removes all that Kitsync has put into a folder; the key goes last. `brought`: the apps that go,
 * too. Returns what is left: files of somebody else, and the folder of this machine's apps. Errors:
 * `InUseError`, those of files.
 */
export async function eraseData(
  directory: string,
  brought: readonly string[] = [],
): Promise<string[]> {
  const lock = await lockDirectory(directory);
  try {
    await removeApps(directory, brought);
    const names = readdirSync(directory).filter((name) => isOurs(name) || isLeftover(name));
    const isKey = (name: string) => (name.startsWith(DEVICE_KEY_FILE) ? 1 : 0);
    for (const name of names.sort((a, b) => isKey(a) - isKey(b))) {
      rmSync(join(directory, name), { force: true });
    }
  } finally {
    lock.release();
  }
  return readdirSync(directory).filter((name) => name !== LOCK_FOLDER);
}

/** What `eraseData` left, in words. */
export function emptiness(directory: string, left: readonly string[]): string {
  if (left.length === 0) return `no data is left in ${directory}`;
  const names = left.map((name) => (name === APPS_FOLDER ? `${name} (installed here)` : name));
  return `nothing of Kitsync is left in ${directory}; not removed: ${names.join(', ')}`;
}

const OWN_FILES = [NOTES_FILE, DEVICE_KEY_FILE, APPS_MARK];

function isOurs(name: string): boolean {
  return /^(store([-.]\w+)?|socket\.?)$/.test(name) || OWN_FILES.includes(name);
}

/** The names that Kitsync 0.1 gave to what it was writing ended in the id of its process. */
function isLeftover(name: string): boolean {
  return isDraftName(name) || /^(device\.key|notes\.json|lock(\.left)?)\.\d+$/.test(name);
}
