// What a server of another protocol holds, in the form of an account of Firefox Sync: its records
// sealed anew, under keys that follow from the user's. What proved itself there does so here, and
// nothing else.

import { createHash } from 'node:crypto';
import { Collection, Store } from './servers/store.ts';
import type { SeedAccount } from './servers/store-file.ts';
import { accountKeys, type KeyPair, keyFingerprint, sealPayload } from './servers/sync-keys.ts';

type Body = Readonly<Record<string, unknown>>;

/**
 * When a record was written, where its server does not say: later than any clock, and the same in
 * each view, or all would have changed from one to the next.
 */
export const UNTIMED_MS = 4_000_000_000_000;

/** `body`: null for what does not prove itself; `payload` is what is there then. */
type Put = (id: string, modifiedMs: number, body: Body | null, payload?: string) => void;

interface View {
  readonly account: SeedAccount;
  /** An empty collection of this name. A record that proves itself has the id in its body. */
  collection(name: string): Put;
}

export function createView(kB: string): View {
  const store = new Store();
  const user = store.addUser(keyFingerprint(kB));
  const keys = viewKeys(kB);
  const bulk = new Collection();
  bulk.set(bsoOf('keys', 0, sealPayload(accountKeys(kB), bulkKeys(keys), ivOf('keys'))));
  user.collections.set('crypto', bulk);
  return {
    account: { kB, store },
    collection(name) {
      const collection = new Collection();
      user.collections.set(name, collection);
      return (id, modifiedMs, body, payload = '') => {
        const sealed = body === null ? payload : sealPayload(keys, JSON.stringify(body), ivOf(id));
        collection.set(bsoOf(`${body?.id ?? id}`, modifiedMs, sealed));
      };
    },
  };
}

function viewKeys(kB: string): KeyPair {
  const { encKey, macKey } = accountKeys(kB);
  const keyOf = (key: Buffer): Buffer => createHash('sha256').update('view').update(key).digest();
  return { encKey: keyOf(encKey), macKey: keyOf(macKey) };
}

function bulkKeys({ encKey, macKey }: KeyPair): string {
  const pair = [encKey.toString('base64'), macKey.toString('base64')];
  return JSON.stringify({ id: 'keys', collection: 'crypto', default: pair, collections: {} });
}

function ivOf(id: string): Buffer {
  return createHash('sha256').update(id).digest().subarray(0, 16);
}

function bsoOf(id: string, modifiedMs: number, payload: string) {
  return { id, modifiedMs, payload, sortindex: null, expiresMs: null };
}
