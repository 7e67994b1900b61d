// Where an account is signed in: its devices, as they describe themselves, and every session and
// refresh token that a client holds. Tokens are named by ids that are good for nothing else.

import { type Account, type Call, problem } from './account-call.ts';
import { type AccountDevice, checkedDevice } from './account-devices.ts';
import type { AccountTokens } from './account-tokens.ts';
import { authorization } from './http.ts';
import type { OAuth } from './oauth.ts';
import { refreshTokenId } from './refresh-tokens.ts';

interface ClientOptions {
  readonly tokens: AccountTokens;
  readonly oauth: OAuth;
  random(count: number): Uint8Array;
}

/** The handlers by method and path. */
export function clientRoutes(options: ClientOptions): [string, (call: Call) => unknown][] {
  return [
    ['POST v1/account/device', (call) => register(call, options)],
    ['POST v1/account/device/destroy', (call) => destroyDevice(call, options)],
    ['GET v1/account/devices', (call) => listDevices(call, options)],
    ['GET v1/account/attached_clients', (call) => listClients(call, options)],
    ['POST v1/account/attached_client/destroy', (call) => destroyClient(call, options)],
  ];
}

/** The registered devices. `asker`: the session's id or the refresh token of the one that asks. */
export function devicesOf(
  { tokens, oauth }: Pick<ClientOptions, 'tokens' | 'oauth'>,
  account: Account,
  asker = '',
): object[] {
  const holders = [
    ...tokens.sessions(account).map(({ id, ...session }) => ({ ...session, token: id })),
    ...oauth.refresh.of(account),
  ];
  return holders.flatMap(({ token, device, usedAtMs }) =>
    device === null
      ? []
      : {
          ...device,
          isCurrentDevice: token === asker,
          lastAccessTime: usedAtMs,
          location: {},
          ...NOT_SPOKEN,
        },
  );
}

/** What other servers' devices may have. */
const NOT_SPOKEN = { availableCommands: {}, pushEndpointExpired: false };

function register(call: Call, { tokens, oauth, random }: ClientOptions): object {
  const bearer = authorization(call.request).value;
  if (oauth.refresh.get(bearer) !== undefined)
    return { ...oauth.refresh.registerDevice(bearer, call.body), ...NOT_SPOKEN };
  const session = tokens.prove(call, 'sessionToken');
  const id = Buffer.from(random(16)).toString('hex');
  const before: AccountDevice = session.device ?? { id, name: '', type: 'desktop' };
  session.device = checkedDevice(call.body, before);
  return { ...session.device, ...NOT_SPOKEN };
}

/** Who asks, and by which session or refresh token. Errors: HttpError 401. */
function askerOf(
  call: Call,
  { tokens, oauth }: ClientOptions,
): { account: Account; asker: string } {
  const bearer = authorization(call.request).value;
  const grant = oauth.refresh.get(bearer);
  if (grant !== undefined) return { account: grant.account, asker: bearer };
  const { account, id } = tokens.prove(call, 'sessionToken');
  return { account, asker: id };
}

function listDevices(call: Call, options: ClientOptions): object[] {
  const { account, asker } = askerOf(call, options);
  return devicesOf(options, account, asker);
}

/** Whoever stands for the device is signed out. Errors: HttpError 400, errno 123. */
function destroyDevice(call: Call, options: ClientOptions): object {
  const { account } = askerOf(call, options);
  const isIt = ({ device }: { device: AccountDevice | null }) =>
    device !== null && device.id === call.body.id;
  const session = options.tokens.sessions(account).find(isIt);
  const grant = options.oauth.refresh.of(account).find(isIt);
  if (session === undefined && grant === undefined) throw problem(400, 123, 'Unknown device');
  if (session !== undefined) options.tokens.end(session.id);
  if (grant !== undefined) options.oauth.refresh.destroy(grant.token);
  return {};
}

function listClients(call: Call, { tokens, oauth }: ClientOptions): object[] {
  const { account, id } = tokens.prove(call, 'sessionToken');
  const sessions = tokens.sessions(account).map((session) => ({
    ...{ clientId: null, sessionTokenId: session.id, refreshTokenId: null, scope: null },
    ...{ isCurrentSession: session.id === id, ...shown(session) },
  }));
  const grants = oauth.refresh.of(account).map((grant) => ({
    ...{ clientId: grant.clientId, sessionTokenId: null },
    ...{ refreshTokenId: refreshTokenId(grant.token), scope: grant.scope.split(' ') },
    ...{ isCurrentSession: false, ...shown(grant) },
  }));
  return [...sessions, ...grants];
}

function shown(holder: {
  device: AccountDevice | null;
  createdAtMs: number;
  usedAtMs: number;
}): object {
  const { device, createdAtMs: createdTime, usedAtMs: lastAccessTime } = holder;
  return {
    ...{ deviceId: device?.id ?? null, deviceType: device?.type ?? null },
    ...{ name: device?.name ?? null, createdTime, lastAccessTime },
    ...{ userAgent: '', os: null, location: {} },
  };
}

/** Errors: HttpError 400, errno 107, where nothing is named that the account has. */
function destroyClient(call: Call, { tokens, oauth }: ClientOptions): object {
  const { account } = tokens.prove(call, 'sessionToken');
  const { sessionTokenId, refreshTokenId: refreshId } = call.body;
  const session = tokens.sessions(account).find(({ id }) => id === sessionTokenId);
  const grant = oauth.refresh.of(account).find(({ token }) => refreshTokenId(token) === refreshId);
  if (session === undefined && grant === undefined)
    throw problem(400, 107, 'Invalid parameter in request body: sessionTokenId, refreshTokenId');
  if (session !== undefined) tokens.end(session.id);
  if (grant !== undefined) oauth.refresh.destroy(grant.token);
  return {};
}
