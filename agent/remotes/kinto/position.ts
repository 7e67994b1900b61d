// How far a collection of Kinto's was read. A server gives a stamp before it commits: what was
// written earlier may be seen later than what was written later. So a listing begins some time
// before the newest stamp that was seen, and beside it the position keeps how many records there
// were, all and young: when something appears behind it, one of the numbers is another.

import { STAMP_MS_MAX } from '../../limits.ts';
import type { Listed, Position } from '../remote.ts';
import { OVERLAP_MS } from './limits.ts';

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
  /** Everything up to this stamp was listed; -1: nothing ever was. */
  readonly floorMs: number;
  /** The server's page behind it, where its records tell no place. */
  readonly token: string | null;
  /** The listing has come to its end. */
  readonly isWhole: boolean;
  /** The server's time when the collection was last compared as a whole. */
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
};

/** Younger records than this are counted: the window that the next listing begins with. */
export const youngSinceMs = (tagMs: number): number => Math.max(0, tagMs - OVERLAP_MS);

export function positionOf(place: Place): Position {
  const { floorMs, tagMs, total, young, comparedMs, isWhole, token } = place;
  const words = [floorMs, tagMs, total, young, comparedMs, isWhole ? 1 : 0];
  return `${words.join(' ')}${token === null ? '' : ` ${token}`}`;
}

/** A position that is none of this protocol's begins anew. */
export function placeOf(position: Position): Place {
  const words = position.split(' ');
  const [floorMs = -1, tagMs = 0, total = -1, young = -1, comparedMs = 0, whole = 0] = words
    .slice(0, NUMBERS)
    .map(Number);
  const numbers = [floorMs, tagMs, total, young, comparedMs, whole];
  if (words.length < NUMBERS || !numbers.every((one) => one >= -1 && one <= STAMP_MS_MAX)) {
    return START;
  }
  const token = words.length > NUMBERS ? words.slice(NUMBERS).join(' ') : null;
  return { floorMs, tagMs, total, young, comparedMs, isWhole: whole === 1, token };
}

/** The stamp behind which the next request asks; null: for all that there is. */
export function sinceOf({ floorMs, tagMs, isWhole }: Place): number | null {
  if (isWhole) return youngSinceMs(tagMs);
  return floorMs < 0 ? null : floorMs;
}

/**
 * The place behind what was taken of a page; `next`: the token of the page behind it, at its end.
 * `unlisted`: young records of the page that are none of the collection's.
 */
type Progress = (
  taken: readonly Listed[],
  next: string | null,
  isEnd: boolean,
  unlisted?: number,
) => Place;

/**
 * Follows how far a page has come. `tagMs`: the collection's stamp at the first page of the
 * listing. Records come oldest first; of a server that does not sort, nothing is believed.
 */
export function createProgress(
  from: Place,
  { tagMs, total, serverNowMs }: Pick<Signature, 'tagMs' | 'total'> & { serverNowMs: number },
): Progress {
  const isFirst = from.isWhole || from.tagMs === 0;
  const tag = isFirst ? tagMs : from.tagMs;
  const startMs = sinceOf(from) ?? -1;
  const comparedMs = startMs < 0 ? serverNowMs : from.comparedMs;
  let floorMs = startMs;
  let young = isFirst ? 0 : Math.max(from.young, 0);
  let isSorted = true;
  return (taken, next, isEnd, unlisted = 0) => {
    young += unlisted;
    for (const listed of taken) {
      const stampMs = listed.ok ? Number(listed.envelope.version) : floorMs;
      if (stampMs < floorMs) isSorted = false;
      if (isSorted) floorMs = Math.max(floorMs, stampMs);
      const isLive = !listed.ok || listed.envelope.payload !== null;
      if (isLive && stampMs > youngSinceMs(tag)) young++;
    }
    const place = { ...from, tagMs: tag, young, total, comparedMs, isWhole: false };
    if (!isEnd) return isSorted ? { ...place, floorMs, token: null } : from;
    if (next === null) return { ...place, floorMs: tag, token: null, isWhole: true };
    const isFurther = isSorted && floorMs > startMs;
    return isFurther
      ? { ...place, floorMs, token: null }
      : { ...place, floorMs: startMs, token: next };
  };
}

const NUMBERS = 6;
