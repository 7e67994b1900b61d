// What other devices may ask of a collection here, beside syncing it: to forget how far it was
// synced, and to drop what the device holds of it. Nothing is deleted upstream, and what an app
// edits meanwhile stays. The request is noted in the commit of its effect, so a power cut makes
// none happen twice.

import { eachPage } from '../../store/pages.ts';
import { NO_ENTRY } from '../../store/record.ts';
import { resetCollection } from '../../store/reset.ts';
import { rewriteEach, updateState } from '../../store/rewrite.ts';
import type { CollectionStore } from '../../store/store.ts';

/** A request: the version of the record that it came in, and its place among that record's. */
export type Request = readonly [versionMs: number, index: number];

function isApplied({ state }: CollectionStore, [versionMs, index]: Request): boolean {
  const [appliedMs, last] = state.applied ?? [];
  return appliedMs === versionMs && last !== undefined && last >= index;
}

/** Reads the whole collection anew at the next pull, and merges it with what is here. */
export async function resetOnce(store: CollectionStore, request: Request): Promise<void> {
  if (isApplied(store, request)) return;
  await resetCollection(store, store.state.origin, { applied: request });
}

/**
 * Drops all records, changes that wait for the server too; the next pull fetches what the server
 * has.
 */
export async function wipeOnce(store: CollectionStore, request: Request): Promise<void> {
  if (isApplied(store, request)) return;
  await updateState(store, ({ seq }) => ({
    position: '',
    resetting: false,
    applied: request,
    wipeUpTo: seq,
  }));
  await finishWipe(store);
}

/** Goes on with what a power cut interrupted. */
export async function finishWipe(store: CollectionStore): Promise<void> {
  const upTo = store.state.wipeUpTo;
  if (upTo === undefined) return;
  for (const isLocal of [false, true]) {
    await eachPage(store, isLocal, (ids) => dropAll(store, ids, upTo));
  }
  await updateState(store, () => ({ wipeUpTo: undefined }));
}

async function dropAll(
  store: CollectionStore,
  ids: readonly string[],
  upTo: number,
): Promise<void> {
  await rewriteEach(
    store,
    ids.map((id) => ({ id })),
    (transaction, before, { id }) => {
      const isNewer = before.local !== null && before.local.seq > upTo;
      transaction.set(id, before, { ...NO_ENTRY, local: isNewer ? before.local : null });
    },
  );
}
