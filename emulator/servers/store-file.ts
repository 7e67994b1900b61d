// The store as a file: the `sync15-store` format, and an account file, which is a store together
// with the key its records are sealed under.
// What is loaded and dumped at once is the same, member by member. Bad input is refused with one
// line that names the member; nothing is repaired and nothing is skipped.

import { type Bso, Collection, Store, type User } from './store.ts';
import { keyFingerprint } from './sync-keys.ts';

/** Times are decimal seconds, as on the wire; `ttl` counts from `modified`. */
interface BsoFile {
  readonly id: string;
  readonly modified: number;
  readonly payload: string;
  readonly sortindex?: number;
  readonly ttl?: number;
}
interface CollectionFile {
  readonly modified: number;
  readonly bsos: readonly BsoFile[];
}
interface UserFile {
  readonly keyFingerprint: string | null;
  readonly modified: number;
  readonly collections: Readonly<Record<string, CollectionFile>>;
}
export interface StoreFile {
  readonly format: 'sync15-store';
  readonly version: 1;
  readonly users: Readonly<Record<string, UserFile>>;
}

/** An account as it is shipped: the key (64 hex digits) and what the server holds. */
export interface SeedAccount {
  readonly kB: string;
  readonly store: Store;
}

/** Reads an account file: `{ kB, store }`. Throws an Error of one line when it is not one. */
export function readAccount(file: unknown): SeedAccount {
  const { kB, store: storeFile } = members(file, 'the account');
  if (typeof kB !== 'string' || !/^[0-9a-f]{64}$/i.test(kB)) fail('kB is not 64 hex digits');
  const store = readStore(storeFile);
  const fingerprint = keyFingerprint(kB);
  const users = [...store.users.values()];
  for (const user of users) if (users.length === 1) user.keyFingerprint ??= fingerprint;
  if (users.length > 0 && !users.some((user) => user.keyFingerprint === fingerprint))
    fail('kB is not the key of any user in the store');
  return { kB: kB.toLowerCase(), store };
}

/** Reads the `sync15-store` format. Throws an Error of one line when it is not that. */
export function readStore(file: unknown): Store {
  const { format, version, users } = members(file, 'store');
  if (format !== 'sync15-store' || version !== 1) fail('store is not a sync15-store of version 1');
  const store = new Store();
  for (const [uid, userFile] of Object.entries(members(users, 'store.users'))) {
    if (!/^[1-9]\d{0,14}$/.test(uid)) fail(`store.users: ${JSON.stringify(uid)} is not a user id`);
    readUser(store, Number(uid), userFile);
  }
  return store;
}

/** The store in the `sync15-store` format, without what has expired by `nowMs`. */
export function dumpStore(store: Store, nowMs: number): StoreFile {
  const users = [...store.users.values()].map((user) => [user.uid, dumpUser(user, nowMs)]);
  return { format: 'sync15-store', version: 1, users: Object.fromEntries(users) };
}

function readUser(store: Store, uid: number, file: unknown): void {
  const where = `store.users.${uid}`;
  const { keyFingerprint: fingerprint = null, modified, collections } = members(file, where);
  if (fingerprint !== null && typeof fingerprint !== 'string')
    fail(`${where}.keyFingerprint is not text`);
  const user = store.addUser(fingerprint, uid);
  for (const [name, collectionFile] of Object.entries(
    members(collections, `${where}.collections`),
  )) {
    const collection = readCollection(collectionFile, `${where}.collections.${name}`);
    user.collections.set(name, collection);
    user.modifiedMs = Math.max(user.modifiedMs, collection.modifiedMs);
  }
  user.modifiedMs = Math.max(user.modifiedMs, readTime(modified, `${where}.modified`));
}

function readCollection(file: unknown, where: string): Collection {
  const { modified, bsos } = members(file, where);
  if (!Array.isArray(bsos)) fail(`${where}.bsos is not a list`);
  const collection = new Collection();
  collection.modifiedMs = readTime(modified, `${where}.modified`);
  for (const [index, bso] of bsos.entries())
    collection.set(readBso(bso, `${where}.bsos[${index}]`));
  return collection;
}

function readBso(file: unknown, where: string): Bso {
  const { id, modified, payload, sortindex, ttl } = members(file, where);
  if (typeof id !== 'string') fail(`${where}.id is not text`);
  if (typeof payload !== 'string') fail(`${where}.payload is not text`);
  const modifiedMs = readTime(modified, `${where}.modified`);
  return {
    id,
    modifiedMs,
    payload,
    sortindex: readInteger(sortindex, `${where}.sortindex`),
    expiresMs: ttl == null ? null : modifiedMs + (readInteger(ttl, `${where}.ttl`) ?? 0) * 1000,
  };
}

function dumpUser(user: User, nowMs: number): UserFile {
  const collections = [...user.collections].map(([name, collection]) => [
    name,
    {
      modified: collection.modifiedMs / 1000,
      bsos: Array.from(collection.inArrivalOrder(nowMs), dumpBso),
    },
  ]);
  return {
    keyFingerprint: user.keyFingerprint,
    modified: user.modifiedMs / 1000,
    collections: Object.fromEntries(collections),
  };
}

function dumpBso({ id, modifiedMs, payload, sortindex, expiresMs }: Bso): BsoFile {
  return {
    id,
    modified: modifiedMs / 1000,
    payload,
    ...(sortindex === null ? {} : { sortindex }),
    ...(expiresMs === null ? {} : { ttl: Math.round((expiresMs - modifiedMs) / 1000) }),
  };
}

function members(value: unknown, where: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    fail(`${where} is not an object`);
  return value as Record<string, unknown>;
}

function readTime(value: unknown, where: string): number {
  if (typeof value !== 'number' || !(value >= 0)) fail(`${where} is not a time in seconds`);
  return Math.round(value * 100) * 10;
}

function readInteger(value: unknown, where: string): number | null {
  if (value == null) return null;
  if (!Number.isInteger(value)) fail(`${where} is not an integer`);
  return Number(value);
}

function fail(why: string): never {
  throw new Error(`not a valid account file: ${why}`);
}
