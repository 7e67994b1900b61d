// The account that odd servers are tried with: three pages, nothing odd about them.

import { Store } from '../../emulator/servers/store.ts';
import type { SeedAccount } from '../../emulator/servers/store-file.ts';
import { accountKeys, keyFingerprint, sealPayload } from '../../emulator/servers/sync-keys.ts';

const KB = '5a'.repeat(32);
const BULK = { encKey: Buffer.alloc(32, 0x31), macKey: Buffer.alloc(32, 0x32) };
const WRITTEN_MS = Date.UTC(2026, 10, 1);

export const META_GLOBAL = JSON.stringify({
  syncID: 'threePagesAA',
  storageVersion: 5,
  engines: { history: { version: 1, syncID: 'threePagesBB' } },
  declined: [],
});

/** `https://one.example/` to `https://three.example/`, each visited once. */
export function threePages(): SeedAccount {
  const store = new Store();
  const user = store.addUser(keyFingerprint(KB));
  const keys = {
    id: 'keys',
    collection: 'crypto',
    default: [BULK.encKey.toString('base64'), BULK.macKey.toString('base64')],
    collections: {},
  };
  const sealedKeys = sealPayload(accountKeys(KB), JSON.stringify(keys), Buffer.alloc(16, 1));
  user.write('meta', [{ id: 'global', payload: META_GLOBAL }], WRITTEN_MS);
  user.write('crypto', [{ id: 'keys', payload: sealedKeys }], WRITTEN_MS);
  const pages = ['one', 'two', 'three'].map((name, index) => {
    const id = `page-${name}`.padEnd(12, '-');
    const visits = [{ date: (WRITTEN_MS + index) * 1000, type: 1 }];
    const page = { id, histUri: `https://${name}.example/`, title: name, visits };
    const iv = Buffer.alloc(16, 2 + index);
    return { id, payload: sealPayload(BULK, JSON.stringify(page), iv) };
  });
  user.write('history', pages, WRITTEN_MS);
  return { kB: KB, store };
}
