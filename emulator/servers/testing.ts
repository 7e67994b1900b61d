// For tests: a world of servers whose clock stands still until it is moved, and a Sync 1.5 client
// that shares no code with them (its Hawk headers come from the `hawk` package).

import { client as hawk } from 'hawk';
import { type AccountClient, accountClient } from './account-client.ts';
import { Store } from './store.ts';
import type { SeedAccount } from './store-file.ts';
import { keyFingerprint } from './sync-keys.ts';
import { createServers, type World, type WorldOptions, type WorldStorage } from './world.ts';

export const TEST_KB = 'a095c51c1c6e384e8d5777d97e3c487a4fc2128a00ab395a73d57fedf41631f0';
export const TEST_NOW_MS = 1_795_323_280_000;

export interface TestWorld extends World {
  /** Move it at will. */
  readonly clock: { nowMs: number };
  readonly device: AccountClient;
  /** Changes an access token for a storage client at the token server. */
  signIn(): Promise<StorageClient>;
}

interface StorageAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly json: any;
}

export type StorageClient = (
  method: string,
  path: string,
  options?: {
    headers?: Record<string, string>;
    body?: unknown;
    /** Signs the hash of this body, too. */
    hashOf?: string;
    /** The client's clock. */
    atMs?: number;
  },
) => Promise<StorageAnswer>;

/** An account that has one user and no data. */
export function emptyAccount(kB = TEST_KB): SeedAccount {
  const store = new Store();
  store.addUser(keyFingerprint(kB));
  return { kB, store };
}

/** Bytes that differ from call to call, and are the same in the next run. */
export function countingRandom(): (count: number) => Uint8Array {
  let state = 1;
  return (count) =>
    Uint8Array.from({ length: count }, () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return state >>> 16;
    });
}

let storageOf: ((account: SeedAccount) => WorldStorage) | null = null;

/** Where every world from now on has its account; null: in its own store, as at first. */
export function keepWorldsIn(storage: typeof storageOf): void {
  storageOf = storage;
}

export function startWorld(options: Partial<WorldOptions> = {}): TestWorld {
  const clock = { nowMs: TEST_NOW_MS };
  const nowMs = () => clock.nowMs;
  const { account = emptyAccount() } = options;
  const world = createServers({
    account,
    ...(storageOf === null ? {} : { storage: storageOf(account) }),
    nowMs,
    random: countingRandom(),
    ...options,
  });
  const device = accountClient({
    fetch: world.fetch,
    baseUrl: world.urls.accounts,
    credentials: world.account,
    nowMs,
  });
  const signIn = async (): Promise<StorageClient> => {
    const answer = await askToken(world, device);
    return storageClient(world, (await answer.json()) as Pass, nowMs);
  };
  return { ...world, clock, device, signIn };
}

/** GET /1.0/sync/1.5 with an access token; `headers` replace those it would send. */
export async function askToken(
  world: World,
  device: AccountClient,
  headers: Record<string, string> = {},
  query = '',
): Promise<Response> {
  const { token } = await device.accessToken(false);
  const { kB } = await device.syncKey();
  const keyId = `${await device.keysChangedAtMs()}-${keyFingerprint(kB)}`;
  const sent = { Authorization: `Bearer ${token}`, 'X-KeyID': keyId, ...headers };
  return world.fetch(new Request(`${world.urls.token}/1.0/sync/1.5${query}`, { headers: sent }));
}

export interface Pass {
  readonly id: string;
  readonly key: string;
  readonly uid: number;
  readonly api_endpoint: string;
  readonly duration: number;
}

/** A client of one user's storage. */
export function storageClient(
  world: Pick<World, 'fetch'>,
  pass: Pick<Pass, 'id' | 'key' | 'api_endpoint'>,
  nowMs: () => number,
): StorageClient {
  return async (method, path, { headers = {}, body, hashOf, atMs = nowMs() } = {}) => {
    const url = path === '' ? pass.api_endpoint : `${pass.api_endpoint}/${path}`;
    const payload = typeof body === 'string' ? body : JSON.stringify(body);
    const contentType = headers['Content-Type'] ?? 'application/json';
    const { header } = hawk.header(url, method, {
      credentials: { id: pass.id, key: pass.key, algorithm: 'sha256' },
      timestamp: Math.floor(atMs / 1000),
      ...(hashOf === undefined ? {} : { payload: hashOf, contentType }),
    });
    const sent = { Authorization: header, 'Content-Type': contentType, ...headers };
    const init = { method, headers: sent, ...(payload === undefined ? {} : { body: payload }) };
    const response = await world.fetch(new Request(url, init));
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: parse(text) };
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
