// Bookmarks as Firefox syncs them: one record per bookmark, folder, separator, query or live mark.
// Read only: a tree that several devices rearrange is not merged by a small one, so it takes what
// the others say. Every type is kept, also those that it does not know.

import type { Body, Collection } from './collection.ts';
import { addressKey, addressPrefix, countOf, refuse, shortId, withIdFirst } from './members.ts';

export const bookmarks: Collection = {
  name: 'bookmarks',
  letter: 'b',
  sealed: false,
  evictable: false,
  writes: 'none',
  folders: {
    key: childKey,
    children: ({ children }) =>
      Array.isArray(children) ? children.filter((id) => typeof id === 'string') : [],
  },

  check: ({ type }) => (typeof type === 'string' ? null : 'type: not a text'),
  isEmpty: () => false,

  index: (body) => [childKey(`${body.parentid ?? ''}`), addressKey(urlOf(body))],
  addressPrefix,
  matches: (body, prefix) => urlOf(body).startsWith(prefix),

  merge: ({ incoming }) => ({ mirror: incoming.body && 'asIs', local: 'none' }),
  outgoing: withIdFirst,
  prepare: () => refuse('bookmarks: they cannot be changed here'),
  newId: shortId,
  /**
   * `url`: of a bookmark, a query or a live mark's site; all else under the names of the record.
   */
  view: (id, { id: _, guid, url, ...members }) => ({
    guid: id,
    url: urlOf(members),
    ...members,
    ...('dateAdded' in members ? { dateAdded: countOf(members.dateAdded) } : {}),
  }),
};

function childKey(id: string): string {
  return `p${addressKey(id).slice(1)}`;
}

function urlOf({ bmkUri, siteUri }: Body): string {
  const url = bmkUri ?? siteUri;
  return typeof url === 'string' ? url : '';
}
