// The key that a device seals its data at rest under: 32 random bytes in a file of their own.
// It is written once, whole or not at all, readable by its owner only, and never replaced: without it
// what was sealed is lost, so a lost key is an error and not a new beginning.

import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { StorageError } from '../storage-rules.ts';

/** The key's file in its directory. */
export const DEVICE_KEY_FILE = 'device.key';

const KEY_BYTES = 32;

/** Reads the key of a directory, and makes it first where no data is yet. Errors: `StorageError` `failed`. */
export function deviceKeyOf(directory: string, hasData: boolean): Uint8Array {
  const path = join(directory, DEVICE_KEY_FILE);
  if (!existsSync(path)) {
    if (hasData) throw new StorageError('failed', `${path} is missing: the data needs it`);
    create(path);
  }
  const key = new Uint8Array(readFileSync(path));
  if (key.length === KEY_BYTES) return key;
  throw new StorageError('failed', `${path} has ${key.length} bytes, not ${KEY_BYTES}`);
}

/** A link appears at once and whole, and only where nothing is: of two processes one makes the key. */
function create(path: string): void {
  const draft = `${path}.${process.pid}`;
  const file = openSync(draft, 'w', 0o600);
  writeFileSync(file, randomBytes(KEY_BYTES));
  fsyncSync(file);
  closeSync(file);
  try {
    linkSync(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}
