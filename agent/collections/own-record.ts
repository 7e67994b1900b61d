// What collections share in which every device has one record, under its client id, and writes no other.

import type { Body, Collection } from './collection.ts';
import { addressKey, addressPrefix, shortId, withIdFirst } from './members.ts';

/** Servers forget what a device has not written for 180 days. */
const TTL_SECONDS = 15_552_000;

export const ownRecord = {
  sealed: false,
  ttlSeconds: TTL_SECONDS,
  evictable: false,
  writes: 'own',
  isEmpty: () => false,
  index: (body) => [identity(body)],
  identity,
  same: (a, b) => a.id === b.id,
  addressPrefix,
  matches: ({ id }, prefix) => `${id}`.startsWith(prefix),
  outgoing: withIdFirst,
  sortindex: () => null,
  newId: shortId,
} satisfies Partial<Collection>;

function identity(body: Body): string {
  return addressKey(`${body.id}`);
}
