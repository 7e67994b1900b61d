// An account in which records of history are sealed under a key that is not the account's, older
// than all others: what a client leaves behind that lost its keys and wrote on.

import { dumpStore, readAccount, type SeedAccount } from '../../emulator/servers/store-file.ts';
import { sealPayload } from '../../emulator/servers/sync-keys.ts';

const OTHER_KEYS = { encKey: Buffer.alloc(32, 0xe1), macKey: Buffer.alloc(32, 0xe2) };

/** The same account, its oldest `count` records of history sealed under another key. */
export function withForeignRecords(account: SeedAccount, count: number): SeedAccount {
  const file = JSON.parse(JSON.stringify({ ...account, store: dumpStore(account.store, 0) }));
  for (const user of Object.values<{ collections: Collections }>(file.store.users)) {
    const bsos = user.collections.history?.bsos ?? [];
    if (bsos.length < count) throw new Error(`history has ${bsos.length} records`);
    for (const bso of bsos.slice(0, count)) {
      const text = JSON.stringify({ id: bso.id, histUri: 'https://foreign.example/', visits: [] });
      bso.payload = sealPayload(OTHER_KEYS, text, Buffer.alloc(16, 9));
    }
  }
  return readAccount(file);
}

interface Collections {
  readonly history?: { readonly bsos: { readonly id: string; payload: string }[] };
}
