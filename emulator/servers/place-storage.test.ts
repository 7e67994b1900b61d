// What a token server remembers, in memory and kept.

import { describe, expect, test } from 'vitest';
import { memoryPlaces, type PlaceStorage, type Seen } from './place-storage.ts';
import { addUsers } from './storage/kept-bsos.ts';
import { addPlaces, keptPlaces } from './storage/kept-places.ts';
import { memoryStorage } from './storage/local-storage.ts';
import { Store } from './store.ts';

/** A user with a key, and one whose key nobody has named. */
function twoUsers(): Store {
  const store = new Store();
  store.addUser('first');
  store.addUser(null);
  return store;
}

async function kept(store: Store): Promise<PlaceStorage> {
  const storage = memoryStorage();
  await storage.transaction('places', async (tx) => {
    await addUsers(tx, store, 0);
    addPlaces(tx, store);
  });
  return keptPlaces(storage);
}

/** The place that an account gets for a key. */
async function placeOf(
  places: PlaceStorage,
  account: string,
  fingerprint: string,
  add = true,
): Promise<number | null> {
  let uid: number | null = null;
  await places
    .admit(account, async (_seen, users): Promise<Seen> => {
      uid = await users.of(fingerprint, add);
      if (uid === null) throw new Error('refused');
      const proved = { generation: 1, keysChangedAtMs: 1, fingerprint };
      return { ...proved, uid, oldFingerprints: [] };
    })
    .catch(() => undefined);
  return uid;
}

describe.each([
  ['in memory', async (store: Store) => memoryPlaces(store)],
  ['kept', kept],
])('places %s', (_, open) => {
  test('the first who has the key of data that is nobody’s gets it, and no other', async () => {
    const places = await open(twoUsers());
    expect(await placeOf(places, 'a', 'first')).toBe(1);
    expect(await placeOf(places, 'b', 'first')).not.toBe(1);
  });

  test('two accounts that name the same new key do not see each other’s data', async () => {
    const places = await open(new Store());
    const uids = [await placeOf(places, 'a', 'k'), await placeOf(places, 'b', 'k')];
    expect(new Set(uids).size).toBe(2);
    expect(await places.seen('a')).toMatchObject({ uid: uids[0] });
  });

  test('a place without a key is for the first that comes; new ones may be refused', async () => {
    const places = await open(twoUsers());
    expect(await placeOf(places, 'a', 'other', false)).toBe(2);
    expect(await placeOf(places, 'b', 'another', false)).toBeNull();
    expect(await places.seen('b')).toBeNull();
  });
});
