// The records of users in a ServerStorage, straight: nothing is held in memory but what one request
// asks for. Whoever changes a user has its lock, in whichever process. What has expired is taken
// away before anything is read or written; what was deleted whole, afterwards, in portions.

import type { BsoStorage, UserReader, UserWriter } from '../bso-storage.ts';
import type { Store } from '../store.ts';
import {
  expiredUntil,
  expiryOf,
  readBso,
  readUserRow,
  recordKey,
  type UserRow,
  under,
  userKey,
} from './bso-keys.ts';
import { KeptReader, KeptWriter } from './kept-user.ts';
import type { Reader, ServerStorage, Transaction } from './server-storage.ts';

/** Keys that a transaction takes away of what was deleted. */
const PORTION = 3_000;
/** Records that a transaction takes away because they have expired: they are in memory. */
const EXPIRED_MAX = 100;

const lockOf = (uid: number): string => `user/${uid}`;

export class KeptBsos implements BsoStorage {
  readonly #storage: ServerStorage;
  #sweeping: Promise<void> | null = null;
  #isClosed = false;

  constructor(storage: ServerStorage) {
    this.#storage = storage;
  }

  async read<T>(
    uid: number,
    nowMs: number,
    work: (user: UserReader) => Promise<T>,
  ): Promise<T | undefined> {
    const again = <R>(reading: (reader: Reader) => Promise<R>) =>
      this.#storage.read(lockOf(uid), reading);
    return this.#whenFresh(uid, nowMs, () =>
      this.#storage.read(lockOf(uid), async (reader) => {
        const row = await userRow(reader, uid);
        if (row === null) return { done: undefined };
        if (hasExpired(row, nowMs)) return null;
        return { done: await work(new KeptReader(uid, reader, row, again)) };
      }),
    );
  }

  async write<T>(
    uid: number,
    nowMs: number,
    work: (user: UserWriter) => Promise<T>,
  ): Promise<T | undefined> {
    let hasLeft = false;
    const result = await this.#whenFresh(uid, nowMs, () =>
      this.#storage.transaction(lockOf(uid), async (tx) => {
        const row = await userRow(tx, uid);
        if (row === null) return { done: undefined };
        if (hasExpired(row, nowMs)) return null;
        const user = new KeptWriter(uid, tx, row, (reading) => reading(tx), nowMs);
        const done = await work(user);
        hasLeft = user.hasLeft;
        return { done };
      }),
    );
    if (hasLeft) this.sweep();
    return result;
  }

  /** Takes away what is left of deleted collections, a portion at a time, until `close`. */
  sweep(): void {
    this.#sweeping ??= this.#sweepAll()
      // The next one goes on where this one ended.
      .catch(() => undefined)
      .then(() => {
        this.#sweeping = null;
      });
  }

  /** Resolves when nothing of it is at work any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#sweeping;
  }

  /** `work` gives null as long as something has to be taken away before. */
  async #whenFresh<T>(
    uid: number,
    nowMs: number,
    work: () => Promise<{ readonly done: T | undefined } | null>,
  ): Promise<T | undefined> {
    for (;;) {
      const result = await work();
      if (result !== null) return result.done;
      await this.#storage.transaction(lockOf(uid), (tx) => expireSome(tx, uid, nowMs));
    }
  }

  async #sweepAll(): Promise<void> {
    while (!this.#isClosed) if (!(await this.#storage.transaction('garbage', sweepSome))) return;
  }
}

/** Adds the users of a store, with all that they have, in the transaction. */
export async function addUsers(tx: Transaction, { users }: Store, nowMs: number): Promise<void> {
  for (const { uid, modifiedMs, collections } of users.values()) {
    const row: UserRow = { modifiedMs, nextExpiryMs: null, places: 0 };
    const user = new KeptWriter(uid, tx, row, (reading) => reading(tx), nowMs);
    tx.put(userKey(uid), JSON.stringify(row));
    for (const [name, collection] of collections)
      user.load(name, collection.modifiedMs, collection.inArrivalOrder(nowMs));
  }
}

/** Adds a user that has nothing. */
export function addUser(tx: Transaction, uid: number): void {
  const row: UserRow = { modifiedMs: 0, nextExpiryMs: null, places: 0 };
  tx.put(userKey(uid), JSON.stringify(row));
}

async function userRow(reader: Reader, uid: number): Promise<UserRow | null> {
  const key = userKey(uid);
  const [text = null] = await reader.get([key]);
  return text === null ? null : readUserRow(key, text);
}

function hasExpired({ nextExpiryMs }: UserRow, nowMs: number): boolean {
  return nextExpiryMs !== null && nextExpiryMs <= nowMs;
}

/** Takes away some of what has expired, and finds out what expires next. */
async function expireSome(tx: Transaction, uid: number, nowMs: number): Promise<void> {
  const row = await userRow(tx, uid);
  if (row === null) return;
  const user = new KeptWriter(uid, tx, row, (reading) => reading(tx), nowMs);
  const expired = (await tx.scan(expiredUntil(uid, nowMs, EXPIRED_MAX))).map(([key, name]) => {
    const { expiresMs, place, id } = expiryOf(key);
    tx.remove(key);
    return { name, expiresMs, place, at: recordKey(place, id) };
  });
  const texts = expired.length === 0 ? [] : await tx.get(expired.map(({ at }) => at));
  const collections = new Map(await user.collections());
  for (const [index, { name, expiresMs, place, at }] of expired.entries()) {
    const collection = collections.get(name);
    const text = texts[index] ?? null;
    // Of a collection that was deleted, nobody counts what is left.
    if (collection?.place !== place || text === null) continue;
    const bso = readBso(at, text);
    if (bso.expiresMs === expiresMs) collections.set(name, user.remove(name, collection, bso));
  }
  for (const [name, collection] of collections) user.save(name, collection);
  const [next] = await tx.keys(under(`x/${uid}/`, 1));
  const nextExpiryMs = next === undefined ? null : expiryOf(next).expiresMs;
  tx.put(userKey(uid), JSON.stringify({ ...row, nextExpiryMs }));
}

/** Takes away some of what deleted collections have left; false: there was nothing any more. */
async function sweepSome(tx: Transaction): Promise<boolean> {
  const [garbage] = await tx.keys(under('g/', 1));
  if (garbage === undefined) return false;
  const place = garbage.slice('g/'.length);
  let left = PORTION;
  for (const kind of ['r', 't', 's']) {
    const keys = left === 0 ? [] : await tx.keys(under(`${kind}/${place}/`, left));
    for (const key of keys) tx.remove(key);
    left -= keys.length;
  }
  if (left > 0) tx.remove(garbage);
  return true;
}
