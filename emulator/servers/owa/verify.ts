// The login: an assertion for an audience of the whitelist is changed into the place of the user's
// document, and what it is asked with. What is answered is what browserid.org answered: whether it
// was taken is in the body.

import { createHash } from 'node:crypto';
import { verifyAssertion } from '../browserid.ts';
import type { HeaderValues } from '../http.ts';
import { readJws } from '../jws.ts';
import type { Believed } from '../proofs.ts';
import type { ServerStorage } from '../storage/server-storage.ts';
import { type AuthOptions, newAuth } from './auth.ts';
import { countClients } from './clients.ts';
import { amongOrigins, normalised } from './origins.ts';

export interface VerifyOptions extends AuthOptions, Pick<Believed, 'accountsUrl' | 'accountsKey'> {
  readonly storage: ServerStorage;
  /** Of the answer to who is not let in; 200 by default, as browserid.org had it. */
  readonly failureStatus?: 200 | 400;
}

interface Answer {
  readonly status: number;
  readonly json: object;
  readonly headers?: HeaderValues;
}

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** `origins`: the whitelist. `placeOf`: the URL of a user's document. */
export async function verify(
  form: URLSearchParams,
  origins: readonly string[],
  placeOf: (user: string) => string,
  options: VerifyOptions,
): Promise<Answer> {
  const fields = ['assertion', 'audience'].map((name) => form.getAll(name));
  if (fields.some((values) => values.length !== 1) || form.getAll('client_id').length > 1)
    return failure(400, 'assertion and audience are wanted, each once');
  const [[assertion = ''] = [], [audience = ''] = []] = fields;
  const uuid = form.get('client_id');
  if (uuid !== null && !UUID.test(uuid)) return failure(400, 'client_id is no UUID');
  const { storage, failureStatus = 200 } = options;
  const origin = amongOrigins(origins, audience);
  if (origin === null) return failure(failureStatus, 'audience is not on the whitelist');
  const identity = asserted(assertion, origin, options);
  if (typeof identity === 'string') return failure(failureStatus, REASONS[identity]);
  const user = userOf(identity.uid);
  const clients = await countClients(storage, user, uuid?.toLowerCase() ?? null, options.nowMs());
  const auth = newAuth(user, options);
  const { email } = identity;
  return { status: 200, json: { status: 'okay', resource: placeOf(user), auth, email, clients } };
}

export function failure(status: number, reason: string): Answer {
  return { status, json: { status: 'failure', reason } };
}

type Refusal = Extract<ReturnType<typeof verifyAssertion>, string>;

const REASONS: { readonly [refusal in Refusal]: string } = {
  malformed: 'the assertion is none',
  signature: 'the assertion is signed by somebody else',
  audience: 'the assertion is for another audience',
  expired: 'the assertion has expired',
  issuer: 'the assertion is of an issuer that is not believed here',
};

/** An assertion for the origin, however its audience is written. */
function asserted(assertion: string, origin: string, options: VerifyOptions) {
  const { accountsUrl, accountsKey } = options;
  const named = readJws(assertion.split('~')[1] ?? '')?.payload.aud;
  const isFor = typeof named === 'string' && amongOrigins([origin], named) !== null;
  return verifyAssertion(assertion, {
    ...{ accountsKey, issuer: new URL(accountsUrl).host, nowMs: options.nowMs() },
    audiences: isFor ? [named] : [],
  });
}

/** The whitelist: what is no origin is a mistake. Errors: RangeError. */
export function whitelist(own: string, others: readonly string[]): readonly string[] {
  const bad = others.find((text) => normalised(text) !== text);
  if (bad !== undefined) throw new RangeError(`no origin for a whitelist: ${bad}`);
  return [...new Set([own, ...others])];
}

/** What the URLs and the storage call an account; 132 bits, of an alphabet that is safe in both. */
function userOf(account: string): string {
  return createHash('sha256').update(`owa ${account}`).digest('base64url').slice(0, 22);
}
