// The OAuth side of the accounts server: codes that a person's approval makes, and what they and
// other proofs are changed for. A code is bound to its client, its PKCE challenge and the device's
// key. As strict as Firefox Accounts about parameters; it knows no register of clients and takes
// any.

import { createHash } from 'node:crypto';
import { type AccessTokenOptions, AccessTokens, type Grant } from './access-tokens.ts';
import { type Account, type Body, problem, textOf } from './account-call.ts';
import { scopedKey, sealJwe } from './keys-jwe.ts';
import { OLDSYNC_SCOPE } from './onepw.ts';
import { RefreshTokens } from './refresh-tokens.ts';

interface Code extends Grant {
  readonly challenge: string;
  readonly keysJwe: string | null;
  readonly isOffline: boolean;
  readonly expiresMs: number;
}

/** A code as it is kept. */
export interface KeptCode extends Omit<Code, 'account'> {
  readonly code: string;
  readonly email: string;
}

const CODE_LIFE_MS = 15 * 60 * 1000;
const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const REFRESH_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:refresh_token';

/** The parameters that a grant may have; another one is refused. */
const PARAMETERS: ReadonlyMap<unknown, readonly string[]> = new Map([
  ['authorization_code', ['code', 'code_verifier', 'redirect_uri']],
  ['refresh_token', ['refresh_token', 'scope']],
  ['fxa-credentials', ['scope', 'access_type', 'refresh_token']],
  [TOKEN_EXCHANGE, ['subject_token', 'subject_token_type', 'scope']],
]);

export class OAuth {
  readonly #options: AccessTokenOptions;
  readonly #codes = new Map<string, Code>();
  readonly access: AccessTokens;
  readonly refresh: RefreshTokens;

  constructor(options: AccessTokenOptions) {
    this.#options = options;
    this.access = new AccessTokens(options);
    this.refresh = new RefreshTokens(options);
  }

  /**
   * A signed-in person opens the page and agrees: where the browser goes next. Errors: HttpError
   * 400.
   */
  approve(account: Account, query: URLSearchParams): URL {
    const asked = Object.fromEntries(query);
    const scope = textOf(asked, 'scope');
    const keys = () =>
      JSON.stringify(scope.split(' ').includes(OLDSYNC_SCOPE) ? keysOf(account) : {});
    const keysJwe =
      asked.keys_jwk === undefined ? null : sealJwe(asked.keys_jwk, keys(), this.#options.random);
    const redirect = urlOf(textOf(asked, 'redirect_uri'));
    return this.#redirect(account, { ...asked, scope }, redirect, keysJwe);
  }

  /** A client that holds a session approves by itself. Errors: HttpError 400. */
  authorize(account: Account, body: Body): object {
    const { response_type = 'code', scope = '', redirect_uri, keys_jwe = null } = body;
    const ownPage = `${this.#options.baseUrl}/oauth/success/${textOf(body, 'client_id')}`;
    const redirect = urlOf(redirect_uri === undefined ? ownPage : textOf(body, 'redirect_uri'));
    if (keys_jwe !== null && typeof keys_jwe !== 'string')
      throw problem(400, 109, 'Invalid request parameter: keys_jwe');
    const asked = { ...body, response_type, scope };
    const to = this.#redirect(account, asked, redirect, keys_jwe);
    const { code, state } = Object.fromEntries(to.searchParams);
    return { code, state, redirect: to.href };
  }

  /** `session` finds the account of the session that asks. Errors: HttpError 400, 401. */
  token(body: Body, session: () => Account): unknown {
    const { grant_type = 'authorization_code' } = body;
    const allowed = PARAMETERS.get(grant_type);
    if (!allowed) throw problem(400, 109, 'Invalid grant type');
    const known = ['grant_type', 'client_id', 'ttl', ...allowed];
    const strange = Object.keys(body).find((name) => !known.includes(name));
    if (strange !== undefined) throw problem(400, 109, `Invalid request parameter: ${strange}`);
    const { ttl } = body;
    if (ttl !== undefined && !(typeof ttl === 'number' && Number.isInteger(ttl) && ttl > 0))
      throw problem(400, 109, 'Invalid request parameter: ttl');
    if (grant_type === 'authorization_code') return this.#redeem(body, ttl);
    if (grant_type === 'refresh_token') return this.#renew(body, ttl);
    if (grant_type === TOKEN_EXCHANGE) return this.#exchange(body, ttl);
    const account = session();
    const grant = { account, clientId: textOf(body, 'client_id'), scope: textOf(body, 'scope') };
    const tokens = this.access.grant(grant, ttl);
    return body.access_type === 'offline'
      ? { ...tokens, refresh_token: this.refresh.issue(grant) }
      : tokens;
  }

  /** RFC 7009: a token that nobody knows is as good as revoked. */
  destroy(body: Body): object {
    const token = textOf(body, 'token');
    const clientId = textOf(body, 'client_id');
    if (this.refresh.get(token)?.clientId === clientId) this.refresh.destroy(token);
    else if (this.access.read(token)?.clientId === clientId) this.access.destroy(token);
    return {};
  }

  /** Every grant of the account ends; access tokens live on until they expire. */
  revokeAll(account: Account): void {
    for (const [id, code] of this.#codes) if (code.account === account) this.#codes.delete(id);
    this.refresh.destroyAll(account);
  }

  /** All codes that may still be redeemed. */
  keptCodes(): readonly KeptCode[] {
    const open = [...this.#codes].filter(([, { expiresMs }]) => expiresMs > this.#options.nowMs());
    return open.map(([code, { account, ...rest }]) => ({ ...rest, code, email: account.email }));
  }

  /** Takes what `keptCodes` gave, in the place of what is there. */
  restoreCodes(codes: readonly KeptCode[], accountOf: (email: string) => Account): void {
    this.#codes.clear();
    for (const { code, email, ...rest } of codes)
      this.#codes.set(code, { ...rest, account: accountOf(email) });
  }

  #redirect(
    account: Account,
    asked: Readonly<Record<string, unknown>>,
    redirect: URL,
    keysJwe: string | null,
  ): URL {
    const state = textOf(asked, 'state');
    if (asked.response_type !== 'code') throw problem(400, 110, 'Invalid response_type');
    const { code_challenge: challenge } = asked;
    const isHashed = asked.code_challenge_method === 'S256';
    if (!isHashed || typeof challenge !== 'string' || challenge.length !== CHALLENGE_CHARS)
      throw problem(400, 118, 'Public clients require PKCE OAuth parameters');
    const code = Buffer.from(this.#options.random(32)).toString('hex');
    this.#codes.set(code, {
      account,
      clientId: textOf(asked, 'client_id'),
      scope: textOf(asked, 'scope'),
      challenge,
      keysJwe,
      isOffline: asked.access_type === 'offline',
      expiresMs: this.#options.nowMs() + CODE_LIFE_MS,
    });
    redirect.searchParams.set('code', code);
    redirect.searchParams.set('state', state);
    return redirect;
  }

  /**
   * A code that is refused for its verifier stays good, as with Firefox Accounts; one that is used
   * does not.
   */
  #redeem(body: Body, ttl: number | undefined): unknown {
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
      ...this.access.grant(code, ttl),
      ...(code.isOffline ? { refresh_token: this.refresh.issue(code) } : {}),
      ...(code.keysJwe === null ? {} : { keys_jwe: code.keysJwe }),
    };
  }

  #renew(body: Body, ttl: number | undefined): unknown {
    const grant = this.refresh.use(textOf(body, 'refresh_token'), textOf(body, 'client_id'));
    const scope = body.scope === undefined ? grant.scope : textOf(body, 'scope');
    const granted = grant.scope.split(' ');
    if (!scope.split(' ').every((one) => granted.includes(one)))
      throw problem(400, 114, 'Requested scopes are not allowed');
    return this.access.grant({ ...grant, scope }, ttl);
  }

  /** RFC 8693: a refresh token with more rights in the place of one; the device goes over to it. */
  #exchange(body: Body, ttl: number | undefined): unknown {
    if (body.subject_token_type !== REFRESH_TOKEN_TYPE)
      throw problem(400, 109, 'Invalid request parameter: subject_token_type');
    const token = textOf(body, 'subject_token');
    const before = this.refresh.get(token);
    const { client_id: clientId = before?.clientId } = body;
    if (before === undefined || before.clientId !== clientId)
      throw problem(400, 108, 'Invalid token');
    const more = textOf(body, 'scope').split(' ');
    const scope = [...new Set([...before.scope.split(' '), ...more])].join(' ');
    const grant = { ...before, scope };
    this.refresh.destroy(token);
    const refresh_token = this.refresh.issue(grant, before.device);
    return { ...this.access.grant(grant, ttl), refresh_token };
  }
}

/** Of base64url of a SHA-256. */
const CHALLENGE_CHARS = 43;

/** Errors: HttpError 400, errno 109, where the server does not know the key. */
function keysOf({ kB, keysChangedAtMs }: Account): object {
  if (kB === null) throw problem(400, 109, 'Invalid request parameter: keys_jwk');
  return { [OLDSYNC_SCOPE]: scopedKey({ kB, keysChangedAtMs }) };
}

function urlOf(text: string): URL {
  try {
    return new URL(text);
  } catch {
    throw problem(400, 103, 'Incorrect redirect_uri');
  }
}
