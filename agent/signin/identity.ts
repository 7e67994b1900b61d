// The Identity port over the credentials of a sign-in, for devices whose system has no account
// manager. It hands out one access token until that is about to expire, asks the server once
// however many want a new one, and never again after the server took the sign-in back. It keeps
// secrets and tells them to nobody else. A device that is to be seen registers itself once; that it
// cannot is no failure of anything else.

import type { Identity } from '../../platform/ports.ts';
import { SyncError } from '../errors.ts';
import { createLock } from '../store/lock.ts';
import type { Credentials, SignedIn } from './credentials.ts';
import { type DeviceDescription, registerDevice } from './device.ts';
import type { SignInDevice } from './server.ts';
import { refreshAccessToken, type TokenClient } from './tokens.ts';

export interface IdentityOptions {
  readonly device: SignInDevice;
  readonly client: TokenClient;
  /** Of a sign-in just now, or as the platform has kept them. */
  readonly credentials: Credentials | SignedIn;
  /** How the account is shown to its user. */
  readonly email?: string;
  /**
   * Registers the device before `account` answers, unless the credentials say that it is. One try
   * for each identity.
   */
  readonly describe?: DeviceDescription;
  deviceKey(): Promise<Uint8Array>;
  /**
   * The server changed the refresh token, or registered the device: these credentials are to be
   * kept instead, durably. `before` is the token that was kept last. Where the token is a new one,
   * a failure is passed on, and it is called again before anybody gets another access token. Never
   * called while an earlier call is on.
   */
  changed?(credentials: Credentials, before: string): Promise<void>;
}

/**
 * Errors of its calls: SyncErrors `signedOut`, `unverified`, or `offline` for all that may pass by
 * itself, with the server's words and the wait that it asks for; those of `changed`.
 */
export function createIdentity(options: IdentityOptions): Identity {
  const { device, client, email = '', describe, deviceKey } = options;
  const { uid, key } = options.credentials;
  const tokens = createTokens(options);
  const keeping = createLock();
  let { refreshToken: keptToken, deviceId } = options.credentials;
  let registering: Promise<void> | null = null;

  const keep = async (): Promise<void> => {
    const { refreshToken } = tokens;
    const credentials = { uid, key, refreshToken, ...(deviceId && { deviceId }) };
    await options.changed?.(credentials, keptToken);
    keptToken = refreshToken;
  };

  /** Nothing is handed out while the token that it hangs on would be lost with the power. */
  const keepToken = (): Promise<void> =>
    keeping.run(async () => {
      if (tokens.refreshToken !== keptToken) await keep();
    });

  /** What is not kept, or never heard, is asked for again after the next boot. */
  const register = async (wanted: DeviceDescription): Promise<void> => {
    try {
      const id = await registerDevice(device, client, tokens.refreshToken, wanted);
      if (id === null) return;
      deviceId = id;
      await keeping.run(keep);
    } catch {
      // Other devices do not see this one. Whatever is wrong with the sign-in shows where a token
      // is asked for.
    }
  };

  return {
    async account() {
      if (describe && deviceId === undefined) registering ??= register(describe);
      await registering;
      return { uid, email, ...(deviceId && { deviceId }) };
    },
    async assertion() {
      throw new SyncError('signedOut', 'this sign-in makes access tokens, no BrowserID assertions');
    },
    async accessToken(fresh) {
      const token = await tokens.accessToken(fresh);
      await keepToken();
      return { token };
    },
    syncKey: async () => key,
    deviceKey,
  };
}

interface Tokens {
  /** As the server gave it last. */
  readonly refreshToken: string;
  /** Errors: as the calls of the identity; `signedOut` for good. */
  accessToken(fresh: boolean): Promise<string>;
}

/** The two tokens of a sign-in: however many want a new one, the server is asked once. */
function createTokens({ device, client, credentials }: IdentityOptions): Tokens {
  let { refreshToken } = credentials;
  let access: Pick<SignedIn, 'accessToken' | 'expiresAtMs'> | null =
    'accessToken' in credentials ? credentials : null;
  let refreshing: Promise<string> | null = null;
  let refused: SyncError | null = null;

  const refresh = async (): Promise<string> => {
    try {
      const granted = await refreshAccessToken(device, client, refreshToken);
      access = granted;
      refreshToken = granted.refreshToken;
      return granted.accessToken;
    } catch (error) {
      const answer = identityError(error);
      if (answer.code === 'signedOut') refused = answer;
      throw answer;
    } finally {
      refreshing = null;
    }
  };

  return {
    get refreshToken() {
      return refreshToken;
    },
    async accessToken(fresh) {
      if (refused !== null) throw refused;
      const isGood = access !== null && access.expiresAtMs - MARGIN_MS > device.clock.nowMs();
      if (access !== null && isGood && !fresh) return access.accessToken;
      refreshing ??= refresh();
      return refreshing;
    },
  };
}

/** What is about to expire is not handed out: a request with it may take as long. */
const MARGIN_MS = 60_000;

/** Of the port's three words the one that fits. */
export function identityError(error: unknown): SyncError {
  if (!(error instanceof SyncError)) throw error;
  const { code, message, detail } = error;
  return code === 'signedOut' || code === 'unverified' || code === 'offline'
    ? error
    : new SyncError('offline', message, detail);
}
