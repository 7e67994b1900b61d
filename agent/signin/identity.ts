// The Identity port over the credentials of a sign-in, for devices whose system has no account manager.
// It hands out one access token until that is about to expire, asks the server once however many want a new
// one, and never again after the server took the sign-in back. It keeps secrets and tells them to nobody else.

import type { Identity } from '../../platform/ports.ts';
import { SyncError } from '../errors.ts';
import type { Credentials, SignedIn } from './credentials.ts';
import type { SignInDevice } from './server.ts';
import { refreshAccessToken, type TokenClient } from './tokens.ts';

export interface IdentityOptions {
  readonly device: SignInDevice;
  readonly client: TokenClient;
  /** Of a sign-in just now, or as the platform has kept them. */
  readonly credentials: Credentials | SignedIn;
  /** How the account is shown to its user. */
  readonly email?: string;
  deviceKey(): Promise<Uint8Array>;
  /**
   * The server changed the refresh token: these credentials are to be kept instead, durably. `before` is the token that
   * was kept last. A failure is passed on, and it is called again before anybody gets another access token.
   */
  changed?(credentials: Credentials, before: string): Promise<void>;
}

/**
 * Errors of its calls: SyncErrors `signedOut`, `unverified`, or `offline` for all that may pass by itself, with the
 * server's words and the wait that it asks for; those of `changed`.
 */
export function createIdentity(options: IdentityOptions): Identity {
  const { device, client, email = '', deviceKey } = options;
  const { uid, key } = options.credentials;
  let { refreshToken } = options.credentials;
  let keptToken = refreshToken;
  let access = 'accessToken' in options.credentials ? options.credentials : null;
  let refreshing: Promise<string> | null = null;
  let refused: SyncError | null = null;

  const refresh = async (): Promise<string> => {
    try {
      const tokens = await refreshAccessToken(device, client, refreshToken);
      access = { uid, key, ...tokens };
      refreshToken = tokens.refreshToken;
      return tokens.accessToken;
    } catch (error) {
      const answer = identityError(error);
      if (answer.code === 'signedOut') refused = answer;
      throw answer;
    } finally {
      refreshing = null;
    }
  };

  const refreshOnce = (): Promise<string> => {
    refreshing ??= refresh();
    return refreshing;
  };

  /** Nothing is handed out while the token that it hangs on would be lost with the power. */
  const keep = async (): Promise<void> => {
    if (refreshToken === keptToken) return;
    const keeping = refreshToken;
    await options.changed?.({ uid, key, refreshToken: keeping }, keptToken);
    keptToken = keeping;
  };

  return {
    account: async () => ({ uid, email }),
    async assertion() {
      throw new SyncError('signedOut', 'this sign-in makes access tokens, no BrowserID assertions');
    },
    async accessToken(fresh) {
      if (refused !== null) throw refused;
      const isGood = access !== null && access.expiresAtMs - MARGIN_MS > device.clock.nowMs();
      const token = access === null || !isGood || fresh ? await refreshOnce() : access.accessToken;
      await keep();
      return { token };
    },
    syncKey: async () => key,
    deviceKey,
  };
}

/** What is about to expire is not handed out: a request with it may take as long. */
const MARGIN_MS = 60_000;

/** Of the port's three words the one that fits. */
function identityError(error: unknown): SyncError {
  if (!(error instanceof SyncError)) throw error;
  const { code, message, detail } = error;
  return code === 'signedOut' || code === 'unverified' || code === 'offline'
    ? error
    : new SyncError('offline', message, detail);
}
