// A collection of which stored values are damaged: what can be read stays, index and counters are
// made anew, and the server is asked for everything once more. Unsent changes that cannot be read
// are lost, and said to be. Safe to be cut and done again: the collection stays marked until the
// end.

import type { Platform, Storage } from '../../platform/ports.ts';
import { ported, SyncError } from '../errors.ts';
import { DAMAGE_KEY, rangeEnd } from './layout.ts';
import { eachPage } from './pages.ts';
import { NO_ENTRY } from './record.ts';
import { rewriteEach, updateState } from './rewrite.ts';
import type { CollectionStore } from './store.ts';

/** Whether an error says that stored values are damaged. */
export function isDamage(error: unknown): error is SyncError {
  return error instanceof SyncError && error.code === 'damaged';
}

/**
 * Has a damaged storage repaired; that something was lost is noted with it. Errors: those of the
 * storage.
 */
export async function repairStorage(storage: Storage): Promise<void> {
  await storage.repair?.([[DAMAGE_KEY, '']]);
}

/** What `work` resolves to, after a repair if the storage turns out to be damaged. */
export async function repairing<T>(storage: Storage, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isDamage(error) || error.detail.stored !== undefined) throw error;
    await repairStorage(storage);
    return work();
  }
}

/**
 * Ids as far as they are known: of the records to be fetched again, and of unsent changes that are
 * lost.
 */
interface Mended {
  readonly records: readonly string[];
  readonly lost: readonly string[];
}

export async function mendCollection(
  store: CollectionStore,
  platform: Pick<Platform, 'clock'>,
): Promise<Mended> {
  const { keys, storage } = store;
  const where = { storage, clock: platform.clock };
  const lost: string[] = [];
  const records: string[] = [];
  const first = store.begin();
  first.update({ mending: store.state.mending ?? store.state.pending });
  first.recount();
  await first.commit();
  for (const range of [keys.indexes, keys.quarantine(), keys.deletion()]) {
    await removeRange(where, range);
  }

  /** Removes what cannot be read of a record. */
  const clear = async (id: string): Promise<void> => {
    try {
      await store.load([id]);
    } catch (error) {
      if (!isDamage(error) || error.detail.recordId !== id) throw error;
      const isLocal = error.detail.stored === 'outbox';
      if (isLocal) lost.push(id);
      else records.push(id);
      await ported(storage.commit([[isLocal ? keys.outbox(id) : keys.record(id), null]]));
      await clear(id);
    }
  };

  let { seq, epoch } = store.state;
  for (const isLocal of [false, true]) {
    await eachPage(store, isLocal, async (ids) => {
      for (const id of ids) await clear(id);
      await rewriteEach(
        store,
        ids.map((id) => ({ id })),
        (transaction, entry, { id }) => {
          seq = Math.max(seq, entry.local?.seq ?? 0);
          epoch = Math.max(epoch, entry.mirror?.epoch ?? 0);
          // A change of a record that was readable has been met with it.
          if (!isLocal || entry.mirror === null) transaction.set(id, NO_ENTRY, entry);
        },
      );
    });
  }

  await updateState(store, (state) => ({
    ...{ position: '', epoch: epoch + 1, resetting: true, seq, mending: undefined },
    // Another one than the account has, and not that of a collection that was never synced.
    origin: '-',
    damaged: records.length || 1,
    lost: (state.lost ?? 0) + Math.max(lost.length, (state.mending ?? 0) - state.pending),
  }));
  return { records, lost };
}

type Where = Pick<Platform, 'storage' | 'clock'>;

/** Keys removed per commit. */
const REMOVED_KEYS = 500;

/**
 * Removes all keys up to `to`, else those that begin with `from`, a commit at a time; safe to be
 * cut and done again.
 */
export async function removeRange(
  { storage, clock }: Where,
  from: string,
  to = rangeEnd(from),
): Promise<void> {
  for (;;) {
    const keys = await ported(storage.scan({ from, to, limit: REMOVED_KEYS }));
    if (keys.length === 0) return;
    await ported(storage.commit(keys.map((key) => [key, null] as const)));
    await clock.pause();
  }
}
