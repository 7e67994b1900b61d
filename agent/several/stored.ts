// What the remotes of a device leave in its storage: the first value of a new one, and what is
// there of one that the configuration does not have any more.

import type { Platform, Storage } from '../../platform/ports.ts';
import { ported } from '../errors.ts';
import { DAMAGE_KEY, rangeEnd, STATE_KEY } from '../store/layout.ts';
import { removeRange } from '../store/mend.ts';
import { NAMED, NAMED_END } from '../store/prefixed.ts';
import { NEW_STATE } from '../store/state.ts';
import { jsonStored } from '../store/stored.ts';

/**
 * A remote has a state from the first boot on: where there is none after a repair, it was lost, and
 * not just never there. Errors: those of the storage; damage is left to whoever reads the state.
 */
export async function begin(storage: Storage): Promise<void> {
  const keys = await storage.get([STATE_KEY, DAMAGE_KEY]).catch(() => null);
  if (keys?.every((value) => value === null)) {
    await ported(storage.commit([[STATE_KEY, jsonStored(NEW_STATE)]]));
  }
}

/** Removes all of the remotes that are in none of these places. Errors: those of the storage. */
export async function removeForgotten(
  platform: Platform,
  places: readonly string[],
): Promise<void> {
  let from = NAMED;
  for (const place of places.filter((place) => place !== '').sort()) {
    await removeRange(platform, from, place);
    from = rangeEnd(place);
  }
  await removeRange(platform, from, NAMED_END);
}
