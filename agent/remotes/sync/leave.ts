// What a device that signs out leaves on the server: nothing of its own. The server is told to
// forget its records among the account's devices and tabs in a second. They stay what they are
// until then: other devices would show a tombstone there as a device without a name. Everything
// else of the account stays as it is.
// Source: Sync object formats, `clients`; SyncStorage API 1.5, `ttl`.

import { STAMP_MS_MAX } from '../../limits.ts';
import { START } from '../../store/collection-state.ts';
import { NO_ENTRY } from '../../store/record.ts';
import type { CollectionStore } from '../../store/store.ts';
import type { PassContext } from '../../sync/pass-context.ts';

/** What others have written since the last pass is no reason to stay. */
const WHENEVER = { ...START, sinceMs: STAMP_MS_MAX };
const TTL_SECONDS = 1;

/** Errors: those of the remote; `keyMismatch` when the account's keys were never read. */
export async function sayFarewell(
  context: PassContext,
  stores: readonly CollectionStore[],
): Promise<void> {
  const { clientId, crypto, keys, remote } = context;
  for (const { collection, load } of stores) {
    const [{ mirror } = NO_ENTRY] = await load([clientId]);
    if (collection.writes !== 'own' || mirror === null) continue;
    const text = JSON.stringify(collection.outgoing(clientId, mirror.body));
    const [payload = ''] = await crypto.seal(keys.bundle(collection.name), [text]);
    const baseMs = mirror.modifiedMs;
    const record = { id: clientId, payload, sortindex: null, ttlSeconds: TTL_SECONDS, baseMs };
    const upload = await remote.upload(collection.name, WHENEVER);
    await upload.add([record], true);
    await upload.commit();
  }
}
