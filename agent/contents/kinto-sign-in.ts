// Signing in to a Kinto with a name, a password and a recovery code: where the data of a key is on
// that server is the protocol's to say, and that there is a code the sign-in's.

import { kintoKeys } from '../remotes/kinto/keys.ts';
import type { openKeeper } from '../signin/keeper.ts';
import { openRecovery, type RecoveryKeeper } from '../signin/recovery.ts';

/** For `Contents.signIn`; `SignInConfig.accountsUrl` is the server's URL. */
export const kintoSignIn = (...[platform, config]: Parameters<typeof openKeeper>): RecoveryKeeper =>
  openRecovery(platform, config, {
    bucketOf: (key) => kintoKeys(key).bucket,
    isOurs: (bucket) => bucket.startsWith('kitsync-'),
  });
