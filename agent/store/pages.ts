// All records of a collection, some at a time: ids alone are in memory.

import type { CollectionStore } from './store.ts';

/**
 * Those that both sides have agreed on, or those with a local change, in key order. `take` may
 * remove what it is given. Errors: its own, and the store's.
 */
export async function eachPage(
  store: CollectionStore,
  isLocal: boolean,
  take: (ids: readonly string[], isLast: boolean) => Promise<unknown>,
): Promise<void> {
  const limit = store.heap.batchRecordsMax;
  for (let after: string | null = null; ; ) {
    const ids: string[] = isLocal
      ? await store.pendingIds(after, limit)
      : (await store.mirrorIds(after, limit)).ids;
    const isLast = ids.length < limit;
    await take(ids, isLast);
    if (isLast) return;
    after = ids[limit - 1] ?? null;
  }
}
