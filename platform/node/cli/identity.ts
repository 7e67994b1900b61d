// The account manager of a machine: who the credentials file says the user is.
// A file with a refresh token renews access tokens by itself; one with an access token or a
// password lasts as long as that, and is read again when the server refuses what it said. One with
// a session makes assertions with it.

import { createHash } from 'node:crypto';
import { SyncError } from '../../../agent/index.ts';
import { uidOf } from '../../../agent/signin/credentials.ts';
import type { DeviceDescription } from '../../../agent/signin/device.ts';
import { createIdentity } from '../../../agent/signin/identity.ts';
import type { Account, Identity, SyncKey } from '../../ports.ts';
import type { Machine } from '../platform.ts';
import { sessionAssertion } from './assertions.ts';
import { complaintOf, Failure } from './complaint.ts';
import { type CredentialsFile, readCredentials, updateCredentials } from './credentials.ts';

/**
 * `describe`: as it registers at the accounts server; null: it does not.
 * Errors of its calls: SyncErrors `signedOut`, `unverified`, `offline`, `storageFailed` (a new
 * refresh token cannot be kept in the file at `path`).
 */
export function identityOf(
  file: CredentialsFile,
  machine: Machine,
  deviceKey: Identity['deviceKey'],
  path: string,
  describe: DeviceDescription | null = null,
): Identity {
  const { token, key } = file;
  const { email, ...owner } = accountOf(file);
  if (!('refreshToken' in token) || key === null || 'kB' in key)
    return fixedIdentity(file, machine, deviceKey, path);
  const { clientId, oauthUrl, refreshToken } = token;
  return createIdentity({
    device: machine,
    client: { apiUrl: oauthUrl, clientId },
    credentials: { ...owner, refreshToken, key },
    email,
    ...(describe && { describe }),
    deviceKey,
    async changed(credentials, before) {
      try {
        await updateCredentials(path, before, credentials);
      } catch (error) {
        throw new SyncError('storageFailed', complaintOf(error).line);
      }
    },
  });
}

/** Whose data it is. `email` is for people; without one, the account's id stands in. */
function accountOf({ uid, email, token, key, deviceId }: CredentialsFile): Account {
  const name = 'password' in token ? token.name : null;
  const id =
    uid ?? name ?? uidOf('accessToken' in token ? token.accessToken : '', keyIn({ key, uid }));
  return { uid: id, email: email ?? id, ...(deviceId && { deviceId }) };
}

/** What the agent takes for a key where nothing is sealed: it names the user, and is no secret. */
function keyIn({ key, uid }: Pick<CredentialsFile, 'key' | 'uid'>): SyncKey {
  if (key !== null) return key;
  return { kB: createHash('sha256').update(`kitsync/v1/no-key/${uid}`).digest('hex') };
}

/**
 * `account`: whose data a folder holds. With somebody else's credentials the agent would begin
 * anew, and forget what has not been sent. Errors: `Failure`.
 */
export function checkAccount(
  account: string | null,
  credentials: CredentialsFile,
  directory: string,
): void {
  const { email } = accountOf(credentials);
  if (account === null || account === email) return;
  throw new Failure(
    `${directory} holds the data of ${account}, not of ${email}: choose another --data`,
  );
}

/** Nobody: for work on what was synced before, without a network. */
export function nobody(deviceKey: Identity['deviceKey']): Identity {
  const refuse = async (): Promise<never> => {
    throw new SyncError('signedOut', 'this command asks no server');
  };
  return { account: refuse, assertion: refuse, accessToken: refuse, syncKey: refuse, deviceKey };
}

function fixedIdentity(
  file: CredentialsFile,
  machine: Machine,
  deviceKey: Identity['deviceKey'],
  path: string,
): Identity {
  let { token } = file;
  /** What the file says by now, if it is the same user's: a sign-in may have written it since. */
  const reread = (): void => {
    try {
      const now = readCredentials(path, true);
      if (accountOf(now).uid === accountOf(file).uid) token = now.token;
    } catch {
      // What was read first is refused once more, and the server says why.
    }
  };
  const refused = (what: string): Promise<never> =>
    Promise.reject(new SyncError('signedOut', `the credentials file has no ${what}`));
  return {
    account: async () => accountOf(file),
    async assertion(audience) {
      // It is asked for once at a boot: what it is made with may have been ended since.
      reread();
      if ('session' in token) return sessionAssertion(machine, token, audience);
      throw new SyncError('signedOut', 'an access token makes no BrowserID assertions');
    },
    async accessToken(fresh) {
      if (fresh) reread();
      return 'accessToken' in token ? { token: token.accessToken } : refused('access token');
    },
    async credentials(fresh) {
      if (fresh) reread();
      if (!('password' in token)) return refused('password');
      const { name, password } = token;
      return { name, password };
    },
    syncKey: async () => keyIn(file),
    deviceKey,
  };
}
