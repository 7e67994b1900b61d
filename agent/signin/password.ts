// Sign-in with email and password (onepw, version 1), for accounts servers of one's own: the server must let
// this client ask for tokens without a page. Of the password only what the protocol derives leaves the device,
// and nothing of it stays there: the session is ended when there is a refresh token, or an error.
// Source: Firefox Accounts, "onepw protocol", and its auth server's API.

import { decodeHex, encodeHex } from '../../crypto/bytes.ts';
import {
  openKeyBundle,
  passwordKeys,
  scopedSyncKey,
  stretchPassword,
  type TokenKeys,
  tokenKeys,
} from '../../crypto/onepw.ts';
import { isWellFormed } from '../../crypto/utf8.ts';
import type { SyncKeyJwk } from '../../platform/ports.ts';
import { fromPort, SyncError } from '../errors.ts';
import { member } from '../remotes/listing.ts';
import { OLDSYNC_SCOPE, readScopedKey, type SignedIn } from './credentials.ts';
import { accepted, exchange, type SignInDevice } from './server.ts';
import { requestTokens, signedIn, type TokenClient } from './tokens.ts';

export interface PasswordSignIn extends TokenClient {
  readonly email: string;
  readonly password: string;
}

/**
 * Takes an interpreter about a second. `knownKid`: of a key that the device had before.
 * Errors: `unauthorized` (wrong password, unknown account, a client that may not do this), `unverified` (a message
 * in the user's mail waits for an answer), `keyMismatch`, `badInput`, those of `requestTokens`.
 */
export async function signInWithPassword(
  device: SignInDevice,
  request: PasswordSignIn,
  knownKid?: string,
): Promise<SignedIn> {
  if (!isWellFormed(request.email + request.password)) {
    throw new SyncError('badInput', 'email or password: half a surrogate pair');
  }
  const session = await login(device, request, request.email);
  try {
    const key = readScopedKey(await scopedKey(device, request, session), knownKid);
    const grant = { grant_type: 'fxa-credentials', scope: OLDSYNC_SCOPE, access_type: 'offline' };
    const tokens = await requestTokens(device, request, grant, 'unauthorized', session.bearer);
    return signedIn(tokens, key);
  } finally {
    // An answer of any kind will do, and none as well: only what is no port's error is thrown again.
    const { bearer } = session;
    const url = `${request.apiUrl}/v1/session/destroy`;
    await exchange(device, url, { json: {}, bearer }).catch(fromPort);
  }
}

interface Session {
  readonly bearer: string;
  readonly keyFetch: TokenKeys;
  readonly unwrapBKey: Uint8Array;
}

/** Says that the address is known in other letters, and in which: the password is stretched with those. */
const OTHER_LETTERS_ERRNO = 120;

async function login(
  device: SignInDevice,
  request: PasswordSignIn,
  email: string,
): Promise<Session> {
  const pause = () => device.clock.pause();
  const stretched = await stretchPassword(email, request.password, pause);
  const { authPW, unwrapBKey } = passwordKeys(stretched);
  const json = { email, originalLoginEmail: request.email, authPW: encodeHex(authPW) };
  const url = `${request.apiUrl}/v1/account/login?keys=true`;
  const answered = await exchange(device, url, { json });
  const { body } = answered;
  const known = member(body, 'email');
  const isFirst = email === request.email;
  if (member(body, 'errno') === OTHER_LETTERS_ERRNO && isFirst && isSame(known, email)) {
    return login(device, request, known);
  }
  accepted(answered, 'login', 'unauthorized');
  if (member(body, 'verified') === false) {
    throw new SyncError('unverified', 'login: the accounts server waits for a confirmation');
  }
  const session = tokenKeys(tokenOf(body, 'sessionToken'), 'sessionToken');
  const keyFetch = tokenKeys(tokenOf(body, 'keyFetchToken'), 'keyFetchToken');
  return { bearer: `fxs_${encodeHex(session.id)}`, keyFetch, unwrapBKey };
}

async function scopedKey(
  device: SignInDevice,
  { apiUrl, clientId }: TokenClient,
  { bearer, keyFetch, unwrapBKey }: Session,
): Promise<SyncKeyJwk> {
  const fetched = await exchange(device, `${apiUrl}/v1/account/keys`, {
    bearer: `fxk_${encodeHex(keyFetch.id)}`,
  });
  const bundle = bytesOf(accepted(fetched, 'keys', 'unauthorized'), 'bundle', 96);
  const kB = openKeyBundle(keyFetch.bundleKey, bundle, unwrapBKey);
  if (kB === null) throw new SyncError('badResponse', 'keys: the bundle is damaged');
  const json = { client_id: clientId, scope: OLDSYNC_SCOPE };
  const dataUrl = `${apiUrl}/v1/account/scoped-key-data`;
  const answered = await exchange(device, dataUrl, { json, bearer });
  const data = member(accepted(answered, 'scoped-key-data', 'unauthorized'), OLDSYNC_SCOPE);
  const keysChangedAtMs = member(data, 'keyRotationTimestamp');
  if (!Number.isSafeInteger(keysChangedAtMs) || !(Number(keysChangedAtMs) > 0)) {
    throw new SyncError('badResponse', 'scoped-key-data: keyRotationTimestamp is no time');
  }
  return scopedSyncKey(encodeHex(kB), Number(keysChangedAtMs));
}

function tokenOf(body: unknown, name: string): Uint8Array {
  return bytesOf(body, name, 32);
}

function bytesOf(body: unknown, name: string, length: number): Uint8Array {
  const text = member(body, name);
  const bytes = typeof text === 'string' ? decodeHex(text) : null;
  if (bytes?.length !== length) throw new SyncError('badResponse', `${name}: not ${length} bytes`);
  return bytes;
}

function isSame(known: unknown, email: string): known is string {
  return typeof known === 'string' && known.toLowerCase() === email.toLowerCase();
}
