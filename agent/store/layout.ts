// The layout of the store: one short ASCII key per thing, grouped so that a range is a question.
// SPEC.md says what lies behind each. Pure. Every key of an account starts with its generation, so
// that one account can never meet another's.
//
//   s                      the agent's state (state.ts)
//   i  j                   the sign-in, and one that is under way, sealed (signin/keeper.ts)
//   t stored values were lost, and not every collection has been mended since (mend.ts)
//   <g>.m  <g>.k           meta/global as last seen; crypto/keys, sealed
//   <g>.<letter>.c         a collection's cursor and counters
//   <g>.<letter>.r.<id>    the mirror: what device and server last agreed on
//   <g>.<letter>.o.<id>    the outbox: acknowledged local changes that are not yet on the server
//   <g>.<letter>.d.<id>    the deletions among them, without a value
//   <g>.<letter>.q.<id>    quarantine: why a record was set aside
//   <g>.<letter>.x.<suffix>!<id>   index entries of what apps see, without a value

/** What a stored value is; errors name it. */
export type StoredKind =
  | 'state'
  | 'signIn'
  | 'meta'
  | 'keys'
  | 'collection'
  | 'mirror'
  | 'outbox'
  | 'quarantine';

/** Everything of one generation: from `<g>.` up to `<g>/`. */
export const STATE_KEY = 's';
export const DAMAGE_KEY = 't';
export const SIGNED_IN_KEY = 'i';
export const SIGNING_IN_KEY = 'j';

/** Longest escaped id that fits a key together with an index suffix. */
export const KEY_ID_CHARS_MAX = 100;

export interface CollectionKeys {
  readonly cursor: string;
  record(id: string): string;
  outbox(id: string): string;
  deletion(id: string): string;
  quarantine(id: string): string;
  index(suffix: string, id: string): string;
  /** Prefixes; the range of a prefix ends at `rangeEnd(prefix)`. */
  readonly records: string;
  readonly outboxes: string;
  readonly deletions: string;
  readonly quarantines: string;
  readonly indexes: string;
}

export function collectionKeys(generation: string, letter: string): CollectionKeys {
  const base = `${generation}.${letter}.`;
  const [records, outboxes, deletions, quarantines, indexes] = ['r.', 'o.', 'd.', 'q.', 'x.'].map(
    (k) => base + k,
  );
  return {
    cursor: `${base}c`,
    records: `${records}`,
    outboxes: `${outboxes}`,
    deletions: `${deletions}`,
    quarantines: `${quarantines}`,
    indexes: `${indexes}`,
    record: (id) => records + escapeId(id),
    outbox: (id) => outboxes + escapeId(id),
    deletion: (id) => deletions + escapeId(id),
    quarantine: (id) => quarantines + escapeId(id),
    index: (suffix, id) => `${indexes}${suffix}!${escapeId(id)}`,
  };
}

/**
 * The first key behind all keys that start with `prefix` (which is not empty and does not end in
 * 0x7e).
 */
export function rangeEnd(prefix: string): string {
  const last = prefix.length - 1;
  return prefix.slice(0, last) + String.fromCharCode(prefix.charCodeAt(last) + 1);
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

export function unescapeId(text: string): string {
  return text.includes('%')
    ? text.replace(/%(2[0-5])/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    : text;
}

/** The id at the end of an index key. */
export function idOfIndexKey(key: string): string {
  return unescapeId(key.slice(key.lastIndexOf('!') + 1));
}

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
