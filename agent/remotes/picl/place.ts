// How far a log was read: the last change that was applied, the ids before it, and what was seen
// of a server that shows another log. A position is its text.

import type { Position } from '../remote.ts';
import { RING_MAX, TAG_CHARS } from './limits.ts';
import { type Head, isEmptyLog, NO_CHANGES } from './tag.ts';
import type { Violation } from './violation.ts';

/** A finding that stays until the log says why: see rewind.ts. */
export interface Verdict {
  readonly reason: Violation;
  /** What the server's head was then. */
  readonly theirs: Head;
  /** How often it was seen, and the device's time at the last of these. */
  readonly looks: number;
  readonly atMs: number;
}

/** A listing of all records, where the history does not go back far enough. */
export interface Refetch {
  /** The head that it is a listing of. */
  readonly of: Head;
  /** The key that it goes on with; empty: it has not begun. */
  readonly start: string;
}

export interface Place {
  readonly head: Head;
  /** The highest head that was verified; the same as `head` but for a listing of all records. */
  readonly floor: Head;
  /** How the ids of the last changes begin, the head's last. */
  readonly ring: string;
  /** The number of the newest epoch that the log has told: see epoch.ts. */
  readonly epoch: number;
  readonly refetch: Refetch | null;
  readonly verdict: Verdict | null;
}

export const START: Place = {
  ...{ head: NO_CHANGES, floor: NO_CHANGES, ring: '', epoch: 0, refetch: null, verdict: null },
};

export function positionOf({ head, floor, ring, epoch, refetch, verdict }: Place): Position {
  const words = [
    ...[head.seqnum, head.changeid, floor.seqnum, floor.changeid, ring || NONE, epoch],
    ...(refetch ? [refetch.of.seqnum, refetch.of.changeid, refetch.start || NONE] : NO_REFETCH),
    ...(verdict ? wordsOf(verdict) : []),
  ];
  return words.join(' ');
}

/** A position that is none of this protocol's begins anew. */
export function placeOf(position: Position): Place {
  const words = position.split(' ');
  if (words.length !== 9 && words.length !== 14) return START;
  const text = (at: number): string => (words[at] === NONE ? '' : (words[at] ?? ''));
  const number = (at: number): number => Number(words[at]);
  const headAt = (at: number): Head => ({ seqnum: number(at), changeid: text(at + 1) });
  const refetch = { of: headAt(6), start: text(8) };
  const numbers = [0, 2, 5, 6].map(number);
  if (!numbers.every((one) => Number.isSafeInteger(one))) return START;
  return {
    ...{ head: headAt(0), floor: headAt(2), ring: text(4), epoch: number(5) },
    refetch: refetch.of.seqnum < 0 ? null : refetch,
    verdict:
      words.length === 14
        ? {
            reason: text(9) as Violation,
            theirs: headAt(10),
            ...{ looks: number(12), atMs: number(13) },
          }
        : null,
  };
}

/** The place behind verified changes, the next ones of the log. */
export function advanced(place: Place, changes: readonly Head[]): Place {
  const last = changes.at(-1);
  if (last === undefined) return place;
  const { seqnum, changeid } = last;
  const head = { seqnum, changeid };
  const tags = changes.map(({ changeid: id }) => tagWord(id)).join('');
  return { ...place, head, floor: head, ring: (place.ring + tags).slice(-RING_MAX * TAG_CHARS) };
}

/**
 * Whether this was a head of the verified log. Null: it is older than what is remembered of it.
 */
export function wasHead({ floor, ring }: Place, head: Head): boolean | null {
  if (isEmptyLog(head)) return true;
  const at = ring.length - (floor.seqnum - head.seqnum + 1) * TAG_CHARS;
  if (head.seqnum > floor.seqnum) return false;
  return at < 0 ? null : ring.slice(at, at + TAG_CHARS) === tagWord(head.changeid);
}

/** How a remembered id begins. */
export function tagWord(changeid: string): string {
  return changeid.slice(0, TAG_CHARS).padEnd(TAG_CHARS, '.');
}

const NONE = '.';
const NO_REFETCH = [-1, NONE, NONE];

function wordsOf({ reason, theirs, looks, atMs }: Verdict): (string | number)[] {
  return [reason, theirs.seqnum, theirs.changeid, looks, atMs];
}
