// What the agent must know of one kind of data: what a valid record is, by what it is found, how
// two versions become one, and what apps see of it.
// Pure: no storage, no network, no clock. A bad record is a value, never an exception.

import type { Strategy } from '../config.ts';

/**
 * A decrypted record. Its member names are outside data: read them, copy them with spread, never
 * assign by them.
 */
export type Body = { readonly [member: string]: unknown };

/** This device's unsynced change: `body` is null for a deletion. */
export interface LocalSide {
  readonly body: Body | null;
  readonly changedAtMs: number;
  /** From `UNDECIDED_TRIES` on its conflict waits for somebody to decide. */
  readonly tries?: number;
}

/** What device and server last agreed on. */
interface MirrorSide {
  readonly body: Body;
  readonly modifiedMs: number;
  /** When it was agreed on: see `MergeInput.epoch`. */
  readonly epoch?: number;
}

/** What the server has now: `body` is null for a tombstone. */
export interface IncomingSide {
  readonly body: Body | null;
  readonly modifiedMs: number;
}

export interface MergeInput {
  readonly local: LocalSide | null;
  readonly mirror: MirrorSide | null;
  readonly incoming: IncomingSide;
  /**
   * Counts how often the agreement began anew. A mirror of another one is what some server once
   * had: this one may be new, and have what is older. Left out where there is no mirror.
   */
  readonly epoch?: number;
  /**
   * The server's time when it answered, and the device's time then: ages are compared, clocks are
   * not.
   */
  readonly serverNowMs: number;
  readonly deviceNowMs: number;
  /**
   * The server's clock, for records that say themselves when they were changed: where a remote has
   * no times, its answers say what time it is all the same.
   */
  readonly clockMs?: number | undefined;
}

/**
 * What becomes of a record. `mirror` is what is kept as the agreed state (`asIs`: the incoming
 * text, untouched; null: nothing, it is deleted). `local` is what still has to go up: `none`,
 * `keep` (the outbox entry as it is), or a new body for it.
 */
export interface MergeDecision {
  readonly mirror: 'asIs' | Body | null;
  readonly local: 'none' | 'keep' | Body;
  /** A version that fits into neither and must not be lost: it becomes a new record. */
  readonly fork?: Body;
  /** Of a change that is kept; left out: it may be sent. */
  readonly tries?: number;
}

/**
 * A local edit, checked and completed. `complaint` names the field, as apps know it, and what is
 * wrong with it. An edit is judged by what it changes: members that it leaves alone stay as they
 * came, however odd they are.
 */
export type Prepared =
  | { readonly ok: true; readonly id: string; readonly body: Body }
  | { readonly ok: false; readonly complaint: string };

/** The device may change the record with this id. */
export function mayWrite({ writes = 'all' }: Collection, id: string, clientId: string): boolean {
  return writes === 'all' || (writes === 'own' && id === clientId);
}

/** Records in folders: a child names its folder, a folder the order of its children. */
export interface Folders {
  /** The index entry that every child of the folder with this id has. */
  key(id: string): string;
  /** Ids of a folder's children in order. */
  children(body: Body): readonly string[];
}

/**
 * Records that describe one thing (one page, one login, one extension) under several ids. No server
 * merges them, so they are common. Apps see one thing: the record that is newest by its own word,
 * then by the server's. An edit goes to that record, which makes it the one that other clients read
 * last; a deletion deletes all of them; nothing else of the kind goes up.
 */
export interface Things {
  /** The index entry that all records of a thing have. Others may share it, so ask `same`. */
  key(body: Body): string;
  /** Both are of one thing, and whatever is the same as one of them is the same as the other. */
  same(a: Body, b: Body): boolean;
  /**
   * Not the same, but another client would make one of them when they meet: a new record is merged
   * into the old one.
   */
  isDupe?(a: Body, b: Body): boolean;
  /**
   * When the thing was last changed, by the record's own word; 0 or left out: it does not say.
   * `knownMs` as in `index`.
   */
  clock?(body: Body, knownMs: number): number;
  /** What apps see of both; without it, the newer. */
  unite?(newer: Body, older: Body): Body;
}

/**
 * How records are named where their own ids may be any text. Left out: an id is what the server
 * and the storage call the record.
 */
export interface RecordIds {
  /** What is no such id, with the limit: `not a text of 1 to 2048 characters`. */
  readonly complaint: string;
  /** What server and storage call the record with this id; null if no record can have it. */
  wireId(id: unknown): string | null;
  /** The record's own id. Null: its body is not known, and the wire id has to do. */
  ownId(wireId: string, body: Body | null): string;
  /** Whether a body that arrived under a wire id is that record's. */
  proves(wireId: string, body: Body): boolean;
}

/** Which ids apps may say, where they are more than the names of records. */
interface IdRule {
  /** What is wrong with another one. */
  readonly complaint: string;
  /** The id as records have it; null for what is none. */
  idOf(id: unknown): string | null;
}

export interface Collection {
  /** Its name on the server. */
  readonly name: string;
  readonly ids?: RecordIds;
  readonly idRule?: IdRule;
  /** One letter in storage keys. */
  readonly letter: string;
  /** Its bodies are sealed at rest. */
  readonly sealed: boolean;
  /**
   * Where the remote can do that, its records lie on the server as they are: the server reads
   * them, and whoever it lets, and what they delete there is deleted here. `place`: where, in the
   * remote's own words; left out: where it keeps such things. Without it all is encrypted.
   */
  readonly plain?: { readonly place?: string } | undefined;
  /** Oldest records may be dropped from the device when there are too many. */
  readonly evictable: boolean;
  /**
   * Its records are small, and seldom changed: a remote that can may seal many of them together.
   * How a collection lies on a server is settled when it is made there.
   */
  readonly packed?: boolean;
  /**
   * What the device may change: `all` records, its `own` one (its id is the device's client id), or
   * `none`.
   */
  readonly writes?: 'all' | 'own' | 'none';
  /** Instead of its own rule, where the device's configuration says none. */
  readonly strategy?: Strategy | undefined;
  /** How records lie in folders, where they do. */
  readonly folders?: Folders;
  /** Left out where no two records are one thing: two bookmarks of a page are two bookmarks. */
  readonly things?: Things;

  /**
   * Null if this build knows the form of the body, else a complaint that names the field. The body
   * is the user's all the same: it stays on the server, and nothing replaces it. Tombstones do not
   * come here.
   */
  check(body: Body): string | null;
  /**
   * To be raised when `check` takes what it has refused before: devices that set such records aside
   * read them again.
   */
  readonly form?: number;

  /**
   * Nothing for the device to hold: the record is kept, as what the server has, but neither listed
   * nor counted.
   */
  isEmpty(body: Body): boolean;

  /**
   * Index entries as parts of storage keys: ASCII 0x22..0x7d, at most 101 characters each, so that
   * a `!` can end them. One that starts with `d` orders newest first; one that starts with `u`
   * orders by address. `knownMs` is when this version was written, by the server's clock (by the
   * device's, while it has not been sent): a date behind it is the mistake of a clock, and orders
   * as that time.
   */
  index(body: Body, knownMs: number): readonly string[];
  /**
   * Start of the `u` entries of all records whose address starts with `prefix` (a URL prefix, an
   * origin).
   */
  addressPrefix(prefix: string): string;
  /**
   * The record's address starts with `prefix` exactly (index entries are cut, so candidates are
   * checked).
   */
  matches(body: Body, prefix: string): boolean;

  merge(input: MergeInput): MergeDecision;

  /**
   * A change as it is written, where a record says itself when that was. `writtenMs`: by the
   * server's clock, as far as it is known; `agreed`: what it was made from.
   */
  stamped?(body: Body, writtenMs: number, agreed?: Body): Body;
  /** The body as it goes to the server: `id` first, caps applied. */
  outgoing(id: string, body: Body): Body;

  /**
   * A local edit by an app. `input` is the app's JSON (wire names or the app's names), `existing`
   * the current body or null, `newId` an unused id in this collection's form, `nowMs` the device's
   * time. `asked`: the id that the app has given; null: none, so `existing` was found by what the
   * input says.
   */
  prepare(
    input: Body,
    existing: Body | null,
    newId: string,
    nowMs: number,
    asked?: string | null,
  ): Prepared;
  /**
   * An edit with what of the version that both sides agreed on it cannot take away: the server's
   * own merge would put it back.
   */
  withAgreed?(body: Body, agreed: Body): Body;
  /**
   * What stays of a record that an app deletes, where that is a record, too: it is empty. Null:
   * there is nothing for apps to delete.
   */
  grave?(body: Body): Body | null;
  /** An unused id from random bytes (18 given). */
  newId(random: Uint8Array): string;
  /** What apps see of a record. */
  view(id: string, body: Body): Body;
  /**
   * What of a record changed, for those who watch the collection; null for a record that is not
   * there.
   */
  changes?(was: Body | null, is: Body | null): Body;
}
