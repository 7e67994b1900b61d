// A record that is too much for its device must not end it at every boot. Before a long one is
// worked on it is written down, and the commit that takes it in takes it off the list: what is
// still there has ended the device, and what has done so twice is set aside. Short records cost no
// write.

import { PAYLOAD_SAFE_CHARS } from '../limits.ts';
import type { Envelope } from '../remotes/remote.ts';
import { updateState } from './rewrite.ts';
import type { CollectionStore } from './store.ts';

/** A record that is worked on, or was when the device was ended. */
export interface Risk {
  readonly id: string;
  readonly modifiedMs: number;
  /** How often it has been begun. */
  readonly count: number;
}

const BEGUN_MAX = 2;

/**
 * Writes down the longest record of a batch, and moves those that have ended the device twice to
 * `spoilt`.
 * Errors: the store's.
 */
export async function takeRisk(
  store: CollectionStore,
  latest: Map<string, Envelope>,
  spoilt: Map<string, string>,
): Promise<void> {
  const { risks = [] } = store.state;
  const long = [...latest.values()].filter(({ payload }) => payload.length > PAYLOAD_SAFE_CHARS);
  for (const { id, modifiedMs } of long.sort((a, b) => b.payload.length - a.payload.length)) {
    const known = risks.find((risk) => risk.id === id && risk.modifiedMs === modifiedMs);
    const count = known?.count ?? 0;
    if (count < BEGUN_MAX) {
      const others = risks.filter((risk) => risk !== known);
      await updateState(store, () => ({
        risks: [...others, { id, modifiedMs, count: count + 1 }],
      }));
      return;
    }
    latest.delete(id);
    spoilt.set(id, 'killedDevice');
  }
}
