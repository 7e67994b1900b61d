// One record as the device knows it: the mirror (what both sides agreed on) and this device's unsynced
// change on top. Pure data and its text form; store.ts writes it.

import { jsonOf } from '../crypto/engine.ts';
import type { Body } from './collections/collection.ts';

export interface Mirror {
  readonly body: Body;
  /** The body's JSON, as it came: unknown members and number forms survive. */
  readonly text: string;
  /** The server's time of this version. */
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

/** The code of a record that the account's keys prove, and whose form this build does not know. */
export const UNKNOWN_FORM = 'unknownForm';

export const NO_ENTRY: Entry = { mirror: null, local: null, quarantined: false };

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
  return { head: `${mirror.modifiedMs} ${mirror.epoch}`, text: mirror.text };
}

export function packLocal(local: Local): Packed {
  const text = local.body === null ? '' : JSON.stringify(local.body);
  return { head: `${local.changedAtMs} ${local.seq} ${local.tries}`, text };
}

/** Null if the value is not what was written (a worn flash, a changed device key). */
export function unpackMirror(packed: Packed | null): Mirror | null {
  const body = packed === null ? null : (packed.body ?? parsed(packed.text));
  if (packed === null || body === null) return null;
  const [modifiedMs, epoch] = numbersOf(packed.head);
  if (modifiedMs === undefined || epoch === undefined) return null;
  return { body, text: packed.text, modifiedMs, epoch };
}

export function unpackLocal(packed: Packed | null): Local | null {
  if (packed === null) return null;
  const body = packed.text === '' ? null : (packed.body ?? parsed(packed.text));
  if (body === null && packed.text !== '') return null;
  const [changedAtMs, seq, tries] = numbersOf(packed.head);
  if (changedAtMs === undefined || seq === undefined || tries === undefined) return null;
  return { body, changedAtMs, seq, tries };
}

function numbersOf(head: string): number[] {
  return head.split(' ').map(Number).filter(Number.isFinite);
}

function parsed(text: string): Body | null {
  return (jsonOf(text) as Body | undefined) ?? null;
}
