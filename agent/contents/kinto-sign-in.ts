// Signing in to a Kinto with a name, a password and a recovery code: where the data of a key is on
// that server is the protocol's to say, and that there is a code the sign-in's.

import { kintoKeys } from '../remotes/kinto/keys.ts';
import type { openKeeper } from '../signin/keeper.ts';
import { openRecovery, type RecoveryKeeper } from '../signin/recovery.ts';
import type { Places } from '../signin/user-data.ts';

/** Where a key's data is on a Kinto. */
export const kintoPlaces: Places = {
  bucketOf: (key) => kintoKeys(key).bucket,
  prefix: 'kitsync-',
};

/** For `Contents.signIn`; `SignInConfig.accountsUrl` is the server's URL. */
export const kintoSignIn = (...[platform, config]: Parameters<typeof openKeeper>): RecoveryKeeper =>
  openRecovery(platform, config, kintoPlaces);
