// What is stored of a collection beside its records: how far it was read, its counters, what is
// under way.

import type { Value } from '../../platform/ports.ts';
import type { Collection } from '../collections/collection.ts';
import { renewedCollection } from './old-forms.ts';
import { type RemoteMemory, storedObject } from './stored.ts';

/** A record that is worked on, or was when the device was ended. */
interface Risk {
  readonly id: string;
  readonly version: string;
  /** How often it has been begun. */
  readonly count: number;
}

export interface CollectionState {
  /** How far it was read: see `Position`; empty: nothing was ever listed. */
  readonly position: string;
  readonly epoch: number;
  /** A whole listing after a reset is under way; at its end, what it did not show goes up again. */
  readonly resetting: boolean;
  /** What that listing does not show is gone. */
  readonly gone?: boolean | undefined;
  /** Conflicts that wait for somebody to decide: see undecided.ts. */
  readonly conflicts?: number;
  /** Records that apps see. */
  readonly held: number;
  readonly pending: number;
  readonly quarantined: number;
  /** Of them, those that the account's keys prove, and whose form this build does not know. */
  readonly unknownForm: number;
  /** Where the collection had been read to when the first of these came. */
  readonly unknownFrom?: string | undefined;
  /** The forms that the build knew that has read them: see `Collection.form`. */
  readonly form?: number;
  /** The last local change's number. */
  readonly seq: number;
  /** Device time of the server's refusal to take writes; 0 for none. */
  readonly readOnlyAtMs: number;
  /** What the collection's remote keeps with it: only that one reads it. */
  readonly remote?: Readonly<RemoteMemory>;
  /** What the records belonged to when the collection was first listed: see `Offer.origin`. */
  readonly origin: string;
  /** What an upload that has not ended wants to be remembered: see `Upload.plan`. */
  readonly plan?: string | undefined;
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
  /** Long records that are worked on: see sync/risk.ts. */
  readonly risks?: readonly Risk[] | undefined;
  /**
   * This is a stage, which nobody sees: see two-sets.ts. Whether its records have times of the
   * server.
   */
  readonly staging?: 'timed' | 'untimed' | undefined;
  /** Set while the device's data is dropped: the last local change that goes, too. */
  readonly wipeUpTo?: number | undefined;
}

/** What is known of a collection: of one that was never used here, its name. */
export type KnownCollection = Pick<Collection, 'name' | 'writes' | 'plain'>;

/** Of a collection that nothing is stored of. */
export const NEW_COLLECTION: CollectionState = {
  position: '',
  epoch: 0,
  resetting: false,
  held: 0,
  pending: 0,
  quarantined: 0,
  unknownForm: 0,
  seq: 0,
  readOnlyAtMs: 0,
  origin: '',
};

/**
 * A build that knows other forms than the one before reads once more from the oldest record that
 * this one set aside for its form. The next commit writes it down.
 */
export function inForm({ form = 0 }: Collection, state: CollectionState): CollectionState {
  if (state.form === form) return state;
  // A store from before forms were counted does not say which they are.
  const from = state.form === undefined && state.quarantined > 0 ? '' : state.unknownFrom;
  if (from === undefined) return { ...state, form };
  return { ...state, form, unknownFrom: undefined, position: from };
}

export function stateOf(stored: Value | null | undefined): CollectionState {
  if (stored === null || stored === undefined) return NEW_COLLECTION;
  // What it stood for is found out anew: see mend.ts.
  return (
    storedObject(NEW_COLLECTION, stored, renewedCollection) ?? { ...NEW_COLLECTION, mending: 0 }
  );
}
