// What the device may show: one snapshot of the agent, and the kinds of events.
// Plain data for the shell's `status` and `event`; holds no secret and no address of a page.

import type { StatusError, SyncErrorCode } from './errors.ts';

/** The six states of the Firefox OS sync manager. */
export type AgentState = 'disabled' | 'enabling' | 'enabled' | 'syncing' | 'disabling' | 'errored';

export interface CollectionStatus {
  readonly enabled: boolean;
  /** Switched off for writing by the user or by the server. */
  readonly readOnly: boolean;
  /**
   * The user has declined this collection on another device: changes wait here until it is wanted
   * again.
   */
  readonly declined: boolean;
  /**
   * The account does not list this collection, and nobody has declined it. A device that may write
   * adds it in its next pass; with `readOnly` the server lets nobody do that.
   */
  readonly absent: boolean;
  /**
   * Why it does not sync although it is wanted: the account has it in a newer form than this build
   * knows.
   */
  readonly stopped: 'clientTooOld' | null;
  /** False: the server reads its records, and whoever it lets. Left out: nobody there does. */
  readonly encrypted?: false;
  /**
   * Where the server's records hang together in a log: why it is not believed any more. `ours` is
   * the last change that was verified, `theirs` what the server says is the last one.
   */
  readonly log?: { readonly reason: string; readonly ours: string; readonly theirs: string };
  /** Records behind what apps can see: a thing under two ids counts twice. */
  readonly held: number;
  /** Local changes that are not on the server yet. */
  readonly pending: number;
  /**
   * Records of the server that are set aside: they do not prove themselves, or this device cannot
   * read them.
   */
  readonly quarantined: number;
  /**
   * Of these, the ones that are the user's, but of a form that this build does not know. They stay
   * on the server as they are; a change of one here waits until either side changes it again, or a
   * newer build comes.
   */
  readonly unknownForm: number;
  /**
   * Where conflicts are decided by hand: how many wait. Their local versions are among the pending.
   */
  readonly conflicts?: number | undefined;
  /** Stored values that were found damaged: the collection is read from the server again. */
  readonly damaged: number;
  /** Changes of this device that were lost by damage before they were sent. */
  readonly lost: number;
}

export interface Status {
  readonly state: AgentState;
  readonly account: string | null;
  readonly lastSyncMs: number | null;
  readonly error: StatusError | null;
  /** Earliest next request, as the device's time; null when nothing holds it back. */
  readonly notBeforeMs: number | null;
  /** The server's own words (`Alert`), for the user. */
  readonly alert: string | null;
  /** Bytes left for the user on the server, where it says so. */
  readonly quotaRemainingBytes: number | null;
  readonly collections: { readonly [name: string]: CollectionStatus };
  /**
   * With several remotes: what an update has bound to another one while this one had not sent all
   * of it, and how many changes of each collection that are. They wait here, unseen, until the
   * collection comes back; a sign-out takes them along.
   */
  readonly unsent?: { readonly [collection: string]: number };
  /**
   * With several remotes, each of them by its name, the device's first one as `first`. Beside it
   * the members above are those of the first one, but for `collections`, which has all.
   */
  readonly remotes?: { readonly [name: string]: Status };
}

/** A status as JSON, in pieces that those of other remotes can be put among. */
export interface StatusText {
  /** All but the collections, without the bracket at its end. */
  readonly own: string;
  /** Its collections as members, without brackets. */
  readonly collections: string;
}

/** The whole text; `more`: further members, a comma before each. */
export function jsonOfStatus({ own, collections }: StatusText, more = ''): string {
  return `${own},"collections":{${collections}}${more}}`;
}

export interface CollectionReport {
  pulled: number;
  pushed: number;
  quarantined: number;
  merged: number;
  evicted: number;
}

export interface PassReport {
  ok: boolean;
  error: StatusError | null;
  requests: number;
  collections: { [name: string]: CollectionReport };
  /** What `initializeAccount` has written, in the words of its protocol. */
  initialized?: object;
}

/** `remote`: of which further remote it is told; left out of the device's first one. */
export type AgentEvent = AnyEvent & { readonly remote?: string };

type AnyEvent =
  | { readonly kind: 'state'; readonly state: AgentState; readonly error: SyncErrorCode | null }
  | {
      readonly kind: 'progress';
      readonly collection: string;
      readonly pulled: number;
      readonly pushed: number;
    }
  | {
      readonly kind: 'quarantine';
      readonly collection: string;
      /**
       * The record's own, or, if it has none that can be used, a name: `badId`, and what can be
       * written of it.
       */
      readonly id: string;
      readonly code: string;
    }
  | {
      readonly kind: 'record';
      readonly collection: string;
      readonly id: string;
      /** `put`: `get` has something new under this id; `delete`: what was listed under it goes. */
      readonly change: 'put' | 'delete';
      /** What changed in it, where the collection says (`Collection.changes`). */
      readonly changes?: { readonly [member: string]: unknown };
    }
  /**
   * Another device sends a page to be shown; `from` is that device's id. After a power
   * cut the same one may come again, with the same `id`.
   */
  | {
      readonly kind: 'page';
      readonly id: string;
      readonly url: string;
      readonly title: string;
      readonly from: string;
    }
  /**
   * Stored values were damaged: `records` are fetched again, the unsent changes of `lost` are gone,
   * as far as it is known which they are.
   */
  | {
      readonly kind: 'damaged';
      readonly collection: string;
      readonly records: readonly string[];
      readonly lost: readonly string[];
    }
  /**
   * The server says that a record is gone, and nobody with the user's key does: the device keeps
   * it, and sends it again.
   */
  | { readonly kind: 'unprovenDeletion'; readonly collection: string; readonly id: string }
  /**
   * What the server has of a collection was begun anew, emptied, restored to an older state, or is
   * from elsewhere: it is read as a whole, and what it lacks goes up again.
   */
  | { readonly kind: 'beganAnew'; readonly collection: string }
  /** The server shows another log than the one that was verified: see `CollectionStatus.log`. */
  | {
      readonly kind: 'violation';
      readonly collection: string;
      readonly reason: string;
      readonly ours: string;
      readonly theirs: string;
    }
  /**
   * What the system could not do about its apps, or what became of one of them: it is tried again,
   * ever more rarely. `id`: the app; left out: it is all of them.
   */
  | {
      readonly kind: 'system';
      readonly collection: string;
      readonly id?: string;
      readonly error: StatusError;
    }
  /** Another device had the data of a collection dropped here. */
  | { readonly kind: 'wiped'; readonly collection: string }
  | { readonly kind: 'pass'; readonly report: PassReport };
