// The servers' store, kept in a ServerStorage: loaded whole when it is opened, and what has changed
// since is written in one transaction when `save` is asked. Who answers a write only after that
// loses nothing that was acknowledged, and a write is there as a whole or not at all.
//
//   account               kB, the key of the account
//   sign-ins              who is signed in, as the accounts server writes it
//   user/UID              the key fingerprint and the last stamp
//   col/UID/NAME          a collection's stamp
//   bso/UID/NAME/ID       a record; in ID, `~t` is a tilde and `~s` a space

import { isObject, parseObject } from '../http.ts';
import { type Bso, Collection, Store, type User } from '../store.ts';
import type { SeedAccount } from '../store-file.ts';
import { keysUnder, type ServerStorage, type Transaction } from './server-storage.ts';

/** Entries that are read at a time. */
const PAGE = 1_000;
const SIGN_INS = 'sign-ins';

/** By user and collection: the records that are not saved yet; null: it may be all of them. */
type Unsaved = Map<User, Map<string, Set<string> | null>>;

export class StoreDatabase {
  readonly account: SeedAccount;
  readonly #storage: ServerStorage;
  #unsaved: Unsaved = new Map();
  /** All but records, as it is saved, by key. */
  #saved: Map<string, string>;
  /** One after the other: each writes what the one before it has not. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(storage: ServerStorage, account: SeedAccount, saved: Map<string, string>) {
    this.#storage = storage;
    this.account = account;
    this.#saved = saved;
    this.#watch();
  }

  /**
   * The store that is kept; where none is, that of `seed`, which is kept from now on. Errors: an
   * Error of one line when what is kept is none, those of the storage.
   */
  static async open(storage: ServerStorage, seed: SeedAccount, nowMs: number) {
    const saved = new Map<string, string>();
    const kept = await storage.transaction('store', (tx) => load(tx, saved, nowMs));
    const database = new StoreDatabase(storage, kept ?? seed, saved);
    if (kept === null) await database.#saveAll();
    return { database, isNew: kept === null };
  }

  /** What was kept of who is signed in; null: nothing. */
  get signIns(): string | null {
    return this.#saved.get(SIGN_INS) ?? null;
  }

  /** Makes all changes of before durable. What it could not save, the next one saves. */
  save(nowMs: number, signIns = this.signIns): Promise<void> {
    const turn = this.#last.then(() => this.#saveNow(nowMs, signIns));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #saveNow(nowMs: number, signIns: string | null): Promise<void> {
    let taken: Unsaved = new Map();
    let rows = this.#saved;
    try {
      await this.#storage.transaction('store', async (tx) => {
        this.#watch();
        taken = this.#unsaved;
        this.#unsaved = new Map();
        rows = rowsOf(this.account, signIns);
        await write(tx, taken, this.#saved, rows, nowMs);
      });
      this.#saved = rows;
    } catch (error) {
      for (const [user, collections] of taken)
        for (const [name, ids] of collections) this.#note(user, name, ids && [...ids]);
      throw error;
    }
  }

  async #saveAll(): Promise<void> {
    for (const user of this.account.store.users.values())
      for (const name of user.collections.keys()) this.#note(user, name, null);
    await this.save(Number.NEGATIVE_INFINITY);
  }

  /** New users come with a request, and change nothing in it. */
  #watch(): void {
    for (const user of this.account.store.users.values())
      user.onChange ??= (name, ids) => this.#note(user, name, ids);
  }

  #note(user: User, name: string, ids: readonly string[] | null): void {
    const collections = this.#unsaved.get(user) ?? new Map<string, Set<string> | null>();
    this.#unsaved.set(user, collections);
    const noted = collections.get(name);
    if (noted === null) return;
    collections.set(name, ids === null ? null : new Set([...(noted ?? []), ...ids]));
  }
}

/** Writes what is noted, and of all else what is not as it was. */
async function write(
  tx: Transaction,
  changes: Unsaved,
  before: ReadonlyMap<string, string>,
  now: ReadonlyMap<string, string>,
  nowMs: number,
): Promise<void> {
  for (const [user, collections] of changes) {
    for (const [name, ids] of collections) {
      const prefix = `bso/${user.uid}/${name}/`;
      const collection = user.collections.get(name);
      if (ids === null) await removeUnder(tx, prefix);
      const records =
        ids === null
          ? [...(collection?.inArrivalOrder(nowMs) ?? [])].map((bso) => [bso.id, bso] as const)
          : Array.from(ids, (id) => [id, collection?.get(id, nowMs)] as const);
      for (const [id, bso] of records) {
        if (bso === undefined) tx.remove(prefix + escaped(id));
        else tx.put(prefix + escaped(id), JSON.stringify(bso));
      }
    }
  }
  for (const [key, text] of now) if (before.get(key) !== text) tx.put(key, text);
  for (const key of before.keys()) if (!now.has(key)) tx.remove(key);
}

async function removeUnder(tx: Transaction, prefix: string): Promise<void> {
  for (;;) {
    const entries = await tx.scan(keysUnder(prefix, PAGE));
    for (const [key] of entries) tx.remove(key);
    if (entries.length < PAGE) return;
  }
}

/** All but records. */
function rowsOf({ kB, store }: SeedAccount, signIns: string | null): Map<string, string> {
  const rows = new Map([['account', JSON.stringify({ kB })]]);
  if (signIns !== null) rows.set(SIGN_INS, signIns);
  for (const { uid, keyFingerprint, modifiedMs, collections } of store.users.values()) {
    rows.set(`user/${uid}`, JSON.stringify({ keyFingerprint, modifiedMs }));
    for (const [name, collection] of collections)
      rows.set(`col/${uid}/${name}`, JSON.stringify({ modifiedMs: collection.modifiedMs }));
  }
  return rows;
}

/** Null: nothing is kept yet. `saved`: told of all but records. */
async function load(
  tx: Transaction,
  saved: Map<string, string>,
  nowMs: number,
): Promise<SeedAccount | null> {
  const [account = null, signIns = null] = await tx.get(['account', SIGN_INS]);
  if (account === null) return null;
  if (signIns !== null) saved.set(SIGN_INS, signIns);
  const { kB } = parseObject(account) ?? {};
  if (typeof kB !== 'string') throw new Error('the database holds no account');
  saved.set('account', account);
  const store = new Store();
  for await (const [key, text] of entriesUnder(tx, 'user/')) {
    const { keyFingerprint, modifiedMs } = parseObject(text) ?? {};
    const isKnown = keyFingerprint === null || typeof keyFingerprint === 'string';
    if (!isKnown || typeof modifiedMs !== 'number') throw damaged(key);
    store.addUser(keyFingerprint, Number(key.split('/')[1])).modifiedMs = modifiedMs;
    saved.set(key, text);
  }
  for await (const [key, text] of entriesUnder(tx, 'col/')) {
    const [, uid, name = ''] = key.split('/');
    const { modifiedMs } = parseObject(text) ?? {};
    const collection = new Collection();
    if (typeof modifiedMs !== 'number') throw damaged(key);
    collection.modifiedMs = modifiedMs;
    store.users.get(Number(uid))?.collections.set(name, collection);
    saved.set(key, text);
  }
  for await (const [key, text] of entriesUnder(tx, 'bso/')) {
    const [, uid, name = ''] = key.split('/');
    const bso = readBso(text);
    if (bso === null) throw damaged(key);
    if (bso.expiresMs !== null && bso.expiresMs <= nowMs) tx.remove(key);
    else store.users.get(Number(uid))?.collections.get(name)?.set(bso);
  }
  return { kB, store };
}

async function* entriesUnder(
  tx: Transaction,
  prefix: string,
): AsyncGenerator<readonly [key: string, value: string]> {
  const range = keysUnder(prefix, PAGE);
  for (let { from } = range; ; ) {
    const entries = await tx.scan({ ...range, from });
    yield* entries;
    const last = entries.at(-1);
    if (entries.length < PAGE || last === undefined) return;
    // The next key in order.
    from = `${last[0]}!`;
  }
}

function readBso(text: string): Bso | null {
  const bso = parseObject(text);
  if (!isObject(bso) || typeof bso.id !== 'string' || typeof bso.payload !== 'string') return null;
  const isNumber = (value: unknown) => value === null || typeof value === 'number';
  const isWhole = typeof bso.modifiedMs === 'number' && isNumber(bso.sortindex);
  return isWhole && isNumber(bso.expiresMs) ? (bso as unknown as Bso) : null;
}

function damaged(key: string): Error {
  return new Error(`the database holds something else at ${key}`);
}

function escaped(id: string): string {
  return id.replaceAll('~', '~t').replaceAll(' ', '~s');
}
