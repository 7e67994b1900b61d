// Which key of a ServerStorage holds what of an OWA user:
//
//   od/USER         the document's head: when it was changed, and how much is in it
//   oe/USER/HASH    a member of it, as its JSON has it; the hash is of its name
//   oc/USER         the clients that have logged in, and when they did last
//
// What changes a document locks its user.

import { createHash } from 'node:crypto';
import { isObject, parseObject } from '../http.ts';
import { damaged } from '../storage/bso-keys.ts';
import type { KeyRange } from '../storage/server-storage.ts';

/** Of a document; all 0 before anything was stored. */
export interface Head {
  readonly modifiedMs: number;
  readonly entries: number;
  /** UTF-8 bytes of its JSON. */
  readonly bytes: number;
}

const NOTHING: Head = { modifiedMs: 0, entries: 0, bytes: 2 };

export const headKey = (user: string): string => `od/${user}`;
export const clientsKey = (user: string): string => `oc/${user}`;
export const lockOf = (user: string): string => `owa/${user}`;

export function entryKey(user: string, name: string): string {
  // Half of a surrogate pair is escaped in JSON.
  const hash = createHash('sha256').update(JSON.stringify(name)).digest('base64url');
  return `oe/${user}/${hash}`;
}

/** Entries behind a key; null: from the first one on. */
export function entryRange(user: string, behind: string | null, limit: number): KeyRange {
  return { from: behind === null ? `oe/${user}/` : `${behind}!`, to: `oe/${user}/~`, limit };
}

/** `text`: null where there is none. Errors: Error where it is something else. */
export function readHead(user: string, text: string | null): Head {
  if (text === null) return NOTHING;
  const row = parseObject(text);
  const isWhole = [row?.modifiedMs, row?.entries, row?.bytes].every(Number.isSafeInteger);
  if (!isWhole) throw damaged(headKey(user));
  return row as unknown as Head;
}

/** When each client was seen last, by UUID. Errors: as of `readHead`. */
export function readClients(user: string, text: string | null): Map<string, number> {
  const row = text === null ? {} : parseObject(text);
  if (!isObject(row)) throw damaged(clientsKey(user));
  return new Map(Object.entries(row).map(([uuid, atMs]) => [uuid, Number(atMs)]));
}
