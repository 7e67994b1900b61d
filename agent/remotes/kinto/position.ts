// How far a collection of Kinto's was read. A server gives a stamp before it commits: what was
// written earlier may be seen later than what was written later. So a listing begins some time
// before the newest stamp that was seen, and beside it the position keeps how many records there
// were, all and young: when something appears behind it, one of the numbers is another. Where there
// are more old ones than before, or fewer than tombstones say, no listing behind a stamp shows
// which: all is compared.

import { STAMP_MS_MAX } from '../../limits.ts';
import type { Listed, Position } from '../remote.ts';
import { AHEAD_MS_MAX, COMPARE_MS, OVERLAP_MS } from './limits.ts';

/** What a poll says of a collection. */
export interface Signature {
  /** The collection's newest stamp. */
  readonly tagMs: number;
  /** Records that there are; -1: not known. */
  readonly total: number;
  /** Of them, those with a stamp after `youngSinceMs`; -1: not known. */
  readonly young: number;
}

export interface Place extends Signature {
  /** So many fewer there may have been in all: they came after the poll, new ones or old ones. */
  readonly unsure: number;
  /** Everything up to this stamp was listed; -1: nothing ever was. */
  readonly floorMs: number;
  /** The server's page behind it, where its records tell no place. */
  readonly token: string | null;
  /** The listing has come to its end. */
  readonly isWhole: boolean;
  /** The server's time when the collection was last compared as a whole; -1: some have vanished. */
  readonly comparedMs: number;
}

export const START: Place = {
  floorMs: -1,
  token: null,
  isWhole: false,
  comparedMs: 0,
  tagMs: 0,
  total: -1,
  young: -1,
  unsure: 0,
};

/** Younger records than this are counted: the window that the next listing begins with. */
export const youngSinceMs = (tagMs: number): number => Math.max(0, tagMs - OVERLAP_MS);

export function positionOf(place: Place): Position {
  const { floorMs, tagMs, total, young, unsure, comparedMs, isWhole, token } = place;
  const words = [floorMs, tagMs, total, young, unsure, comparedMs, isWhole ? 1 : 0];
  return `${words.join(' ')}${token === null ? '' : ` ${token}`}`;
}

/** A position that is none of this protocol's begins anew. */
export function placeOf(position: Position): Place {
  const words = position.split(' ');
  const numbers = words.slice(0, NUMBERS).map(Number);
  const [floorMs = -1, tagMs = 0, total = -1, young = -1, unsure = 0] = numbers;
  const [comparedMs = 0, whole = 0] = numbers.slice(-2);
  if (words.length < NUMBERS || !numbers.every((one) => one >= -1 && one <= STAMP_MS_MAX)) {
    return START;
  }
  const token = words.length > NUMBERS ? words.slice(NUMBERS).join(' ') : null;
  return { floorMs, tagMs, total, young, unsure, comparedMs, isWhole: whole === 1, token };
}

/** The latest stamp that a server at this time can be asked behind; 0: its time is not known. */
const latestSinceMs = (serverNowMs: number): number =>
  serverNowMs > 0 ? serverNowMs + AHEAD_MS_MAX : STAMP_MS_MAX;

/**
 * The stamp behind which the next request asks; null: for all that there is. Whoever may write may
 * give a record a stamp in the future: a server does not let itself be asked behind that.
 */
export function sinceOf({ floorMs, tagMs, isWhole }: Place, serverNowMs: number): number | null {
  const sinceMs = isWhole ? youngSinceMs(tagMs) : floorMs;
  return sinceMs < 0 ? null : Math.min(sinceMs, latestSinceMs(serverNowMs));
}

/**
 * A collection has to be compared as a whole from time to time if something happens in it. A server
 * whose time was ahead then, and is not any more, has told a wrong one.
 */
export function isDue({ isWhole, comparedMs }: Place, serverNowMs: number): boolean {
  return isWhole && serverNowMs > 0 && Math.abs(serverNowMs - comparedMs) > COMPARE_MS;
}

/** The last listing has found fewer records than there were, and no tombstones of them. */
export function hasVanished({ isWhole, comparedMs }: Place): boolean {
  return isWhole && comparedMs < 0;
}

/**
 * There are more old records than there were: something has appeared behind what a listing shows.
 * That is a record which was given a stamp of the past, or one that was committed very late.
 */
export function hasGrownBehind(place: Place, now: Signature): boolean {
  const known = [place, now].every(({ total, young }) => total >= 0 && young >= 0);
  const hasGrown = now.total - now.young > place.total - place.young;
  return place.isWhole && known && hasGrown && !isBehind(now, place);
}

/** It was counted before the place was reached, or time went backwards since then. */
export function isBehind(now: Signature, { tagMs }: Place): boolean {
  return now.total >= 0 && now.tagMs < tagMs;
}

/**
 * The place behind what was taken of a page; `next`: the token of the page behind it, at its end.
 * `unlisted`: records of the page that are none of the collection's.
 */
type Progress = (
  taken: readonly Listed[],
  next: string | null,
  isEnd: boolean,
  unlisted?: readonly Listed[],
) => Place;

/** What the pass knows beside a listing. */
export interface Polled extends Signature {
  /**
   * Records that this device has written since the poll, and how many of them are new ones;
   * `counted`: how many of these the last listing has in its total.
   */
  readonly written: { all: number; created: number; counted?: number };
}

/** Of a pass that has written nothing yet. */
export function polledOf(signature: Signature): Polled {
  return { ...signature, written: { all: 0, created: 0 } };
}

/** `total`: records that there are, and those that are known to be deleted since then. */
function hasShrunk(place: Place, total: number): boolean {
  return place.isWhole && place.total >= 0 && total >= 0 && total < place.total - place.unsure;
}

/** What a page's answer says, and what the pass has heard before the listing. */
interface Heard {
  /** The collection's stamp, of this answer. */
  readonly tagMs: number;
  readonly polled: Polled;
  /** The server's time; 0: not known. */
  readonly serverNowMs: number;
}

/**
 * Follows how far a page has come. The stamp of a listing is that of its first page. Records come
 * oldest first; of a server that does not sort, nothing is believed.
 */
export function createProgress(from: Place, { tagMs, polled, serverNowMs }: Heard): Progress {
  const isFirst = from.isWhole || from.tagMs === 0;
  const tag = isFirst ? tagMs : from.tagMs;
  const youngMs = youngSinceMs(tag);
  const startMs = sinceOf(from, serverNowMs) ?? -1;
  const comparedMs = startMs < 0 ? serverNowMs : from.comparedMs;
  // Too far ahead to be counted by the next poll.
  const isAhead = youngMs > latestSinceMs(serverNowMs);
  let floorMs = startMs;
  let young = isFirst ? 0 : Math.max(from.young, 0);
  const before = isFirst ? polled.total : Math.max(polled.total, from.total - from.unsure);
  let unsure = isFirst ? 0 : from.unsure;
  let gone = 0;
  let isSorted = true;
  const start = { ...from, tagMs: tag, young, unsure, total: before, comparedMs, isWhole: false };
  const stampOf = (listed: Listed): number =>
    listed.ok ? Number(listed.envelope.version) : floorMs;
  const count = (listed: Listed): void => {
    const stampMs = stampOf(listed);
    if (listed.ok && listed.envelope.payload === null) {
      gone++;
    } else if (stampMs > youngMs || startMs >= youngMs) {
      young++;
      // The poll has not counted it, unless it is an old one in a new version.
      if ((listed.ok ? stampMs : tagMs) > polled.tagMs) unsure++;
    }
  };
  return (taken, next, isEnd, unlisted = []) => {
    for (const listed of unlisted) count(listed);
    for (const listed of taken) {
      const stampMs = stampOf(listed);
      if (stampMs < floorMs) isSorted = false;
      if (isSorted) floorMs = Math.max(floorMs, stampMs);
      count(listed);
    }
    const counts = { young, total: before < 0 ? -1 : before + unsure, unsure };
    const place = { ...from, ...counts, tagMs: tag, comparedMs, isWhole: false };
    if (!isEnd) return isSorted ? { ...place, floorMs, token: null } : from;
    if (next === null) {
      const { all, created, counted = 0 } = polled.written;
      const others = Math.max(0, unsure - all);
      const known = polled.total;
      polled.written.counted = created;
      return {
        ...{ ...place, floorMs: tag, token: null, isWhole: true },
        ...(before >= 0 && { total: before + created + others, unsure: others }),
        ...(isAhead && { young: -1 }),
        // Others have vanished without a tombstone: the next pass compares.
        ...(hasShrunk(from, known < 0 ? -1 : known + counted + gone) && { comparedMs: -1 }),
      };
    }
    const isHigher = isSorted && floorMs > startMs;
    // What leads nowhere counts nothing: a page that comes again and again is known by its place.
    if (!isHigher) return { ...start, floorMs: startMs, token: next };
    return floorMs <= latestSinceMs(serverNowMs)
      ? { ...place, floorMs, token: null }
      : { ...place, floorMs: startMs, token: next };
  };
}

const NUMBERS = 7;
