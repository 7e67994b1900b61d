// BrowserID assertions for whoever has a session at an accounts server: it certifies a key that is
// made for this one assertion and kept nowhere. What the assertion says of time is what the
// certificate says: the accounts server's clock counts, and not this machine's.
// Source: Firefox Accounts, `/certificate/sign`; BrowserID's own description.

import { createSign, generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import { isObject, jsonOf, SyncError } from '../../../agent/index.ts';
import { identityError } from '../../../agent/signin/identity.ts';
import { accepted, exchange } from '../../../agent/signin/server.ts';
import type { Machine } from '../platform.ts';
import type { AccountSession } from './credentials.ts';

/** It is used at once. */
const LIFE_MS = 300_000;
const KEY_BITS = 2_048;

/** Errors: SyncErrors `signedOut`, `unverified`, `offline`: those of the Identity port. */
export async function sessionAssertion(
  machine: Machine,
  token: AccountSession,
  audience: string,
): Promise<string> {
  const keys = await promisify(generateKeyPair)('rsa', { modulusLength: KEY_BITS });
  const { n = '', e = '' } = keys.publicKey.export({ format: 'jwk' });
  const publicKey = { algorithm: 'RS', n: decimal(n), e: decimal(e) };
  const certificate = await certified(machine, token, publicKey).catch((error: unknown) => {
    throw identityError(error);
  });
  const claims = { aud: audience, iss: '127.0.0.1', exp: endOf(certificate) };
  const signed = [{ alg: 'RS256' }, claims].map(encoded).join('.');
  const signature = createSign('sha256').update(signed).sign(keys.privateKey, 'base64url');
  return `${certificate}~${signed}.${signature}`;
}

async function certified(
  machine: Machine,
  { session, accountsUrl }: AccountSession,
  publicKey: object,
): Promise<string> {
  const json = { publicKey, duration: LIFE_MS };
  const url = `${accountsUrl}/v1/certificate/sign`;
  const answered = await exchange(machine, url, { json, bearer: session });
  const body = accepted(answered, 'certificate', 'signedOut');
  const cert = isObject(body) ? body.cert : null;
  if (typeof cert === 'string' && CERTIFICATE.test(cert)) return cert;
  throw new SyncError('badResponse', 'certificate: the accounts server gives none');
}

const CERTIFICATE = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** Milliseconds since 1970; undefined where it does not say. */
function endOf(certificate: string): unknown {
  const payload = jsonOf(Buffer.from(certificate.split('.')[1] ?? '', 'base64url').toString());
  return isObject(payload) ? payload.exp : undefined;
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** As BrowserID writes numbers. */
function decimal(base64url: string): string {
  return BigInt(`0x${Buffer.from(base64url, 'base64url').toString('hex')}`).toString();
}
