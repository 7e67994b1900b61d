// After a reset of the sync state (the account was started anew, a key changed) the device's data
// stays: the whole collection is read once more, and what the server turns out not to have goes up
// again.

import type { CollectionState } from './collection-state.ts';
import { updateState } from './rewrite.ts';
import type { CollectionStore } from './store.ts';

/**
 * Forgets how far the collection was synced, keeps every record. `origin` is the new one;
 * `more` is committed along with it.
 */
export async function resetCollection(
  store: CollectionStore,
  origin: string,
  more: Partial<CollectionState> = {},
): Promise<void> {
  const isNew = store.state.origin === '' && store.state.position === '';
  await updateState(store, ({ epoch }) => ({
    position: '',
    origin,
    plan: undefined,
    gone: undefined,
    epoch: epoch + (isNew ? 0 : 1),
    resetting: !isNew,
    ...more,
  }));
}
