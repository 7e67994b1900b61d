// Sign-in for a device without a keyboard: a companion (a phone, a PC) opens a page of the accounts
// server in its browser, and what it brings back, a code, is worth nothing without this device. Two
// secrets never leave the device: the verifier that the server wants with the code (PKCE), and the
// private key that the account's key is sealed for. Nobody who sees the page's address or the code
// can use either.
// Sources: RFC 6749 (4.1), RFC 7636, Firefox Accounts "Scoped keys" (`keys_jwk`, `keys_jwe`).

import { decodeBase64, encodeBase64 } from '../../crypto/bytes.ts';
import { openJwe } from '../../crypto/jwe.ts';
import { ecPublicKey } from '../../crypto/p256.ts';
import { sha256 } from '../../crypto/sha256.ts';
import { encodeUtf8 } from '../../crypto/utf8.ts';
import type { SyncKeyJwk } from '../../platform/ports.ts';
import { badInput, badResponse, fromPort, SyncError } from '../errors.ts';
import { member, parseDocument } from '../wire/document.ts';
import { OLDSYNC_SCOPE, readScopedKey, type SignedIn } from './credentials.ts';
import type { AccountsServer, SignInDevice } from './server.ts';
import { type Granted, requestTokens, revokeToken, signedIn, type TokenClient } from './tokens.ts';

export interface SignInRequest {
  readonly server: AccountsServer;
  /** As it is registered at the accounts server: a public client that may have keys. */
  readonly clientId: string;
  /** One of those that are registered for the client. */
  readonly redirectUrl: string;
}

interface SignInStart {
  /** For the companion's browser; fits a QR code. */
  readonly url: string;
  /** Names this sign-in; comes back beside the code. */
  readonly state: string;
  readonly secret: SignInSecret;
}

/** Plain JSON for the platform to seal until the code comes; nobody else may see it. */
interface SignInSecret extends TokenClient {
  readonly state: string;
  readonly verifier: string;
  readonly privateKey: string;
}

/** What the companion brings back. */
export interface SignInCode {
  readonly code: string;
  readonly state: string;
}

/**
 * Makes the secrets of one sign-in and the page that leads to its code. Errors: `deviceFailed`
 * (poor randomness).
 */
export async function beginSignIn(
  device: SignInDevice,
  { server, clientId, redirectUrl }: SignInRequest,
): Promise<SignInStart> {
  const drawn = device.entropy.random(3 * SECRET_BYTES);
  const [privateKey, verifier, state] = [0, 1, 2].map((part) =>
    encodeBase64(drawn.subarray(part * SECRET_BYTES, (part + 1) * SECRET_BYTES), 'url'),
  ) as [string, string, string];
  // The state is for everybody to see.
  if (drawn.length !== 3 * SECRET_BYTES || privateKey === state || verifier === state) {
    throw new SyncError('deviceFailed', 'the random source is broken');
  }
  const publicKey = await ecPublicKey(bytesOf(privateKey), () => device.clock.pause()).catch(
    (error) => {
      throw fromPort(error);
    },
  );
  const query = [
    ['client_id', clientId],
    ['redirect_uri', redirectUrl],
    ['scope', OLDSYNC_SCOPE],
    ['state', state],
    ['response_type', 'code'],
    ['access_type', 'offline'],
    ['action', 'email'],
    ['code_challenge_method', 'S256'],
    ['code_challenge', encodeBase64(sha256(encodeUtf8(verifier)), 'url')],
    ['keys_jwk', encodeBase64(encodeUtf8(JSON.stringify(publicKey)), 'url')],
  ].map(([name, value]) => `${name}=${encodeURIComponent(value as string)}`);
  const url = `${server.pageUrl}/authorization?${query.join('&')}`;
  return { url, state, secret: { apiUrl: server.apiUrl, clientId, state, verifier, privateKey } };
}

/**
 * Changes the code for tokens and opens the key. `knownKid`: of a key that the device had before.
 * Errors: `badInput` (the code is not of this sign-in), `unauthorized` (the server refused it:
 * begin again), `keyMismatch` (the key does not open, or is an old one), those of `requestTokens`.
 */
export async function finishSignIn(
  device: SignInDevice,
  secret: SignInSecret,
  { code, state }: SignInCode,
  knownKid?: string,
): Promise<SignedIn> {
  if (state !== secret.state) throw badInput('state: not that of this sign-in');
  if (typeof code !== 'string' || !CODE.test(code))
    throw badInput('code: not one of an accounts server');
  const grant = { grant_type: 'authorization_code', code, code_verifier: secret.verifier };
  const tokens = await requestTokens(device, secret, grant, 'unauthorized');
  try {
    return signedIn(tokens, await openKey(device, secret, tokens, knownKid));
  } catch (error) {
    // A token of no use is given back. Should that fail: only what is no port's error is thrown
    // again.
    const { refreshToken } = tokens;
    if (refreshToken !== null) await revokeToken(device, secret, refreshToken).catch(fromPort);
    throw fromPort(error);
  }
}

/** The code in the address that the companion's browser ended at; null when there is none in it. */
export function readRedirect(url: string): SignInCode | null {
  const [code, state] = ['code', 'state'].map(
    (name) => new RegExp(`[?&]${name}=([\\w.~-]{1,512})(?:[&#]|$)`).exec(url)?.[1],
  );
  return code === undefined || state === undefined ? null : { code, state };
}

const SECRET_BYTES = 32;
const CODE = /^[\w.~-]{1,512}$/;

async function openKey(
  device: SignInDevice,
  { privateKey }: SignInSecret,
  { keysJwe }: Granted,
  knownKid?: string,
): Promise<SyncKeyJwk> {
  if (keysJwe === null) throw badResponse('token: keys_jwe is missing');
  const opened = await openJwe(keysJwe, bytesOf(privateKey), () => device.clock.pause());
  if (!opened.ok) throw new SyncError('keyMismatch', `keys_jwe does not open: ${opened.code}`);
  return readScopedKey(member(parseDocument(opened.text), OLDSYNC_SCOPE), knownKid);
}

function bytesOf(text: string): Uint8Array {
  return decodeBase64(text, 'url') ?? new Uint8Array(0);
}
