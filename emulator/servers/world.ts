// All servers of one account in one place: accounts, token server, storage node and Syncto, over
// one store, a PiCL storage and an OWA server, behind one fetch function that finds the server by
// its URL.
// No sockets, no clock, no randomness of its own: the same inputs give the same bytes.

import { accountsJwk } from './access-tokens.ts';
import { passwordForKey } from './account-list.ts';
import { type AccountsOptions, type AccountsServer, createAccounts } from './accounts.ts';
import type { BsoStorage } from './bso-storage.ts';
import type { Handler } from './http.ts';
import { memoryBsos } from './memory-bsos.ts';
import { createOwa, type OwaOptions } from './owa/owa.ts';
import { createPicl, type PiclOptions } from './picl/picl.ts';
import { memoryPlaces, type PlaceStorage } from './place-storage.ts';
import type { Believed } from './proofs.ts';
import { memoryStorage } from './storage/local-storage.ts';
import type { ServerStorage } from './storage/server-storage.ts';
import type { StorageSecret } from './storage-token.ts';
import type { Store } from './store.ts';
import { dumpStore, type SeedAccount, type StoreFile } from './store-file.ts';
import { createSync15, type Sync15Options } from './sync15.ts';
import { memoryCacheStore, SealedCache } from './syncto/sealed-cache.ts';
import { createSyncto, type SynctoOptions } from './syncto/syncto.ts';
import { createTokenServer, type TokenServerOptions } from './token.ts';

export type ServerName = 'accounts' | 'token' | 'sync15' | 'syncto' | 'picl' | 'owa';
export type ServerUrls = Readonly<Record<ServerName, string>>;

/** Made-up origins, for servers that are never on a network. */
export const INSIDE_URLS: ServerUrls = {
  accounts: 'https://accounts.test',
  token: 'https://token.test',
  sync15: 'https://sync15.test',
  syncto: 'https://syncto.test',
  picl: 'https://picl.test',
  owa: 'https://owa.test',
};

/** All of one origin, laid out as `kitsync serve` does. */
export function urlsBelow(origin: string): ServerUrls {
  return {
    accounts: `${origin}/accounts`,
    token: `${origin}/token`,
    sync15: `${origin}/sync15`,
    syncto: `${origin}/syncto`,
    picl: `${origin}/picl`,
    owa: `${origin}/owa`,
  };
}

export interface WorldStorage {
  readonly bsos: BsoStorage;
  readonly places: PlaceStorage;
  /** Where the PiCL storage has its collections; by default in memory. */
  readonly picl?: ServerStorage;
  /** Where the OWA server has its documents; by default in memory. */
  readonly owa?: ServerStorage;
  /** Of the passes to the storage node; by default a new one. */
  readonly secret?: Uint8Array;
  /** Keeps what the accounts server knows, which begins as `server`. */
  keepAccounts?(server: AccountsServer, options: { baseUrl: string; nowMs(): number }): Handler;
}

export interface WorldOptions {
  readonly account: SeedAccount & { readonly email?: string; readonly password?: string };
  /** The accounts server does not know `account`; whoever has one has made it there. */
  readonly isEmpty?: boolean;
  nowMs(): number;
  random(count: number): Uint8Array;
  /** Base URLs without a trailing slash; a path is a prefix. `INSIDE_URLS` by default. */
  readonly urls?: ServerUrls;
  /** Where the records are, and what the token server knows; by default in the account's store. */
  readonly storage?: WorldStorage;
  readonly accounts?: Pick<AccountsOptions, 'accessTokenSeconds' | 'signUp' | 'scryptCost' | 'key'>;
  readonly token?: Pick<
    TokenServerOptions,
    'durationSeconds' | 'allowNewUsers' | 'health' | 'issuers'
  >;
  readonly sync15?: Pick<Sync15Options, 'limits' | 'quotaBytes' | 'health'>;
  /**
   * By default history, passwords and clients can be written; `enabled: []` is Syncto as it came.
   */
  readonly syncto?: Pick<
    SynctoOptions,
    'enabled' | 'cacheSeconds' | 'batchMaxRequests' | 'retryAfterSeconds'
  >;
  readonly picl?: Partial<Omit<PiclOptions, 'baseUrl' | 'storage' | 'secret'>>;
  readonly owa?: Partial<Omit<OwaOptions, 'baseUrl' | 'storage' | 'secret'>>;
  /** Asked before every request, Syncto's own included; what it returns is the answer. */
  intercept?(server: ServerName, request: Request): Response | null;
}

export interface World {
  /** Answers for all servers; rejects as fetch does when the URL is nobody's. */
  readonly fetch: Handler;
  readonly store: Store;
  readonly urls: ServerUrls;
  /** The seeded account, complete. */
  readonly account: { readonly email: string; readonly password: string; readonly kB: string };
  /** What its user can do to the account elsewhere, where nothing is kept. */
  readonly accounts: AccountsServer;
  /** Makes every storage pass worthless, as moving the user to another node does. */
  reassignNode(): void;
  /** The store as it is now. */
  dump(): StoreFile;
}

/** The Syncto switches that are on by default here. */
export const DEFAULT_ENABLED: readonly string[] = [
  'record_history_put_enabled',
  'record_passwords_put_enabled',
  'record_clients_put_enabled',
];

/** No server has the URL that was asked for: what a fetch without a network ends with. */
export class NobodyThere extends TypeError {
  constructor() {
    super('fetch failed');
  }
}

/** Starts the servers. */
export function createServers(options: WorldOptions): World {
  const { nowMs, random, urls = INSIDE_URLS } = options;
  const { kB, store, email = 'user@example.test', password = passwordForKey(kB) } = options.account;
  const account = { email, password, kB };
  const storage: WorldStorage = options.storage ?? {
    ...{ bsos: memoryBsos(store), places: memoryPlaces(store) },
  };
  const secret: StorageSecret = { secret: storage.secret ?? random(32) };
  const common = { nowMs, random, secret };
  const accounts = createAccounts({
    ...options.accounts,
    ...{ nowMs, random },
    baseUrl: urls.accounts,
    tokenUrl: urls.token,
    accounts: options.isEmpty === true ? [] : [account],
  });
  const signIns = { baseUrl: urls.accounts, nowMs };
  const believed = believedIn(options, urls);
  const handlers: Readonly<Record<ServerName, Handler>> = {
    accounts: storage.keepAccounts?.(accounts, signIns) ?? accounts.handle,
    token: createTokenServer({
      ...options.token,
      ...common,
      ...believed,
      places: storage.places,
      baseUrl: urls.token,
      nodeUrl: urls.sync15,
    }),
    sync15: createSync15({
      ...options.sync15,
      ...common,
      storage: storage.bsos,
      baseUrl: urls.sync15,
    }),
    syncto: createSyncto({
      enabled: DEFAULT_ENABLED,
      ...options.syncto,
      nowMs,
      random,
      baseUrl: urls.syncto,
      tokenUrl: urls.token,
      cache: new SealedCache({ store: memoryCacheStore(nowMs), secret: random(32), random }),
      fetch: (request) => fetch(request),
    }),
    ...storesOf(options, urls, { ...common, ...believed }, storage),
  };
  const elsewhere = [...(options.picl?.places?.values() ?? [])];
  const fetch: Handler = async (request) => {
    const name = serverAt(urls, elsewhere, request.url);
    if (!name) throw new NobodyThere();
    return options.intercept?.(name, request) ?? handlers[name](request);
  };
  return {
    fetch,
    store,
    urls,
    account,
    accounts,
    reassignNode: () => {
      secret.secret = random(32);
    },
    dump: () => dumpStore(store, nowMs()),
  };
}

/** The servers that keep what is theirs under a login of their own. */
function storesOf(
  options: WorldOptions,
  urls: ServerUrls,
  common: Believed & Pick<PiclOptions, 'nowMs' | 'random' | 'secret'>,
  storage: WorldStorage,
): Pick<Readonly<Record<ServerName, Handler>>, 'picl' | 'owa'> {
  return {
    picl: createPicl({
      ...common,
      ...options.picl,
      storage: storage.picl ?? memoryStorage(),
      baseUrl: urls.picl,
    }),
    owa: createOwa({
      ...common,
      ...options.owa,
      storage: storage.owa ?? memoryStorage(),
      baseUrl: urls.owa,
    }),
  };
}

/** Whom the token server, the PiCL storage and the OWA server believe. */
function believedIn({ accounts, token }: WorldOptions, urls: ServerUrls): Believed {
  const accountsKey = accountsJwk(accounts?.key);
  const own = { accountsUrl: urls.accounts, accountsKey };
  return token?.issuers === undefined ? own : { ...own, issuers: token.issuers };
}

const NAMES: readonly ServerName[] = ['accounts', 'token', 'sync15', 'syncto', 'picl', 'owa'];

/** `elsewhere`: where the PiCL storage has collections that are not below its URL. */
function serverAt(
  urls: ServerUrls,
  elsewhere: readonly string[],
  url: string,
): ServerName | undefined {
  const isBelow = (place: string) => {
    const base = new URL(place).href.replace(/\/$/, '');
    return url === base || url.startsWith(`${base}/`) || url.startsWith(`${base}?`);
  };
  return (
    NAMES.find((name) => isBelow(urls[name])) ?? (elsewhere.some(isBelow) ? 'picl' : undefined)
  );
}
