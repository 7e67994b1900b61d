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
  /** The server changed the refresh token: these credentials are to be kept instead, durably. */
  changed?(credentials: Credentials): Promise<void>;
}

/**
 * Errors of its calls: SyncErrors `signedOut`, `unverified`, or `offline` for all that may pass by itself, with the
 * server's words and the wait that it asks for.
 */
export function createIdentity(options: IdentityOptions): Identity {
  const { device, client, email = '', deviceKey } = options;
  const { uid, key } = options.credentials;
  let { refreshToken } = options.credentials;
  let access = 'accessToken' in options.credentials ? options.credentials : null;
  let refreshing: Promise<string> | null = null;
  let refused: SyncError | null = null;

  const refresh = async (): Promise<string> => {
    try {
      const tokens = await refreshAccessToken(device, client, refreshToken);
      access = { uid, key, ...tokens };
      if (tokens.refreshToken !== refreshToken) {
        refreshToken = tokens.refreshToken;
        await options.changed?.({ uid, key, refreshToken });
      }
      return tokens.accessToken;
    } catch (error) {
      const answer = identityError(error);
      if (answer.code === 'signedOut') refused = answer;
      throw answer;
    } finally {
      refreshing = null;
    }
  };

  return {
    account: async () => ({ uid, email }),
    async assertion() {
      throw new SyncError('signedOut', 'this sign-in makes access tokens, no BrowserID assertions');
    },
    async accessToken(fresh) {
      if (refused !== null) throw refused;
      const isGood = access !== null && access.expiresAtMs - MARGIN_MS > device.clock.nowMs();
      if (access !== null && isGood && !fresh) return { token: access.accessToken };
      refreshing ??= refresh();
      return { token: await refreshing };
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
