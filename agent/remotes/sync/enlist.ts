// What the user wants here, nobody has declined, and the account does not list is added to
// `meta/global`, as Firefox adds it, and nothing else of that document changes. Where the server
// lets nobody write it, the collection is read-only here for a day: an app hears at once that an
// edit would go nowhere. Nothing on the server is ever wiped here.

import type { Entropy } from '../../../platform/ports.ts';
import { shortId } from '../../collections/members.ts';
import { SyncError } from '../../errors.ts';
import { CONFLICT_ROUNDS_MAX } from '../../limits.ts';
import { isRefusalBelieved } from '../../schedule/due.ts';
import { updateState } from '../../store/rewrite.ts';
import { withMembers } from '../../wire/insert.ts';
import type { PushResult, RemoteOptions, Wanted } from '../remote.ts';
import { type Account, isAbsent, listRefusedAtMs, payloadOf } from './documents.ts';
import { engineVersion } from './engines.ts';
import type { SyncStorage } from './storage.ts';

// Both write `meta/global`: a device loads them as one part.
export { initializeAccount } from './initialize.ts';

/** Those that are to be added now. */
export function unlisted(
  { account, platform }: RemoteOptions<Account>,
  wanted: readonly Wanted[],
): Wanted[] {
  return wanted.filter(
    ({ store: { collection, state }, readOnly }) =>
      !readOnly &&
      collection.writes !== 'none' &&
      isAbsent(account.meta, collection.name) &&
      !isRefusalBelieved(listRefusedAtMs(state), platform.clock.nowMs()),
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
  const names = missing.map(({ store: { collection } }) => collection.name);
  const kind = await addEngines(account, storage, names, platform.entropy).catch(refusalOf);
  if (kind === 'readOnly' || kind === 'refused') {
    const refused = { listRefusedAtMs: Math.max(1, platform.clock.nowMs()) };
    for (const { store } of missing) {
      await updateState(store, ({ remote }) => ({ remote: { ...remote, ...refused } }));
    }
  } else if (kind !== 'stored' && missing.some(({ store }) => store.state.pending > 0)) {
    throw new SyncError('unavailable', `not yet in the account: ${names}`);
  }
}

/**
 * Adds those engines that the account neither has nor has declined, by what the server says now,
 * and leaves every other character of `meta/global` as it is. `stored` also where there was nothing
 * to add. Errors: as `Account.refreshMeta`.
 */
async function addEngines(
  account: Account,
  storage: SyncStorage,
  names: readonly string[],
  entropy: Entropy,
): Promise<PushResult['kind']> {
  let before = '';
  for (let round = 0; round < 2 * CONFLICT_ROUNDS_MAX; round++) {
    const envelope = await account.refreshMeta(storage);
    const added = names
      .filter((name) => isAbsent(account.meta, name))
      .map((name) => {
        const engine = { version: engineVersion(name), syncID: shortId(entropy.random(12)) };
        return [name, engine] as const;
      });
    if (added.length === 0) return 'stored';
    // It goes back whole: what something on the way has garbled is not read twice.
    const text = payloadOf(envelope);
    const isSure = text === before;
    before = text;
    if (!isSure) continue;
    const payload = withMembers(text, 'engines', added);
    if (payload === null) return 'refused';
    const whole = { id: 'global', payload, base: envelope.version, beside: {} };
    const result = await storage.write('meta', whole);
    if (result.kind === 'stored') {
      await account.keepMeta({ ...envelope, ...result, payload }, storage);
    }
    if (result.kind !== 'conflict') return result.kind;
  }
  return 'conflict';
}

/** Who may not write this document may well read all the rest. */
function refusalOf(error: unknown): PushResult['kind'] {
  if (error instanceof SyncError && error.detail.status === 403) return 'readOnly';
  throw error;
}
