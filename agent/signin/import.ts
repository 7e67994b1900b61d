// Sign-in with what another device of the same user hands over: a refresh token and the scoped key.
// The token is tried at once, so that what is imported is known to work; the key is checked first.

import { badInput, SyncError } from '../errors.ts';
import { member, parseDocument } from '../wire/document.ts';
import { readScopedKey, type SignedIn } from './credentials.ts';
import type { SignInDevice } from './server.ts';
import { refreshAccessToken, signedIn, type TokenClient } from './tokens.ts';

/**
 * `json`: `{"refresh_token": "...", "key": {"kty": "oct", "kid": "...", "k": "..."}}`. The token
 * must have been given to the same client id. `knownKid`: of a key that the device has or had.
 * Errors: `badInput`, `keyMismatch`, `signedOut` (the token is worth nothing any more), those of
 * `requestTokens`.
 */
export async function importSignIn(
  device: SignInDevice,
  client: TokenClient,
  json: string,
  knownKid?: string,
): Promise<SignedIn> {
  if (json.length > JSON_CHARS_MAX) throw badInput('import: too long');
  const body = parse(json);
  const refreshToken = member(body, 'refresh_token');
  if (typeof refreshToken !== 'string' || refreshToken === '') {
    throw badInput('import: refresh_token is missing');
  }
  const key = readScopedKey(member(body, 'key'), knownKid);
  return signedIn(await refreshAccessToken(device, client, refreshToken), key);
}

const JSON_CHARS_MAX = 16_384;

function parse(json: string): unknown {
  try {
    return parseDocument(json);
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    throw badInput('import: not JSON');
  }
}
