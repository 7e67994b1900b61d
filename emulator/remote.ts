// One remote of an emulated device: the account that the device syncs with there, the servers that
// hold it, and the device's account manager for it. It can be switched off: then nobody answers at
// its addresses, neither the device nor its account manager.

import { overKeptConnections } from '../platform/node/kept-connections.ts';
import { encryptedFetch } from '../platform/node/server-url.ts';
import type { Identity } from '../platform/ports.ts';
import type { FetchHandler } from './device/network.ts';
import type { Random } from './device/random.ts';
import { type KintoSide, kintoSide } from './kinto-side.ts';
import { type OwaSide, owaSide } from './owa-side.ts';
import { type PiclSide, piclSide } from './picl-side.ts';
import { type AccountClient, accountClient } from './servers/account-client.ts';
import { accountView } from './servers/account-view.ts';
import { companion } from './servers/companion.ts';
import type { KintoDump } from './servers/kinto/store.ts';
import { memoryBsos } from './servers/memory-bsos.ts';
import { compact } from './servers/picl/compaction.ts';
import { memoryPlaces } from './servers/place-storage.ts';
import { memoryStorage } from './servers/storage/local-storage.ts';
import type { ServerStorage } from './servers/storage/server-storage.ts';
import type { SeedAccount } from './servers/store-file.ts';
import {
  createServers,
  DEFAULT_ENABLED,
  INSIDE_URLS,
  type ServerUrls,
  urlsBelow,
  type World,
  type WorldOptions,
} from './servers/world.ts';

export type Protocol = 'syncto' | 'sync15' | 'kinto' | 'picl' | 'owa';
/** `basic`: with a name and a password, on a Kinto. */
export type Auth = 'browserid' | 'bearer' | 'basic';

/** What a device calls its first remote, the one that its configuration has at its top. */
export const FIRST = 'first';

export interface RemoteOptions {
  /** As the report calls it. */
  readonly name: string;
  readonly protocol: Protocol;
  readonly auth: Auth;
  /** The collections of the device that are synced with it. */
  readonly collections: readonly string[];
  /** Its store is changed by the run. */
  readonly account: SeedAccount;
  /**
   * Origin of servers outside of this process, laid out as `kitsync serve` does, or the URL of a
   * Kinto; null: they are inside.
   */
  readonly serverUrl: string | null;
  /** What a Kinto inside has, in the place of `account`: what a device before this one left. */
  readonly kept?: KintoDump;
  /** A PiCL storage inside has ended the history of what the account had. */
  readonly isCompacted?: boolean;
  /** Where an OWA server inside has its documents; one of its own when left out. */
  readonly documents?: ServerStorage;
}

interface RemoteSurroundings {
  /** As the device calls it. */
  readonly address: string;
  readonly allowHttp: boolean;
  /** Overrides of servers inside. */
  readonly servers?: Pick<
    WorldOptions,
    'intercept' | 'syncto' | 'sync15' | 'token' | 'accounts' | 'picl'
  >;
  readonly random: Random;
  nowMs(): number;
}

export interface Remote extends RemoteOptions {
  readonly address: string;
  /** Null when the servers are outside. */
  readonly servers: World | null;
  readonly urls: ServerUrls;
  /** Null: its protocol is another one. */
  readonly kinto: KintoSide | null;
  /** Null: its protocol is another one. */
  readonly picl: PiclSide | null;
  /** Null: its protocol is another one. */
  readonly owa: OwaSide | null;
  /** What the device's configuration says of where it is. */
  readonly config: object;
  /** Answers for its servers; rejects as fetch does while they are switched off. */
  readonly fetch: FetchHandler;
  /** Whether a URL is one of its servers'. */
  owns(url: string): boolean;
  isOff: boolean;
  /** The device's account manager, signed in; its own traffic is not the agent's. */
  identity(deviceKey: Uint8Array): Identity;
  /**
   * What the servers hold for the account now: the account itself where they are inside and of
   * Firefox Sync, else as another client reads it.
   */
  view(): Promise<SeedAccount>;
  /** `view` is the account itself, and always was. */
  readonly isAccount: boolean;
  /** The user, with a phone, allows the device in at the address that it shows. */
  approve(url: string): Promise<{ readonly code: string; readonly state: string }>;
}

export function createRemote(options: RemoteOptions, around: RemoteSurroundings): Remote {
  const { account, protocol, auth, collections } = options;
  const { address } = around;
  const { servers, urls, fetch: askOthers, logs } = serversOf(options, around);
  const ask: FetchHandler = (request) => {
    const side = [kinto, picl, owa].find((one) => one !== null && isBelow(one.url, request.url));
    return side ? side.fetch(request) : askOthers(request);
  };
  const fetch: FetchHandler = (request) =>
    remote.isOff ? Promise.reject(nobodyThere()) : ask(request);
  const credentials = { email: emailOf(address), kB: account.kB };
  const client = (): AccountClient =>
    accountClient({ fetch, baseUrl: urls.accounts, credentials, nowMs: around.nowMs });
  const manager = client();
  const kinto = protocol === 'kinto' ? kintoOf(options, around, manager) : null;
  const picl =
    protocol === 'picl'
      ? piclOf(options, around, { url: urls.picl, accounts: urls.accounts, fetch: askOthers, logs })
      : null;
  const owa = protocol === 'owa' ? owaOf(options, around, urls, askOthers) : null;
  const side = kinto ?? picl ?? owa;
  const remote: Remote = {
    ...options,
    ...{ address, servers, urls, kinto, picl, owa, fetch },
    config: {
      protocol,
      serverUrl: side?.url ?? (protocol === 'syncto' ? urls.syncto : urls.token),
      audience: `${new URL((picl ?? owa)?.url ?? urls.token).origin}/`,
      auth,
    },
    owns: (url) =>
      [...Object.values(urls), ...(kinto ? [kinto.url] : [])].some((base) => isBelow(base, url)),
    isOff: false,
    identity: (deviceKey) =>
      kinto === null ? identityOf(manager, deviceKey) : kintoUser(manager, kinto, deviceKey),
    isAccount: servers !== null && side === null,
    async view() {
      if (side !== null) return side.view();
      return servers === null ? accountView(ask, urls.token, client(), collections) : account;
    },
    approve: (url) => companion(fetch, url, credentials),
  };
  return remote;
}

function isBelow(base: string, url: string): boolean {
  return url === base || url.startsWith(`${base}/`);
}

function nobodyThere(): Error {
  return new TypeError('fetch failed', {
    cause: Object.assign(new Error(), { code: 'ECONNREFUSED' }),
  });
}

function emailOf(address: string): string {
  return `${address === FIRST ? 'user' : address}@example.test`;
}

function serversOf(
  { account, serverUrl, collections, documents }: RemoteOptions,
  { address, allowHttp, servers: overrides, random, nowMs }: RemoteSurroundings,
): Pick<Remote, 'servers' | 'urls' | 'fetch'> & { readonly logs: ServerStorage } {
  const logs = memoryStorage();
  if (serverUrl !== null)
    return { servers: null, urls: urlsBelow(serverUrl), fetch: outsideFetch(allowHttp), logs };
  const urls = address === FIRST ? INSIDE_URLS : insideUrls(address);
  const bytes = (count: number): Uint8Array => random.bytes(count);
  const email = emailOf(address);
  const own = { account: { ...account, email }, urls, nowMs, random: bytes };
  // Syncto takes writes of what is switched on there: `history` and so on are by default.
  const more = collections.map((name) => `record_${name}_put_enabled`);
  const syncto = { enabled: [...new Set([...DEFAULT_ENABLED, ...more])] };
  const picl = { collections: [...new Set([...collections, 'meta'])], ...overrides?.picl };
  const { store } = account;
  const storage = {
    ...{ bsos: memoryBsos(store), places: memoryPlaces(store), picl: logs },
    ...(documents && { owa: documents }),
  };
  const servers = createServers({ syncto, ...overrides, picl, storage, ...own });
  return { servers, urls, fetch: dated(servers.fetch, nowMs), logs };
}

/** `INSIDE_URLS` for a second remote, and any after it. */
function insideUrls(address: string): ServerUrls {
  const at = (server: string): string => `https://${server}.remote-${address}.test`;
  return {
    accounts: at('accounts'),
    token: at('token'),
    sync15: at('sync15'),
    syncto: at('syncto'),
    picl: at('picl'),
    owa: at('owa'),
  };
}

function outsideFetch(allowHttp: boolean): FetchHandler {
  const ask: FetchHandler = overKeptConnections((request) => globalThis.fetch(request));
  return allowHttp ? ask : encryptedFetch(ask);
}

/** Answers with the time on them, as every HTTP server puts it there (RFC 9110, 6.6.1). */
function dated(fetch: FetchHandler, nowMs: () => number): FetchHandler {
  return async (request) => {
    const response = await fetch(request);
    response.headers.set('Date', new Date(nowMs()).toUTCString());
    return response;
  };
}

function kintoOf(
  { account, auth, collections, serverUrl, kept }: RemoteOptions,
  { address, allowHttp, nowMs }: RemoteSurroundings,
  manager: AccountClient,
): KintoSide {
  const inside = address === FIRST ? 'https://kinto.test' : `https://kinto.remote-${address}.test`;
  return kintoSide({
    ...{ account, auth, collections, kept, nowMs, name: emailOf(address) },
    url: serverUrl ?? inside,
    accessToken: async () => (await manager.accessToken(false)).token,
    outside: serverUrl === null ? null : outsideFetch(allowHttp),
  });
}

/** Asked by another device of the user, with an account manager of its own. */
function piclOf(
  { account, collections, serverUrl, isCompacted = false }: RemoteOptions,
  { address, nowMs }: RemoteSurroundings,
  { url, accounts, fetch, logs }: PiclPlace,
): PiclSide {
  const credentials = { email: emailOf(address), kB: account.kB };
  const other = accountClient({ fetch, baseUrl: accounts, credentials, nowMs });
  return piclSide({
    ...{ url, account, collections, fetch, nowMs, isNew: serverUrl === null },
    accessToken: async () => (await other.accessToken(false)).token,
    async onSeeded() {
      if (isCompacted) await compact(logs, { changes: 1, ageMs: 0 }, nowMs());
    },
  });
}

/** Asked by another client of the user, with an account manager of its own. */
function owaOf(
  { account, serverUrl }: RemoteOptions,
  { address, nowMs }: RemoteSurroundings,
  urls: ServerUrls,
  fetch: FetchHandler,
): OwaSide {
  const credentials = { email: emailOf(address), kB: account.kB };
  const other = accountClient({ fetch, baseUrl: urls.accounts, credentials, nowMs });
  return owaSide({
    ...{ url: `${urls.owa}/verify`, account, fetch, nowMs },
    isInside: serverUrl === null,
    assertion: (audience) => other.assertion(audience, false),
  });
}

interface PiclPlace {
  /** Of the login. */
  readonly url: string;
  readonly accounts: string;
  readonly fetch: FetchHandler;
  /** Where servers inside have what is there. */
  readonly logs: ServerStorage;
}

/** What it knows of a Kinto's user by itself; for tokens it asks its accounts server. */
function kintoUser(manager: AccountClient, kinto: KintoSide, deviceKey: Uint8Array): Identity {
  const { user } = kinto;
  return {
    ...identityOf(manager, deviceKey),
    account: async () => ({ uid: user.name, email: user.name }),
    credentials: async () => user,
    syncKey: async () => ({ kB: kinto.key() }),
  };
}

function identityOf(client: AccountClient, deviceKey: Uint8Array): Identity {
  return {
    account: () => client.account(),
    assertion: (audience, fresh) => client.assertion(audience, fresh),
    accessToken: (fresh) => client.accessToken(fresh),
    syncKey: () => client.syncKey(),
    deviceKey: async () => deviceKey,
  };
}
