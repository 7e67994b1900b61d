// What a sign-in leaves on the device: a refresh token, and the key of the account's Sync data.
// The platform keeps it sealed. A key that is older than one already seen is refused: whoever
// brings it was signed out by a reset of the password, and its data with it.
// Source: Firefox Accounts, "Scoped keys".

import { decodeBase64, textOfCodes } from '../../crypto/bytes.ts';
import { jsonOf } from '../../crypto/engine.ts';
import { clientState, syncKeyBundle } from '../../crypto/keys.ts';
import type { SyncKey, SyncKeyJwk } from '../../platform/ports.ts';
import { fromPort, SyncError } from '../errors.ts';
import { member } from '../wire/document.ts';

export const OLDSYNC_SCOPE = 'https://identity.mozilla.com/apps/oldsync';

/** Plain JSON, all of it secret. */
export interface Credentials {
  /** Names the account, always by the same text. */
  readonly uid: string;
  readonly refreshToken: string;
  readonly key: SyncKeyJwk;
  /**
   * This device's id at the accounts server, once it has registered there with this refresh token.
   */
  readonly deviceId?: string;
}

/** Fresh credentials with the access token that came along. */
export interface SignedIn extends Credentials {
  readonly accessToken: string;
  /** By the device's clock. */
  readonly expiresAtMs: number;
}

/**
 * A scoped key from outside, checked. `knownKid`: of the key that the device has or had.
 * Errors: `keyMismatch` (no key for Sync, or older than the known one).
 */
export function readScopedKey(jwk: unknown, knownKid = ''): SyncKeyJwk {
  const [kty, kid, k, scope] = ['kty', 'kid', 'k', 'scope'].map((name) => member(jwk, name));
  if (kty !== 'oct' || typeof kid !== 'string' || typeof k !== 'string') {
    throw new SyncError('keyMismatch', 'scoped key: kty, kid or k is missing');
  }
  if (scope !== undefined && scope !== OLDSYNC_SCOPE) {
    throw new SyncError('keyMismatch', 'scoped key: it is for another scope');
  }
  const key: SyncKeyJwk = { kty, kid, k };
  try {
    syncKeyBundle(key);
    clientState(key);
  } catch (error) {
    throw fromPort(error);
  }
  if (kid < knownKid) {
    throw new SyncError('keyMismatch', 'scoped key: its kid is older than the known one');
  }
  return key;
}

/**
 * A name of the account that stays the same from one sign-in to the next: the subject of an access
 * token that is a JWT (read, not believed: it decides nothing but whose data this is), else the
 * client state of the key.
 */
export function uidOf(accessToken: string, key: SyncKey): string {
  const payload = decodeBase64(accessToken.split('.', 3)[1] ?? '', 'url') ?? new Uint8Array(0);
  // An opaque token, which is no JWT, says nothing.
  const subject = member(jsonOf(textOfCodes(Array.from(payload))), 'sub');
  const isUid = typeof subject === 'string' && /^[\da-f]{32}$/.test(subject);
  return isUid ? subject : clientState(key);
}
