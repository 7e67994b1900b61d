// What becomes of a record that was changed here and elsewhere, where a device says so itself,
// instead of the collection's own rule. A conflict is a change on both sides of what was agreed on;
// everything else is left to the collection's rule, whatever the strategy. Pure.

import type { Strategy } from '../config.ts';
import { UNDECIDED_TRIES } from '../limits.ts';
import type { Body, Collection, MergeDecision, MergeInput } from './collection.ts';
import {
  hasSameMembers,
  isLocalYounger,
  isOlderThanAgreed,
  isSameValue,
  youngerWins,
} from './members.ts';

/** All there are. */
export const STRATEGIES: readonly Strategy[] = ['remoteWins', 'localWins', 'merge', 'manual'];

/** The collection's rule with this strategy for conflicts. */
export function mergeBy(collection: Collection, strategy: Strategy): Collection['merge'] {
  return (input) => {
    const { local } = input;
    if (local !== null && (local.tries ?? 0) >= UNDECIDED_TRIES) return undecided(input);
    if (isMadeAgain(input)) return { mirror: null, local: 'keep' };
    if (!isConflict(input)) return collection.merge(input);
    const asIs = input.incoming.body && 'asIs';
    if (strategy === 'remoteWins') return { mirror: asIs, local: 'none' };
    if (strategy === 'localWins') return { mirror: asIs, local: 'keep' };
    if (strategy === 'manual') return { mirror: asIs, local: 'keep', tries: UNDECIDED_TRIES };
    return collection.merge === youngerWins ? byMember(input) : collection.merge(input);
  };
}

/** What is deleted there was made again here, or it was decided that it stays. */
function isMadeAgain({ local, mirror, incoming }: MergeInput): boolean {
  return mirror === null && incoming.body === null && (local?.body ?? null) !== null;
}

/** Both sides have changed it, and not alike. Of what was agreed on nothing may be known. */
function isConflict(input: MergeInput): boolean {
  const { local, mirror, incoming } = input;
  if (local === null || isOlderThanAgreed(input)) return false;
  if (isAlike(local.body, incoming.body)) return false;
  if (mirror === null) return true;
  return !isAlike(mirror.body, incoming.body) && !isAlike(mirror.body, local.body);
}

/**
 * Another version of the server's while nobody has decided. What a server begins anew with may be
 * older than what it had: then the version that it had stays, too.
 */
function undecided(input: MergeInput): MergeDecision {
  const { local, mirror, incoming } = input;
  const asIs = incoming.body && 'asIs';
  if (local === null || isAlike(local.body, incoming.body)) return { mirror: asIs, local: 'none' };
  const theirs = isOlderThanAgreed(input) && mirror !== null ? mirror.body : asIs;
  return { mirror: theirs, local: 'keep', tries: UNDECIDED_TRIES };
}

function byMember(input: MergeInput): MergeDecision {
  const [mine, theirs] = [input.local?.body ?? null, input.incoming.body];
  if (theirs === null) return { mirror: null, local: mine === null ? 'none' : 'keep' };
  if (mine === null) return { mirror: 'asIs', local: 'none' };
  const base = new Map(Object.entries(input.mirror?.body ?? {}));
  const [ours, others] = [new Map(Object.entries(mine)), new Map(Object.entries(theirs))];
  const isYounger = isLocalYounger(input);
  const merged: [string, unknown][] = [];
  for (const name of new Map([...others, ...ours]).keys()) {
    const [was, our, other] = [base.get(name), ours.get(name), others.get(name)];
    const isTheirs = isSameValue(our, was) || (!isSameValue(other, was) && !isYounger);
    const value = isTheirs ? other : our;
    if (value !== undefined) merged.push([name, value]);
  }
  const { id } = theirs;
  const body: Body = { ...Object.fromEntries(merged), ...(id !== undefined && { id }) };
  return { mirror: 'asIs', local: hasSameMembers(body, theirs) ? 'none' : body };
}

function isAlike(a: Body | null, b: Body | null): boolean {
  return a === b || (a !== null && b !== null && hasSameMembers(a, b));
}
