// An accounts server in the manner of Firefox Accounts: password sign-in (onepw, version 1), the
// key bundle, BrowserID certificates, OAuth (oauth.ts), scoped key data and the account's devices.
// Its signatures are real; without a key of its own it signs with a test key that everybody can
// read, for the emulator and for trying only.

import type { JsonWebKey } from 'node:crypto';
import { accountsJwk } from './access-tokens.ts';
import { type Account, type Body, type Call, problem, textOf } from './account-call.ts';
import { clientRoutes, devicesOf } from './account-clients.ts';
import { AccountList, type AccountSeed } from './account-list.ts';
import { signInRoutes } from './account-signin.ts';
import type { AccountState } from './account-state.ts';
import { AccountTokens } from './account-tokens.ts';
import { isClientKey, signCertificate, toBrowserIdKey } from './browserid.ts';
import {
  authorization,
  type Handler,
  HttpError,
  jsonResponse,
  parseObject,
  pathSegments,
} from './http.ts';
import { OAuth } from './oauth.ts';
import { clientOf, destroyToken, introspect, profileOf, verifyToken } from './oauth-inspection.ts';
import { OLDSYNC_SCOPE, passwordKeys, xor } from './onepw.ts';
import { ACCOUNTS_TEST_KEY } from './test-keys.ts';

export interface AccountsOptions {
  readonly baseUrl: string;
  /** What discovery documents tell clients about the token server. */
  readonly tokenUrl: string;
  readonly accounts: readonly AccountSeed[];
  nowMs(): number;
  random(count: number): Uint8Array;
  /** The private RSA key that signs; by default a test key that everybody can read. */
  readonly key?: JsonWebKey;
  /** Life of an access token; 6 hours by default. */
  readonly accessTokenSeconds?: number;
  /** scrypt's N for passwords that are set from now on; 2 by default, which protects nothing. */
  readonly scryptCost?: number;
  /** Whether anybody may make an account; false by default. */
  readonly signUp?: boolean;
  /** What `AccountsServer.state` gave before a restart, in the place of `accounts`. */
  readonly state?: AccountState;
}

/** The server, and what its user can do to an account at another device. */
export interface AccountsServer {
  readonly handle: Handler;
  /** Another password, the same key: every session ends. */
  changePassword(email: string, password: string): void;
  /** A forgotten password: every session ends, and the key is another one. */
  resetPassword(email: string, password: string, kB: string): void;
  /** All that it knows, without what has expired. */
  state(): AccountState;
  /** Another server as this one, that knows this. */
  knowing(state: AccountState): AccountsServer;
  /** Every session of the account ends. */
  endSessions(email: string): void;
  /** The account's devices, as a session that is none of them lists them. */
  devices(email: string): readonly object[];
}

const CERTIFICATE_MAX_MS = 24 * 3600 * 1000;

/** The accounts server. */
export function createAccounts(options: AccountsOptions): AccountsServer {
  return new Accounts(options);
}

class Accounts implements AccountsServer {
  readonly #options: AccountsOptions;
  readonly #base: URL;
  readonly #key: JsonWebKey;
  readonly #accounts: AccountList;
  readonly #tokens: AccountTokens;
  readonly #oauth: OAuth;
  readonly #routes: ReadonlyMap<string, (call: Call) => unknown>;

  constructor(options: AccountsOptions) {
    this.#options = options;
    this.#base = new URL(options.baseUrl);
    this.#key = options.key ?? ACCOUNTS_TEST_KEY;
    this.#oauth = new OAuth(options);
    this.#tokens = new AccountTokens(options);
    this.#accounts = new AccountList(options, options.state ? [] : options.accounts);
    if (options.state) this.#restore(options.state);
    const parts = { accounts: this.#accounts, tokens: this.#tokens, oauth: this.#oauth };
    const { nowMs, random, signUp = false } = options;
    const endSessions = (account: Account) => this.#endSessions(account);
    this.#routes = new Map<string, (call: Call) => unknown>([
      ...this.#documents(),
      ...signInRoutes({ ...parts, nowMs, signUp, endSessions }),
      ...clientRoutes({ ...parts, random }),
      ...this.#sessionRoutes(),
      ...this.#oauthRoutes(),
    ]);
  }

  handle: Handler = async (request) => {
    const text = await request.text();
    const headers = { Timestamp: String(Math.floor(this.#options.nowMs() / 1000)) };
    try {
      const answer = await this.#answer(request, text);
      return answer instanceof Response ? answer : jsonResponse(200, answer, headers);
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      return jsonResponse(error.status, error.json, headers);
    }
  };

  changePassword(email: string, password: string): void {
    const account = this.#accounts.byEmail(email);
    this.#setPassword(account, password, kBOf(account));
  }

  resetPassword(email: string, password: string, kB: string): void {
    const account = this.#accounts.byEmail(email);
    this.#setPassword(account, password, kB);
    account.kB = kB;
    account.keysChangedAtMs = account.generation;
  }

  endSessions(email: string): void {
    this.#endSessions(this.#accounts.byEmail(email));
  }

  state(): AccountState {
    return {
      accounts: this.#accounts.all().map((account) => ({ ...account })),
      tokens: this.#tokens.kept(),
      grants: this.#oauth.refresh.kept(),
      codes: this.#oauth.keptCodes(),
      destroyed: this.#oauth.access.kept(),
    };
  }

  knowing(state: AccountState): AccountsServer {
    return new Accounts({ ...this.#options, state });
  }

  devices(email: string): readonly object[] {
    return devicesOf({ tokens: this.#tokens, oauth: this.#oauth }, this.#accounts.byEmail(email));
  }

  #restore({ accounts, tokens, grants, codes, destroyed }: AccountState): void {
    this.#accounts.restore(accounts.map((account) => ({ ...account })));
    const accountOf = (email: string) => this.#accounts.byEmail(email);
    this.#tokens.restore(tokens, accountOf);
    this.#oauth.refresh.restore(grants, accountOf);
    this.#oauth.restoreCodes(codes, accountOf);
    this.#oauth.access.restore(destroyed);
  }

  #setPassword(account: Account, password: string, kB: string): void {
    this.#endSessions(account);
    const { authPW, unwrapBKey } = passwordKeys(account.email, password);
    const wrapKb = xor(Buffer.from(kB, 'hex'), unwrapBKey).toString('hex');
    this.#accounts.changeNow(account, authPW.toString('hex'), wrapKb);
  }

  #endSessions(account: Account): void {
    this.#tokens.endAll(account);
    this.#oauth.revokeAll(account);
  }

  #answer(request: Request, text: string): unknown {
    const url = new URL(request.url);
    const path = pathSegments(url, this.#base)?.join('/');
    const client = /^v1\/client\/([^/]+)$/.exec(path ?? '')?.[1];
    if (client !== undefined && request.method === 'GET') return clientOf(client);
    const route = this.#routes.get(`${request.method} ${path}`);
    if (!route) throw problem(404, 999, 'Not found');
    const body = text === '' ? {} : parseObject(text);
    if (!body) throw problem(400, 106, 'Invalid JSON in request body');
    return route({ request, url, text, body });
  }

  /** What is the same for everybody. */
  #documents(): [string, () => unknown][] {
    const { baseUrl, tokenUrl } = this.#options;
    const client = {
      auth_server_base_url: baseUrl,
      oauth_server_base_url: baseUrl,
      sync_tokenserver_base_url: tokenUrl,
    };
    const openid = {
      issuer: baseUrl,
      authorization_endpoint: `${baseUrl}/authorization`,
      jwks_uri: `${baseUrl}/v1/jwks`,
      token_endpoint: `${baseUrl}/v1/oauth/token`,
    };
    return [
      ['GET .well-known/fxa-client-configuration', () => client],
      ['GET .well-known/openid-configuration', () => openid],
      ['GET .well-known/browserid', () => ({ 'public-key': toBrowserIdKey(this.#key) })],
      ['GET v1/jwks', () => ({ keys: [accountsJwk(this.#key)] })],
      ['POST v1/get_random_bytes', () => ({ data: toHex(this.#options.random(32)) })],
    ];
  }

  #sessionRoutes(): [string, (call: Call) => unknown][] {
    const sessionOf = (call: Call) => this.#tokens.prove(call, 'sessionToken');
    const emailStatus = (call: Call) => {
      const { email } = sessionOf(call).account;
      return { email, verified: true, sessionVerified: true, emailVerified: true };
    };
    const endSession = (call: Call) => {
      this.#tokens.end(sessionOf(call).id);
      return {};
    };
    return [
      [
        'GET v1/session/status',
        (call) => ({ state: 'verified', uid: sessionOf(call).account.uid }),
      ],
      ['POST v1/session/destroy', endSession],
      ['GET v1/recovery_email/status', emailStatus],
      ['GET v1/account/status', (call) => this.#exists(Object.fromEntries(call.url.searchParams))],
      ['POST v1/account/status', ({ body }) => this.#exists(body)],
      ['POST v1/certificate/sign', (call) => this.#certificate(sessionOf(call).account, call.body)],
      [
        'POST v1/account/scoped-key-data',
        (call) => scopedKeyData(sessionOf(call).account, call.body),
      ],
    ];
  }

  #oauthRoutes(): [string, (call: Call) => unknown][] {
    const oauth = this.#oauth;
    const sessionOf = (call: Call) => this.#tokens.prove(call, 'sessionToken').account;
    const token = (call: Call) => oauth.token(call.body, () => sessionOf(call));
    const byUid = (uid: string) => this.#accounts.byUid(uid);
    return [
      ['GET authorization', (call) => this.#authorization(call)],
      ['POST v1/oauth/authorization', (call) => oauth.authorize(sessionOf(call), call.body)],
      ['POST v1/oauth/token', token],
      ['POST v1/token', token],
      ['POST v1/oauth/destroy', ({ body }) => oauth.destroy(body)],
      ['POST v1/destroy', ({ body }) => destroyToken(oauth, body)],
      ['POST v1/verify', ({ body }) => verifyToken(oauth, body)],
      ['POST v1/introspect', ({ body }) => introspect(oauth, body, this.#options.baseUrl)],
      ['GET v1/profile', ({ request }) => profileOf(oauth, authorization(request).value, byUid)],
    ];
  }

  /** Whether there is an account of the address or the uid. */
  #exists(asked: Body): object {
    if (asked.uid !== undefined)
      return { exists: this.#accounts.byUid(textOf(asked, 'uid')) !== null };
    const email = textOf(asked, 'email').toLowerCase();
    return {
      exists: this.#accounts.all().some((account) => account.email.toLowerCase() === email),
    };
  }

  #certificate({ uid, email, generation, keysChangedAtMs }: Account, body: Body): object {
    const { publicKey, duration } = body;
    if (!isClientKey(publicKey))
      throw problem(400, 107, 'Invalid parameter in request body: publicKey');
    if (typeof duration !== 'number' || !(duration > 0 && duration <= CERTIFICATE_MAX_MS))
      throw problem(400, 107, 'Invalid parameter in request body: duration');
    const cert = signCertificate(this.#key, {
      issuer: this.#base.host,
      publicKey,
      durationMs: duration,
      nowMs: this.#options.nowMs(),
      uid,
      email,
      generation,
      keysChangedAtMs,
    });
    return { cert };
  }

  /** The page that a person opens for another device, in a browser that is signed in. */
  #authorization(call: Call): Response {
    const { account } = this.#tokens.prove(call, 'sessionToken');
    const redirect = this.#oauth.approve(account, call.url.searchParams);
    return new Response(null, { status: 302, headers: { Location: redirect.href } });
  }
}

function scopedKeyData({ keysChangedAtMs }: Account, body: Body): object {
  const keyData = {
    identifier: OLDSYNC_SCOPE,
    keyRotationSecret: '0'.repeat(64),
    keyRotationTimestamp: keysChangedAtMs,
  };
  return textOf(body, 'scope').split(' ').includes(OLDSYNC_SCOPE)
    ? { [OLDSYNC_SCOPE]: keyData }
    : {};
}

function kBOf({ kB, email }: Account): string {
  if (kB === null) throw new Error(`the key of ${email} is known to its user only`);
  return kB;
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
