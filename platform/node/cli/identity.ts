// The account manager of a machine: who the credentials file says the user is.
// A file with a refresh token renews access tokens by itself; one with an access token lasts as long as that.

import { SyncError } from '../../../agent/index.ts';
import { uidOf } from '../../../agent/signin/credentials.ts';
import { createIdentity } from '../../../agent/signin/identity.ts';
import type { Account, Identity } from '../../ports.ts';
import type { Machine } from '../platform.ts';
import type { CredentialsFile } from './credentials.ts';

/** Errors of its calls: SyncErrors `signedOut`, `unverified`, `offline`. `changed`: a file to be kept instead. */
export function identityOf(
  file: CredentialsFile,
  machine: Machine,
  deviceKey: Identity['deviceKey'],
  changed: (file: CredentialsFile) => Promise<void>,
): Identity {
  const { token, key } = file;
  const { uid, email } = accountOf(file);
  if ('accessToken' in token) return fixedIdentity(file, token.accessToken, deviceKey);
  const { clientId, oauthUrl, refreshToken } = token;
  return createIdentity({
    device: machine,
    client: { apiUrl: oauthUrl, clientId },
    credentials: { uid, refreshToken, key },
    email,
    deviceKey,
    changed: (credentials) =>
      changed({ ...file, token: { ...token, refreshToken: credentials.refreshToken } }),
  });
}

/** Whose data it is. `email` is for people; without one, the account's id stands in. */
export function accountOf({ uid, email, token, key }: CredentialsFile): Account {
  const id = uid ?? uidOf('accessToken' in token ? token.accessToken : '', key);
  return { uid: id, email: email ?? id };
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
  token: string,
  deviceKey: Identity['deviceKey'],
): Identity {
  return {
    account: async () => accountOf(file),
    async assertion() {
      throw new SyncError('signedOut', 'an access token makes no BrowserID assertions');
    },
    async accessToken(fresh) {
      if (!fresh) return { token };
      throw new SyncError('signedOut', 'the access token is refused, and nothing renews it');
    },
    syncKey: async () => file.key,
    deviceKey,
  };
}
