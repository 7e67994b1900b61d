// How two versions of a JSON object become one where its members are known to be apart: member by
// member, in objects inside of it as well. Pure.

import { isObject } from '../../crypto/engine.ts';
import type { Body } from './collection.ts';
import { isSameValue } from './members.ts';

/** Objects inside one another that are merged; what lies deeper is one value. */
const DEPTH_MAX = 8;

/** One member in the two versions and in what both were made of; left out: it is not there. */
export interface Sides {
  readonly mine?: unknown;
  readonly base?: unknown;
  readonly theirs?: unknown;
}

/** What becomes of a member that both sides have changed, each in its own way. */
type Settle = (name: string, sides: Sides) => unknown;

/**
 * The members of both: of each what the one side made of it that changed it, `settle` where both
 * did. What is undefined is not there. In the order of `theirs`, so that what is the same can be
 * compared as text.
 */
export function mergedMembers(mine: Body, base: Body, theirs: Body, settle: Settle): Body {
  const [ours, agreed, others] = [mine, base, theirs].map(membersOf);
  const merged: [string, unknown][] = [];
  for (const name of new Map([...(others ?? []), ...(ours ?? [])]).keys()) {
    const sides = { mine: ours?.get(name), base: agreed?.get(name), theirs: others?.get(name) };
    const value = mergedMember(name, sides, settle);
    if (value !== undefined) merged.push([name, value]);
  }
  return Object.fromEntries(merged);
}

/**
 * A `Settle`: where both have objects these are merged in the same way, down to a depth that no
 * record decides; else the one side's value stays.
 */
export function settledInside(isMine: boolean, depth = DEPTH_MAX): Settle {
  return (_, { mine, base, theirs }) => {
    if (depth === 0 || !isPlain(mine) || !isPlain(theirs)) return isMine ? mine : theirs;
    const inside = settledInside(isMine, depth - 1);
    return mergedMembers(mine, isPlain(base) ? base : {}, theirs, inside);
  };
}

function mergedMember(name: string, { mine, base, theirs }: Sides, settle: Settle): unknown {
  if (isSameValue(mine, theirs) || isSameValue(mine, base)) return theirs;
  return isSameValue(theirs, base) ? mine : settle(name, { mine, base, theirs });
}

function isPlain(value: unknown): value is Body {
  return isObject(value);
}

function membersOf(body: Body): ReadonlyMap<string, unknown> {
  return new Map(Object.entries(body));
}
