// What collections share in which every device has one record, under its client id, and writes no
// other.

import type { Collection } from './collection.ts';
import { addressKey, addressPrefix, shortId, withIdFirst } from './members.ts';

type Shared =
  | 'sealed'
  | 'evictable'
  | 'writes'
  | 'isEmpty'
  | 'index'
  | 'addressPrefix'
  | 'matches'
  | 'outgoing'
  | 'newId';

/**
 * Called as pure (a comment tells the bundler), so that a build without the collection carries
 * nothing of it.
 */
export function ownRecord(own: Omit<Collection, Shared>): Collection {
  return { ...SHARED, ...own };
}

const SHARED: Pick<Collection, Shared> = {
  sealed: false,
  evictable: false,
  writes: 'own',
  isEmpty: () => false,
  index: ({ id }) => [addressKey(`${id}`)],
  addressPrefix,
  matches: ({ id }, prefix) => `${id}`.startsWith(prefix),
  outgoing: withIdFirst,
  newId: shortId,
};
