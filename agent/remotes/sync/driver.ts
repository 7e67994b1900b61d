// Both protocols of Firefox Sync are one remote over two kinds of storage.

import { clientState } from '../../../crypto/keys.ts';
import type { RemoteDriver } from '../remote.ts';
import { type Account, openAccount } from './documents.ts';
import type { StorageOptions, SyncStorage } from './storage.ts';
import { openSync } from './sync.ts';

export interface SyncDriver extends RemoteDriver<Account> {
  /** The storage alone, for who asks it outside a pass. */
  storage(options: StorageOptions): SyncStorage;
}

export function syncDriver(protocol: string, storage: SyncDriver['storage']): SyncDriver {
  return {
    protocol,
    reserved: ['meta', 'crypto', 'clients', 'keys'],
    keyName: clientState,
    account: openAccount,
    storage,
    open: (options) => openSync(options, storage(options)),
  };
}
