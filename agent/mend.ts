// A collection of which stored values are damaged: what can be read stays, index and counters are made anew, and the
// server is asked for everything once more. Unsent changes that cannot be read are lost, and said to be.
// Safe to be cut and done again: the collection stays marked until the end.

import type { Storage } from '../platform/ports.ts';
import { START } from './collection-state.ts';
import { type Entry, NO_ENTRY } from './entry.ts';
import { fromPort, ported, SyncError } from './errors.ts';
import { DAMAGE_KEY, rangeEnd } from './keys.ts';
import type { CollectionStore } from './store.ts';

/** Whether an error says that stored values are damaged. */
export function isDamage(error: unknown): error is SyncError {
  return error instanceof SyncError && error.code === 'damaged';
}

/** Has a damaged storage repaired; that something was lost is noted with it. Errors: those of the storage. */
export async function repairStorage(storage: Storage): Promise<void> {
  if (storage.repair !== undefined) await ported(storage.repair([[DAMAGE_KEY, '']]));
}

/** What `work` resolves to, after a repair if the storage turns out to be damaged. */
export async function repairing<T>(storage: Storage, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const failure = fromPort(error);
    if (!isDamage(failure) || failure.detail.stored !== undefined) throw failure;
    await repairStorage(storage);
    return work();
  }
}

/** Marks the collection: it is mended when it is opened the next time. */
export async function markDamaged(store: CollectionStore): Promise<void> {
  const transaction = store.begin();
  transaction.update({ mending: store.state.mending ?? store.state.pending });
  await transaction.commit();
}

/** Returns the ids of the unsent changes that are lost, as far as they are known. */
export async function mendCollection(store: CollectionStore, storage: Storage): Promise<string[]> {
  const { keys } = store;
  const lost: string[] = [];
  let damaged = 0;
  const first = store.begin();
  first.recount();
  first.update({ mending: store.state.mending ?? store.state.pending });
  await first.commit();
  for (const range of [keys.indexes, keys.quarantines, keys.deletions]) {
    await removeRange(storage, range);
  }

  const readable = async (id: string): Promise<Entry> => {
    for (;;) {
      try {
        const [entry = NO_ENTRY] = await store.load([id]);
        return entry;
      } catch (error) {
        if (!isDamage(error) || error.detail.recordId !== id) throw error;
        const isLocal = error.detail.stored === 'outbox';
        if (isLocal) lost.push(id);
        else damaged++;
        await ported(storage.commit([[isLocal ? keys.outbox(id) : keys.record(id), null]]));
      }
    }
  };

  let { seq, epoch } = store.state;
  const limit = store.heap.batchRecordsMax;
  for (const isLocal of [false, true]) {
    let after: string | null = null;
    do {
      const ids: string[] = isLocal
        ? await store.pendingIds(after, limit)
        : (await store.mirrorIds(after, limit)).ids;
      let transaction = store.begin();
      for (const id of ids) {
        const entry = await readable(id);
        seq = Math.max(seq, entry.local?.seq ?? 0);
        epoch = Math.max(epoch, entry.mirror?.epoch ?? 0);
        // A change of a record that was readable has been met with it.
        if (isLocal && entry.mirror !== null) continue;
        transaction.restore(id, entry);
        if (!transaction.isFull) continue;
        await transaction.commit();
        transaction = store.begin();
      }
      await transaction.commit();
      after = ids.length < limit ? null : (ids.at(-1) ?? null);
    } while (after !== null);
  }

  const { state } = store;
  const unsent = Math.max(lost.length, (state.mending ?? 0) - state.pending);
  const last = store.begin();
  last.update({
    ...{ cursor: START, epoch: epoch + 1, resetting: true, seq, mending: undefined },
    // Another one than the account has, and not that of a collection that was never synced.
    syncId: '-',
    damaged: (state.damaged ?? 0) + Math.max(1, damaged),
    lost: (state.lost ?? 0) + unsent,
  });
  await last.commit();
  return lost;
}

const REMOVED_KEYS = 200;

async function removeRange(storage: Storage, from: string): Promise<void> {
  for (;;) {
    const found = await ported(storage.scan({ from, to: rangeEnd(from), limit: REMOVED_KEYS }));
    if (found.length === 0) return;
    await ported(storage.commit(found.map((key) => [key, null] as const)));
  }
}
