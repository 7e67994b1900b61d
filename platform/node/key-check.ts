// Whether a folder's key is the one that its data was sealed under: beside the data lies a hash of
// the key. Without it another key would look like damage of everything that was ever sealed.

import { createHash } from 'node:crypto';
import { restCipher, restKey } from '../../crypto/rest.ts';
import { openRest } from '../../crypto/rest-secretbox.ts';
import type { Storage, Value } from '../ports.ts';
import { StorageError } from '../storage-rules.ts';
import { nodeDeviceCrypto } from './crypto.ts';

/** Before all keys of the agent. */
const CHECK_KEY = '!key';
/** What every agent has sealed once it has synced: the keys of the account. */
const SEALED = /^[0-9a-z]+\.k$/;

/**
 * Errors: `StorageError` `failed` when it is another one, those of the storage. What is damaged is
 * the agent's to find, and to mend: a check that cannot be read is made anew.
 */
export async function checkDeviceKey(storage: Storage, key: Uint8Array): Promise<void> {
  const hash = createHash('sha256').update('kitsync/device.key').update(key).digest('hex');
  try {
    const [stored] = await storage.get([CHECK_KEY]);
    if (stored === hash) return;
    const isRight = stored == null ? await opens(storage, key) : false;
    if (!isRight) {
      throw new StorageError('failed', 'device.key is not the key that the data was sealed under');
    }
    await storage.commit([[CHECK_KEY, hash]]);
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== 'damaged') throw error;
  }
}

/** A store of before has no hash, but sealed values. */
async function opens(storage: Storage, key: Uint8Array): Promise<boolean> {
  const keys = await storage.scan({ from: '0', to: '~', limit: 10_000 });
  const sealed = keys.filter((name) => SEALED.test(name));
  const values = await storage.get(sealed);
  const opened = await Promise.all(
    sealed.map((name, at) => isOpenedBy(restKey(key), name, values[at] ?? '')),
  );
  return opened.every(Boolean);
}

async function isOpenedBy(key: Uint8Array, name: string, value: Value): Promise<boolean> {
  if (typeof value === 'string') return true;
  let count = 0;
  const ends = (at: number): number => at + 2 + ((value[at] ?? 0) << 8) + (value[at + 1] ?? 0);
  for (let at = 0; at < value.length; at = ends(at)) count++;
  const box = value.subarray(2, ends(0));
  const cipher = restCipher(key, nodeDeviceCrypto());
  const now = await cipher.open(`${name} 0 ${count}`, box);
  return (now ?? (await openRest(key, box, async () => {}))) !== null;
}
