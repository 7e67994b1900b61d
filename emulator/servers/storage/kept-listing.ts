// A stretch of a kept collection: what it holds is told by the keys that order it, records are read
// in portions of bounded length. A short one is read at once; of a long one, what comes after the
// first keys is read while it is sent, and breaks off where a record has changed meanwhile.

import { type Listing, NO_END, type Stretch } from '../bso-storage.ts';
import type { Bso } from '../store.ts';
import {
  after,
  behindIndex,
  type Head,
  headOfIndex,
  headOfStamp,
  readBso,
  recordKey,
  stampRange,
  under,
} from './bso-keys.ts';
import type { KeyRange, Reader } from './server-storage.ts';

/** Keys that are looked at in one reading. */
const KEYS_MAX = 2_000;
/** Of payload: a list that has no more is read at once, a longer one in such portions. */
const PORTION_BYTES = 2 * 1024 * 1024;
/** At most. */
const PORTION_RECORDS = 500;

/** Runs `work` on the state as it is then. */
export type Reading = <T>(work: (reader: Reader) => Promise<T>) => Promise<T>;

/** Records, as `reader` sees them; what is read later is read by `again`. */
export async function listRecords(
  reader: Reader,
  again: Reading,
  place: string,
  stretch: Stretch,
): Promise<Listing<Bso>> {
  const { heads, ...found } = await look(reader, place, stretch);
  const bytes = heads.reduce((sum, head) => sum + head.bytes, 0);
  if (heads.length === found.count && bytes <= PORTION_BYTES)
    return { ...found, items: await recordsOf(reader, place, heads) };
  return { ...found, items: portions(again, place, allHeads(again, place, stretch, found, heads)) };
}

/** Their ids. */
export async function listIds(
  reader: Reader,
  again: Reading,
  place: string,
  stretch: Stretch,
): Promise<Listing<string>> {
  const { heads, ...found } = await look(reader, place, stretch);
  const idsOf = (some: readonly Head[]) => some.map(({ id }) => id);
  if (heads.length === found.count) return { ...found, items: idsOf(heads) };
  const all = allHeads(again, place, stretch, found, heads);
  return {
    ...found,
    items: (async function* () {
      for await (const some of all) yield idsOf(some);
    })(),
  };
}

interface Found extends Omit<Listing<unknown>, 'items'> {
  /** The first ones. */
  readonly heads: readonly Head[];
}

/** Counts the stretch, which costs its keys, and keeps the first of them. */
async function look(reader: Reader, place: string, stretch: Stretch): Promise<Found> {
  const { limit } = stretch;
  const heads: Head[] = [];
  let count = 0;
  let hasMore = false;
  let end = { ...NO_END, stampMs: stretch.fromMs ?? Number.NaN };
  let skip = stretch.skip;
  for await (const some of headsFrom((work) => work(reader), place, stretch, null)) {
    for (const head of some) {
      if (count === limit) {
        hasMore = true;
        break;
      }
      const { id, sortindex, modifiedMs: stampMs } = head;
      end = { id, sortindex, stampMs, position: stampMs === end.stampMs ? end.position + 1 : 1 };
      if (skip > 0) {
        skip--;
        continue;
      }
      count++;
      if (heads.length < KEYS_MAX) heads.push(head);
    }
    if (hasMore) break;
  }
  return { heads, count, hasMore, end };
}

/** The heads of a stretch: those that are known, and what comes behind them. */
async function* allHeads(
  again: Reading,
  place: string,
  stretch: Stretch,
  { count }: Pick<Found, 'count'>,
  known: readonly Head[],
): AsyncGenerator<readonly Head[]> {
  yield known;
  let left = count - known.length;
  if (left === 0) return;
  for await (const some of headsFrom(again, place, stretch, known.at(-1) ?? null)) {
    yield some.slice(0, left);
    left -= some.length;
    if (left <= 0) return;
  }
  throw changed();
}

/** Heads in order, from the beginning of the stretch or behind one of them, a page at a time. */
async function* headsFrom(
  reading: Reading,
  place: string,
  stretch: Stretch,
  behind: Head | null,
): AsyncGenerator<readonly Head[]> {
  const { order, newerMs, olderMs } = stretch;
  const isIndex = order === 'index';
  const isIn = ({ modifiedMs }: Head) => modifiedMs > newerMs && modifiedMs < olderMs;
  let range = rangeOf(place, stretch);
  for (let last = behind?.key; ; ) {
    if (last !== undefined)
      range = range.reverse ? { ...range, to: last } : { ...range, from: after(last) };
    const page = await reading((reader) => reader.keys(range));
    yield page.map(isIndex ? headOfIndex : headOfStamp).filter(isIn);
    last = page.at(-1);
    if (last === undefined || page.length < range.limit) return;
  }
}

function rangeOf(place: string, stretch: Stretch): KeyRange {
  const { order, newerMs, olderMs, fromMs, behind } = stretch;
  // One more than is wanted tells whether there is one.
  const limit = Math.min(KEYS_MAX, stretch.skip + stretch.limit + 1);
  if (order === 'index' && behind !== null) {
    const [from, to] = behindIndex(place, behind);
    return { from, to, limit };
  }
  if (order === 'index') return under(`s/${place}/`, limit);
  const isOldest = order === 'oldest';
  const first = isOldest && fromMs !== null ? Math.max(newerMs, fromMs - 1) : newerMs;
  const last = !isOldest && fromMs !== null ? Math.min(olderMs, fromMs + 1) : olderMs;
  const [from, to] = stampRange(place, first, last);
  return { from, to, limit, reverse: !isOldest };
}

async function* portions(
  again: Reading,
  place: string,
  all: AsyncIterable<readonly Head[]>,
): AsyncGenerator<readonly Bso[]> {
  let heads: Head[] = [];
  let bytes = 0;
  for await (const some of all) {
    for (const head of some) {
      if (heads.length >= PORTION_RECORDS || bytes + head.bytes > PORTION_BYTES) {
        const portion = heads;
        yield await again((reader) => recordsOf(reader, place, portion));
        heads = [];
        bytes = 0;
      }
      heads.push(head);
      bytes += head.bytes;
    }
  }
  yield await again((reader) => recordsOf(reader, place, heads));
}

async function recordsOf(
  reader: Reader,
  place: string,
  heads: readonly Head[],
): Promise<readonly Bso[]> {
  const keys = heads.map(({ id }) => recordKey(place, id));
  const values = keys.length === 0 ? [] : await reader.get(keys);
  return heads.map(({ modifiedMs }, index) => {
    const text = values[index] ?? null;
    const bso = text === null ? null : readBso(keys[index] ?? '', text);
    if (bso?.modifiedMs !== modifiedMs) throw changed();
    return bso;
  });
}

function changed(): Error {
  return new Error('a record has changed while it was listed');
}
