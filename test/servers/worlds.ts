// Worlds of the tests whose records are in a ServerStorage, each under a prefix of its own, and the
// tests of the servers that are run on them. A world is there at once; what it asks for waits until
// its account is in the storage.

import type { BsoStorage } from '../../emulator/servers/bso-storage.ts';
import type { PlaceStorage } from '../../emulator/servers/place-storage.ts';
import { addUsers, KeptBsos } from '../../emulator/servers/storage/kept-bsos.ts';
import { addPlaces, keptPlaces } from '../../emulator/servers/storage/kept-places.ts';
import type {
  Entry,
  KeyRange,
  Reader,
  ServerStorage,
  Transaction,
} from '../../emulator/servers/storage/server-storage.ts';
import type { SeedAccount } from '../../emulator/servers/store-file.ts';
import { TEST_NOW_MS } from '../../emulator/servers/testing.ts';
import type { WorldStorage } from '../../emulator/servers/world.ts';

/** `storage` is asked for when the first world is. */
export function worldsIn(storage: () => ServerStorage): (account: SeedAccount) => WorldStorage {
  let worlds = 0;
  return ({ store }) => {
    const own = prefixed(storage(), `w${++worlds}/`);
    const ready = own.transaction('account', async (tx) => {
      await addUsers(tx, store, TEST_NOW_MS);
      addPlaces(tx, store);
    });
    const bsos = new KeptBsos(own);
    const places = keptPlaces(own);
    const whenReady: BsoStorage & PlaceStorage = {
      read: (...args) => ready.then(() => bsos.read(...args)),
      write: (...args) => ready.then(() => bsos.write(...args)),
      seen: (account) => ready.then(() => places.seen(account)),
      admit: (...args) => ready.then(() => places.admit(...args)),
    };
    return { bsos: whenReady, places: whenReady };
  };
}

/** The part of a storage whose keys begin so, as a storage of its own. */
export function prefixed(storage: ServerStorage, prefix: string): ServerStorage {
  const inner = (range: KeyRange): KeyRange => ({
    ...range,
    from: prefix + range.from,
    to: prefix + range.to,
  });
  const outer = ([key, value]: Entry): Entry => [key.slice(prefix.length), value];
  const readerOf = (reader: Reader): Reader => ({
    get: (keys) => reader.get(keys.map((key) => prefix + key)),
    keys: async (range) => (await reader.keys(inner(range))).map((key) => key.slice(prefix.length)),
    scan: async (range) => (await reader.scan(inner(range))).map(outer),
  });
  const transactionOf = (tx: Transaction): Transaction => ({
    ...readerOf(tx),
    put: (key, value) => tx.put(prefix + key, value),
    remove: (key) => tx.remove(prefix + key),
  });
  return {
    transaction: (lock, work) =>
      storage.transaction(prefix + lock, (tx) => work(transactionOf(tx))),
    read: (lock, work) => storage.read(prefix + lock, (reader) => work(readerOf(reader))),
    close: async () => undefined,
  };
}
