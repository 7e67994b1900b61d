// A record that is too much for its device must not end it at every boot. Before a long one is
// worked on it is written down, and the commit that takes it in takes it off the list: what is
// still there has ended the device, and what has done so twice is set aside. Short records cost no
// write.

import { PAYLOAD_SAFE_CHARS } from '../limits.ts';
import type { Envelope } from '../remotes/remote.ts';
import { updateState } from '../store/rewrite.ts';
import type { CollectionStore } from '../store/store.ts';

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
  const long = [...latest.values()].filter((envelope) => charsOf(envelope) > PAYLOAD_SAFE_CHARS);
  for (const { id, version } of long.sort((a, b) => charsOf(b) - charsOf(a))) {
    const known = risks.find((risk) => risk.id === id && risk.version === version);
    const count = known?.count ?? 0;
    if (count < BEGUN_MAX) {
      const others = risks.filter((risk) => risk !== known);
      await updateState(store, () => ({
        risks: [...others, { id, version, count: count + 1 }],
      }));
      return;
    }
    latest.delete(id);
    spoilt.set(id, 'killedDevice');
  }
}

function charsOf({ payload }: Envelope): number {
  return payload?.length ?? 0;
}
