// The key that a device seals its data at rest under: 32 random bytes in a file of their own.
// It is written once, whole or not at all, readable by its owner only, and never replaced: without
// it what was sealed is lost, so a lost key is an error and not a new beginning.

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { StorageError } from '../storage-rules.ts';
import { createWhole, FileRefused, readOwn, removeDrafts } from './whole-files.ts';

/** The key's file in its directory. */
export const DEVICE_KEY_FILE = 'device.key';

const KEY_BYTES = 32;

/**
 * Reads the key of a directory, and makes it first where no data is yet. For the owner of the
 * directory's lock. Errors: `StorageError` `failed`, those of files.
 */
export async function deviceKeyOf(directory: string, hasData: boolean): Promise<Uint8Array> {
  const path = join(directory, DEVICE_KEY_FILE);
  removeDrafts(path);
  let key = read(path);
  if (key === null) {
    if (hasData) throw new StorageError('failed', `${path} is missing: the data needs it`);
    key = new Uint8Array(randomBytes(KEY_BYTES));
    await createWhole(path, key);
  }
  if (key.length === KEY_BYTES) return key;
  throw new StorageError('failed', `${path} has ${key.length} bytes, not ${KEY_BYTES}`);
}

/** Null when it is missing. */
function read(path: string): Uint8Array | null {
  try {
    return new Uint8Array(readOwn(path));
  } catch (error) {
    if (error instanceof FileRefused) throw new StorageError('failed', `${path}: ${error.message}`);
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
