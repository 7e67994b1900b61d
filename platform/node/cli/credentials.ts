// The credentials file: who syncs, with which token, under which key. JSON, readable by its owner
// only. Everything in it is checked before anything runs; a complaint names the member and never
// shows its value.

import type { Credentials } from '../../../agent/signin/credentials.ts';
import { scopedSyncKey } from '../../../crypto/onepw.ts';
import type { SyncKey } from '../../ports.ts';
import { ServerUrlRefused, serverUrlOf } from '../server-url.ts';
import { UsageError } from './complaint.ts';
import { readPrivate, writePrivate } from './private-files.ts';

/** Where new access tokens come from. */
interface Renewal {
  readonly refreshToken: string;
  readonly clientId: string;
  /** The accounts server's API, without a slash at the end: `/v1/oauth/token` is there. */
  readonly oauthUrl: string;
}

/** A session at an accounts server, which vouches for its user to other servers. */
export interface AccountSession {
  /** For the Authorization header. */
  readonly session: string;
  /** The accounts server's API: `/v1/certificate/sign` is there. */
  readonly accountsUrl: string;
}

/** A user whom a server knows by a name and a password. */
interface NamedUser {
  readonly name: string;
  readonly password: string;
}

export interface CredentialsFile {
  readonly email: string | null;
  readonly uid: string | null;
  /** The Kinto that it is a sign-in to, without its version; null: to an accounts server. */
  readonly kinto: string | null;
  /** The login of the server of Open Web Apps that it is a sign-in to; null: to none. */
  readonly owa: string | null;
  /** Without a renewal, sync ends with this token's life. */
  readonly token: { readonly accessToken: string } | Renewal | NamedUser | AccountSession;
  /** Null: nothing that is synced with this sign-in is sealed. */
  readonly key: SyncKey | null;
  /** This machine's at the accounts server; null: it is not among the account's devices there. */
  readonly deviceId: string | null;
}

/**
 * `allowHttp`: see `serverUrlOf`.
 * Errors: `UsageError` (missing, readable by others, not JSON, or the member that is wrong).
 */
export function readCredentials(path: string, allowHttp: boolean): CredentialsFile {
  const text = readPrivate(path);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UsageError(`${path} is not JSON`);
  }
  const complain = (what: string): UsageError => new UsageError(`${path}: ${what}`);
  const file = membersOf(value);
  if (file === null) throw complain('must be a JSON object');
  const owa = owaOf(file, allowHttp, complain);
  return {
    email: optional(file, 'email', /^\P{Cc}{1,320}$/u, 'must be an address', complain),
    uid: optional(file, 'uid', /^[!-~]{1,128}$/, 'must be 1 to 128 ASCII characters', complain),
    kinto: kintoOf(file, allowHttp, complain),
    owa,
    token: tokenOf(file, allowHttp, complain),
    key: owa === null ? keyOf(file, complain) : null,
    deviceId: optional(file, 'deviceId', /^[0-9a-f]{32}$/, 'must be 32 hex digits', complain),
  };
}

/** Writes the file for its owner only, as a whole. Errors: `UsageError`. */
export async function writeCredentials(
  path: string,
  { email, uid, kinto, owa, token, key, deviceId }: CredentialsFile,
): Promise<void> {
  const all = Object.entries({ kinto, owa, email, uid, deviceId });
  const known = all.filter(([, value]) => value !== null);
  const sealing = key === null || 'kB' in key ? key : { key };
  const file = { ...Object.fromEntries(known), ...token, ...sealing };
  await writePrivate(path, [`${JSON.stringify(file, null, 2)}\n`]);
}

/**
 * Puts what the accounts server has given since in its place. A file that has another refresh token
 * than `before` by now was written by a later sign-in, and stays as it is. Errors: `UsageError`.
 */
export async function updateCredentials(
  path: string,
  before: string,
  { refreshToken, deviceId }: Credentials,
): Promise<void> {
  const file = readCredentials(path, true);
  if (!('refreshToken' in file.token) || file.token.refreshToken !== before) return;
  const token = { ...file.token, refreshToken };
  await writeCredentials(path, { ...file, token, deviceId: deviceId ?? null });
}

type Members = ReadonlyMap<string, unknown>;
type Complain = (what: string) => UsageError;

function tokenOf(file: Members, allowHttp: boolean, complain: Complain): CredentialsFile['token'] {
  const must = (name: string, form: RegExp, rule: string): string => {
    const value = optional(file, name, form, rule, complain);
    if (value === null) throw complain(`${name} is missing`);
    return value;
  };
  if (file.has('password')) {
    return {
      name: must('name', /^[^:\p{Cc}]{1,320}$/u, 'must be a name without a colon'),
      password: must('password', PASSWORD, 'must be 1 to 1,024 characters in one line'),
    };
  }
  const tokenForm = [/^[!-~]{1,8192}$/, 'must be a token'] as const;
  const url = (name: string) =>
    serverOf(name, must(name, /^/, 'must be a URL'), allowHttp, complain);
  if (file.has('owa')) {
    return { session: must('session', ...tokenForm), accountsUrl: url('accountsUrl') };
  }
  if (file.has('refreshToken')) {
    return {
      refreshToken: must('refreshToken', ...tokenForm),
      clientId: must('clientId', /^[!-~]{1,128}$/, 'must be the id of an OAuth client'),
      oauthUrl: url('oauthUrl'),
    };
  }
  if (file.has('accessToken')) return { accessToken: must('accessToken', ...tokenForm) };
  throw complain('accessToken or refreshToken is missing');
}

/** What a file and a sign-in take. */
export const PASSWORD = /^\P{Cc}{1,1024}$/u;

function kintoOf(file: Members, allowHttp: boolean, complain: Complain): string | null {
  const url = optional(file, 'kinto', /^/, 'must be a URL', complain);
  if (url !== null) return kintoUrl(serverOf('kinto', url, allowHttp, complain));
  if (!file.has('password')) return null;
  throw complain('kinto is missing: the URL of the server whose password it is');
}

/** A session says who its user is: without the name there, nobody would notice another one. */
function owaOf(file: Members, allowHttp: boolean, complain: Complain): string | null {
  const url = optional(file, 'owa', /^/, 'must be a URL', complain);
  if (url === null) return null;
  const missing = ['email', 'uid'].find((name) => !file.has(name));
  if (missing !== undefined) throw complain(`${missing} is missing`);
  return owaUrl(serverOf('owa', url, allowHttp, complain));
}

/** Where a client logs in: people may know the server by what is above. */
export function owaUrl(url: string): string {
  return /verify$/.test(url) ? url : `${url}/verify`;
}

/** A Kinto as people know it, without the version of its API. */
export function kintoUrl(url: string): string {
  return url.replace(/\/v1$/, '');
}

function serverOf(name: string, url: string, allowHttp: boolean, complain: Complain): string {
  try {
    return serverUrlOf(name, url, { allowHttp });
  } catch (error) {
    throw error instanceof ServerUrlRefused ? complain(error.message) : error;
  }
}

function keyOf(file: Members, complain: Complain): SyncKey {
  const kB = optional(file, 'kB', /^[0-9a-f]{64}$/i, 'must be 64 hex digits', complain);
  // Without an accounts server nobody says which of a user's keys is the newer one.
  if (kB !== null && file.has('kinto') && !file.has('refreshToken'))
    return { kB: kB.toLowerCase() };
  if (kB !== null) {
    const changedAt = file.get('keysChangedAt');
    if (typeof changedAt !== 'number' || !Number.isSafeInteger(changedAt) || changedAt < 0) {
      throw complain('keysChangedAt must be milliseconds since 1970: it belongs to kB');
    }
    return scopedSyncKey(kB, changedAt);
  }
  const key = membersOf(file.get('key'));
  if (key === null) throw complain('key (an object) or kB is missing');
  const [kty, kid, k] = ['kty', 'kid', 'k'].map((name) => key.get(name));
  if (kty !== 'oct') throw complain('key.kty must be "oct"');
  // The last digit of both has four bits that are none of the bytes'.
  if (typeof kid !== 'string' || !/^\d{1,16}-[\w-]{21}[AQgw]$/.test(kid)) {
    throw complain('key.kid must be a time, "-" and 16 bytes of base64url');
  }
  if (typeof k !== 'string' || !/^[\w-]{85}[AQgw]$/.test(k)) {
    throw complain('key.k must be 64 bytes of base64url');
  }
  return { kty, kid, k };
}

function optional(
  file: Members,
  name: string,
  form: RegExp,
  rule: string,
  complain: Complain,
): string | null {
  const value = file.get(name) ?? null;
  if (value === null) return null;
  if (typeof value === 'string' && form.test(value)) return value;
  throw complain(`${name} ${rule}`);
}

function membersOf(value: unknown): Members | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? new Map(Object.entries(value))
    : null;
}
