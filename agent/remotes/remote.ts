// What every protocol's driver does for a pass, whatever its wire looks like. Versions, positions
// and what proves a record are the driver's own: nothing outside reads them. It keeps no record,
// and decides nothing about a merge.

import type { Platform, SyncKey } from '../../platform/ports.ts';
import type { Body, Collection } from '../collections/collection.ts';
import type { AgentConfig } from '../config.ts';
import type { AgentEvent, CollectionStatus } from '../status.ts';
import type { CollectionState, KnownCollection } from '../store/collection-state.ts';
import type { CollectionStore } from '../store/store.ts';
import type { RemoteMemory } from '../store/stored.ts';
import type { Vault } from '../store/vault.ts';
import type { Abort, ServerNotes } from '../wire/http.ts';
import type { Devices, Round } from './devices.ts';

/** One version of a record, as its protocol names it: printable ASCII without a space. */
type Version = string;

/** How far a collection was read; empty: nothing was ever listed. */
export type Position = string;

/** A record as the server holds it, what is in it still sealed. */
export interface Envelope {
  readonly id: string;
  readonly version: Version;
  /** The server's time of this version; null where the protocol has no times. */
  readonly modifiedMs: number | null;
  /** Null: the wire says that it is deleted. */
  readonly payload: string | null;
  /** This device has written it, or one of its time: what was changed here, was changed in it. */
  readonly isOwn?: boolean | undefined;
}

/** What a listing yields: an envelope, or what is known of a record that cannot be used. */
export type Listed =
  | { readonly ok: true; readonly envelope: Envelope; readonly chars: number }
  | {
      readonly ok: false;
      /** Its own, or a name for what has none. */
      readonly id: string;
      readonly code: string;
      readonly chars: number;
    };

export interface Page {
  /** The server's time when it answered; null where the protocol has no times. */
  readonly serverNowMs: number | null;
  /** Appends what the next piece of the answer completed; false at the end. */
  next(out: Listed[]): Promise<boolean>;
  /**
   * How far the collection is read when these are stored, too. Every record of the page comes here
   * once, in the order of `next`; `isEnd`: no others of it follow.
   */
  position(taken: readonly Listed[], isEnd: boolean): Position;
  /**
   * Asked for another version than the agreed one, in a batch that `behind` is behind of. Null: it
   * is news. A position: it is from before the agreed one and is passed over, and that is stored
   * with the batch. Left out: all is news.
   */
  older?(version: Version, agreed: Version, behind: Position): Position | null;
  /** After the end: another page follows. */
  hasNext(): boolean;
  /** Gives the answer up. */
  cancel(): void;
}

/** The listing has to go on from there: what it showed does not hold any more. */
export interface Restart {
  readonly restart: Position;
  /**
   * All that there is will be listed from there. What of the agreed records it does not show is
   * ours to send, or gone.
   */
  readonly whole?: 'ours' | 'gone';
}

/** A codec's word on an envelope. `proven`: it has arrived as somebody with the keys wrote it. */
export type Incoming =
  | { readonly kind: 'live'; readonly body: Body; readonly text: string }
  | { readonly kind: 'tombstone' }
  /** The wire says that it is gone, and nobody with the keys: what is held here goes up again. */
  | { readonly kind: 'unprovenDeletion' }
  | { readonly kind: 'malformed'; readonly code: string; readonly proven: boolean };

/** A local change: what the record shall be, and what it was made from. */
interface Change {
  readonly id: string;
  /** As `Collection.outgoing` has it; null: deleted. */
  readonly body: Body | null;
  /** Null: the record must not exist. */
  readonly base: Version | null;
  /** Device time of the change, for who writes times of their own. */
  readonly changedAtMs: number;
}

export interface Outgoing {
  readonly id: string;
  /** Null: deleted, where the wire says so. */
  readonly payload: string | null;
  readonly base: Version | null;
  /** Members that ride beside the payload. */
  readonly beside: { readonly [member: string]: number };
}

/** How the records of one collection are sealed and proven. */
export interface Codec {
  /** One word per envelope, in order; empties the list on its way. Errors: those of the remote. */
  open(envelopes: Envelope[]): Promise<Incoming[]>;
  /**
   * Where the seal binds what only the upload knows (a number in a log), the payload is plain text
   * here, and sealed by `Upload.add`. Errors: those of the keys.
   */
  seal(change: Change): Promise<Outgoing>;
}

/**
 * What became of one outgoing record. `staged`: `commit` will tell. `refused`: the server will not
 * take this one as it is (`code` says why). `failed`: an outage, or a refusal that looks like one;
 * whether the write happened is unknown. `moved`: the collection has changed since the position,
 * nothing that was staged is written. `later`: the upload is full, this record was not sent.
 */
export type PushResult =
  | Stored
  | { readonly kind: 'refused'; readonly code?: string }
  /** `theirs`: the server's version, where the protocol tells it; else it is fetched. */
  | { readonly kind: 'conflict'; readonly theirs?: Fetched }
  | { readonly kind: 'staged' | 'readOnly' | 'failed' | 'moved' | 'later' };

export interface Stored {
  readonly kind: 'stored';
  readonly version: Version;
  readonly modifiedMs: number | null;
}

/**
 * One upload to a collection: records are added in portions, and committed once. What goes up as a
 * whole (a document, a chunk of an image) is never one string: it is made while it leaves, as a
 * `streamedBody` (wire/body.ts).
 */
export interface Upload {
  /** Records that one `add` takes. */
  readonly addMax: number;
  /** Characters of their payloads, unless one record is longer. */
  readonly addCharsMax: number;
  /**
   * What has to be remembered to know these records again if no answer comes: it is durable before
   * `add` is called, and given to the next upload. Null: nothing.
   */
  plan?(records: readonly Outgoing[]): Promise<string | null>;
  /** One result per record, in order. `isLast`: there will be no other portion. */
  add(records: readonly Outgoing[], isLast: boolean): Promise<PushResult[]>;
  /**
   * Ends the upload. `stored`: what was staged is on the server in this version, and nothing else
   * has changed since the position: `position` is behind it; where that is not sure, it is what it
   * was. `moved`: nothing that was staged is. `none`: nothing was staged.
   */
  commit(): Promise<Committed | { readonly kind: 'moved' | 'none' }>;
}

/** `of`: a record's own version, where not all of them have one. */
export interface Committed extends Stored {
  readonly position: Position;
  of?(id: string): Stored;
}

/** What an upload is made from. */
export interface Held {
  /** Where the last pull ended. */
  readonly position: Position;
  /** Of the upload before, which has not ended. */
  readonly plan: string | null;
  /**
   * Everything that apps see, one at a time: for who writes a collection as a whole. `version`: of
   * the record as both sides agreed on it; null: it has a local change.
   */
  each(take: (id: string, body: Body, version: Version | null) => Promise<void>): Promise<void>;
}

/** A record that was asked for by its id. */
export type Fetched =
  | { readonly kind: 'missing' }
  | { readonly kind: 'found'; readonly envelope: Envelope; readonly serverNowMs: number | null };

/** A collection that the user wants. */
export interface Wanted {
  readonly store: CollectionStore;
  /** The user's switch: the device sends nothing. */
  readonly readOnly: boolean;
}

/** What a remote has of a collection. */
export interface Offer {
  readonly store: CollectionStore;
  readonly readOnly: boolean;
  /**
   * Names what the records belong to. Another one than before: nothing that was agreed on holds.
   */
  readonly origin: string;
  readonly codec: Codec;
  /** Something may have come in, or the last listing has not ended. */
  readonly moved: boolean;
  /**
   * The remote's own work on a collection, around the exchanges that it asks for. Left out: one.
   */
  readonly around?: (round: Round) => Promise<void>;
}

export interface Remote {
  /**
   * Looks what there is for a pass, in the order of its work: one request where nothing has
   * changed. Errors: those that end the pass.
   */
  begin(wanted: readonly Wanted[]): Promise<Offer[]>;
  /** What there is besides, when all that `begin` has offered has had its turn. */
  rest?(wanted: readonly Wanted[]): Promise<Offer[]>;
  /** A page of changes behind a position. Null: there are none. */
  changes(store: CollectionStore, at: Position): Promise<Page | Restart | null>;
  /** One record as it is now. */
  fetch(store: CollectionStore, id: string): Promise<Fetched>;
  upload(store: CollectionStore, held: Held): Promise<Upload>;
  /**
   * Creates the user's data on a server that has none, and says what it has written, in its own
   * words. Errors: `conflict` if there is some.
   */
  initialize?(): Promise<object>;
  /** What a device does that signs out: nothing of its own stays there. */
  leave?(): Promise<void>;
}

/** How a collection stands on the server, as far as the device has heard. */
export interface Standing
  extends Pick<CollectionStatus, 'declined' | 'absent' | 'stopped' | 'encrypted' | 'log'> {
  /** The server lets nobody write it for now. */
  readonly readOnly: boolean;
}

/** Of a collection of which nothing was heard yet. */
export const UNHEARD: Standing = {
  declined: false,
  absent: false,
  stopped: null,
  readOnly: false,
};

/** What the device keeps of the user's data on the server, beside records. */
export interface RemoteAccount {
  /** Another one where a collection may stand otherwise than before; left out: it never does. */
  readonly heard?: unknown;
  standing(collection: KnownCollection, state: CollectionState): Standing;
  /** As if nothing had ever been read. */
  forget(): Promise<void>;
}

/**
 * `sync` is a pass that somebody wants, `due` one whose time has come. `initialize` first
 * creates the account's data; `leave` is what a device does that signs out.
 */
export type Task = 'sync' | 'due' | 'initialize' | 'leave';

export interface RemoteOptions<A extends RemoteAccount = RemoteAccount> {
  readonly platform: Platform;
  readonly config: AgentConfig;
  readonly account: A;
  readonly task: Task;
  /** All collections that are open, wanted or not. */
  readonly stores: readonly CollectionStore[];
  /** Who asks; null: a farewell, which reads nothing. */
  readonly owner: { readonly key: SyncKey; readonly deviceId: string | null } | null;
  /** Names the key that the user's data is under: see `RemoteDriver.keyName`. */
  readonly keyName: string;
  /** Names this device among the account's devices. */
  readonly clientId: string;
  /** The part of the build that knows of other devices, if it has one. */
  readonly devices: Devices | undefined;
  readonly memory: RemoteMemory;
  /** Lives as long as the sign-in on this boot: the driver's own objects by name, secrets too. */
  readonly cache: Map<string, unknown>;
  readonly notes: ServerNotes;
  readonly abort: Abort;
  emit(event: AgentEvent): void;
  /** The user's data is elsewhere: what was agreed on with the server before is void. */
  startOver(): Promise<void>;
  /** Another device wants this one to be signed out when the pass is over. */
  signOut(): void;
}

/** Where a driver keeps what it knows of the account. */
export interface Kept {
  readonly platform: Platform;
  readonly config: AgentConfig;
  readonly vault: Vault;
  /** Starts its storage keys. */
  readonly generation: string;
}

/** A collection that hides the names of its records from a remote that has no names of its own. */
export interface SelfNamed extends Collection {
  readonly named: NonNullable<RemoteDriver['named']>;
  /** The user may have another key now. Errors: those of the storage. */
  forgetNames(kept: Kept): Promise<void>;
}

/** One protocol. A firmware holds the drivers that it was built with. */
export interface RemoteDriver<A extends RemoteAccount = RemoteAccount> {
  readonly protocol: string;
  /** Names that the server has for things of its own: no collection is called so. */
  readonly reserved?: readonly string[];
  /** Names a key, so that another one is noticed; it tells nothing of it. Errors: `keyMismatch`. */
  keyName(key: SyncKey): string;
  /** Reads what is kept of the account; nothing kept is not an error. */
  account(kept: Kept): Promise<A>;
  /**
   * The collection with records of any id, where the remote does not take all that apps may say:
   * see named.ts. Left out: it takes them. Errors: those of the storage and of the account manager.
   */
  named?<T extends Collection>(collection: T, kept: Kept): Promise<T>;
  /** A remote for one pass. */
  open(options: RemoteOptions<A>): Remote;
}
