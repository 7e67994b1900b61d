// What clients prove who they are with, at whatever asks: a BrowserID assertion for that place, or
// an OAuth access token of the accounts server or of another issuer that is believed. Nothing
// unsigned is believed.

import type { JsonWebKey } from 'node:crypto';
import { verifyAssertion } from './browserid.ts';
import { type Issuer, keyFor } from './issuers.ts';
import { readJws, verifyJws } from './jws.ts';
import { OLDSYNC_SCOPE } from './onepw.ts';

/** Who is believed. */
export interface Believed {
  /** The accounts server's URL and public key. */
  readonly accountsUrl: string;
  readonly accountsKey: JsonWebKey;
  /** Others whose access tokens are believed. */
  readonly issuers?: readonly Issuer[];
}

/** What a token says, and by which name its user is known here. */
interface Shown {
  readonly claims: Readonly<Record<string, unknown>>;
  readonly uid: string;
}

/** Who made an assertion for the server at a URL, or why it is not believed. */
export function asserted(
  assertion: string,
  { accountsUrl, accountsKey }: Believed,
  base: URL,
  nowMs: number,
): ReturnType<typeof verifyAssertion> {
  const issuer = new URL(accountsUrl).host;
  return verifyAssertion(assertion, { accountsKey, issuer, audiences: audiencesOf(base), nowMs });
}

/** The server's own URL, and (the way clients name it) its origin, with and without the slash. */
function audiencesOf(base: URL): string[] {
  const url = base.href.replace(/\/$/, '');
  return [url, `${url}/`, base.origin, `${base.origin}/`];
}

/**
 * What a token says that somebody who is believed has signed; whether it is still good, and for
 * what, is the caller's to see. Null: nobody has. `unavailable`: its issuer cannot be asked now.
 */
export async function shown(
  token: string,
  { accountsUrl, accountsKey, issuers = [] }: Believed,
): Promise<Shown | 'unavailable' | null> {
  const jws = readJws(token);
  const isOurs = jws?.payload.iss === accountsUrl;
  const issuer = issuers.find(({ url }) => url === jws?.payload.iss);
  const key = isOurs ? accountsKey : issuer && (await keyFor(issuer, jws?.header.kid));
  if (key === 'unavailable') return key;
  const claims = key && verifyJws(key, token)?.payload;
  if (!claims || typeof claims.sub !== 'string' || claims.sub === '') return null;
  // Two issuers may give the same name to two people.
  return { claims, uid: isOurs ? claims.sub : `${claims.iss} ${claims.sub}` };
}

/** Whether a token is for Sync, and not past its time. */
export function isForSync({ claims }: Shown, nowMs: number): boolean {
  // The scope is split at commas, as the reference server does: a token for Sync alone passes.
  const scopes = String(claims.scope).split(',');
  return scopes.includes(OLDSYNC_SCOPE) && Number(claims.exp) * 1000 > nowMs;
}
