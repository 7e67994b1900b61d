// The refresh tokens of the accounts server and the device that each stands for. One that is
// changed for another with more rights gives it its device, and ends.

import { createHash } from 'node:crypto';
import type { Grant } from './access-tokens.ts';
import { type Account, type Body, problem } from './account-call.ts';
import { type AccountDevice, checkedDevice } from './account-devices.ts';
import { OLDSYNC_SCOPE } from './onepw.ts';

interface RefreshGrant extends Grant {
  device: AccountDevice | null;
  readonly createdAtMs: number;
  usedAtMs: number;
}

export interface KeptGrant extends Omit<RefreshGrant, 'account'> {
  readonly token: string;
  readonly email: string;
}

interface RefreshTokenOptions {
  nowMs(): number;
  random(count: number): Uint8Array;
}

export class RefreshTokens {
  readonly #options: RefreshTokenOptions;
  readonly #grants = new Map<string, RefreshGrant>();

  constructor(options: RefreshTokenOptions) {
    this.#options = options;
  }

  /** The new token: 64 hex digits. */
  issue({ account, clientId, scope }: Grant, device: AccountDevice | null = null): string {
    const token = this.#randomHex(32);
    const nowMs = this.#options.nowMs();
    const times = { createdAtMs: nowMs, usedAtMs: nowMs };
    this.#grants.set(token, { account, clientId, scope, device, ...times });
    return token;
  }

  get(token: string): RefreshGrant | undefined {
    return this.#grants.get(token);
  }

  /** What a token grants, which is used now. Errors: HttpError 400, errno 108. */
  use(token: string, clientId: string): RefreshGrant {
    const grant = this.#grants.get(token);
    if (grant?.clientId !== clientId) throw problem(400, 108, 'Invalid token');
    grant.usedAtMs = this.#options.nowMs();
    return grant;
  }

  /** Whether there was such a token. */
  destroy(token: string): boolean {
    return this.#grants.delete(token);
  }

  destroyAll(account: Account): void {
    for (const [token, grant] of this.#grants)
      if (grant.account === account) this.#grants.delete(token);
  }

  /** All of an account, oldest first. */
  of(account: Account): readonly (RefreshGrant & { readonly token: string })[] {
    return [...this.#grants].flatMap(([token, grant]) =>
      grant.account === account ? { ...grant, token } : [],
    );
  }

  /**
   * Who holds the token says what it is, the first time or again. Errors: HttpError 400, 401.
   */
  registerDevice(token: string, body: Body): AccountDevice {
    const grant = this.#grants.get(token);
    if (!grant?.scope.split(' ').includes(OLDSYNC_SCOPE))
      throw problem(401, 110, 'Invalid authentication token in request signature');
    const before = grant.device ?? { id: this.#randomHex(16), name: '', type: 'mobile' };
    grant.device = checkedDevice(body, before);
    return grant.device;
  }

  /** What a restart must not forget. */
  kept(): readonly KeptGrant[] {
    return Array.from(this.#grants, ([token, { account, ...grant }]) => ({
      ...{ ...grant, token, email: account.email },
    }));
  }

  /** Takes what `kept` gave, in the place of what is there. */
  restore(grants: readonly KeptGrant[], accountOf: (email: string) => Account): void {
    this.#grants.clear();
    for (const { token, email, ...grant } of grants)
      this.#grants.set(token, { ...grant, account: accountOf(email) });
  }

  #randomHex(count: number): string {
    return Buffer.from(this.#options.random(count)).toString('hex');
  }
}

/** By which others may name a token, who must not be able to use it. */
export function refreshTokenId(token: string): string {
  return createHash('sha256').update(Buffer.from(token, 'hex')).digest('hex');
}
