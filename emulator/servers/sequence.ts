// A stretch of records that are in memory, in the order of their stamps. Reading one costs the
// stretch and not the collection, but by sort index, where all are looked at.

import { type IndexPlace, type Listing, NO_END, type Order, type Stretch } from './bso-storage.ts';
import type { Bso, Sequence } from './store.ts';

/** `oldestFirst`: in the order of stamps, then of ids. */
export function listOf(oldestFirst: Sequence<Bso>, stretch: Stretch): Listing<Bso> {
  const { order, newerMs, olderMs } = stretch;
  const from = firstAfter(oldestFirst, newerMs);
  const all = window(oldestFirst, from, firstAfter(oldestFirst, olderMs - 1));
  if (order === 'index') return stretchOf(byIndex(all), stretch);
  return stretchOf(order === 'oldest' ? all : reversed(all), stretch);
}

export function sequenceOf(records: readonly Bso[]): Sequence<Bso> {
  const sorted = [...records].sort((a, b) => a.modifiedMs - b.modifiedMs || (a.id < b.id ? -1 : 1));
  return { length: sorted.length, at: (index) => sorted[index] as Bso };
}

function byIndex(all: Sequence<Bso>): Sequence<Bso> {
  const records = slice(all, 0, all.length).sort(orderByIndex);
  return { length: records.length, at: (index) => records[index] as Bso };
}

/** Highest first, then those without one; 0 for the same place. */
function orderByIndex(a: IndexPlace, b: IndexPlace): number {
  const [first, second] = [a.sortindex, b.sortindex];
  if (first !== second) return first === null || (second !== null && first < second) ? 1 : -1;
  return a.id === b.id ? 0 : a.id < b.id ? -1 : 1;
}

function stretchOf(ordered: Sequence<Bso>, stretch: Stretch): Listing<Bso> {
  const { order, fromMs, behind, skip, limit } = stretch;
  const afterPlace = (place: IndexPlace) =>
    firstIndex(ordered, (bso) => orderByIndex(bso, place) > 0);
  const ofStamp = fromMs === null ? 0 : firstOfStamp(ordered, fromMs, order);
  const first = behind === null ? ofStamp : afterPlace(behind);
  const start = Math.min(ordered.length, first + skip);
  const end = Math.min(ordered.length, start + limit);
  const items = slice(ordered, start, end);
  const { sortindex, id } = items.at(-1) ?? NO_END;
  const stampMs = items.at(-1)?.modifiedMs ?? 0;
  const hasMore = end < ordered.length;
  const isNeeded = hasMore && order !== 'index' && items.length > 0;
  const position = isNeeded ? end - firstOfStamp(ordered, stampMs, order) : 0;
  return { count: items.length, items, hasMore, end: { sortindex, id, stampMs, position } };
}

function firstOfStamp(ordered: Sequence<Bso>, stampMs: number, order: Order): number {
  return firstIndex(ordered, ({ modifiedMs }) =>
    order === 'oldest' ? modifiedMs >= stampMs : modifiedMs <= stampMs,
  );
}

function firstAfter(oldestFirst: Sequence<Bso>, timeMs: number): number {
  return firstIndex(oldestFirst, ({ modifiedMs }) => modifiedMs > timeMs);
}

/** The first index whose record passes, where all after it pass too; the length when none does. */
function firstIndex(records: Sequence<Bso>, passes: (bso: Bso) => boolean): number {
  let low = 0;
  let high = records.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (passes(records.at(middle))) high = middle;
    else low = middle + 1;
  }
  return low;
}

function window<T>(all: Sequence<T>, from: number, to: number): Sequence<T> {
  return { length: Math.max(0, to - from), at: (index) => all.at(from + index) };
}

function reversed<T>(all: Sequence<T>): Sequence<T> {
  return { length: all.length, at: (index) => all.at(all.length - 1 - index) };
}

function slice<T>(all: Sequence<T>, from: number, to: number): T[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, index) => all.at(from + index));
}
