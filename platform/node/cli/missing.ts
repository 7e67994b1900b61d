// Which collections of a folder lack something that was held there, for the commands that must not
// pass over it.

import type { Status } from '../../../agent/index.ts';

type Collections = Status['collections'];

/**
 * Names of the collections of which something is damaged or lost. One that the folder does not sync
 * is never read again: it counts only while it holds something, or where the damage has taken what
 * the folder syncs, too.
 */
export function missingOf(collections: Collections): string[] {
  const all = Object.entries(collections);
  const isKnown = all.some(([, { enabled }]) => enabled);
  return all
    .filter(([, { enabled, held, pending, lost, damaged }]) => {
      const isSynced = enabled || held + pending + lost > 0 || !isKnown;
      return isSynced && damaged + lost > 0;
    })
    .map(([name]) => name);
}
