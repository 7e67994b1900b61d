// The layout of the store: one short ASCII key per thing, grouped so that a range is a question.
// SPEC.md says what lies behind each. Pure. Every key of an account starts with its generation, so
// that one account can never meet another's.
//
//   s                      the agent's state (state.ts)
//   i  j                   the sign-in, and one that is under way, sealed (signin/keeper.ts)
//   t stored values were lost, and not every collection has been mended since (mend.ts)
//   n  n=<origin>  n~<hash>   the user's apps on this device: see installed/row.ts
//   <g>.i.<n>              a collection made at run time, its letter _<n> (several/instances.ts)
//   <g>.i                  the secret that apps' collections are named with (remotes/app-secret.ts)
//   <g>.w                  the secret of hashed ids, sealed (remotes/named.ts)
//   <g>.w.<letter>         names the secret that the ids of a collection are made with
//   :NAME:...              the same again of a further remote (prefixed.ts)
//   <g>.m  <g>.k           what a remote keeps of the account, the second one sealed (remotes/*/)
//   <g>.<letter>.c         a collection's cursor and counters
//   <g>.<letter>.r.<id>    the mirror: what device and server last agreed on
//   <g>.<letter>.o.<id>    the outbox: acknowledged local changes that are not yet on the server
//   <g>.<letter>.d.<id>    the deletions among them, without a value
//   <g>.<letter>.q.<id>    quarantine: why a record was set aside
//   <g>.<letter>.x.<suffix>!<id>   index entries of what apps see, without a value

import { escapeId } from '../collections/record-id.ts';

/** Everything of one generation: from `<g>.` up to `<g>/`. */
export const STATE_KEY = 's';
export const DAMAGE_KEY = 't';
export const SIGNED_IN_KEY = 'i';
export const SIGNING_IN_KEY = 'j';

/** Keys of a collection; without an id, what all keys of the kind begin with: see `rangeEnd`. */
export interface CollectionKeys {
  readonly cursor: string;
  /** The cursor of the second set: see set-keys.ts. */
  readonly second: string;
  record(id?: string): string;
  outbox(id?: string): string;
  deletion(id?: string): string;
  quarantine(id?: string): string;
  index(suffix: string, id: string): string;
  readonly indexes: string;
}

export function collectionKeys(generation: string, letter: string): CollectionKeys {
  const base = `${generation}.${letter}.`;
  const of =
    (kind: string) =>
    (id = ''): string =>
      base + kind + escapeId(id);
  const indexes = `${base}x.`;
  return {
    cursor: `${base}c`,
    second: `${base}2c`,
    record: of('r.'),
    outbox: of('o.'),
    deletion: of('d.'),
    quarantine: of('q.'),
    index: (suffix, id) => `${indexes}${suffix}!${escapeId(id)}`,
    indexes,
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

export function unescapeId(text: string): string {
  return text.includes('%')
    ? text.replace(/%(2[0-5])/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    : text;
}

/** The id at the end of an index key. */
export function idOfIndexKey(key: string): string {
  return unescapeId(key.slice(key.lastIndexOf('!') + 1));
}
