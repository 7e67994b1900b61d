// What a token server remembers, kept in a ServerStorage:
//
//   a/HASH          what an account has proved; the hash is of its name
//   f/FINGERPRINT   a user whose data is sealed under a key, and whom no account has yet
//   n/UID           the same, where nobody has named the key either
//   uids            the highest number of a user

import { createHash } from 'node:crypto';
import { isObject, parseObject } from '../http.ts';
import type { PlaceStorage, Places, Seen } from '../place-storage.ts';
import type { Store } from '../store.ts';
import { damaged, under } from './bso-keys.ts';
import { addUser } from './kept-bsos.ts';
import type { Reader, ServerStorage, Transaction } from './server-storage.ts';

const LOCK = 'places';

export function keptPlaces(storage: ServerStorage): PlaceStorage {
  return {
    seen: (account) => storage.read(LOCK, (reader) => readSeen(reader, account)),
    admit: (account, judge) =>
      storage.transaction(LOCK, async (tx) => {
        const seen = await judge(await readSeen(tx, account), placesOf(tx));
        tx.put(accountKey(account), JSON.stringify(seen));
        return seen;
      }),
  };
}

/** Adds the users of a store, in the transaction that adds what they have. */
export function addPlaces(tx: Transaction, { users }: Store): void {
  for (const { uid, keyFingerprint } of users.values()) {
    if (keyFingerprint === null) tx.put(`n/${uid}`, '');
    else tx.put(`f/${keyFingerprint}`, `${uid}`);
  }
  tx.put('uids', `${Math.max(0, ...users.keys())}`);
}

function placesOf(tx: Transaction): Places {
  return {
    async of(fingerprint, add) {
      const key = `f/${fingerprint}`;
      const [known = null, last = null] = await tx.get([key, 'uids']);
      if (known !== null) {
        tx.remove(key);
        return numberOf(key, known);
      }
      const [nameless] = await tx.keys(under('n/', 1));
      if (nameless === undefined && !add) return null;
      const uid =
        nameless === undefined
          ? numberOf('uids', last ?? '0') + 1
          : numberOf(nameless, nameless.slice('n/'.length));
      if (nameless !== undefined) tx.remove(nameless);
      else {
        addUser(tx, uid);
        tx.put('uids', `${uid}`);
      }
      return uid;
    },
  };
}

async function readSeen(reader: Reader, account: string): Promise<Seen | null> {
  const key = accountKey(account);
  const [text = null] = await reader.get([key]);
  if (text === null) return null;
  const seen = parseObject(text);
  const numbers = [seen?.uid, seen?.generation, seen?.keysChangedAtMs];
  const isWhole =
    isObject(seen) &&
    numbers.every((value) => typeof value === 'number') &&
    typeof seen.fingerprint === 'string' &&
    Array.isArray(seen.oldFingerprints);
  if (!isWhole) throw damaged(key);
  return seen as unknown as Seen;
}

function accountKey(account: string): string {
  return `a/${createHash('sha256').update(account).digest('hex')}`;
}

function numberOf(key: string, text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw damaged(key);
  return Number(text);
}
