// The OAuth side of the accounts server: codes that a person's approval makes, the tokens that they
// are changed for, the device that a refresh token stands for, and what becomes of those. A code is
// bound to its client, its PKCE challenge and the device's key. As strict as Firefox Accounts about
// parameters; it knows no register of clients and takes any.

import { createHash } from 'node:crypto';
import { type Account, type Body, problem, textOf } from './account-call.ts';
import { type AccountDevice, checkedDevice } from './account-devices.ts';
import { signJws } from './jws.ts';
import { scopedKey, sealJwe } from './keys-jwe.ts';
import { OLDSYNC_SCOPE } from './onepw.ts';
import { ACCOUNTS_TEST_KEY } from './test-keys.ts';

interface OAuthOptions {
  /** Of the accounts server: the issuer of access tokens. */
  readonly baseUrl: string;
  nowMs(): number;
  random(count: number): Uint8Array;
  /** Life of an access token; 6 hours by default. */
  readonly accessTokenSeconds?: number;
}

export const KEY_ID = 'kitsync-test-key';

interface Grant {
  readonly account: Account;
  readonly clientId: string;
  readonly scope: string;
}

interface Code extends Grant {
  readonly challenge: string;
  readonly keysJwe: string | null;
  readonly isOffline: boolean;
  readonly expiresMs: number;
}

interface RefreshGrant extends Grant {
  device: AccountDevice | null;
  usedAtMs: number;
}

export interface KeptGrant extends Omit<RefreshGrant, 'account'> {
  readonly token: string;
  readonly email: string;
}

const ACCESS_TOKEN_SECONDS = 6 * 3600;
const CODE_LIFE_MS = 15 * 60 * 1000;

/** The parameters that a grant may have; another one is refused. */
const PARAMETERS: ReadonlyMap<unknown, readonly string[]> = new Map([
  ['authorization_code', ['code', 'code_verifier', 'redirect_uri']],
  ['refresh_token', ['refresh_token', 'scope']],
  ['fxa-credentials', ['scope', 'access_type']],
]);

export class OAuth {
  readonly #options: OAuthOptions;
  readonly #codes = new Map<string, Code>();
  readonly #refreshTokens = new Map<string, RefreshGrant>();

  constructor(options: OAuthOptions) {
    this.#options = options;
  }

  /** All refresh tokens, with their devices: what a restart must not forget. */
  grants(): readonly KeptGrant[] {
    return Array.from(this.#refreshTokens, ([token, { account, ...grant }]) => ({
      ...grant,
      token,
      email: account.email,
    }));
  }

  /** Takes refresh tokens that `grants` gave. */
  restore(grants: readonly KeptGrant[], accountOf: (email: string) => Account): void {
    for (const { token, email, ...grant } of grants)
      this.#refreshTokens.set(token, { ...grant, account: accountOf(email) });
  }

  /**
   * A signed-in person opens the page and agrees: where the browser goes next. Errors: HttpError
   * 400.
   */
  approve(account: Account, query: URLSearchParams): URL {
    const { nowMs, random } = this.#options;
    const asked = Object.fromEntries(query);
    const redirect = urlOf(textOf(asked, 'redirect_uri'));
    const state = textOf(asked, 'state');
    if (asked.response_type !== 'code') throw problem(400, 110, 'Invalid response_type');
    if (asked.code_challenge_method !== 'S256' || asked.code_challenge?.length !== 43)
      throw problem(400, 118, 'Public clients require PKCE OAuth parameters');
    const scope = textOf(asked, 'scope');
    const isForSync = scope.split(' ').includes(OLDSYNC_SCOPE);
    const keys = JSON.stringify(isForSync ? { [OLDSYNC_SCOPE]: scopedKey(account) } : {});
    const code = this.#randomHex(32);
    this.#codes.set(code, {
      account,
      clientId: textOf(asked, 'client_id'),
      scope,
      challenge: asked.code_challenge,
      keysJwe: asked.keys_jwk === undefined ? null : sealJwe(asked.keys_jwk, keys, random),
      isOffline: asked.access_type === 'offline',
      expiresMs: nowMs() + CODE_LIFE_MS,
    });
    redirect.searchParams.set('code', code);
    redirect.searchParams.set('state', state);
    return redirect;
  }

  /** `session` finds the account of the session that asks. Errors: HttpError 400, 401. */
  token(body: Body, session: () => Account): unknown {
    const allowed = PARAMETERS.get(body.grant_type);
    if (!allowed) throw problem(400, 109, 'Invalid grant type');
    const known = ['grant_type', 'client_id', 'ttl', ...allowed];
    const strange = Object.keys(body).find((name) => !known.includes(name));
    if (strange !== undefined) throw problem(400, 109, `Invalid request parameter: ${strange}`);
    if (body.grant_type === 'authorization_code') return this.#redeem(body);
    if (body.grant_type === 'refresh_token') return this.#refresh(body);
    const account = session();
    const grant = { account, clientId: textOf(body, 'client_id'), scope: textOf(body, 'scope') };
    const tokens = this.#accessToken(grant);
    return body.access_type === 'offline'
      ? { ...tokens, refresh_token: this.#refreshToken(grant) }
      : tokens;
  }

  /** Whose refresh token it is; null: nobody's. */
  accountOf(refreshToken: string): Account | null {
    return this.#refreshTokens.get(refreshToken)?.account ?? null;
  }

  /**
   * Who holds the refresh token says what it is, the first time or again. Errors: HttpError 400,
   * 401.
   */
  registerDevice(refreshToken: string, body: Body): object {
    const grant = this.#refreshTokens.get(refreshToken);
    if (!grant?.scope.split(' ').includes(OLDSYNC_SCOPE))
      throw problem(401, 110, 'Invalid authentication token in request signature');
    const before = grant.device ?? { id: this.#randomHex(16), name: '', type: 'mobile' };
    grant.device = checkedDevice(body, before);
    return { ...grant.device, availableCommands: {}, pushEndpointExpired: false };
  }

  /** The registered devices of an account. `refreshToken`: of the one that asks. */
  devicesOf(email: string, refreshToken = ''): object[] {
    return [...this.#refreshTokens].flatMap(([token, { account, device, usedAtMs }]) =>
      device === null || account.email !== email
        ? []
        : {
            ...device,
            isCurrentDevice: token === refreshToken,
            lastAccessTime: usedAtMs,
            location: {},
            availableCommands: {},
            pushEndpointExpired: false,
          },
    );
  }

  /** RFC 7009: a token that nobody knows is as good as revoked. */
  destroy(body: Body): object {
    const token = textOf(body, 'token');
    if (this.#refreshTokens.get(token)?.clientId === textOf(body, 'client_id'))
      this.#refreshTokens.delete(token);
    return {};
  }

  /** Every grant of the account ends; access tokens live on until they expire. */
  revokeAll(email: string): void {
    for (const grants of [this.#codes, this.#refreshTokens]) {
      for (const [id, { account }] of grants) if (account.email === email) grants.delete(id);
    }
  }

  /**
   * A code that is refused for its verifier stays good, as with Firefox Accounts; one that is used
   * does not.
   */
  #redeem(body: Body): unknown {
    const id = textOf(body, 'code');
    const code = this.#codes.get(id);
    if (!code) throw problem(400, 105, 'Unknown code');
    if (code.clientId !== textOf(body, 'client_id')) throw problem(400, 106, 'Incorrect code');
    if (this.#options.nowMs() > code.expiresMs) throw problem(400, 107, 'Expired code');
    const verifier = textOf(body, 'code_verifier');
    const challenge = createHash('sha256').update(verifier).digest('base64url');
    if (challenge !== code.challenge) throw problem(400, 117, 'Incorrect code_challenge');
    this.#codes.delete(id);
    return {
      ...this.#accessToken(code),
      ...(code.isOffline ? { refresh_token: this.#refreshToken(code) } : {}),
      ...(code.keysJwe === null ? {} : { keys_jwe: code.keysJwe }),
    };
  }

  #refresh(body: Body): unknown {
    const grant = this.#refreshTokens.get(textOf(body, 'refresh_token'));
    if (!grant || grant.clientId !== textOf(body, 'client_id'))
      throw problem(400, 108, 'Invalid token');
    const scope = body.scope === undefined ? grant.scope : textOf(body, 'scope');
    const granted = grant.scope.split(' ');
    if (!scope.split(' ').every((one) => granted.includes(one)))
      throw problem(400, 114, 'Requested scopes are not allowed');
    grant.usedAtMs = this.#options.nowMs();
    return this.#accessToken({ ...grant, scope });
  }

  #accessToken({ account, clientId, scope }: Grant) {
    const lifeSeconds = this.#options.accessTokenSeconds ?? ACCESS_TOKEN_SECONDS;
    const nowSeconds = Math.floor(this.#options.nowMs() / 1000);
    const claims = {
      iss: this.#options.baseUrl,
      aud: scope,
      client_id: clientId,
      sub: account.uid,
      iat: nowSeconds,
      exp: nowSeconds + lifeSeconds,
      jti: this.#randomHex(16),
      scope,
      'fxa-generation': account.generation,
      // Not in Mozilla's tokens: it lets a gateway that knows the client state build X-KeyID.
      'fxa-keysChangedAt': account.keysChangedAtMs,
    };
    const header = { typ: 'at+jwt', kid: KEY_ID };
    return {
      access_token: signJws(ACCOUNTS_TEST_KEY, claims, header),
      token_type: 'bearer',
      expires_in: lifeSeconds,
      scope,
      auth_at: nowSeconds,
    };
  }

  #refreshToken(grant: Grant): string {
    const token = this.#randomHex(32);
    const { account, clientId, scope } = grant;
    const usedAtMs = this.#options.nowMs();
    this.#refreshTokens.set(token, { account, clientId, scope, device: null, usedAtMs });
    return token;
  }

  #randomHex(count: number): string {
    return Buffer.from(this.#options.random(count)).toString('hex');
  }
}

function urlOf(text: string): URL {
  try {
    return new URL(text);
  } catch {
    throw problem(400, 103, 'Incorrect redirect_uri');
  }
}
