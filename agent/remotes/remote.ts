// What every protocol driver does for the sync pass, whatever its wire looks like.
// A driver speaks HTTP and nothing else: it never touches storage, never decrypts, keeps no record.

import type { Platform } from '../../platform/ports.ts';
import type { AgentConfig } from '../config.ts';
import type { Cursor } from '../store/collection-state.ts';
import type { Abort, ServerNotes } from '../wire/http.ts';

/** A record as the server holds it, its payload still encrypted. */
export interface Envelope {
  readonly id: string;
  readonly modifiedMs: number;
  readonly payload: string;
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
  /** Version of the collection that this listing shows. */
  readonly stampMs: number;
  /** The server's time when it answered. */
  readonly serverNowMs: number;
  /**
   * Appends what the next piece of the answer completed; false at the end. Oldest records come
   * first.
   */
  next(out: Listed[]): Promise<boolean>;
  /** After the end: the next page, or null for none. */
  nextPage(): string | null;
  /** Gives the answer up. */
  cancel(): void;
}

export interface Outgoing {
  readonly id: string;
  readonly payload: string;
  readonly sortindex: number | null;
  readonly ttlSeconds: number | null;
  /** The version this change was made from; null: the record must not exist. */
  readonly baseMs: number | null;
}

/**
 * What became of one outgoing record. `staged`: `commit` will tell. `refused`: the server will not
 * take this one as it is (`code` says why). `failed`: an outage, or a refusal that looks like one;
 * whether the write happened is unknown. `moved`: the collection has changed since the cursor,
 * nothing that was staged is written. `later`: the upload is full, this record was not sent.
 */
export type PushResult =
  | { readonly kind: 'stored'; readonly modifiedMs: number }
  | { readonly kind: 'refused'; readonly code?: string }
  | { readonly kind: 'staged' | 'conflict' | 'readOnly' | 'failed' | 'moved' | 'later' };

/** One upload to a collection: records are added in portions, and committed once. */
export interface Upload {
  /** Records that one `add` takes. */
  readonly addMax: number;
  /** Characters of their payloads, unless one record is longer. */
  readonly addCharsMax: number;
  /** One result per record, in order. `isLast`: there will be no other portion. */
  add(records: readonly Outgoing[], isLast: boolean): Promise<PushResult[]>;
  /**
   * Ends the upload. `stored`: what was staged is on the server in this version, and nothing else
   * has changed since the cursor. `moved`: nothing that was staged is. `none`: nothing was staged.
   */
  commit(): Promise<
    { readonly kind: 'stored'; readonly modifiedMs: number } | { readonly kind: 'moved' | 'none' }
  >;
}

/** A document that is one record: `meta/global`, `crypto/keys`. */
export type Document =
  | { readonly kind: 'missing' }
  | { readonly kind: 'found'; readonly envelope: Envelope; readonly serverNowMs: number };

/** What a cheap poll asks about, and since when. */
export interface PollItem {
  readonly collection: string;
  /** A single record of it, or null for the whole collection. */
  readonly id: string | null;
  readonly knownMs: number;
}

export interface Remote {
  /**
   * Names where the user's data is. At another place nothing that was known of the first one holds.
   */
  place(): Promise<string>;
  /**
   * Which of these changed (true) since the known versions. One request where the protocol has one.
   */
  poll(items: readonly PollItem[]): Promise<boolean[]>;
  document(collection: string, id: string): Promise<Document>;
  /**
   * A page of changes. Null: the collection has not changed since the cursor.
   * `restart` (as a value): the listing moved on while it was read; start again from the cursor's
   * times.
   */
  changes(collection: string, cursor: Cursor): Promise<Page | 'restart' | null>;
  /** Writes one record by itself; what it was made from is judged by the record's own version. */
  write(collection: string, record: Outgoing): Promise<PushResult>;
  /** Opens an upload; `cursor` is where the last pull ended. */
  upload(collection: string, cursor: Cursor): Promise<Upload>;
}

/**
 * What a driver keeps over reboots: nothing secret, a few numbers and addresses. It changes the
 * members it needs.
 */
export interface RemoteMemory {
  /** Kinto: requests of the largest batch that the server takes. */
  batchRequestsMax?: number;
}

export interface RemoteOptions {
  readonly platform: Platform;
  readonly config: AgentConfig;
  /** 32 hex digits: names the key that the user's data is under. */
  readonly clientState: string;
  readonly memory: RemoteMemory;
  /** Lives as long as the sign-in on this boot: the driver's own objects by name, secrets too. */
  readonly cache: Map<string, unknown>;
  readonly notes: ServerNotes;
  readonly abort: Abort;
}

/** One protocol. A firmware holds the drivers that it was built with. */
export interface RemoteDriver {
  readonly protocol: string;
  /** A remote for one pass. */
  open(options: RemoteOptions): Remote;
}
