// What a device's own account manager does against an accounts server: it signs in with a password,
// keeps the session and the key, and mints assertions and access tokens from them.
// It goes by the server's clock (a TV boots in 1970), and does nothing until it is asked.

import { passwordForKey } from './account-list.ts';
import { signAssertion, toBrowserIdKey } from './browserid.ts';
import { type Handler, isObject } from './http.ts';
import {
  BEARER_PREFIX,
  OLDSYNC_SCOPE,
  openKeyBundle,
  passwordKeys,
  tokenKeys,
  xor,
} from './onepw.ts';
import { CLIENT_TEST_KEY } from './test-keys.ts';

/** Who signs in. Given a key instead of a password, it uses `passwordForKey`. */
export type Credentials = { readonly email: string } & (
  | { readonly password: string }
  | { readonly kB: string }
);

/** Why it failed: no connection (or a server in trouble), or the server refused the user. */
class AccountError extends Error {
  readonly code: 'offline' | 'signedOut';

  constructor(code: 'offline' | 'signedOut', message: string) {
    super(message);
    this.code = code;
  }
}

export interface AccountClient {
  account(): Promise<{ uid: string; email: string }>;
  /** A BrowserID bundle for the audience; the last one while it is good, unless `fresh`. */
  assertion(audience: string, fresh: boolean): Promise<string>;
  /** An access token for the Sync scope; the last one while it is good, unless `fresh`. */
  accessToken(fresh: boolean): Promise<{ token: string; keysChangedAtMs: number }>;
  syncKey(): Promise<{ kB: string }>;
  /** When the account's key was last changed: the first half of X-KeyID. */
  keysChangedAtMs(): Promise<number>;
}

interface AccountClientOptions {
  readonly fetch: Handler;
  /** The accounts server. */
  readonly baseUrl: string;
  readonly credentials: Credentials;
  nowMs(): number;
}

interface Session {
  readonly uid: string;
  readonly token: string;
  readonly kB: string;
}

interface Lease {
  readonly text: string;
  readonly expiresMs: number;
}

const CERTIFICATE_LIFE_MS = 12 * 3600 * 1000;
const ASSERTION_LIFE_MS = 15 * 60 * 1000;
/** What is about to expire is not handed out. */
const MARGIN_MS = 60 * 1000;
/** The public client that Mozilla's own examples use. */
const CLIENT_ID = '3c49430b43dfba77';

/** An account manager that has not signed in yet. */
export function accountClient(options: AccountClientOptions): AccountClient {
  return new Client(options);
}

class Client implements AccountClient {
  readonly #options: AccountClientOptions;
  readonly #password: string;
  readonly #assertions = new Map<string, Lease>();
  #signIn: Promise<Session> | null = null;
  #certificate: Lease | null = null;
  #accessToken: Lease | null = null;
  #keysChangedAtMs = 0;
  #clockOffsetMs = 0;
  #lastIssuedMs = 0;

  constructor(options: AccountClientOptions) {
    this.#options = options;
    const { credentials } = options;
    this.#password =
      'password' in credentials ? credentials.password : passwordForKey(credentials.kB);
  }

  async account(): Promise<{ uid: string; email: string }> {
    const { uid } = await this.#session();
    return { uid, email: this.#options.credentials.email };
  }

  async syncKey(): Promise<{ kB: string }> {
    return { kB: (await this.#session()).kB };
  }

  async keysChangedAtMs(): Promise<number> {
    const body = { client_id: CLIENT_ID, scope: OLDSYNC_SCOPE };
    const answer = await this.#withSession('account/scoped-key-data', body);
    const keyData = answer[OLDSYNC_SCOPE];
    return isObject(keyData) ? Number(keyData.keyRotationTimestamp) : 0;
  }

  async assertion(audience: string, fresh: boolean): Promise<string> {
    const cached = this.#assertions.get(audience);
    if (!fresh && cached && this.#isGood(cached)) return cached.text;
    const certificate = await this.#freshCertificate();
    // Never twice the same instant: an assertion asked for as a new one must be a new text.
    const issuedAtMs = Math.max(this.#serverMs(), this.#lastIssuedMs + 1);
    this.#lastIssuedMs = issuedAtMs;
    const expiresMs = issuedAtMs + ASSERTION_LIFE_MS;
    const text = signAssertion(CLIENT_TEST_KEY, certificate, { audience, issuedAtMs, expiresMs });
    this.#assertions.set(audience, { text, expiresMs });
    return text;
  }

  async accessToken(fresh: boolean): Promise<{ token: string; keysChangedAtMs: number }> {
    if (fresh || !this.#accessToken || !this.#isGood(this.#accessToken)) {
      const body = { grant_type: 'fxa-credentials', client_id: CLIENT_ID, scope: OLDSYNC_SCOPE };
      const answer = await this.#withSession('oauth/token', body);
      const expiresMs = this.#serverMs() + Number(answer.expires_in) * 1000;
      this.#accessToken = { text: String(answer.access_token), expiresMs };
      this.#keysChangedAtMs = await this.keysChangedAtMs();
    }
    return { token: this.#accessToken.text, keysChangedAtMs: this.#keysChangedAtMs };
  }

  async #freshCertificate(): Promise<string> {
    if (!this.#certificate || !this.#isGood(this.#certificate, ASSERTION_LIFE_MS)) {
      const publicKey = toBrowserIdKey(CLIENT_TEST_KEY);
      const body = { publicKey, duration: CERTIFICATE_LIFE_MS };
      const { cert } = await this.#withSession('certificate/sign', body);
      this.#certificate = {
        text: String(cert),
        expiresMs: this.#serverMs() + CERTIFICATE_LIFE_MS,
      };
    }
    return this.#certificate.text;
  }

  /** Whether it is good now, and for so much longer. */
  #isGood({ expiresMs }: Lease, longerMs = 0): boolean {
    return expiresMs - MARGIN_MS - longerMs > this.#serverMs();
  }

  #serverMs(): number {
    return this.#options.nowMs() + this.#clockOffsetMs;
  }

  /** One sign-in, however many ask at once; a failed one is forgotten. */
  #session(): Promise<Session> {
    this.#signIn ??= this.#login().catch((error: unknown) => {
      this.#signIn = null;
      throw error;
    });
    return this.#signIn;
  }

  async #login(): Promise<Session> {
    const { email } = this.#options.credentials;
    const { authPW, unwrapBKey } = passwordKeys(email, this.#password);
    const login = { email, authPW: authPW.toString('hex') };
    const answer = await this.#call('POST', 'account/login?keys=true', null, login);
    const token = String(answer.sessionToken);
    const keyFetch = tokenKeys(Buffer.from(String(answer.keyFetchToken), 'hex'), 'keyFetchToken');
    const bearer = BEARER_PREFIX.keyFetchToken + keyFetch.id;
    const { bundle } = await this.#call('GET', 'account/keys', bearer);
    const keys = openKeyBundle(keyFetch.bundleKey, Buffer.from(String(bundle), 'hex'));
    if (!keys) throw new AccountError('offline', 'the key bundle is damaged');
    const kB = xor(keys.subarray(32), unwrapBKey).toString('hex');
    return { uid: String(answer.uid), token, kB };
  }

  async #withSession(path: string, body: unknown): Promise<Record<string, unknown>> {
    const { token } = await this.#session();
    const { id } = tokenKeys(Buffer.from(token, 'hex'), 'sessionToken');
    return this.#call('POST', path, BEARER_PREFIX.sessionToken + id, body);
  }

  async #call(
    method: string,
    path: string,
    bearer: string | null,
    body?: unknown,
  ): Promise<Record<string, unknown>> {
    const headers = {
      'Content-Type': 'application/json',
      ...(bearer === null ? {} : { Authorization: `Bearer ${bearer}` }),
    };
    const init = { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) };
    const answer = await this.#fetchJson(new Request(`${this.#options.baseUrl}/v1/${path}`, init));
    const { status, json } = answer;
    if (status === 200 && isObject(json)) return json;
    const code = status >= 400 && status < 500 ? 'signedOut' : 'offline';
    throw new AccountError(code, `the accounts server answered ${status} to ${path}`);
  }

  async #fetchJson(request: Request): Promise<{ status: number; json: unknown }> {
    try {
      const response = await this.#options.fetch(request);
      const json: unknown = await response.json();
      const timestamp = Number(response.headers.get('timestamp') ?? 0);
      if (timestamp > 0) this.#clockOffsetMs = timestamp * 1000 - this.#options.nowMs();
      return { status: response.status, json };
    } catch {
      throw new AccountError('offline', 'the accounts server cannot be reached');
    }
  }
}
