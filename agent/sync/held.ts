// What an upload may ask for beside the changes: how far the collection was read, what the upload
// before it wanted to be remembered, and everything that apps see, one record at a time.

import type { Held } from '../remotes/remote.ts';
import { NO_ENTRY, visible } from '../store/record.ts';
import type { CollectionStore } from '../store/store.ts';

export function heldBy(store: CollectionStore): Held {
  const { position, plan = null } = store.state;
  const show = async (
    ids: readonly string[],
    take: Parameters<Held['each']>[0],
    isLocal: boolean,
  ): Promise<void> => {
    for (const id of ids) {
      const [entry = NO_ENTRY] = await store.load([id]);
      // A change of a record that the server has was met with it.
      const body = isLocal && entry.mirror !== null ? null : visible(entry);
      if (body === null) continue;
      await take(id, body, entry.local === null ? (entry.mirror?.version ?? null) : null);
    }
  };
  return {
    position,
    plan,
    async each(take) {
      const limit = store.heap.batchRecordsMax;
      for (let after: string | null = null; ; ) {
        const { ids, next }: { ids: string[]; next: string | null } = await store.mirrorIds(
          after,
          limit,
        );
        await show(ids, take, false);
        if (next === null) break;
        after = next;
      }
      for (let after: string | null = null; ; ) {
        const ids: string[] = await store.pendingIds(after, limit);
        await show(ids, take, true);
        if (ids.length < limit) return;
        after = ids.at(-1) ?? null;
      }
    },
  };
}
