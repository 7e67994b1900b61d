// Collections that an update has bound to another remote: what the device holds of them here is of
// this remote's account, and never goes to the other's server. Where the server has all of it, it
// is swept; where something was not sent yet, it stays as it is, and goes on when the collection
// comes back. A sign-out takes it along like everything else.

import type { Platform, Storage } from '../../platform/ports.ts';
import { ported } from '../errors.ts';
import { stateOf } from '../store/collection-state.ts';
import { type CollectionKeys, collectionKeys, rangeEnd } from '../store/layout.ts';
import { removeRange } from '../store/mend.ts';
import { setKeys } from '../store/set-keys.ts';

/**
 * Frees what a generation holds of these collections; safe to be cut and done again. Resolves to
 * the changes of each that keep it here. Errors: those of the storage.
 */
export async function sweepMoved(
  { storage, clock }: Pick<Platform, 'storage' | 'clock'>,
  generation: string,
  others: readonly { readonly name: string; readonly letter: string }[],
): Promise<Map<string, number>> {
  const unsent = new Map<string, number>();
  const has = async (from: string): Promise<boolean> =>
    (await ported(storage.scan({ from, to: rangeEnd(from), limit: 1 }))).length > 0;
  for (const { name, letter } of others) {
    const base = `${generation}.${letter}.`;
    if (!(await has(base))) continue;
    const keys = collectionKeys(generation, letter);
    const second = setKeys(keys, '2').place;
    const local = [keys.outbox(), keys.deletion()].flatMap((key) => [key, second(key)]);
    const isKept = [];
    for (const key of local) isKept.push(await has(key));
    if (isKept.includes(true)) unsent.set(name, await pendingIn(storage, keys));
    else await removeRange({ storage, clock }, base);
  }
  return unsent;
}

/** Of the set that is live. One at least, also where the count is damaged: some are there. */
async function pendingIn(storage: Storage, { cursor, second }: CollectionKeys): Promise<number> {
  const values = await ported(storage.get([cursor, second]));
  const states = values.filter((value) => value != null).map(stateOf);
  const live = states.find(({ staging }) => staging === undefined);
  return Math.max(live?.pending ?? 0, 1);
}
