// A document as pages of a pass. News of a document that was read before is what differs from what
// the device holds: all of it is looked at before any of it is applied, and it is applied at once.
// Where that is too much for the memory, or nothing was read before, the whole document is a
// listing, which takes the place of what there is when it has ended.

import type { Body, RecordIds } from '../../collections/collection.ts';
import { badResponse } from '../../errors.ts';
import { NO_ENTRY } from '../../store/record.ts';
import type { CollectionStore } from '../../store/store.ts';
import { bodyOf } from '../body-of.ts';
import type { Fetched, Listed, Page, Position, Restart } from '../remote.ts';
import type { Reading } from './document.ts';
import { createIdSet, type IdSet } from './id-set.ts';
import { lister } from './listing.ts';
import type { ServerClock } from './server-clock.ts';

interface Reads {
  readonly bodyBytesMax: number;
  readonly clock: Pick<ServerClock, 'nowMs'>;
  pause(): Promise<void>;
}

const ALL_ANEW = 'ours';

/** A page of all that there is. `at`: the position before. */
export function wholePage(
  reading: Reading,
  store: CollectionStore,
  reads: Reads,
  at: Position,
): Page {
  const { next } = lister(reading, { ...reads, ids: idsOf(store), seen: () => undefined });
  return {
    // When it is asked for: a document may take an hour to come.
    get serverNowMs() {
      return reads.clock.nowMs();
    },
    next,
    position: (_, isEnd) => (isEnd ? reading.at : at),
    hasNext: () => false,
    cancel: () => reading.cancel(),
  };
}

/** A page of what has changed since that position. Errors: those of the reading and the store. */
export async function newsPage(
  reading: Reading,
  store: CollectionStore,
  reads: Reads,
  at: Position,
): Promise<Page | Restart> {
  const ids = createIdSet();
  const { next } = lister(reading, { ...reads, ids: idsOf(store), seen: ids.add });
  const restart: Restart = { restart: at, whole: ALL_ANEW };
  const { batchRecordsMax, batchCharsMax } = store.heap;
  const news: Listed[] = [];
  let chars = 0;
  try {
    for (let more = true; more; ) {
      const listed: Listed[] = [];
      more = await next(listed);
      for (const listing of listed) {
        const one = await newsOf(store, listing, reads);
        if (one === null) continue;
        news.push(one);
        chars += one.chars;
        const isMuch = news.length > 1 && chars > batchCharsMax / 2;
        if (!isMuch && news.length <= batchRecordsMax) continue;
        reading.cancel();
        return restart;
      }
    }
  } catch (error) {
    reading.cancel();
    throw error;
  }
  // What is not there is not deleted: it goes up again, when all that is there has come.
  if (await lacks(store, ids)) return restart;
  return {
    serverNowMs: reads.clock.nowMs(),
    async next(out) {
      for (const one of news.splice(0)) out.push(one);
      return false;
    },
    position: (_, isEnd) => (isEnd ? reading.at : at),
    hasNext: () => false,
    cancel: () => reading.cancel(),
  };
}

/**
 * Null: the device has it as it is. What is written otherwise at the same time has another version
 * than what the device has.
 */
async function newsOf(
  store: CollectionStore,
  listed: Listed,
  reads: Reads,
): Promise<Listed | null> {
  const id = listed.ok ? listed.envelope.id : listed.id;
  const [{ mirror, local, quarantined } = NO_ENTRY] = await store.load([id]);
  if (!listed.ok) return quarantined ? null : listed;
  if (mirror === null || quarantined) return listed;
  const { version, payload } = listed.envelope;
  const isSame = mirror.version === version || mirror.version === version + OTHER;
  if (!isSame) return listed;
  // Of a long one the text is not at hand.
  const isText = mirror.text !== '' && payload === mirror.text;
  if (isText || (mirror.text === '' && (await isBody(mirror.body, payload, reads)))) return null;
  const other = mirror.version === version ? version + OTHER : version;
  // A change that was made here since then is later than both: it is a change of what has come.
  const isOwn = local !== null;
  return { ...listed, envelope: { ...listed.envelope, version: other, isOwn } };
}

async function isBody(body: Body, payload: string | null, reads: Reads): Promise<boolean> {
  const arrived = await bodyOf(payload ?? '', reads.pause, reads.bodyBytesMax);
  return JSON.stringify(arrived) === JSON.stringify(body);
}

/** Behind a version that differs from one of the same time. */
const OTHER = '~';

/** What the device has agreed on is not in it. */
async function lacks({ mirrorIds }: CollectionStore, ids: IdSet): Promise<boolean> {
  for (let after: string | null = null; ; ) {
    const { ids: ours, next }: { ids: string[]; next: string | null } = await mirrorIds(after, 100);
    if (ours.some((id) => !ids.has(id))) return true;
    if (next === null) return false;
    after = next;
  }
}

/**
 * One entry of a document, which is read to its end. Errors: `badResponse` for one that cannot be
 * read; those of the reading.
 */
export async function entryIn(
  reading: Reading,
  store: CollectionStore,
  reads: Reads,
  id: string,
): Promise<Fetched> {
  const { next } = lister(reading, { ...reads, ids: idsOf(store), seen: () => undefined });
  let found: Listed | null = null;
  for (let more = true; more; ) {
    const listed: Listed[] = [];
    more = await next(listed);
    for (const one of listed) if ((one.ok ? one.envelope.id : one.id) === id) found = one;
  }
  if (found === null) return { kind: 'missing' };
  if (!found.ok) throw badResponse(`${id}: ${found.code}`);
  return { kind: 'found', envelope: found.envelope, serverNowMs: reads.clock.nowMs() };
}

/** `named` gives a collection its names. */
export function idsOf({ collection: { ids } }: CollectionStore): RecordIds {
  if (ids === undefined) throw new TypeError('the collection has no names');
  return ids;
}
