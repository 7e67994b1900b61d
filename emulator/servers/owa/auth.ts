// The value of the Authorization header that verify gives: who it is for is sealed in it, so that
// any process takes it and none remembers it. In the second half of its life an answer brings a new
// one, until the login itself is too long ago.

import { IV_BYTES, seal, unseal } from '../sealed.ts';
import type { StorageSecret } from '../storage-token.ts';

export interface AuthOptions {
  readonly secret: StorageSecret;
  nowMs(): number;
  random(count: number): Uint8Array;
  /** Life of one value; a day by default. */
  readonly authSeconds?: number;
  /** How long new ones come without a new login; 30 days by default. */
  readonly loginSeconds?: number;
}

interface Holder {
  /** As the document is named. */
  readonly user: string;
  readonly loginMs: number;
  readonly expiresMs: number;
}

const LABEL = 'kitsync/owa/v1/auth';
const PREFIX = 'OWA ';
const AUTH_SECONDS = 86_400;
const LOGIN_SECONDS = 30 * 86_400;

/** For who has just logged in. */
export function newAuth(user: string, options: AuthOptions): string {
  return sealed(user, options.nowMs(), options);
}

/** Whose a header is; null: nobody's, or no longer. */
export function holderOf(header: string | null, options: AuthOptions): Holder | null {
  if (!header?.startsWith(PREFIX)) return null;
  const holder = unseal(options.secret, LABEL, header.slice(PREFIX.length)) as Holder | null;
  return holder !== null && holder.expiresMs > options.nowMs() ? holder : null;
}

/** The value that is to be used from now on; null: it is not time yet, or there is none. */
export function renewed({ user, loginMs, expiresMs }: Holder, options: AuthOptions): string | null {
  const { authSeconds = AUTH_SECONDS, loginSeconds = LOGIN_SECONDS } = options;
  const isYoung = options.nowMs() < expiresMs - authSeconds * 500;
  const isLast = expiresMs >= loginMs + loginSeconds * 1_000;
  return isYoung || isLast ? null : sealed(user, loginMs, options);
}

function sealed(user: string, loginMs: number, options: AuthOptions): string {
  const { authSeconds = AUTH_SECONDS, loginSeconds = LOGIN_SECONDS } = options;
  const endMs = loginMs + loginSeconds * 1_000;
  const expiresMs = Math.min(options.nowMs() + authSeconds * 1_000, endMs);
  const holder: Holder = { user, loginMs, expiresMs };
  return PREFIX + seal(options.secret, LABEL, holder, options.random(IV_BYTES));
}
