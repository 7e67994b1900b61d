// An accounts server in the manner of Firefox Accounts: password sign-in (onepw, version 1), the
// key bundle, BrowserID certificates, OAuth (oauth.ts), scoped key data and the account's devices.
// Its signatures are real, its key is a published test key, and it stretches no password:
// it serves the emulator and loopback, nobody else.

import { createHash, type JsonWebKey } from 'node:crypto';
import { type Account, problem, textOf } from './account-call.ts';
import { type BrowserIdKey, signCertificate, toBrowserIdKey, toJwk } from './browserid.ts';
import {
  authorization,
  type Handler,
  HttpError,
  jsonResponse,
  parseObject,
  pathSegments,
} from './http.ts';
import { publicPart } from './jws.ts';
import { KEY_ID, type KeptGrant, OAuth } from './oauth.ts';
import {
  BEARER_PREFIX,
  OLDSYNC_SCOPE,
  passwordKeys,
  sealKeyBundle,
  type TokenKind,
  tokenKeys,
  xor,
} from './onepw.ts';
import { ACCOUNTS_TEST_KEY } from './test-keys.ts';

/** An account to begin with. Without a password, it is `passwordForKey(kB)`. */
interface AccountSeed {
  readonly email: string;
  /** 64 hex digits. */
  readonly kB: string;
  readonly password?: string;
}

export interface AccountsOptions {
  readonly baseUrl: string;
  /** What discovery documents tell clients about the token server. */
  readonly tokenUrl: string;
  readonly accounts: readonly AccountSeed[];
  nowMs(): number;
  random(count: number): Uint8Array;
  /** Life of an access token; 6 hours by default. */
  readonly accessTokenSeconds?: number;
  /** What `AccountsServer.signIns` gave before a restart. */
  readonly signIns?: string | null;
}

/** The server, and what its user can do to an account at another device. */
export interface AccountsServer {
  readonly handle: Handler;
  /** Another password, the same key: every session ends. */
  changePassword(email: string, password: string): void;
  /** A forgotten password: every session ends, and the key is another one. */
  resetPassword(email: string, password: string, kB: string): void;
  /** Sessions and refresh tokens, for `AccountsOptions.signIns`. Whoever has it is signed in. */
  signIns(): string;
  /** Every session of the account ends. */
  endSessions(email: string): void;
  /** The account's devices, as a session that is none of them lists them. */
  devices(email: string): readonly object[];
}

interface Token {
  readonly kind: TokenKind;
  readonly account: Account;
  readonly bundleKey: Buffer;
}

/** Who is signed in, as it is kept. */
interface SignIns {
  readonly tokens: readonly {
    readonly id: string;
    readonly kind: TokenKind;
    readonly email: string;
    /** Hex digits. */
    readonly bundleKey: string;
  }[];
  readonly grants: readonly KeptGrant[];
}

interface Call {
  readonly request: Request;
  readonly url: URL;
  readonly body: Readonly<Record<string, unknown>>;
}

const CERTIFICATE_MAX_MS = 24 * 3600 * 1000;
/** When the accounts were made: long ago, so that every change is later. */
const CREATED_MS = 1_500_000_000_000;

/** The password of an account of which only the key is known. */
export function passwordForKey(kB: string): string {
  return `password for ${kB.slice(0, 8)}`;
}

/** The accounts server. */
export function createAccounts(options: AccountsOptions): AccountsServer {
  return new Accounts(options);
}

class Accounts implements AccountsServer {
  readonly #options: AccountsOptions;
  readonly #base: URL;
  readonly #accounts: Account[];
  readonly #tokens = new Map<string, Token>();
  readonly #oauth: OAuth;
  readonly #routes: ReadonlyMap<string, (call: Call) => unknown>;

  constructor(options: AccountsOptions) {
    this.#options = options;
    this.#base = new URL(options.baseUrl);
    this.#oauth = new OAuth(options);
    this.#accounts = options.accounts.map(({ email, kB, password = passwordForKey(kB) }) => ({
      uid: createHash('sha256').update(email).digest('hex').slice(0, 32),
      email,
      password,
      kB,
      generation: CREATED_MS,
      keysChangedAtMs: CREATED_MS,
    }));
    if (options.signIns != null) this.#restore(options.signIns);
    this.#routes = new Map<string, (call: Call) => unknown>([
      ['GET .well-known/fxa-client-configuration', () => this.#clientConfiguration()],
      ['GET .well-known/openid-configuration', () => this.#openidConfiguration()],
      ['GET .well-known/browserid', () => ({ 'public-key': toBrowserIdKey(ACCOUNTS_TEST_KEY) })],
      ['GET v1/jwks', () => ({ keys: [accountsJwk()] })],
      ['POST v1/account/login', (call) => this.#login(call)],
      ['GET v1/account/keys', (call) => this.#keys(call)],
      ['POST v1/certificate/sign', (call) => this.#certificate(call)],
      ['POST v1/session/destroy', (call) => this.#endSession(call)],
      ['GET authorization', (call) => this.#authorization(call)],
      [
        'POST v1/oauth/token',
        ({ body, request }) => this.#oauth.token(body, () => this.#sessionOf(request)),
      ],
      ['POST v1/oauth/destroy', ({ body }) => this.#oauth.destroy(body)],
      ['POST v1/account/scoped-key-data', (call) => this.#scopedKeyData(call)],
      [
        'POST v1/account/device',
        ({ body, request }) => this.#oauth.registerDevice(authorization(request).value, body),
      ],
      ['GET v1/account/devices', (call) => this.#devices(call)],
    ]);
  }

  handle: Handler = async (request) => {
    const text = await request.text();
    const headers = { Timestamp: String(Math.floor(this.#options.nowMs() / 1000)) };
    try {
      const answer = this.#answer(request, text);
      return answer instanceof Response ? answer : jsonResponse(200, answer, headers);
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      return jsonResponse(error.status, error.json, headers);
    }
  };

  changePassword(email: string, password: string): void {
    this.endSessions(email);
    const account = this.#accountOf(email);
    account.password = password;
    account.generation = Math.max(account.generation + 1, this.#options.nowMs());
  }

  resetPassword(email: string, password: string, kB: string): void {
    this.changePassword(email, password);
    const account = this.#accountOf(email);
    account.kB = kB;
    account.keysChangedAtMs = account.generation;
  }

  endSessions(email: string): void {
    for (const [id, { account }] of this.#tokens)
      if (account.email === email) this.#tokens.delete(id);
    this.#oauth.revokeAll(email);
  }

  signIns(): string {
    const tokens = Array.from(this.#tokens, ([id, { kind, account, bundleKey }]) => ({
      ...{ id, kind, email: account.email, bundleKey: bundleKey.toString('hex') },
    }));
    const kept: SignIns = { tokens, grants: this.#oauth.grants() };
    return JSON.stringify(kept);
  }

  #restore(text: string): void {
    const { tokens, grants } = JSON.parse(text) as SignIns;
    for (const { id, kind, email, bundleKey } of tokens) {
      const account = this.#accountOf(email);
      this.#tokens.set(id, { kind, account, bundleKey: Buffer.from(bundleKey, 'hex') });
    }
    this.#oauth.restore(grants, (email) => this.#accountOf(email));
  }

  devices(email: string): readonly object[] {
    return this.#oauth.devicesOf(email);
  }

  #answer(request: Request, text: string): unknown {
    const url = new URL(request.url);
    const path = pathSegments(url, this.#base)?.join('/');
    const route = this.#routes.get(`${request.method} ${path}`);
    if (!route) throw problem(404, 999, 'Not found');
    const body = text === '' ? {} : parseObject(text);
    if (!body) throw problem(400, 106, 'Invalid JSON in request body');
    return route({ request, url, body });
  }

  #login({ body, url }: Call): unknown {
    const account = this.#accountOf(textOf(body, 'email'));
    const { authPW } = passwordKeys(account.email, account.password);
    if (textOf(body, 'authPW') !== authPW.toString('hex'))
      throw problem(400, 103, 'Incorrect password');
    const sessionToken = this.#newToken('sessionToken', account);
    const authAt = Math.floor(this.#options.nowMs() / 1000);
    const session = { uid: account.uid, sessionToken, verified: true, authAt };
    if (url.searchParams.get('keys') !== 'true') return session;
    return { ...session, keyFetchToken: this.#newToken('keyFetchToken', account) };
  }

  /** A key fetch token is good for one answer. */
  #keys({ request }: Call): unknown {
    const { id, token } = this.#authenticate(request, 'keyFetchToken');
    this.#tokens.delete(id);
    const { email, password, kB, uid } = token.account;
    const kA = createHash('sha256').update(`kA ${uid}`).digest();
    const wrapKb = xor(Buffer.from(kB, 'hex'), passwordKeys(email, password).unwrapBKey);
    const bundle = sealKeyBundle(token.bundleKey, Buffer.concat([kA, wrapKb]));
    return { bundle: bundle.toString('hex') };
  }

  #certificate({ request, body }: Call): unknown {
    const account = this.#sessionOf(request);
    const { publicKey, duration } = body;
    if (!toJwk(publicKey)) throw problem(400, 107, 'Invalid parameter in request body: publicKey');
    if (typeof duration !== 'number' || !(duration > 0 && duration <= CERTIFICATE_MAX_MS))
      throw problem(400, 107, 'Invalid parameter in request body: duration');
    const { uid, email, generation, keysChangedAtMs } = account;
    const cert = signCertificate(ACCOUNTS_TEST_KEY, {
      issuer: this.#base.host,
      publicKey: publicKey as BrowserIdKey,
      durationMs: duration,
      nowMs: this.#options.nowMs(),
      uid,
      email,
      generation,
      keysChangedAtMs,
    });
    return { cert };
  }

  #endSession({ request }: Call): unknown {
    this.#tokens.delete(this.#authenticate(request, 'sessionToken').id);
    return {};
  }

  /** The page that a person opens for another device, in a browser that is signed in. */
  #authorization({ request, url }: Call): Response {
    const redirect = this.#oauth.approve(this.#sessionOf(request), url.searchParams);
    return new Response(null, { status: 302, headers: { Location: redirect.href } });
  }

  #scopedKeyData({ request, body }: Call): unknown {
    const account = this.#sessionOf(request);
    const keyData = {
      identifier: OLDSYNC_SCOPE,
      keyRotationSecret: '0'.repeat(64),
      keyRotationTimestamp: account.keysChangedAtMs,
    };
    return textOf(body, 'scope').split(' ').includes(OLDSYNC_SCOPE)
      ? { [OLDSYNC_SCOPE]: keyData }
      : {};
  }

  #devices({ request }: Call): unknown {
    const { value } = authorization(request);
    const { email } = this.#oauth.accountOf(value) ?? this.#sessionOf(request);
    return this.#oauth.devicesOf(email, value);
  }

  #clientConfiguration(): unknown {
    const { baseUrl, tokenUrl } = this.#options;
    return {
      auth_server_base_url: baseUrl,
      oauth_server_base_url: baseUrl,
      sync_tokenserver_base_url: tokenUrl,
    };
  }

  #openidConfiguration(): unknown {
    const { baseUrl } = this.#options;
    return {
      issuer: baseUrl,
      authorization_endpoint: `${baseUrl}/authorization`,
      jwks_uri: `${baseUrl}/v1/jwks`,
      token_endpoint: `${baseUrl}/v1/oauth/token`,
    };
  }

  #accountOf(email: string): Account {
    const isSame = (other: string) => other.toLowerCase() === email.toLowerCase();
    const account = this.#accounts.find((candidate) => isSame(candidate.email));
    if (!account) throw problem(400, 102, 'Unknown account');
    if (account.email === email) return account;
    // The password was stretched with the address as it was written when the account was made.
    throw problem(400, 120, 'Incorrect email case', { email: account.email });
  }

  #newToken(kind: TokenKind, account: Account): string {
    const token = this.#options.random(32);
    const { id, bundleKey } = tokenKeys(token, kind);
    this.#tokens.set(id, { kind, account, bundleKey });
    return Buffer.from(token).toString('hex');
  }

  #sessionOf(request: Request): Account {
    return this.#authenticate(request, 'sessionToken').token.account;
  }

  #authenticate(request: Request, kind: TokenKind): { id: string; token: Token } {
    const { scheme, value } = authorization(request);
    const id = value.replace(BEARER_PREFIX[kind], '');
    const token = this.#tokens.get(id);
    if (scheme !== 'bearer' || token?.kind !== kind)
      throw problem(401, 110, 'Invalid authentication token in request signature');
    return { id, token };
  }
}

/** The public key that checks this server's signatures. */
export function accountsJwk(): JsonWebKey {
  return { ...publicPart(ACCOUNTS_TEST_KEY), alg: 'RS256', use: 'sig', kid: KEY_ID };
}
