// For tests: a client of the accounts server over its door, as those of other makers are. Its Hawk
// headers come from the `hawk` package.

import { client as hawk } from 'hawk';
import { createAccounts } from '../../emulator/servers/accounts.ts';
import { openKeyBundle, passwordKeys, tokenKeys, xor } from '../../emulator/servers/onepw.ts';
import { countingRandom, TEST_KB, TEST_NOW_MS } from '../../emulator/servers/testing.ts';
import type { WorldStorage } from '../../emulator/servers/world.ts';

const BASE = 'https://accounts.test';
export const EMAIL = 'user@example.test';
export const PASSWORD = 'first';

type Options = Partial<Parameters<typeof createAccounts>[0]>;
type Answer = { readonly status: number; readonly json: Record<string, unknown> };

type Keep = NonNullable<WorldStorage['keepAccounts']>;

/** An accounts server with one account, and who asks it over its door. `keep`: what keeps it. */
export function startAccounts(options: Options = {}, keep: Keep = (server) => server.handle) {
  const clock = { nowMs: TEST_NOW_MS };
  const accounts = createAccounts({
    ...{ baseUrl: BASE, tokenUrl: 'https://token.test', nowMs: () => clock.nowMs },
    ...{ random: countingRandom(), accounts: [{ email: EMAIL, kB: TEST_KB, password: PASSWORD }] },
    ...options,
  });
  const handle = keep(accounts, { baseUrl: BASE, nowMs: () => clock.nowMs });
  const ask = async (
    path: string,
    body?: unknown,
    authorization?: string,
    method = body === undefined ? 'GET' : 'POST',
  ): Promise<Answer> => {
    const request = new Request(`${BASE}/v1/${path}`, {
      method,
      headers: {
        'Content-Type': 'application/json',
        ...(authorization === undefined ? {} : { Authorization: authorization }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const response = await handle(request);
    return { status: response.status, json: (await response.json()) as Answer['json'] };
  };
  return { accounts, clock, ask };
}

export type Ask = ReturnType<typeof startAccounts>['ask'];

/** What a client shows instead of a password. */
export const authPW = (password: string, email = EMAIL) =>
  passwordKeys(email, password).authPW.toString('hex');

/** Signs in with keys. */
export async function signIn(ask: Ask, password = PASSWORD, email = EMAIL) {
  const login = await ask('account/login?keys=true', { email, authPW: authPW(password, email) });
  return { ...login, session: String(login.json.sessionToken), keys: login.json.keyFetchToken };
}

/** The header of who shows a token's id. */
export const bearer = (
  token: unknown,
  prefix = 'fxs_',
  kind: Parameters<typeof tokenKeys>[1] = 'sessionToken',
) => `Bearer ${prefix}${tokenKeys(Buffer.from(String(token), 'hex'), kind).id}`;

/** The header of who signs with a session; `change` is in what is signed and not in the body. */
export function hawkHeader(token: string, path: string, body: unknown, atMs: number, change = '') {
  const { id, hawkKey } = tokenKeys(Buffer.from(token, 'hex'), 'sessionToken');
  const { header } = hawk.header(`${BASE}/v1/${path}`, body === undefined ? 'GET' : 'POST', {
    credentials: { id, key: hawkKey as unknown as string, algorithm: 'sha256' },
    timestamp: Math.floor(atMs / 1000),
    ...(body === undefined
      ? {}
      : { payload: JSON.stringify(body) + change, contentType: 'application/json' }),
  });
  return header;
}

/** The account's key, as a client finds it. */
export async function keyOf(ask: Ask, keyFetchToken: unknown, password: string, email = EMAIL) {
  const { bundleKey } = tokenKeys(Buffer.from(String(keyFetchToken), 'hex'), 'keyFetchToken');
  const header = bearer(keyFetchToken, 'fxk_', 'keyFetchToken');
  const { bundle } = (await ask('account/keys', undefined, header)).json;
  const keys = openKeyBundle(bundleKey, Buffer.from(String(bundle), 'hex'));
  return xor(keys?.subarray(32) ?? Buffer.alloc(0), passwordKeys(email, password).unwrapBKey);
}

/** What a client asks for that wants a refresh token, too. */
export const OFFLINE = {
  grant_type: 'fxa-credentials',
  client_id: 'c',
  scope: 'profile',
  access_type: 'offline',
};

/** The tokens that a session is granted. */
export const grantTokens = (ask: Ask, session: string, body: object) =>
  ask('oauth/token', body, bearer(session));
