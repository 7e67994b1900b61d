// A change of a made-up log: what goes over the wire, and how its id is made. Server and clients
// use the same words for it; only clients know a key.

import { createHash } from 'node:crypto';

/** As it goes over the wire; payload null: the record is deleted. */
export interface Change {
  readonly key: string;
  readonly payload: string | null;
  readonly seqnum: number;
  readonly changeid: string;
  readonly signature: string;
}

/** What another client makes of a change: its payload (null: a deletion), its signature. */
export interface Writer {
  seal(seqnum: number): string | null;
  sign(changeid: string): string;
}

/** The id of a change: of its number, of the change before it, and of what is changed. */
export function changeIdOf(
  before: string,
  { seqnum, key, payload }: Pick<Change, 'seqnum' | 'key' | 'payload'>,
): string {
  const text = JSON.stringify([seqnum, before, key, payload]);
  return createHash('sha256').update(text).digest('base64url');
}

/** Whether the server takes this as a record's name. */
export function isKey(key: string): boolean {
  return KEY.test(key);
}

const KEY = /^[a-zA-Z0-9_-]{1,64}$/;
