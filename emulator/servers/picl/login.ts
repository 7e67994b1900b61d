// The login of a PiCL server: an assertion, or an access token in the Authorization header, and the
// name of a device, are changed into a pass, and the places of all collections that the server is
// there for.

import { createHash } from 'node:crypto';
import { authorization, parseObject } from '../http.ts';
import { asserted, type Believed, isForSync, shown } from '../proofs.ts';
import type { StorageSecret } from '../storage-token.ts';
import { sealPass } from './pass.ts';
import { refusal } from './refusals.ts';

export interface LoginOptions extends Believed {
  readonly secret: StorageSecret;
  nowMs(): number;
  random(count: number): Uint8Array;
  /** Life of a pass; 3600 by default. */
  readonly durationSeconds?: number;
}

interface Answer {
  readonly id: string;
  readonly key: string;
  readonly collections: Readonly<Record<string, string>>;
}

const DURATION_SECONDS = 3600;
const RETRY_SECONDS = 60;
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

/**
 * `base`: where the login is. `placesOf`: of the collections, by name, for a user.
 * Errors: HttpError 400, 401, 503.
 */
export async function login(
  request: Request,
  text: string,
  base: URL,
  placesOf: (user: string) => ReadonlyMap<string, string>,
  options: LoginOptions,
): Promise<Answer> {
  const body = parseObject(text);
  if (body === null) throw refusal('bad-json');
  const { assertion, device } = body;
  if (typeof device !== 'string' || !UUID.test(device))
    throw refusal('bad-body', { member: 'device' });
  const { scheme, value } = authorization(request);
  const isBearer = assertion === undefined && scheme === 'bearer';
  if (!isBearer && typeof assertion !== 'string')
    throw refusal('bad-body', { member: 'assertion' });
  const account = isBearer
    ? await tokenHolder(value, options)
    : assertedUser(String(assertion), base, options);
  const { nowMs, random, secret, durationSeconds: duration = DURATION_SECONDS } = options;
  const user = userOf(account);
  const holder = { user, device: device.toLowerCase(), expiresMs: nowMs() + duration * 1000 };
  const { id, key } = sealPass(secret, holder, random(12));
  return { id, key, collections: Object.fromEntries(placesOf(user)) };
}

function assertedUser(assertion: string, base: URL, options: LoginOptions): string {
  const identity = asserted(assertion, options, base, options.nowMs());
  if (typeof identity === 'string') throw refusal('unauthorized', { reason: identity });
  return identity.uid;
}

async function tokenHolder(token: string, options: LoginOptions): Promise<string> {
  const known = await shown(token, options);
  if (known === 'unavailable')
    throw refusal('overloaded', {}, { 'Retry-After': String(RETRY_SECONDS) });
  if (known === null || !isForSync(known, options.nowMs())) throw refusal('unauthorized');
  return known.uid;
}

/** What the URLs and the storage call an account; 132 bits, of an alphabet that is safe in both. */
function userOf(account: string): string {
  return createHash('sha256').update(account).digest('base64url').slice(0, 22);
}
