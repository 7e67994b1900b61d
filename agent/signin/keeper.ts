// The account manager of a device whose system has none: it signs a user in, keeps what is left of
// that sealed in the device's storage, and gives the agent its Identity from there. One user at a
// time. Nothing secret is handed out but to the accounts server; signing out forgets first and
// tells the server then.

import type { Identity, Platform } from '../../platform/ports.ts';
import type { SignInConfig } from '../config.ts';
import { badInput, SyncError } from '../errors.ts';
import { FAREWELL_MS_MAX } from '../limits.ts';
import { SIGNED_IN_KEY, SIGNING_IN_KEY } from '../store/layout.ts';
import { beginSignIn, finishSignIn, readRedirect, type SignInCode } from './companion.ts';
import type { Credentials, SignedIn } from './credentials.ts';
import type { DeviceDescription } from './device.ts';
import { createIdentity } from './identity.ts';
import { importSignIn } from './import.ts';
import { openSafe, type Safe } from './safe.ts';
import { discoverAccounts } from './server.ts';
import { revokeToken, type TokenClient } from './tokens.ts';

/**
 * What people who set a device up may do. Errors: SyncErrors, as the functions say that these stand
 * on.
 */
export interface SignIn {
  /**
   * The page for the companion's browser, as a QR code for instance. A later call replaces an
   * earlier one.
   */
  begin(): Promise<{ readonly url: string; readonly state: string }>;
  /**
   * What the companion brings back: the code and the state, or the address that its browser ended
   * at.
   */
  finish(answer: SignInCode | { readonly url: string }): Promise<void>;
  /** JSON of another device of the user: see import.ts. */
  import(json: string): Promise<void>;
  /** Where the build has it. Only for accounts servers that let this client do so. */
  password(email: string, password: string): Promise<void>;
  /** One of these, as the bridge has it. Errors: `badInput` for another one, too. */
  call(call: SignInCall): Promise<object>;
}

export interface SignInCall {
  readonly call: string;
  readonly code: string;
  readonly state: string;
  readonly url: string;
  readonly json: string;
  readonly email: string;
  readonly password: string;
}

export interface Keeper {
  readonly identity: Identity;
  readonly signIn: SignIn;
}

/** As `signInWithPassword`, which a build may leave out. */
export type PasswordSignIn = (
  device: Platform,
  request: TokenClient & { readonly email: string; readonly password: string },
) => Promise<SignedIn>;

/** What is kept: plain JSON. */
interface Kept {
  readonly client: TokenClient;
  readonly credentials: Credentials;
  readonly email: string;
}

/** `describe`: as the device is registered at the accounts server; without it, it is not. */
export function openKeeper(
  platform: Platform,
  config: SignInConfig,
  describe?: DeviceDescription,
  passwordSignIn?: PasswordSignIn,
): Keeper {
  const safe = openSafe(platform);
  const user = openUser(platform, safe, describe);
  const { current, forget } = user;
  return {
    identity: {
      account: async () => (await current()).account(),
      assertion: async (audience, fresh) => (await current()).assertion(audience, fresh),
      accessToken: async (fresh) => (await current()).accessToken(fresh),
      syncKey: async () => (await current()).syncKey(),
      deviceKey: safe.deviceKey,
      forget,
    },
    signIn: signInOf(platform, config, safe, user, passwordSignIn),
  };
}

/** Who has signed in. */
type User = ReturnType<typeof openUser>;

function openUser(
  platform: Platform,
  { deviceKey, sealed, load, commit }: Safe,
  describe: DeviceDescription | undefined,
) {
  let identity: Identity | null = null;

  const identityOf = ({ client, email, credentials }: Kept): Identity =>
    createIdentity({
      device: platform,
      client,
      credentials,
      email,
      ...(describe && { describe }),
      deviceKey,
      changed: async (next) =>
        commit(await sealed(SIGNED_IN_KEY, { client, email, credentials: next })),
    });

  return {
    /** Errors: `signedOut` if nobody has. */
    async current(): Promise<Identity> {
      if (identity !== null) return identity;
      const kept = await load<Kept>(SIGNED_IN_KEY);
      // A name and a password, where the remote was configured for them before.
      if (!kept?.client) throw new SyncError('signedOut', 'nobody has signed in on this device');
      identity = identityOf(kept);
      return identity;
    },
    async keep(client: TokenClient, signedIn: SignedIn, email = ''): Promise<void> {
      const { uid, refreshToken, key } = signedIn;
      const kept = { client, email, credentials: { uid, refreshToken, key } };
      await commit(await sealed(SIGNED_IN_KEY, kept), [SIGNING_IN_KEY, null]);
      identity = identityOf({ ...kept, credentials: signedIn });
    },
    async forget(): Promise<void> {
      // What cannot be read cannot be given back, but it can go.
      const kept = await load<Kept>(SIGNED_IN_KEY).catch(unlessDamaged);
      identity = null;
      await commit([SIGNED_IN_KEY, null], [SIGNING_IN_KEY, null]);
      if (!kept?.client) return;
      const { refreshToken } = kept.credentials;
      const told = revokeToken(platform, kept.client, refreshToken).catch(() => undefined);
      await Promise.race([told, platform.clock.sleep(FAREWELL_MS_MAX)]);
    },
  };
}

function signInOf(
  platform: Platform,
  { accountsUrl, clientId, redirectUrl }: SignInConfig,
  { sealed, load, commit }: Safe,
  { keep }: User,
  passwordSignIn: PasswordSignIn | undefined,
): SignIn {
  const client = async (): Promise<TokenClient> => {
    const { apiUrl } = await discoverAccounts(platform, accountsUrl);
    return { apiUrl, clientId };
  };
  return {
    async begin() {
      const server = await discoverAccounts(platform, accountsUrl);
      const started = await beginSignIn(platform, { server, clientId, redirectUrl });
      await commit(await sealed(SIGNING_IN_KEY, started.secret));
      return { url: started.url, state: started.state };
    },
    async finish(answer) {
      const secret = await load<Parameters<typeof finishSignIn>[1]>(SIGNING_IN_KEY);
      if (secret === null) throw badInput('finish: no sign-in has begun');
      const code = 'url' in answer ? readRedirect(text('url', answer.url)) : answer;
      if (code === null) throw badInput('url: it has no code and no state');
      await keep(secret, await finishSignIn(platform, secret, code));
    },
    async import(json) {
      const server = await client();
      await keep(server, await importSignIn(platform, server, text('json', json)));
    },
    async password(email, password) {
      if (passwordSignIn === undefined) {
        throw badInput('password: this build does not sign in with passwords');
      }
      const secrets = { email: text('email', email), password: text('password', password) };
      const server = await client();
      await keep(server, await passwordSignIn(platform, { ...server, ...secrets }), email);
    },
    async call({ call, code, state, url, json, email, password }) {
      if (call === 'begin') return this.begin();
      if (call === 'finish') await this.finish(url === undefined ? { code, state } : { url });
      else if (call === 'import') await this.import(json);
      else if (call === 'password') await this.password(email, password);
      else throw badInput(`call: there is no ${call}`);
      return {};
    },
  };
}

function unlessDamaged(error: unknown): null {
  if (error instanceof SyncError && error.code === 'damaged') return null;
  throw error;
}

/** What came across a bridge may be anything. */
function text(name: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  throw badInput(`${name}: not a text`);
}
