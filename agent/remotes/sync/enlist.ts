// What the user wants here, nobody has declined, and the account does not list is added to
// `meta/global`, as Firefox adds it, and nothing else of that document changes. Where the server
// lets nobody write it, the collection is read-only here for a day: an app hears at once that an
// edit would go nowhere.

import { shortId } from '../../collections/members.ts';
import { SyncError } from '../../errors.ts';
import { isRefusalBelieved } from '../../schedule/due.ts';
import { updateState } from '../../store/rewrite.ts';
import type { PushResult, RemoteOptions, Wanted } from '../remote.ts';
import { type Account, isAbsent } from './documents.ts';
import type { SyncStorage } from './storage.ts';

/** Those that are to be added now. */
export function unlisted(
  { account, notes, platform }: RemoteOptions<Account>,
  wanted: readonly Wanted[],
): Wanted[] {
  if (notes.waitMs > 0) return [];
  return wanted.filter(
    ({ store: { collection, state }, readOnly }) =>
      !readOnly &&
      collection.writes !== 'none' &&
      isAbsent(account.meta, collection.name) &&
      !isRefusalBelieved(state.listRefusedAtMs ?? 0, platform.clock.nowMs()),
  );
}

/**
 * Adds them. Errors: `unavailable` when changes wait for that and it could not be done for now;
 * those of the remote.
 */
export async function enlist(
  { account, platform }: RemoteOptions<Account>,
  storage: SyncStorage,
  missing: readonly Wanted[],
): Promise<void> {
  const engines = missing.map(({ store: { collection } }) => collection);
  const newId = (): string => shortId(platform.entropy.random(12));
  const kind = await account.addEngines(storage, engines, newId).catch(refusalOf);
  if (kind === 'readOnly' || kind === 'refused') {
    const listRefusedAtMs = Math.max(1, platform.clock.nowMs());
    for (const { store } of missing) await updateState(store, () => ({ listRefusedAtMs }));
  } else if (kind !== 'stored' && missing.some(({ store }) => store.state.pending > 0)) {
    const names = engines.map(({ name }) => name);
    throw new SyncError('unavailable', `not yet in the account: ${names}`);
  }
}

/** Who may not write this document may well read all the rest. */
function refusalOf(error: unknown): PushResult['kind'] {
  if (error instanceof SyncError && error.detail.status === 403) return 'readOnly';
  throw error;
}
