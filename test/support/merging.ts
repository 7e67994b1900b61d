// Two versions of a record meet, as a collection's own test wants it.

import type { Body, Collection, MergeDecision } from '../../agent/collections/collection.ts';

const NOW_MS = 1_795_323_276_914;

type Merge = (
  mine: Body | null,
  base: Body | null,
  theirs: Body | null,
  youngerMs?: number,
) => MergeDecision;

/** The local change is `youngerMs` younger than the server's; older by default. */
export function mergeOf(collection: Collection): Merge {
  return (mine, base, theirs, youngerMs = -1) =>
    collection.merge({
      local: { body: mine, changedAtMs: NOW_MS - 10_000 },
      mirror: base && { body: base, modifiedMs: 1 },
      incoming: { body: theirs, modifiedMs: NOW_MS - 10_000 - youngerMs },
      serverNowMs: NOW_MS,
      deviceNowMs: NOW_MS,
    });
}

/** What is on the server in the end, of a record that nobody has deleted. */
export function inTheEnd({ local }: MergeDecision, theirs: Body): Body {
  return typeof local === 'string' ? theirs : local;
}
