// What is stored of a collection beside its records: how far it was read, its counters, what is
// under way.

import type { Value } from '../../platform/ports.ts';
import type { Collection } from '../collections/collection.ts';
import { STAMP_STEP_MS } from '../limits.ts';
import type { Risk } from './risk.ts';
import { storedObject } from './stored.ts';

/**
 * Where a listing stands. `page` is the remote's own next page, valid only for `since` and
 * `stampMs`.
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

export interface CollectionState {
  readonly cursor: Cursor;
  readonly epoch: number;
  /** A whole listing after a reset is under way; at its end, what it did not show goes up again. */
  readonly resetting: boolean;
  /** Records that apps see. */
  readonly held: number;
  readonly pending: number;
  readonly quarantined: number;
  /** Of them, those that the account's keys prove, and whose form this build does not know. */
  readonly unknownForm: number;
  /** Server time of the oldest of these since the collection was last read for them. */
  readonly unknownSinceMs?: number | undefined;
  /** The forms that the build knew that has read them: see `Collection.form`. */
  readonly form?: number;
  /** The last local change's number. */
  readonly seq: number;
  /** Device time of the server's refusal to take writes; 0 for none. */
  readonly readOnlyAtMs: number;
  /**
   * Device time of the server's refusal to have the collection added to the account; counts while
   * it is not listed.
   */
  readonly listRefusedAtMs?: number;
  /** The engine's syncID in `meta/global` when the cursor was started. */
  readonly syncId: string;
  /** The last request of another device that was carried out. */
  readonly applied?: readonly [versionMs: number, index: number];
  /** Device time when a change was parked first, or the parked ones were tried last. */
  readonly parkedCheckMs?: number;
  /** Set while damage is being mended: the unsent changes that there were. */
  readonly mending?: number | undefined;
  /** Values that were damaged since the collection was last read as a whole. */
  readonly damaged?: number | undefined;
  /** Unsent changes that were lost by damage. */
  readonly lost?: number;
  /** Long records that are worked on: see risk.ts. */
  readonly risks?: readonly Risk[] | undefined;
  /** Set while the device's data is dropped: the last local change that goes, too. */
  readonly wipeUpTo?: number | undefined;
}

const NEW_STATE: CollectionState = {
  cursor: START,
  epoch: 0,
  resetting: false,
  held: 0,
  pending: 0,
  quarantined: 0,
  unknownForm: 0,
  seq: 0,
  readOnlyAtMs: 0,
  syncId: '',
};

/**
 * A build that knows other forms than the one before reads once more from the oldest record that
 * this one set aside for its form. The next commit writes it down.
 */
export function inForm({ form = 0 }: Collection, state: CollectionState): CollectionState {
  if (state.form === form) return state;
  // A store from before forms were counted does not say which they are.
  const fromMs = state.form === undefined && state.quarantined > 0 ? 0 : state.unknownSinceMs;
  if (fromMs === undefined) return { ...state, form };
  const sinceMs = Math.min(state.cursor.sinceMs, Math.max(0, fromMs - STAMP_STEP_MS));
  return { ...state, form, unknownSinceMs: undefined, cursor: { ...START, sinceMs } };
}

export function stateOf(stored: Value | null | undefined): CollectionState {
  if (stored === null || stored === undefined) return NEW_STATE;
  // What it stood for is found out anew: see mend.ts.
  return storedObject(NEW_STATE, stored) ?? { ...NEW_STATE, mending: 0 };
}
