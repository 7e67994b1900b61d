// The records of users in a ServerStorage, straight: nothing is held in memory but what one request
// asks for. Whoever changes a user has its lock, in whichever process. What has expired is taken
// away before anything is read or written, and who asks when it is very much is told to come back;
// what was deleted whole goes afterwards, in portions.

import { StorageError } from '../../../platform/storage-rules.ts';
import type { BsoStorage, UserReader, UserWriter } from '../bso-storage.ts';
import type { Store } from '../store.ts';
import {
  after,
  expiredBetween,
  expiringOf,
  expiryOf,
  type Placed,
  placed,
  readBso,
  readUserRow,
  recordKey,
  type UserRow,
  under,
  userKey,
} from './bso-keys.ts';
import { KeptReader, KeptWriter } from './kept-user.ts';
import type { KeyRange, Reader, ServerStorage, Transaction } from './server-storage.ts';

/** Keys that a transaction takes away of what was deleted. */
const PORTION = 3_000;
/** Records that a transaction takes away because they have expired. */
const EXPIRED_MAX = 1_000;
/** So many times for one request; the rest is taken away when it has been refused. */
const EXPIRY_STEPS_MAX = 5;
/** Of those that an older version wrote, which are read for it. */
const READ_MAX = 100;

const lockOf = (uid: number): string => `user/${uid}`;

export class KeptBsos implements BsoStorage {
  readonly #storage: ServerStorage;
  #sweeping: Promise<void> | null = null;
  /** By user, whose expired records are being taken away. */
  readonly #expiring = new Map<number, Promise<void>>();
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
    await Promise.all([this.#sweeping, ...this.#expiring.values()]);
  }

  /**
   * `work` gives null as long as something has to be taken away before. Errors: StorageError where
   * that is too much for one request.
   */
  async #whenFresh<T>(
    uid: number,
    nowMs: number,
    work: () => Promise<{ readonly done: T | undefined } | null>,
  ): Promise<T | undefined> {
    for (let steps = 0; ; steps++) {
      const result = await work();
      if (result !== null) return result.done;
      if (steps === EXPIRY_STEPS_MAX) {
        this.#expire(uid, nowMs);
        throw new StorageError('failed', 'more has expired than one request takes away');
      }
      await this.#storage.transaction(lockOf(uid), (tx) => expireSome(tx, uid, nowMs));
    }
  }

  /** Takes away all that has expired, behind the requests that come meanwhile. */
  #expire(uid: number, nowMs: number): void {
    if (this.#expiring.has(uid)) return;
    const step = () => this.#storage.transaction(lockOf(uid), (tx) => expireSome(tx, uid, nowMs));
    const expireAll = async (): Promise<void> => {
      while (!this.#isClosed) if (!(await step())) return;
    };
    // Where it fails, the next request begins it again.
    const expiring = expireAll()
      .catch(() => undefined)
      .then(() => void this.#expiring.delete(uid));
    this.#expiring.set(uid, expiring);
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

/** Takes away some of what has expired, and finds out what expires next; whether that has, too. */
async function expireSome(tx: Transaction, uid: number, nowMs: number): Promise<boolean> {
  const row = await userRow(tx, uid);
  if (row === null) return false;
  const user = new KeptWriter(uid, tx, row, (reading) => reading(tx), nowMs);
  // Before that nothing is, and what was there is not looked through again.
  const fromMs = row.nextExpiryMs ?? 0;
  const expired = await expiredRecords(tx, expiredBetween(uid, fromMs, nowMs, EXPIRED_MAX));
  const collections = new Map(await user.collections());
  for (const { key, name, place, record } of expired) {
    tx.remove(key);
    const collection = collections.get(name);
    // Of a collection that was deleted, nobody counts what is left.
    if (collection?.place === place && record !== null)
      collections.set(name, user.remove(name, collection, record));
  }
  for (const [name, collection] of collections) user.save(name, collection);
  const { to } = under(`x/${uid}/`, 1);
  const [next] = await tx.keys({ ...expiredBetween(uid, fromMs, nowMs, 1), to });
  const nextExpiryMs = next === undefined ? null : expiryOf(next).expiresMs;
  tx.put(userKey(uid), JSON.stringify({ ...row, nextExpiryMs }));
  return nextExpiryMs !== null && nextExpiryMs <= nowMs;
}

interface Expired {
  readonly key: string;
  readonly name: string;
  readonly place: string;
  /** Null: it is not there any more. */
  readonly record: Placed | null;
}

async function expiredRecords(tx: Transaction, range: KeyRange): Promise<Expired[]> {
  const expired = (await tx.scan(range)).map(([key, value]) => {
    const { place, id } = expiryOf(key);
    return { ...expiringOf(key, value), key, place, at: recordKey(place, id) };
  });
  const unknown = expired.filter(({ record }) => record === null).slice(0, READ_MAX);
  if (unknown.length === 0) return expired;
  // Others are left for the next time.
  const known = expired.filter(({ record }) => record !== null);
  const texts = await tx.get(unknown.map(({ at }) => at));
  const read = unknown.map((one, index) => {
    const text = texts[index] ?? null;
    const bso = text === null ? null : readBso(one.at, text);
    const isIt = bso?.expiresMs === expiryOf(one.key).expiresMs;
    return { ...one, record: bso !== null && isIt ? placed(bso) : null };
  });
  return [...known, ...read];
}

/** Takes away some of what deleted collections have left; false: there was nothing any more. */
async function sweepSome(tx: Transaction): Promise<boolean> {
  const [entry] = await tx.scan(under('g/', 1));
  if (entry === undefined) return false;
  const [garbage, last] = entry;
  const place = garbage.slice('g/'.length);
  let left = PORTION;
  let behind = last;
  for (const kind of KINDS_SWEPT) {
    const range = under(`${kind}/${place}/`, left);
    // What is behind it is gone, and would be looked through each time.
    if (behind >= range.to) continue;
    const from = behind > range.from ? after(behind) : range.from;
    const keys = left === 0 ? [] : await tx.keys({ ...range, from });
    for (const key of keys) tx.remove(key);
    left -= keys.length;
    behind = keys.at(-1) ?? behind;
  }
  if (left > 0) tx.remove(garbage);
  else tx.put(garbage, behind);
  return true;
}

/** In the order of their keys. */
const KINDS_SWEPT = ['r', 's', 't'];
