// How far a collection of Firefox Sync was read, by its server's clock, which goes in steps of ten
// milliseconds. As text it is the position that the agent keeps.

import type { Listed, Position } from '../remote.ts';

/** Stamps come in steps of this; what is asked for since a stamp leaves that stamp out. */
const STAMP_STEP_MS = 10;

/**
 * Where a listing stands. `page` is the server's next page, valid only for `since` and `stampMs`.
 */
export interface Cursor {
  /** All changes up to this server time are here; -1: nothing was ever listed. */
  readonly sinceMs: number;
  readonly page: string | null;
  /** Version of the collection that the listing under way shows; 0 for none. */
  readonly stampMs: number;
  /** Everything up to this time has arrived although the listing is not at its end. */
  readonly floorMs: number;
}

export const START: Cursor = { sinceMs: -1, page: null, stampMs: 0, floorMs: -1 };

export function positionOf({ sinceMs, stampMs, floorMs, page }: Cursor): Position {
  return `${sinceMs} ${stampMs} ${floorMs}${page === null ? '' : ` ${page}`}`;
}

/** A position that is none of this protocol's begins anew. */
export function cursorOf(position: Position): Cursor {
  const words = position.split(' ');
  const sinceMs = Number(words[0]);
  const stampMs = Number(words[1]);
  const floorMs = Number(words[2]);
  if (!Number.isInteger(sinceMs + stampMs + floorMs)) return START;
  return { sinceMs, stampMs, floorMs, page: words.length > 3 ? words.slice(3).join(' ') : null };
}

/** Where to go on: on the page that was under way, else behind all that has surely arrived. */
export function resumed(cursor: Cursor): Cursor {
  return cursor.page === null ? behind(cursor) : cursor;
}

/** Where to begin anew with a listing: behind all that has surely arrived. */
export function behind({ sinceMs, floorMs }: Cursor): Cursor {
  return { ...START, sinceMs: Math.max(sinceMs, floorMs) };
}

/** The last listing did not come to its end. */
export function isUnfinished({ sinceMs, page, floorMs }: Cursor): boolean {
  return sinceMs < 0 || page !== null || floorMs > sinceMs;
}

/**
 * Follows how far a page has come; `next` is the page behind it. A server that does not sort by
 * time gets no credit for it.
 */
export function createProgress(
  cursor: Cursor,
  pageStampMs: number,
): (taken: readonly Listed[], next: string | null, isEnd: boolean) => Cursor {
  const stampMs = cursor.page === null ? pageStampMs : cursor.stampMs;
  let sorted = true;
  let newestMs = 0;
  return (taken, page, isEnd) => {
    for (const listed of taken) {
      const modifiedMs = (listed.ok && listed.envelope.modifiedMs) || 0;
      if (!listed.ok) continue;
      if (modifiedMs < newestMs) sorted = false;
      newestMs = Math.max(newestMs, modifiedMs);
    }
    const sureMs = Math.min(newestMs, stampMs > 0 ? stampMs : newestMs) - STAMP_STEP_MS;
    const isFurther = sorted && sureMs > cursor.floorMs;
    const floorMs = isFurther ? sureMs : cursor.floorMs;
    if (isEnd && page === null) {
      return { ...START, sinceMs: stampMs > 0 ? stampMs : Math.max(0, floorMs) };
    }
    if (isEnd) return { ...cursor, stampMs, floorMs, page };
    // That is further than the start of this page, where records that share a stamp would keep a
    // listing for ever.
    return isFurther ? { ...cursor, stampMs, page: null, floorMs } : { ...cursor, stampMs };
  };
}
