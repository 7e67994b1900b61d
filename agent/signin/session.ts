// A session at an accounts server that is kept: for who can make of it what other servers believe,
// and needs no key and no token. It is the user's own until it is given back.
// Source: Firefox Accounts, the API of its auth server.

import { badResponse } from '../errors.ts';
import { endSession, openSession, type PasswordUser } from './password.ts';
import { accepted, exchange, type SignInDevice } from './server.ts';

interface KeptSession {
  /** For the Authorization header. */
  readonly bearer: string;
  /** Of the account. */
  readonly uid: string;
}

/** A confirmed one. Errors: those of `signInWithPassword`. */
export async function beginSession(device: SignInDevice, user: PasswordUser): Promise<KeptSession> {
  const session = await openSession(device, user);
  const { bearer, uid, unconfirmed } = session;
  const isUid = typeof uid === 'string' && /^[\da-f]{32}$/.test(uid);
  if (unconfirmed === null && isUid) return { bearer, uid };
  await endSession(device, user, session);
  throw unconfirmed ?? badResponse('login: uid is missing');
}

/** Gives it back. Errors: `unauthorized` (there is no such session), those of the network. */
export async function revokeSession(
  device: SignInDevice,
  apiUrl: string,
  bearer: string,
): Promise<void> {
  const url = `${apiUrl}/v1/session/destroy`;
  accepted(await exchange(device, url, { json: {}, bearer }), 'session', 'unauthorized');
}
