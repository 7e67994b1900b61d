// Keeps a small device small: the oldest history leaves the device when there is too much of it.
// Local only: nothing is ever deleted upstream, and an unsynced change is never evicted.

import { NO_ENTRY } from '../store/record.ts';
import type { CollectionPass } from './pass-context.ts';

/** Drops the oldest records above `historyRecordsMax`, in batches. */
export async function evict(pass: CollectionPass): Promise<void> {
  const { store, report } = pass;
  if (!store.collection.evictable) return;
  for (;;) {
    const excess = store.state.held - pass.config.historyRecordsMax;
    if (excess <= 0) return;
    const dropped = await store.lock.run(() => dropOldest(pass, excess));
    report.evicted += dropped;
    if (dropped === 0) return;
  }
}

async function dropOldest({ store }: CollectionPass, excess: number): Promise<number> {
  const limit = Math.min(excess, store.heap.batchRecordsMax);
  const { ids } = await store.indexed({ prefix: 'd', limit, reverse: true });
  const transaction = store.begin();
  let dropped = 0;
  for (const id of ids) {
    const [entry = NO_ENTRY] = await store.load([id]);
    // Without a mirror nothing would leave: a value that the flash has lost stays in the index.
    if (entry.local !== null || entry.mirror === null) continue;
    transaction.set(id, entry, { ...NO_ENTRY, quarantined: entry.quarantined });
    dropped++;
  }
  if (dropped > 0) await transaction.commit();
  return dropped;
}
