// After a reset of the sync state (the account was started anew, a key changed) the device's data
// stays: the whole collection is read once more, and what the server turns out not to have goes up
// again.

import { mayWrite } from '../collections/collection.ts';
import type { CollectionPass } from '../sync/pass-context.ts';
import { type CollectionState, START } from './collection-state.ts';
import { NO_ENTRY } from './record.ts';
import { rewriteEach, updateState } from './rewrite.ts';
import type { CollectionStore } from './store.ts';

/**
 * Forgets how far the collection was synced, keeps every record. `syncId` is the engine's new one;
 * `more` is committed along with it.
 */
export async function resetCollection(
  store: CollectionStore,
  syncId: string,
  more: Partial<CollectionState> = {},
): Promise<void> {
  const isNew = store.state.syncId === '' && store.state.cursor.sinceMs < 0;
  await updateState(store, ({ epoch }) => ({
    cursor: START,
    syncId,
    epoch: epoch + (isNew ? 0 : 1),
    resetting: !isNew,
    ...more,
  }));
}

/**
 * At the end of the listing after a reset: records that it did not show become local changes, or go
 * if they are not the device's to write.
 */
export async function requeueUnseen(pass: CollectionPass): Promise<void> {
  const { store } = pass;
  if (!store.state.resetting) return;
  let after: string | null = null;
  do {
    const { ids, next }: { ids: string[]; next: string | null } = await store.mirrorIds(
      after,
      store.heap.batchRecordsMax,
    );
    await requeue(pass, ids, next === null);
    after = next;
  } while (after !== null);
}

async function requeue(pass: CollectionPass, ids: readonly string[], last: boolean): Promise<void> {
  const { store } = pass;
  await rewriteEach(
    store,
    ids.map((id) => ({ id })),
    (transaction, before, { id }) => {
      if (before.mirror === null || before.mirror.epoch === store.state.epoch) return;
      // The server has a version that this device cannot read: ours must not replace it.
      if (before.quarantined) return;
      if (!mayWrite(store.collection, id, pass.clientId)) {
        transaction.set(id, before, NO_ENTRY);
        return;
      }
      const local = before.local ?? {
        body: before.mirror.body,
        changedAtMs: pass.platform.clock.nowMs(),
        seq: transaction.nextSeq(),
        tries: 0,
      };
      transaction.set(id, before, { ...before, mirror: null, local });
    },
    (transaction) => {
      if (last) transaction.update({ resetting: false, damaged: undefined });
    },
  );
}
