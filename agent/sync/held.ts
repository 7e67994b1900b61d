// What an upload may ask for beside the changes: everything that apps see, one record at a time; of
// an undecided conflict the server's version. For remotes that write a collection as a whole.

import type { Held } from '../remotes/remote.ts';
import { eachPage } from '../store/pages.ts';
import { isUndecided, NO_ENTRY, visible } from '../store/record.ts';
import type { CollectionStore } from '../store/store.ts';

/** As `Held.each`. Errors: those of the store, and of `take`. */
export async function eachHeld(
  store: CollectionStore,
  take: Parameters<Held['each']>[0],
): Promise<void> {
  const show = async (ids: readonly string[], isLocal: boolean): Promise<void> => {
    for (const id of ids) {
      const [loaded = NO_ENTRY] = await store.load([id]);
      const entry = isUndecided(loaded.local) ? { ...loaded, local: null } : loaded;
      // A change of a record that the server has was met with it.
      const body = isLocal && entry.mirror !== null ? null : visible(entry);
      if (body === null) continue;
      await take(id, body, entry.local === null ? (entry.mirror?.version ?? null) : null);
    }
  };
  await eachPage(store, false, (ids) => show(ids, false));
  await eachPage(store, true, (ids) => show(ids, true));
}
