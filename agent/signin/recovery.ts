// The account manager of a device whose user has a name and a password on a server, and no account
// that has a key: the key is a recovery code, which is made once and shown once. A second device is
// told the code. Whoever gives none has no data there yet, or is refused; whoever gives a wrong one
// is refused as long as there is data under another key. Nothing is written on the server here.

import type { Credentials, Identity, Platform, SyncKeyB } from '../../platform/ports.ts';
import type { SignInConfig } from '../config.ts';
import { badInput, SyncError } from '../errors.ts';
import { SIGNED_IN_KEY } from '../store/layout.ts';
import type { Keeper, SignIn } from './keeper.ts';
import { openSafe } from './safe.ts';
import { keyOfCode, newCode, type Places, userData } from './user-data.ts';

/** Its users have a name and a password. */
export interface RecoveryKeeper extends Keeper {
  readonly identity: Identity & Required<Pick<Identity, 'credentials'>>;
}

/** What is kept: plain JSON. */
interface Kept extends Credentials {
  readonly key: SyncKeyB;
}

/** `accountsUrl`: of the server, without its version and without a slash at the end. */
export function openRecovery(
  platform: Platform,
  { accountsUrl }: Pick<SignInConfig, 'accountsUrl'>,
  places: Places,
): RecoveryKeeper {
  const safe = openSafe(platform);
  let current: Kept | null = null;
  const kept = async (): Promise<Kept> => {
    current ??= await safe.load<Kept>(SIGNED_IN_KEY);
    // Of an account, where the remote was configured for one before.
    if (!current?.name) throw new SyncError('signedOut', 'nobody has signed in on this device');
    return current;
  };
  return {
    identity: {
      account: async () => {
        const { name } = await kept();
        return { uid: name, email: name };
      },
      assertion: () => Promise.reject(noSuch('assertion')),
      accessToken: () => Promise.reject(noSuch('access token')),
      credentials: async () => {
        const { name, password } = await kept();
        return { name, password };
      },
      syncKey: async () => (await kept()).key,
      deviceKey: safe.deviceKey,
      async forget() {
        current = null;
        await safe.commit([SIGNED_IN_KEY, null]);
      },
    },
    signIn: signInOf(platform, accountsUrl, places, async (next) => {
      await safe.commit(await safe.sealed(SIGNED_IN_KEY, next));
      current = next;
    }),
  };
}

/**
 * `call({call: 'password', email, password, code})`: `email` is the name. Without `code` the user
 * begins, and the answer has the code, `{code}`, which is shown and never handed out again.
 * Errors: `badInput`, `unauthorized`, `keyMismatch` (there is data under another key), those of
 * the network.
 */
function signInOf(
  platform: Platform,
  serverUrl: string,
  places: Places,
  keep: (kept: Kept) => Promise<void>,
): SignIn {
  const begin = async (name: string, password: string, given: string | null): Promise<object> => {
    const code = given ?? newCode(platform.entropy);
    const key = keyOfCode(code);
    const there = await userData(platform, serverUrl, { basic: `${name}:${password}` }, places);
    if (!there.isNone && !(await there.isUnder(key))) {
      const what = given === null ? 'its code is needed' : 'it is not that of this code';
      throw new SyncError('keyMismatch', `this user has data under a key: ${what}`);
    }
    await keep({ name, password, key });
    return given === null ? { code } : {};
  };
  return {
    begin: () => Promise.reject(noSuch('page to sign in')),
    finish: () => Promise.reject(noSuch('page to sign in')),
    import: () => Promise.reject(noSuch('sign-in to import')),
    async password() {
      throw badInput('password: the code that it makes is an answer of `call`');
    },
    async call({ call, email, password, code }) {
      if (call !== 'password') throw badInput(`call: there is no ${call}`);
      if (email.includes(':')) throw badInput('email: a name has no colon');
      return begin(text('email', email), text('password', password), code || null);
    },
  };
}

function noSuch(what: string): SyncError {
  return badInput(`this device signs in with a name and a password: there is no ${what}`);
}

/** What came across a bridge may be anything. */
function text(name: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  throw badInput(`${name}: not a text`);
}
