// The ids that records may have in storage keys and on the wire, and how a key says them. Pure.

import { ID_CHARS_MAX } from '../limits.ts';

/** Longest escaped id that fits a key together with an index suffix. */
export const KEY_ID_CHARS_MAX = 100;

/** What is wrong with another one. */
export const NO_RECORD_ID = `not 1 to ${ID_CHARS_MAX} printable ASCII characters`;

/**
 * A record id that the server may use and this store can hold: 1 to 64 printable ASCII characters.
 * No URL can name the dots, which stand for a folder and the one above.
 */
export function isRecordId(id: unknown): id is string {
  return (
    typeof id === 'string' &&
    /^(?!\.{1,2}$)[\x20-\x7e]{1,64}$/.test(id) &&
    escapeId(id).length <= KEY_ID_CHARS_MAX
  );
}

/**
 * An id as the end of a key: `%`, `!` and the space are escaped, so the last `!` of an index key
 * ends its suffix. So is all that is not printable ASCII, for the names of records whose ids are
 * none.
 */
export function escapeId(id: string): string {
  const odd = /[^"-$&-~]/g;
  return id.search(odd) < 0 ? id : id.replace(odd, (c) => `%${c.charCodeAt(0).toString(16)}`);
}
