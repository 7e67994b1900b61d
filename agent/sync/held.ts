// What an upload may ask for beside the changes: how far the collection was read, what the upload
// before it wanted to be remembered, and everything that apps see, one record at a time.

import type { Held } from '../remotes/remote.ts';
import { eachPage } from '../store/pages.ts';
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
      await eachPage(store, false, (ids) => show(ids, take, false));
      await eachPage(store, true, (ids) => show(ids, take, true));
    },
  };
}
