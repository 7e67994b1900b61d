// The tokens of an accounts server: sessions, and those that are good for one step. A client shows
// a token's id as a bearer, or signs with the token's key as the older ones do (Hawk). The server
// forgets the token itself and keeps what is derived from it.

import { type Account, type Call, problem } from './account-call.ts';
import type { AccountDevice } from './account-devices.ts';
import { isSignedBy, readHawk } from './hawk.ts';
import { authorization } from './http.ts';
import { BEARER_PREFIX, type TokenKind, tokenKeys } from './onepw.ts';

interface Token {
  /** What the client shows: 64 hex digits. */
  readonly id: string;
  readonly kind: TokenKind;
  readonly account: Account;
  readonly hawkKey: Buffer;
  readonly bundleKey: Buffer;
  readonly createdAtMs: number;
  usedAtMs: number;
  /** What a session says that it runs on. */
  device: AccountDevice | null;
}

/** A token as it is kept; keys are hex digits. */
export interface KeptToken
  extends Pick<Token, 'id' | 'kind' | 'createdAtMs' | 'usedAtMs' | 'device'> {
  readonly email: string;
  readonly hawkKey: string;
  readonly bundleKey: string;
}

/** Of what is good for one step, as Firefox Accounts: until then the step is taken, or is not. */
const STEP_LIFE_MS = 15 * 60 * 1000;
/** Of a session that is no device's and that nobody uses. */
const UNUSED_LIFE_MS = 365 * 24 * 3600 * 1000;

/** When a token ends by itself; null: it does not. */
export function tokenEndMs({
  kind,
  createdAtMs,
  usedAtMs,
  device,
}: Pick<Token, 'kind' | 'createdAtMs' | 'usedAtMs' | 'device'>): number | null {
  if (kind !== 'sessionToken') return createdAtMs + STEP_LIFE_MS;
  return device === null ? usedAtMs + UNUSED_LIFE_MS : null;
}

/** As Firefox Accounts. */
const CLOCK_SKEW_MAX_MS = 60 * 1000;

export class AccountTokens {
  readonly #options: { nowMs(): number; random(count: number): Uint8Array };
  readonly #tokens = new Map<string, Token>();

  constructor(options: { nowMs(): number; random(count: number): Uint8Array }) {
    this.#options = options;
  }

  /** The new token: 64 hex digits. */
  issue(kind: TokenKind, account: Account): string {
    const bytes = this.#options.random(32);
    const nowMs = this.#options.nowMs();
    const times = { createdAtMs: nowMs, usedAtMs: nowMs };
    const keys = tokenKeys(bytes, kind);
    this.#tokens.set(keys.id, { ...keys, kind, account, ...times, device: null });
    return Buffer.from(bytes).toString('hex');
  }

  /** The token that a request proves to have. Errors: HttpError 401, errno 109, 110 or 111. */
  prove({ request, url, text }: Pick<Call, 'request' | 'url' | 'text'>, kind: TokenKind): Token {
    const { scheme, value } = authorization(request);
    const attributes = readHawk(scheme === 'hawk' ? value : '');
    const bearer = scheme === 'bearer' ? value.replace(BEARER_PREFIX[kind], '') : '';
    const token = this.#tokens.get(attributes.get('id') ?? bearer);
    const nowMs = this.#options.nowMs();
    if (token?.kind !== kind || !this.#isGood(token))
      throw problem(401, 110, 'Invalid authentication token in request signature');
    if (scheme === 'hawk') {
      if (Math.abs(nowMs - Number(attributes.get('ts')) * 1000) > CLOCK_SKEW_MAX_MS) {
        const serverTime = Math.floor(nowMs / 1000);
        throw problem(401, 111, 'Invalid timestamp in request signature', { serverTime });
      }
      const contentType = request.headers.get('content-type') ?? '';
      const { method } = request;
      const signed = { method, url, contentType, body: Buffer.from(text) };
      if (!isSignedBy(signed, attributes, token.hawkKey, nowMs))
        throw problem(401, 109, 'Invalid request signature');
    }
    token.usedAtMs = nowMs;
    return token;
  }

  /** One-step tokens end where they are used. */
  end(id: string): void {
    this.#tokens.delete(id);
  }

  endAll(account: Account): void {
    for (const [id, token] of this.#tokens) if (token.account === account) this.#tokens.delete(id);
  }

  /** The account's sessions, oldest first. */
  sessions(account: Account): readonly Token[] {
    return [...this.#tokens.values()].filter(
      (token) => token.account === account && token.kind === 'sessionToken' && this.#isGood(token),
    );
  }

  /** All that are good. */
  kept(): readonly KeptToken[] {
    const good = [...this.#tokens.values()].filter((token) => this.#isGood(token));
    return good.map(({ account, hawkKey, bundleKey, ...token }) => ({
      ...{ ...token, email: account.email },
      ...{ hawkKey: hawkKey.toString('hex'), bundleKey: bundleKey.toString('hex') },
    }));
  }

  #isGood(token: Token): boolean {
    return (tokenEndMs(token) ?? Number.POSITIVE_INFINITY) > this.#options.nowMs();
  }

  /** Takes what `kept` gave, in the place of what is there. */
  restore(tokens: readonly KeptToken[], accountOf: (email: string) => Account): void {
    this.#tokens.clear();
    for (const { email, hawkKey, bundleKey, ...token } of tokens) {
      const keys = {
        hawkKey: Buffer.from(hawkKey, 'hex'),
        bundleKey: Buffer.from(bundleKey, 'hex'),
      };
      this.#tokens.set(token.id, { ...token, ...keys, account: accountOf(email) });
    }
  }
}
