// Two records that mean the same under different ids: one page, one login, one address.

import type { Body } from './collections/collection.ts';
import { type Entry, NO_ENTRY, visible } from './entry.ts';
import type { CollectionStore } from './store.ts';

/** So many that look alike are compared. */
const SAME_MAX = 32;

/**
 * The first record that means the same as `body` and is `wanted`; they are loaded one at a time, for any may be long.
 * Errors: the store's.
 */
export async function findSame(
  store: CollectionStore,
  body: Body,
  wanted: (id: string, entry: Entry) => boolean = () => true,
): Promise<{ readonly id: string; readonly entry: Entry } | null> {
  const { collection } = store;
  const prefix = `${collection.identity(body)}!`;
  const { ids } = await store.indexed({ prefix, limit: SAME_MAX });
  for (const id of ids) {
    const [entry = NO_ENTRY] = await store.load([id]);
    const shown = visible(entry);
    if (shown !== null && wanted(id, entry) && collection.same(shown, body)) return { id, entry };
  }
  return null;
}
