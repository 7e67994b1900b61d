// One record as the device knows it: the mirror (what both sides agreed on) and this device's
// unsynced change on top. Pure data and its text form; store.ts writes it.

import type { Body } from '../collections/collection.ts';
import { UNDECIDED_TRIES } from '../limits.ts';
import { FORM, headWords, numberOf, parsedObject } from './stored.ts';

export interface Mirror {
  readonly body: Body;
  /**
   * The body's JSON, as it came: unknown members and number forms survive. Empty where it is long
   * and was stored.
   */
  readonly text: string;
  /** As the record's remote names it: printable ASCII without a space. */
  readonly version: string;
  /** The server's time of this version; where it has none, the device's when it came. */
  readonly modifiedMs: number;
  /** Counts resets of the sync state: an older one was not seen since the last reset. */
  readonly epoch: number;
}

export interface Local {
  /** Null: deleted. */
  readonly body: Body | null;
  readonly changedAtMs: number;
  /** Grows with every local change: an acknowledgement is for one of them. */
  readonly seq: number;
  /** Pushes of this change that the server refused without a reason. */
  readonly tries: number;
}

export interface Entry {
  readonly mirror: Mirror | null;
  readonly local: Local | null;
  /** The server's newest version was set aside. */
  readonly quarantined: boolean;
  /** It was, because this build does not know its form: see `UNKNOWN_FORM`. */
  readonly isUnknownForm?: boolean;
}

/** A record as it was loaded: it is that as long as its collection is in this state. */
export interface Known {
  readonly entry: Entry;
  readonly state: object;
}

/** The code of a record that the account's keys prove, and whose form this build does not know. */
export const UNKNOWN_FORM = 'unknownForm';

export const NO_ENTRY: Entry = { mirror: null, local: null, quarantined: false };

/** Its conflict waits for somebody to decide. */
export function isUndecided(local: Local | null): boolean {
  return local !== null && local.tries >= UNDECIDED_TRIES;
}

/** What apps see: the local change if there is one, else the mirror. */
export function visible(entry: Entry): Body | null {
  return entry.local !== null ? entry.local.body : (entry.mirror?.body ?? null);
}

/** When that was written, by the server's clock; by the device's, while it has not been sent. */
export function knownMs({ mirror, local }: Entry): number {
  return local?.changedAtMs ?? mirror?.modifiedMs ?? 0;
}

/** A stored value: a short head and a long text. */
export interface Packed {
  readonly head: string;
  readonly text: string;
  /** What the text says, where that was found out before. */
  readonly body?: Body;
}

export function packMirror(mirror: Mirror): Packed {
  const { version, modifiedMs, epoch, body, text } = mirror;
  // Where a version is a time, it is written once.
  const own = version === `${modifiedMs}` ? '' : ` ${version}`;
  return { head: `${FORM}${modifiedMs} ${epoch}${own}`, text: text || JSON.stringify(body) };
}

export function packLocal(local: Local): Packed {
  const text = local.body === null ? '' : JSON.stringify(local.body);
  return { head: `${FORM}${local.changedAtMs} ${local.seq} ${local.tries}`, text };
}

/** Null if the value is not what was written. */
export function unpackMirror({ head, text, body }: Packed): Mirror | null {
  const words = headWords(head);
  const [time = '', count = '', version = time] = words;
  const [modifiedMs, epoch] = [numberOf(time), numberOf(count)];
  const read = body ?? (parsedObject(text) as Body | null);
  if (read === null || modifiedMs === null || epoch === null) return null;
  if (words.length > 2 && (words.length > 3 || version === '' || !/^[cd]/.test(head))) return null;
  return { body: read, text, version, modifiedMs, epoch };
}

/** As `unpackMirror`. */
export function unpackLocal({ head, text, body }: Packed): Local | null {
  const [changedAtMs = null, seq = null, tries = null, more] = headWords(head).map(numberOf);
  const read = body ?? (text === '' ? null : (parsedObject(text) as Body | null));
  if (read === null && text !== '') return null;
  if (changedAtMs === null || seq === null || tries === null || more !== undefined) return null;
  return { body: read, changedAtMs, seq, tries };
}
