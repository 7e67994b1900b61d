// Collections that an update has bound to another remote: what the device holds of them here is of
// this remote's account, and never goes to the other's server. Where the server has all of it, it
// is swept; where something was not sent yet, it stays as it is, and goes on when the collection
// comes back. A sign-out takes it along like everything else.

import type { Platform } from '../../platform/ports.ts';
import { ported } from '../errors.ts';
import { collectionKeys, rangeEnd } from '../store/layout.ts';
import { removeRange } from '../store/mend.ts';
import { setKeys } from '../store/set-keys.ts';

/**
 * Frees what a generation holds of the collections under these letters; safe to be cut and done
 * again. Errors: those of the storage.
 */
export async function sweepMoved(
  { storage, clock }: Pick<Platform, 'storage' | 'clock'>,
  generation: string,
  letters: readonly string[],
): Promise<void> {
  const has = async (from: string): Promise<boolean> =>
    (await ported(storage.scan({ from, to: rangeEnd(from), limit: 1 }))).length > 0;
  for (const letter of letters) {
    const base = `${generation}.${letter}.`;
    if (!(await has(base))) continue;
    const keys = collectionKeys(generation, letter);
    const second = setKeys(keys, '2').place;
    const local = [keys.outbox(), keys.deletion()].flatMap((key) => [key, second(key)]);
    const unsent = [];
    for (const key of local) unsent.push(await has(key));
    if (!unsent.includes(true)) await removeRange({ storage, clock }, base);
  }
}
