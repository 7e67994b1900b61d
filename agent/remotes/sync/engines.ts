// What Firefox Sync is told of a collection beside its records: the version of its engine in
// `meta/global`, and the members that ride beside a payload. The collections themselves know
// nothing of it. One that is not named here, an app's own, is version 1 and has nothing beside.

import type { Body } from '../../collections/collection.ts';
import { VISITS_UP_MAX } from '../../limits.ts';
import type { Outgoing } from '../remote.ts';

/** The form of the collection's records, as `meta/global` counts them. */
export function engineVersion(name: string): number {
  return name === 'bookmarks' || name === 'prefs' ? 2 : 1;
}

/** `body`: as `Collection.outgoing` has it; null for a tombstone, which has no order. */
export function membersBeside(name: string, body: Body | null): Outgoing['beside'] {
  const days = DAYS.get(name);
  return {
    ...(body !== null && orderOf(name, body)),
    ...(days && { ttl: days * 86_400 }),
  };
}

/** How long the server keeps a record that nobody writes again. */
const DAYS: ReadonlyMap<string, number> = new Map([
  ['clients', 180],
  ['forms', 3 * 365],
  ['history', 60],
  ['tabs', 180],
]);

function orderOf(name: string, { visits }: Body): { readonly sortindex: number } | null {
  if (name === 'passwords') return { sortindex: 1 };
  if (name !== 'history' || !Array.isArray(visits)) return null;
  // Grows with use, as frecency does.
  return { sortindex: 100 * Math.min(visits.length, VISITS_UP_MAX) };
}
