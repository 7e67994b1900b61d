// Sign-in with email and password (onepw), for accounts servers of one's own: the server must let
// this client ask for tokens without a page. Of the password only what the protocol derives leaves
// the device, and nothing of it stays there. A session is ended when there is a refresh token, or
// an error; who needs no more than a session keeps that.
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
import { encodeUtf8, isWellFormed } from '../../crypto/utf8.ts';
import type { SyncKeyJwk } from '../../platform/ports.ts';
import { badInput, badResponse, fromPort, SyncError } from '../errors.ts';
import { member } from '../wire/document.ts';
import { OLDSYNC_SCOPE, readScopedKey, type SignedIn } from './credentials.ts';
import { accepted, exchange, type SignInDevice } from './server.ts';
import { requestTokens, signedIn, type TokenClient } from './tokens.ts';

export interface PasswordUser extends Pick<TokenClient, 'apiUrl'> {
  readonly email: string;
  readonly password: string;
  /**
   * PBKDF2 with HMAC-SHA256, 32 bytes, by means of the device. Accounts of version 2 need it: their
   * 650,000 rounds take an interpreter ten minutes.
   */
  readonly pbkdf2?: (password: Uint8Array, salt: Uint8Array, rounds: number) => Promise<Uint8Array>;
}

type PasswordSignIn = PasswordUser & TokenClient;

/**
 * Takes an interpreter about a second. `knownKid`: of a key that the device had before.
 * Errors: `unauthorized` (wrong password, unknown account, a client that may not do this),
 * `unverified` (a message in the user's mail waits for an answer, or the account wants a second
 * factor), `keyMismatch`, `badInput` (also an account of version 2 without `pbkdf2`), those of
 * `requestTokens`.
 */
export async function signInWithPassword(
  device: SignInDevice,
  request: PasswordSignIn,
  knownKid?: string,
): Promise<SignedIn> {
  const session = await openSession(device, request);
  try {
    if (session.unconfirmed !== null) throw session.unconfirmed;
    const key = readScopedKey(await scopedKey(device, request, session), knownKid);
    const grant = { grant_type: 'fxa-credentials', scope: OLDSYNC_SCOPE, access_type: 'offline' };
    const tokens = await requestTokens(device, request, grant, 'unauthorized', session.bearer);
    return signedIn(tokens, key);
  } finally {
    await endSession(device, request, session);
  }
}

/** Whatever is answered, or nothing: only what is no port's error is thrown. */
export async function endSession(
  device: SignInDevice,
  { apiUrl }: Pick<TokenClient, 'apiUrl'>,
  { bearer }: Pick<Session, 'bearer'>,
): Promise<void> {
  await exchange(device, `${apiUrl}/v1/session/destroy`, { json: {}, bearer }).catch(fromPort);
}

/** What it still lacks is for the caller to look at. Errors: see above. */
export async function openSession(device: SignInDevice, user: PasswordUser): Promise<Session> {
  if (!isWellFormed(user.email + user.password)) {
    throw badInput('email or password: half a surrogate pair');
  }
  return login(device, user, await saltOf(device, user), user.email);
}

interface Session {
  readonly bearer: string;
  readonly uid: unknown;
  readonly keyFetch: TokenKeys;
  readonly unwrapBKey: Uint8Array;
  /** What it still lacks. */
  readonly unconfirmed: SyncError | null;
}

/**
 * Says that the address is known in other letters, and in which: the password is stretched with
 * those.
 */
const OTHER_LETTERS_ERRNO = 120;
const REFUSALS: ReadonlyMap<unknown, string> = new Map([
  [102, 'there is no account with this address'],
  [103, 'the password is wrong'],
]);

async function login(
  device: SignInDevice,
  request: PasswordUser,
  salt: string | null,
  email: string,
): Promise<Session> {
  const { authPW, unwrapBKey } = passwordKeys(await stretched(device, request, salt, email));
  const json = { email, originalLoginEmail: request.email, authPW: encodeHex(authPW) };
  const url = `${request.apiUrl}/v1/account/login?keys=true`;
  const answered = await exchange(device, url, { json });
  const { body } = answered;
  const known = member(body, 'email');
  const isFirst = email === request.email;
  if (member(body, 'errno') === OTHER_LETTERS_ERRNO && isFirst && isSame(known, email)) {
    return login(device, request, salt, known);
  }
  const refusal = REFUSALS.get(member(body, 'errno'));
  if (refusal !== undefined) throw new SyncError('unauthorized', `login: ${refusal}`);
  accepted(answered, 'login', 'unauthorized');
  const session = tokenKeys(tokenOf(body, 'sessionToken'), 'sessionToken');
  const keyFetch = tokenKeys(tokenOf(body, 'keyFetchToken'), 'keyFetchToken');
  return {
    bearer: `fxs_${encodeHex(session.id)}`,
    uid: member(body, 'uid'),
    keyFetch,
    unwrapBKey,
    unconfirmed: member(body, 'verified') === false ? unconfirmed(body) : null,
  };
}

function unconfirmed(body: unknown): SyncError {
  const isSecondFactor = member(body, 'verificationMethod') === 'totp-2fa';
  return new SyncError(
    'unverified',
    isSecondFactor
      ? 'login: the account wants a second factor, which only its page in a browser can take'
      : 'login: the accounts server waits for a confirmation by mail',
  );
}

async function stretched(
  { clock }: SignInDevice,
  { password, pbkdf2 }: PasswordUser,
  salt: string | null,
  email: string,
): Promise<Uint8Array> {
  if (salt === null) return stretchPassword(email, password, () => clock.pause());
  if (pbkdf2 === undefined) {
    throw badInput('login: this password takes too long here: use a companion');
  }
  return pbkdf2(encodeUtf8(password), encodeUtf8(salt), V2_ROUNDS);
}

const V2_ROUNDS = 650_000;
const V2_SALT = /^identity\.mozilla\.com\/picl\/v1\/quickStretchV2:[\da-f]{32}$/;

/** Of an account of version 2; null for version 1, which is all that some servers know. */
async function saltOf(
  device: SignInDevice,
  { apiUrl, email }: PasswordUser,
): Promise<string | null> {
  const url = `${apiUrl}/v1/account/credentials/status`;
  const { status, body } = await exchange(device, url, { json: { email } });
  if (status !== 200 || member(body, 'currentVersion') !== 'v2') return null;
  const salt = member(body, 'clientSalt');
  if (typeof salt === 'string' && V2_SALT.test(salt)) return salt;
  throw badResponse('credentials: clientSalt is not of version 2');
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
  if (kB === null) throw badResponse('keys: the bundle is damaged');
  const json = { client_id: clientId, scope: OLDSYNC_SCOPE };
  const dataUrl = `${apiUrl}/v1/account/scoped-key-data`;
  const answered = await exchange(device, dataUrl, { json, bearer });
  const data = member(accepted(answered, 'scoped-key-data', 'unauthorized'), OLDSYNC_SCOPE);
  const keysChangedAtMs = member(data, 'keyRotationTimestamp');
  if (!Number.isSafeInteger(keysChangedAtMs) || !(Number(keysChangedAtMs) > 0)) {
    throw badResponse('scoped-key-data: keyRotationTimestamp is no time');
  }
  return scopedSyncKey(encodeHex(kB), Number(keysChangedAtMs));
}

function tokenOf(body: unknown, name: string): Uint8Array {
  return bytesOf(body, name, 32);
}

function bytesOf(body: unknown, name: string, length: number): Uint8Array {
  const text = member(body, name);
  const bytes = typeof text === 'string' ? decodeHex(text) : null;
  if (bytes?.length !== length) throw badResponse(`${name}: not ${length} bytes`);
  return bytes;
}

function isSame(known: unknown, email: string): known is string {
  return typeof known === 'string' && known.toLowerCase() === email.toLowerCase();
}
