// The access tokens of the accounts server: signed JWTs (RFC 9068) that anybody can check with the
// server's published key. One that was destroyed is remembered here until it would have expired;
// who checks signatures only does not hear of it.

import { createHash, type JsonWebKey } from 'node:crypto';
import type { Account } from './account-call.ts';
import { publicPart, signJws, verifyJws } from './jws.ts';
import { ACCOUNTS_TEST_KEY } from './test-keys.ts';

export interface AccessTokenOptions {
  /** Of the accounts server: the issuer of access tokens. */
  readonly baseUrl: string;
  nowMs(): number;
  random(count: number): Uint8Array;
  /** Life of an access token; 6 hours by default. */
  readonly accessTokenSeconds?: number;
  /** The private RSA key that signs; by default a test key that everybody can read. */
  readonly key?: JsonWebKey;
}

/** What is granted, to which client. */
export interface Grant {
  readonly account: Account;
  readonly clientId: string;
  readonly scope: string;
}

/** What a good token says. */
interface Claims {
  readonly uid: string;
  readonly clientId: string;
  readonly scope: string;
  readonly issuedAtSeconds: number;
  readonly expiresAtSeconds: number;
  readonly id: string;
  readonly generation: number;
}

const ACCESS_TOKEN_SECONDS = 6 * 3600;

/** The public key that checks signatures of an accounts server's key, with a name (`kid`). */
export function accountsJwk(key: JsonWebKey = ACCOUNTS_TEST_KEY): JsonWebKey {
  const name = createHash('sha256').update(String(key.n)).digest('hex').slice(0, 16);
  const kid = key.n === ACCOUNTS_TEST_KEY.n ? 'kitsync-test-key' : name;
  return { ...publicPart(key), alg: 'RS256', use: 'sig', kid };
}

export class AccessTokens {
  readonly #options: AccessTokenOptions;
  readonly #key: JsonWebKey;
  readonly #publicKey: JsonWebKey;
  /** By the token's id: when it would have expired, in seconds. */
  readonly #destroyed = new Map<string, number>();

  constructor(options: AccessTokenOptions) {
    this.#options = options;
    this.#key = options.key ?? ACCOUNTS_TEST_KEY;
    this.#publicKey = accountsJwk(this.#key);
  }

  /** The answer to who asked for a token. `ttl`: a shorter life, in seconds. */
  grant({ account, clientId, scope }: Grant, ttl?: number) {
    const longest = this.#options.accessTokenSeconds ?? ACCESS_TOKEN_SECONDS;
    const lifeSeconds = Math.min(longest, ttl ?? longest);
    const nowSeconds = this.#nowSeconds();
    const claims = {
      iss: this.#options.baseUrl,
      aud: scope,
      client_id: clientId,
      sub: account.uid,
      iat: nowSeconds,
      exp: nowSeconds + lifeSeconds,
      jti: Buffer.from(this.#options.random(16)).toString('hex'),
      scope,
      'fxa-generation': account.generation,
      // Not in Mozilla's tokens: it lets a gateway that knows the client state build X-KeyID.
      'fxa-keysChangedAt': account.keysChangedAtMs,
    };
    const header = { typ: 'at+jwt', kid: this.#publicKey.kid };
    return {
      access_token: signJws(this.#key, claims, header),
      token_type: 'bearer',
      expires_in: lifeSeconds,
      scope,
      auth_at: nowSeconds,
    };
  }

  /** What a token says, while it is good; else null. */
  read(token: string): Claims | null {
    const payload = verifyJws(this.#publicKey, token)?.payload;
    if (payload === undefined || payload.iss !== this.#options.baseUrl) return null;
    const id = String(payload.jti);
    if (!(Number(payload.exp) > this.#nowSeconds()) || this.#destroyed.has(id)) return null;
    return {
      uid: String(payload.sub),
      clientId: String(payload.client_id),
      scope: String(payload.scope),
      issuedAtSeconds: Number(payload.iat),
      expiresAtSeconds: Number(payload.exp),
      id,
      generation: Number(payload['fxa-generation']),
    };
  }

  /** Whether there was a good token to destroy. */
  destroy(token: string): boolean {
    const claims = this.read(token);
    const nowSeconds = this.#nowSeconds();
    for (const [id, expiresAtSeconds] of this.#destroyed)
      if (expiresAtSeconds <= nowSeconds) this.#destroyed.delete(id);
    if (claims !== null) this.#destroyed.set(claims.id, claims.expiresAtSeconds);
    return claims !== null;
  }

  /** What was destroyed and would be good otherwise. */
  kept(): readonly (readonly [id: string, expiresAtSeconds: number])[] {
    return [...this.#destroyed];
  }

  /** Takes what `kept` gave, in the place of what is there. */
  restore(destroyed: readonly (readonly [id: string, expiresAtSeconds: number])[]): void {
    this.#destroyed.clear();
    for (const [id, expiresAtSeconds] of destroyed) this.#destroyed.set(id, expiresAtSeconds);
  }

  #nowSeconds(): number {
    return Math.floor(this.#options.nowMs() / 1000);
  }
}
