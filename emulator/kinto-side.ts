// The Kinto of one remote of an emulated device, in this process or outside, and its user: who they
// are to the server, and what their key is, which is known from the start or comes with a recovery
// code that a device has made.

import type { Credentials } from '../platform/ports.ts';
import { kintoView, kintoWireId, seedKinto } from './kinto-account.ts';
import { accountsJwk } from './servers/access-tokens.ts';
import { passwordForKey } from './servers/account-list.ts';
import type { Handler } from './servers/http.ts';
import { verifyJws } from './servers/jws.ts';
import { createKinto } from './servers/kinto/kinto.ts';
import { keyOfCode } from './servers/kinto/recovery-key.ts';
import type { KintoDump } from './servers/kinto/store.ts';
import type { SeedAccount } from './servers/store-file.ts';

export interface KintoSide {
  /** Without the version. */
  readonly url: string;
  readonly fetch: Handler;
  readonly user: Credentials;
  /** The key that the user's records are sealed under, 64 hex digits. */
  key(): string;
  /** A device has made this recovery code, or was given it: the key is another one now. */
  learn(code: string): void;
  /** Everything that the server has; null: it is outside. */
  dump(): KintoDump | null;
  /** Errors: `ViewError`. */
  view(): Promise<SeedAccount>;
  /** What a device that sets a record aside calls it. */
  wireId(collection: string, id: string): string;
}

interface SideOptions {
  readonly url: string;
  readonly collections: readonly string[];
  /** What the server has for the user in the beginning, and the user's key. */
  readonly account: SeedAccount;
  /** In its place, for a server in this process: what the server has. */
  readonly kept?: KintoDump | undefined;
  /** What the user calls themselves; the password follows from the key. */
  readonly name: string;
  readonly auth: string;
  /** An access token, where the server is asked with one. */
  accessToken(): Promise<string>;
  nowMs(): number;
  /** Asks a server outside; null: it is in this process. */
  readonly outside: Handler | null;
}

export function kintoSide(options: SideOptions): KintoSide {
  const { account, url, collections, auth, name } = options;
  const user = { name, password: passwordForKey(account.kB) };
  const inside = options.outside === null ? serverOf(options, user) : null;
  const fetch = options.outside ?? inside?.fetch ?? refuse;
  let kB = account.kB;
  const authorization = async (): Promise<string> =>
    auth === 'basic' ? basic(user) : `Bearer ${await options.accessToken()}`;
  return {
    ...{ url, fetch, user },
    key: () => kB,
    learn(code) {
      kB = keyOfCode(code);
    },
    dump: () => inside?.store.dump() ?? null,
    view: () => kintoView(fetch, { url, kB, authorization }, collections),
    wireId: (collection, id) => kintoWireId(kB, collection, id),
  };
}

const OWNER = 'account:user';

function serverOf({ account, url, collections, kept, nowMs }: SideOptions, user: Credentials) {
  const server = createKinto({
    ...{ url, nowMs },
    // One user, by either proof.
    userOf: (given) => (given === basic(user) || isGoodToken(given, nowMs()) ? OWNER : null),
  });
  if (kept === undefined) seedKinto(server.store, OWNER, account, collections, nowMs());
  else server.store.restore(kept);
  return server;
}

function basic({ name, password }: Credentials): string {
  return `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
}

/** Of the accounts server in this process. */
function isGoodToken(authorization: string, nowMs: number): boolean {
  const [scheme, token = ''] = authorization.split(' ');
  const claims = scheme === 'Bearer' ? verifyJws(accountsJwk(), token)?.payload : undefined;
  return Number(claims?.exp) * 1000 > nowMs;
}

const refuse: Handler = () => Promise.reject(new TypeError('fetch failed'));
