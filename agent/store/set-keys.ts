// Where the keys of two sets of one collection lie, and which of the two is live.
//
//   <g>.<letter>.<kind>...    the first set
//   <g>.<letter>.2<kind>...   the second set
//
// There is no pointer that could be lost: the set is live that has a cursor, and a stage says in
// its own that it is one. An empty record stands for that of the other set.

import type { Change, ScanRange, Storage, Value } from '../../platform/ports.ts';
import { stateOf } from './collection-state.ts';
import { type CollectionKeys, rangeEnd } from './layout.ts';

/** Before the kind of a key. */
export type Mark = '' | '2';

export function opposite(mark: Mark): Mark {
  return mark === '' ? '2' : '';
}

/** One of two sets, under the keys that a collection always has. */
interface SetKeys {
  readonly mark: Mark;
  /** All that it has. */
  readonly range: Pick<ScanRange, 'from' | 'to'>;
  place(key: string): string;
  /** Of a place in the range. */
  keyAt(place: string): string;
}

export function setKeys({ cursor }: CollectionKeys, mark: Mark): SetKeys {
  const base = cursor.slice(0, -1);
  const [from, to] = mark === '' ? [`${base}3`, rangeEnd(base)] : [`${base}2`, `${base}3`];
  return {
    mark,
    range: { from, to },
    place: (key) => base + mark + key.slice(base.length),
    keyAt: (place) => base + place.slice(base.length + mark.length),
  };
}

/** Both sets of a collection on their storage. */
interface SetStorage {
  get(mark: Mark, wanted: readonly string[]): Promise<(Value | null)[]>;
  scan(mark: Mark, range: ScanRange): Promise<string[]>;
  placed(mark: Mark, changes: readonly Change[]): Change[];
}

export function createSetStorage(storage: Storage, keys: CollectionKeys): SetStorage {
  const records = keys.record();
  const sets = { '': setKeys(keys, ''), '2': setKeys(keys, '2') };
  return {
    async get(mark, wanted) {
      const own = wanted.map(sets[mark].place);
      const values = await storage.get(own);
      const empty = [...values.keys()].filter(
        (n) => values[n]?.length === 0 && wanted[n]?.startsWith(records),
      );
      if (empty.length === 0) return values;
      const { place } = sets[opposite(mark)];
      const found = await storage.get(empty.map((n) => place(wanted[n] ?? '')));
      // The sweep may have been faster. What is nowhere stays empty, which is no record.
      const again = found.includes(null) ? await storage.get(own) : values;
      for (const [index, n] of empty.entries()) values[n] = found[index] ?? again[n] ?? null;
      return values;
    },
    async scan(mark, range) {
      const { place, keyAt } = sets[mark];
      const [from, to] = [place(range.from), place(range.to)];
      return (await storage.scan({ ...range, from, to })).map(keyAt);
    },
    placed: (mark, changes) => changes.map(([key, value]) => [sets[mark].place(key), value]),
  };
}

/** What a set is by its cursor. */
export function kindOf(stored: Value | null | undefined): 'none' | 'damaged' | 'stage' | 'live' {
  if (stored == null) return 'none';
  const { mending, staging } = stateOf(stored);
  if (mending === 0) return 'damaged';
  return staging === undefined ? 'live' : 'stage';
}

/** Local changes that are copied at a time. */
const COPIED_KEYS = 200;

/**
 * Which set is live. Where damage has taken both cursors, the second one is if it has records, with
 * the local changes of the first one that it has not: what is lost then can be read again.
 */
export async function liveSet(
  storage: Storage,
  keys: CollectionKeys,
  [first, second]: readonly (Value | null)[],
): Promise<Mark> {
  const kinds = [kindOf(first), kindOf(second)];
  const sets = [
    ['', ...kinds],
    ['2', ...kinds.reverse()],
  ] as const;
  for (const [mark, own, other] of sets) {
    const isLeft = own === 'damaged' && other === 'none';
    if (own === 'live' || other === 'stage' || isLeft) return mark;
  }
  const { place } = setKeys(keys, '2');
  const isThere = async (prefix: string): Promise<boolean> => {
    const from = place(prefix);
    return (await storage.scan({ from, to: rangeEnd(from), limit: 1 })).length > 0;
  };
  if (!(await isThere(keys.record())) && !(await isThere(keys.outbox()))) return '';
  for (const range of [keys.outbox(), keys.deletion()]) await copyAbsent(storage, range, place);
  return '2';
}

async function copyAbsent(
  storage: Storage,
  range: string,
  place: (key: string) => string,
): Promise<void> {
  for (let from = range; ; ) {
    const found = await storage.scan({ from, to: rangeEnd(range), limit: COPIED_KEYS });
    for (const key of found) {
      const [ours = null, theirs = null] = await storage.get([key, place(key)]);
      if (theirs === null) await storage.commit([[place(key), ours]]);
    }
    if (found.length < COPIED_KEYS) return;
    from = `${found[COPIED_KEYS - 1]}!`;
  }
}
