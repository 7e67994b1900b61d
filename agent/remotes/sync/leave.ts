// What a device that signs out leaves on the server: nothing of its own. The server is told to
// forget its records among the account's devices and tabs in a second. They stay what they are
// until then: other devices would show a tombstone there as a device without a name. Everything
// else of the account stays as it is.
// Source: Sync object formats, `clients`; SyncStorage API 1.5, `ttl`.

import { STAMP_MS_MAX } from '../../limits.ts';
import { NO_ENTRY } from '../../store/record.ts';
import type { RemoteOptions } from '../remote.ts';
import { START } from './cursor.ts';
import type { Account } from './documents.ts';
import type { SyncStorage } from './storage.ts';

/** What others have written since the last pass is no reason to stay. */
const WHENEVER = { ...START, sinceMs: STAMP_MS_MAX };
const TTL_SECONDS = 1;

/** Errors: those of the remote; `keyMismatch` when the account's keys were never read. */
export async function sayFarewell(
  { account, clientId, stores }: RemoteOptions<Account>,
  storage: SyncStorage,
): Promise<void> {
  for (const { collection, load } of stores) {
    const [{ mirror } = NO_ENTRY] = await load([clientId]);
    if (collection.writes !== 'own' || mirror === null) continue;
    const text = JSON.stringify(collection.outgoing(clientId, mirror.body));
    const [payload = ''] = await account.crypto.seal(account.bundle(collection.name), [text]);
    const beside = { ttl: TTL_SECONDS };
    const record = { id: clientId, payload, base: mirror.version, beside };
    const upload = await storage.upload(collection.name, WHENEVER);
    await upload.add([record], true);
    await upload.commit();
  }
}
