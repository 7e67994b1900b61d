// What a collection has whose records are replaced all at once: a storage of its own, between the
// store and the device's. A build without such a collection carries nothing of it.

import type { Storage } from '../../platform/ports.ts';
import type { Collection } from '../collections/collection.ts';
import type { CollectionKeys } from './layout.ts';
import type { Vault } from './vault.ts';

/** A storage that shows one of two sets of records, under the same keys. */
export interface Sets extends Storage {
  /** How often the other set has become the one that is shown. */
  readonly flips: number;
}

/** Opens a store, which is a `T`, on the other set. */
export type OpenBeside<T> = (
  storage: Storage,
  collection: Collection,
  wrap: (vault: Vault) => Vault,
) => Promise<T>;

export interface SetsCollection extends Collection {
  /** `keys` are the collection's. Errors: those of the storage. */
  openSets<T>(
    storage: Storage,
    keys: CollectionKeys,
    beside: OpenBeside<T>,
  ): Promise<Storage & Partial<Sets>>;
}

export function hasSets(collection: Collection): collection is SetsCollection {
  return 'openSets' in collection;
}
