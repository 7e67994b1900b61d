// Firefox Sync as a remote over a storage that a test gives, for tests of what stands above it.

import type { Offer, Remote, RemoteOptions } from '../../agent/remotes/remote.ts';
import { bsoCodec } from '../../agent/remotes/sync/codec.ts';
import type { Account } from '../../agent/remotes/sync/documents.ts';
import type { StorageOptions, SyncStorage } from '../../agent/remotes/sync/storage.ts';
import { openSync } from '../../agent/remotes/sync/sync.ts';
import type { CollectionStore } from '../../agent/store/store.ts';
import { type KeyBundle, syncKeyBundle } from '../../crypto/keys.ts';
import { softwareCrypto } from '../../crypto/software.ts';
import { KB } from './remote.ts';

/** What a remote of Firefox Sync is opened with, beside what its storage needs. */
export function syncOptions(
  options: StorageOptions,
  account: Account,
  change: Partial<RemoteOptions<Account>> = {},
): RemoteOptions<Account> {
  return {
    ...options,
    account,
    stores: [],
    owner: { key: { kB: KB }, deviceId: null },
    task: 'sync',
    clientId: 'AAAAAAAAAAAA',
    devices: undefined,
    emit: () => undefined,
    startOver: async () => undefined,
    signOut: () => undefined,
    ...change,
  };
}

/** The remote of an account whose documents were never read. */
export function testRemote(options: StorageOptions, storage: SyncStorage): Remote {
  const account: Partial<Account> = { meta: null, keysModifiedMs: null };
  return openSync(syncOptions(options, account as Account), storage);
}

/** A collection under these keys. */
export function testOffer(
  store: CollectionStore,
  bundle: KeyBundle = syncKeyBundle({ kB: KB }),
): Offer {
  const pause = (): Promise<void> => Promise.resolve();
  const random = (count: number): Uint8Array => new Uint8Array(count).fill(7);
  return {
    store,
    readOnly: false,
    origin: '',
    codec: bsoCodec({
      collection: store.collection.name,
      crypto: softwareCrypto({ random }, pause),
      bundle: () => bundle,
      recheck: async () => false,
      pause,
    }),
    moved: true,
  };
}
