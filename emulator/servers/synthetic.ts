// Accounts that nobody recorded: any number of history records, made when they are looked at.
// The same options give the same account, byte for byte: ids, text, stamps, IVs, ciphertexts.
// With the default size the cleartext of a history record is 700 to 1,000 bytes (on average 850)
// and its sealed payload 1.1 to 1.5 KB (on average 1.3 KB). 100 records share a stamp, as those
// of one real upload do. The records themselves are never held.

import { createHash } from 'node:crypto';
import { type Bso, Collection, type LazyRecords, Store, toStampMs } from './store.ts';
import type { SeedAccount } from './store-file.ts';
import { accountKeys, type KeyPair, keyFingerprint, sealPayload } from './sync-keys.ts';
import { ownRecord } from './synthetic-own.ts';

export interface SyntheticOptions {
  /** How many history records. */
  readonly records: number;
  readonly seed: number;
  /** Average bytes of cleartext JSON per history record; each differs by up to 150. */
  readonly bodyBytes?: number;
  readonly passwords?: number;
  /** Records of apps, by collection. */
  readonly own?: ReadonlyMap<string, number>;
  /** Of web apps (`apps` of `own`): about so many characters of each are its manifest. */
  readonly manifestChars?: number;
  /** The stamp of the newest record. */
  readonly newestMs?: number;
}

const RECORDS_PER_UPLOAD = 100;
const UPLOAD_INTERVAL_MS = 2_000;
const SPREAD_BYTES = 150;
const NEWEST_MS = Date.UTC(2026, 10, 1);

/** An account of `records` history records, a few passwords, `meta/global` and `crypto/keys`. */
export function syntheticAccount(options: SyntheticOptions): SeedAccount {
  const { records, seed, bodyBytes = 850, passwords = 12, newestMs = NEWEST_MS } = options;
  const { own = new Map<string, number>(), manifestChars } = options;
  const draw = (name: string) => digest(seed, name);
  const kB = draw('kB').toString('hex');
  const keys = { encKey: draw('bulk encryption'), macKey: draw('bulk mac') };
  const store = new Store();
  const user = store.addUser(keyFingerprint(kB));
  const uploads = Math.ceil(records / RECORDS_PER_UPLOAD);
  const firstMs = toStampMs(newestMs) - Math.max(uploads - 1, 0) * UPLOAD_INTERVAL_MS;

  const put = (name: string, id: string, payload: string) =>
    user.write(name, [{ id, payload }], firstMs - 60_000);
  put('meta', 'global', metaGlobal(seed, [...own.keys()]));
  put('crypto', 'keys', sealPayload(accountKeys(kB), cryptoKeys(keys), iv(seed, 'crypto/keys')));
  for (let index = 0; index < passwords; index++) {
    const login = password(seed, index, firstMs);
    put('passwords', login.id, sealPayload(keys, JSON.stringify(login), iv(seed, login.id)));
  }
  for (const [name, count] of own) {
    for (let index = 0; index < count; index++) {
      const record = ownRecord(
        name,
        index,
        digest(seed, `${name} ${index}`),
        firstMs,
        manifestChars,
      );
      put(name, record.id, sealPayload(keys, JSON.stringify(record), iv(seed, record.id)));
    }
  }
  const history = new Collection(lazyHistory({ records, seed, bodyBytes, firstMs, keys }));
  if (records > 0) {
    history.modifiedMs = firstMs + (uploads - 1) * UPLOAD_INTERVAL_MS;
    user.modifiedMs = history.modifiedMs;
    user.collections.set('history', history);
  }
  return { kB, store };
}

interface HistoryPlan {
  readonly records: number;
  readonly seed: number;
  readonly bodyBytes: number;
  readonly firstMs: number;
  readonly keys: KeyPair;
}

function lazyHistory(plan: HistoryPlan): LazyRecords {
  return {
    count: plan.records,
    at: (index) => new HistoryBso(plan, index),
    indexOf(id) {
      const index = indexOfId(plan.seed, id);
      return index < plan.records ? index : -1;
    },
  };
}

/** A history record whose payload is sealed when somebody reads it. */
class HistoryBso implements Bso {
  readonly id: string;
  readonly modifiedMs: number;
  readonly sortindex: number;
  readonly expiresMs = null;
  readonly #plan: HistoryPlan;
  readonly #index: number;

  constructor(plan: HistoryPlan, index: number) {
    this.#plan = plan;
    this.#index = index;
    this.id = idOf(plan.seed, index);
    this.modifiedMs = plan.firstMs + Math.floor(index / RECORDS_PER_UPLOAD) * UPLOAD_INTERVAL_MS;
    this.sortindex = 100 + ((index * 7919) % 20_000);
  }

  get payload(): string {
    const { seed, keys } = this.#plan;
    const cleartext = historyText(this.#plan, this.#index, this.id, this.modifiedMs);
    return sealPayload(keys, cleartext, iv(seed, this.id));
  }
}

/**
 * The id of a record: 9 bytes, of which 5 are drawn and 4 are the index masked by them, so that
 * ids look drawn (and sort like it) while the index can be read back from one.
 */
function idOf(seed: number, index: number): string {
  const tail = digest(seed, `id ${index}`).subarray(0, 5);
  const id = Buffer.alloc(9);
  id.writeUInt32BE((index ^ maskOf(seed, tail)) >>> 0);
  tail.copy(id, 4);
  return id.toString('base64url');
}

/** The index whose id this is, or Infinity. */
function indexOfId(seed: number, id: string): number {
  const bytes = Buffer.from(id, 'base64url');
  if (bytes.length !== 9) return Number.POSITIVE_INFINITY;
  const index = (bytes.readUInt32BE() ^ maskOf(seed, bytes.subarray(4))) >>> 0;
  return idOf(seed, index) === id ? index : Number.POSITIVE_INFINITY;
}

function maskOf(seed: number, tail: Buffer): number {
  return digest(seed, `mask ${tail.toString('hex')}`).readUInt32BE();
}

const WORDS = `home news video search article weather music travel recipe forum profile settings
  result café größe лента 東京 übersicht`.split(/\s+/);
const HOSTS = ['example.com', 'example.org', 'example.net', 'shop.example', 'wiki.example'];
const VISIT_TYPES = [1, 1, 1, 1, 2, 3, 5, 6];

function historyText(plan: HistoryPlan, index: number, id: string, stampMs: number): string {
  const next = numbers(plan.seed, `page ${index}`);
  const pick = <T>(list: readonly T[]): T => list[next() % list.length] as T;
  const words = (count: number) => Array.from({ length: count }, () => pick(WORDS));
  const visitMs = Array.from(
    { length: 1 + (next() % 5) },
    () => stampMs - (next() % 2_000_000_000),
  );
  const record = {
    id,
    histUri: `https://www.${pick(HOSTS)}/${words(2).map(encodeURIComponent).join('/')}/${index}?q=`,
    title: words(3 + (next() % 6)).join(' '),
    visits: visitMs
      .sort((a, b) => b - a)
      .map((dateMs) => ({ date: dateMs * 1000 + (next() % 1000), type: pick(VISIT_TYPES) })),
  };
  const wantedBytes = plan.bodyBytes - SPREAD_BYTES + (next() % (2 * SPREAD_BYTES + 1));
  // Long addresses are long because of their query: that is where the missing bytes go.
  const missingBytes = Math.max(0, wantedBytes - Buffer.byteLength(JSON.stringify(record)));
  record.histUri += filler(id, missingBytes);
  return JSON.stringify(record);
}

/** Text of that length that says nothing and does not compress to nothing. */
function filler(name: string, length: number): string {
  const bytes = createHash('shake256', { outputLength: length }).update(name).digest();
  return bytes.toString('base64url').slice(0, length);
}

function password(seed: number, index: number, nowMs: number) {
  const drawn = digest(seed, `password ${index}`).toString('hex');
  const uuid = [8, 12, 16, 20, 32].map((end, i) => drawn.slice([0, 8, 12, 16, 20][i], end));
  return {
    id: `{${uuid.join('-')}}`,
    hostname: `https://login${index}.example.com`,
    formSubmitURL: `https://login${index}.example.com`,
    httpRealm: null,
    username: `user${index}@example.com`,
    password: `pässwörd-${drawn.slice(32, 48)}`,
    usernameField: 'email',
    passwordField: 'password',
    timeCreated: nowMs - 1_000_000_000,
    timePasswordChanged: nowMs - 1_000_000_000,
    timeLastUsed: nowMs - 100_000_000,
    timesUsed: 1 + (index % 9),
  };
}

function metaGlobal(seed: number, own: readonly string[]): string {
  const syncID = (name: string) =>
    digest(seed, `syncID ${name}`).subarray(0, 9).toString('base64url');
  const versions = {
    clients: 1,
    passwords: 1,
    history: 1,
    forms: 1,
    bookmarks: 2,
    tabs: 1,
    addons: 1,
    prefs: 2,
  };
  const all = { ...versions, ...Object.fromEntries(own.map((name) => [name, 1])) };
  const engines = Object.entries(all).map(([name, version]) => [
    name,
    { version, syncID: syncID(name) },
  ]);
  return JSON.stringify({
    syncID: syncID('global'),
    storageVersion: 5,
    declined: [],
    engines: Object.fromEntries(engines),
  });
}

function cryptoKeys(keys: KeyPair): string {
  const pair = [keys.encKey.toString('base64'), keys.macKey.toString('base64')];
  return JSON.stringify({ id: 'keys', collection: 'crypto', default: pair, collections: {} });
}

function iv(seed: number, id: string): Buffer {
  return digest(seed, `iv ${id}`).subarray(0, 16);
}

function digest(seed: number, name: string): Buffer {
  return createHash('sha256').update(`kitsync synthetic ${seed} ${name}`).digest();
}

/** Drawn 32-bit numbers: SplitMix32 over a hashed start. */
function numbers(seed: number, name: string): () => number {
  let state = digest(seed, name).readUInt32BE();
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
}
