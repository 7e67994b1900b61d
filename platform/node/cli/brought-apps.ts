// The web apps that an account has brought to this machine, and which go with it at a sign-out, as
// all that was synced does. What was installed on this machine is the machine's, and stays.

import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isObject, jsonOf } from '../../../agent/index.ts';
import { AppsError } from '../../apps-rules.ts';
import type { Storage } from '../../ports.ts';
import { APPS_FOLDER, MARK_INSIDE, nodeApps } from '../apps.ts';

/** What is remembered of an app, by its origin: see SPEC.md. */
const PREFIX = 'n=';
const END = 'n>';
const PAGE_ROWS = 500;

/** Their origins. Errors: `StorageError`. */
export async function broughtApps(storage: Pick<Storage, 'get' | 'scan'>): Promise<string[]> {
  const found: string[] = [];
  for (let from = PREFIX, isOver = false; !isOver; ) {
    const keys = await storage.scan({ from, to: END, limit: PAGE_ROWS });
    const rows = await storage.get(keys);
    for (const [at, key] of keys.entries()) {
      const row = rows[at];
      const said = typeof row === 'string' ? jsonOf(row.slice(1)) : null;
      if (isObject(said) && said.sync === true) found.push(key.slice(PREFIX.length));
    }
    isOver = keys.length < PAGE_ROWS;
    from = `${keys[keys.length - 1] ?? ''}!`;
  }
  return found;
}

/**
 * Removes them from the folder of apps, and that folder if nothing else is in it. One that is not
 * the folder that had the apps is left alone. For who has the folder of data.
 */
export async function removeApps(directory: string, origins: readonly string[]): Promise<void> {
  const folder = join(directory, APPS_FOLDER);
  if (!existsSync(folder)) return;
  const apps = nodeApps(directory);
  try {
    for (const origin of origins) await apps.uninstall(origin);
    const rest = await apps.list('', 1);
    const isEmpty = rest.length === 0 && readdirSync(folder).every((name) => name === MARK_INSIDE);
    if (isEmpty) rmSync(folder, { recursive: true });
  } catch (error) {
    if (!(error instanceof AppsError)) throw error;
  } finally {
    apps.close();
  }
}
