// What a token server remembers: what each account has proved so far, and which user of the storage
// holds the data that is sealed under which key. In memory, over a store.

import { Locks } from './storage/locks.ts';
import type { Store } from './store.ts';

/** What is known of an account. */
export interface Seen {
  readonly uid: number;
  readonly generation: number;
  readonly keysChangedAtMs: number;
  readonly fingerprint: string;
  readonly oldFingerprints: readonly string[];
}

/** The users of the storage, whom nobody else adds meanwhile. */
export interface Places {
  /**
   * A user of the storage for an account that has none for this key yet: one that holds data under
   * the key and is nobody's, one without a key, or null. `add`: a new one instead of null. What an
   * account has got is its own: whoever else names the same key is given something else.
   */
  of(fingerprint: string, add: boolean): Promise<number | null>;
}

export interface PlaceStorage {
  /** Null: nothing is known of the account. */
  seen(account: string): Promise<Seen | null>;
  /** Remembers what `judge` says; what it throws changes nothing. */
  admit(
    account: string,
    judge: (seen: Seen | null, places: Places) => Promise<Seen>,
  ): Promise<Seen>;
}

/** What is added to the store elsewhere is seen at once. */
export function memoryPlaces(store: Store): PlaceStorage {
  const accounts = new Map<string, Seen>();
  const locks = new Locks();
  const taken = new Set<number>();
  const places: Places = {
    async of(fingerprint, add) {
      const users = [...store.users.values()].filter(({ uid }) => !taken.has(uid));
      const known =
        users.find((user) => user.keyFingerprint === fingerprint) ??
        users.find((user) => user.keyFingerprint === null);
      if (!known && !add) return null;
      const user = known ?? store.addUser(fingerprint);
      user.keyFingerprint = fingerprint;
      taken.add(user.uid);
      return user.uid;
    },
  };
  return {
    seen: async (account) => accounts.get(account) ?? null,
    admit: (account, judge) =>
      locks.run('all', async () => {
        const seen = await judge(accounts.get(account) ?? null, places);
        accounts.set(account, seen);
        return seen;
      }),
  };
}
