// The token endpoint of an accounts server: grants become an access token and, once, a refresh
// token. What comes back is checked before anybody uses it. Errors name what was asked and never
// hold a token.
// Source: RFC 6749 (5.1, 6), RFC 7009, and the auth server of Firefox Accounts.

import type { SyncKeyJwk } from '../../platform/ports.ts';
import { badResponse, SyncError, type SyncErrorCode } from '../errors.ts';
import { member } from '../wire/document.ts';
import { OLDSYNC_SCOPE, type SignedIn, uidOf } from './credentials.ts';
import { accepted, exchange, type SignInDevice } from './server.ts';

/** Who asks, and where: the accounts server's `apiUrl`. */
export interface TokenClient {
  readonly apiUrl: string;
  readonly clientId: string;
}

export interface Granted {
  readonly accessToken: string;
  /** By the device's clock. */
  readonly expiresAtMs: number;
  /** Null when the server gave none. */
  readonly refreshToken: string | null;
  readonly keysJwe: string | null;
}

/**
 * Changes a grant for tokens. `bearer`: of the session that grants, if one does.
 * Errors: `refusedCode`, `unverified`, `backoff`, `unavailable`, `badResponse`, those of the
 * network.
 */
export async function requestTokens(
  device: SignInDevice,
  { apiUrl, clientId }: TokenClient,
  grant: { readonly grant_type: string; readonly [name: string]: string },
  refusedCode: SyncErrorCode,
  bearer?: string,
): Promise<Granted> {
  const json = { client_id: clientId, ...grant };
  const answered = await exchange(device, `${apiUrl}/v1/oauth/token`, { json, bearer });
  return granted(accepted(answered, grant.grant_type, refusedCode), device.clock.nowMs());
}

/**
 * A new access token, for Sync and nothing else. `refreshToken` is the old one, or its successor.
 * Errors: `signedOut` (the server took the sign-in back), those of `requestTokens`.
 */
export async function refreshAccessToken(
  device: SignInDevice,
  client: TokenClient,
  refreshToken: string,
): Promise<Granted & { readonly refreshToken: string }> {
  const grant = {
    grant_type: 'refresh_token',
    refresh_token: refreshToken,
    scope: OLDSYNC_SCOPE,
  };
  const tokens = await requestTokens(device, client, grant, 'signedOut');
  return { ...tokens, refreshToken: tokens.refreshToken ?? refreshToken };
}

/** Gives a refresh token back, as signing out does. Errors: those of `requestTokens`. */
export async function revokeToken(
  device: SignInDevice,
  { apiUrl, clientId }: TokenClient,
  token: string,
): Promise<void> {
  const json = { client_id: clientId, token, token_type_hint: 'refresh_token' };
  const answered = await exchange(device, `${apiUrl}/v1/oauth/destroy`, { json });
  accepted(answered, 'destroy', 'unauthorized');
}

/** What a sign-in ends with. Errors: `badResponse` without a refresh token. */
export function signedIn(tokens: Granted, key: SyncKeyJwk): SignedIn {
  const { accessToken, expiresAtMs, refreshToken } = tokens;
  if (refreshToken === null) throw badResponse('token: refresh_token is missing');
  return { uid: uidOf(accessToken, key), refreshToken, accessToken, expiresAtMs, key };
}

/** Fits a header, and is no more than a server may ask a small device to keep. */
const TOKEN = /^[!-~]{1,4096}$/;
/** 366 days. A plain number, or a bundler keeps it where nothing else of this file is. */
const LIFE_SECONDS_MAX = 31_622_400;

function granted(body: unknown, nowMs: number): Granted {
  const accessToken = member(body, 'access_token');
  const lifeSeconds = member(body, 'expires_in');
  const refreshToken = member(body, 'refresh_token') ?? null;
  const keysJwe = member(body, 'keys_jwe') ?? null;
  const scope = member(body, 'scope');
  if (typeof accessToken !== 'string' || !TOKEN.test(accessToken)) {
    throw badResponse('token: access_token is missing');
  }
  if (typeof lifeSeconds !== 'number' || !(lifeSeconds > 0)) {
    throw badResponse('token: expires_in is no time');
  }
  if (refreshToken !== null && (typeof refreshToken !== 'string' || !TOKEN.test(refreshToken))) {
    throw badResponse('token: refresh_token is no token');
  }
  if (typeof scope === 'string' && !scope.split(' ').includes(OLDSYNC_SCOPE)) {
    throw new SyncError('unauthorized', 'token: access to Sync was not granted');
  }
  return {
    accessToken,
    refreshToken,
    expiresAtMs: nowMs + Math.floor(Math.min(lifeSeconds, LIFE_SECONDS_MAX) * 1000),
    keysJwe: typeof keysJwe === 'string' ? keysJwe : null,
  };
}
