// BrowserID: an accounts server certifies a client's public key, and the client signs assertions
// for one audience with it. A bundle is `certificate~assertion`. All times in it are milliseconds.

import type { JsonWebKey } from 'node:crypto';
import { toDsaKey, verifyDsa } from './browserid-dsa.ts';
import { isObject } from './http.ts';
import { publicPart, readJws, signJws, verifyJws } from './jws.ts';

/** What the accounts server vouches for. */
export interface Identity {
  readonly uid: string;
  readonly generation: number;
  readonly keysChangedAtMs: number;
}

interface Asserted extends Identity {
  /** As the accounts server knows it. */
  readonly email: string;
}

interface CertificateRequest extends Identity {
  /** The accounts server's host name. */
  readonly issuer: string;
  /** As BrowserID writes it; `isClientKey` says yes to it. */
  readonly publicKey: unknown;
  readonly email: string;
  readonly nowMs: number;
  readonly durationMs: number;
}

/** An RSA public key as BrowserID writes it: two decimal numbers. */
export interface BrowserIdKey {
  readonly algorithm: 'RS';
  readonly n: string;
  readonly e: string;
}

type Refusal = 'malformed' | 'signature' | 'audience' | 'expired' | 'issuer';

/** Certifies a client's public key. */
export function signCertificate(accountsKey: JsonWebKey, request: CertificateRequest): string {
  const { issuer, publicKey, uid, nowMs } = request;
  return signJws(accountsKey, {
    'public-key': publicKey,
    principal: { email: `${uid}@${issuer}` },
    iss: issuer,
    // Backdated a little, as accounts servers do for clients with a slow clock.
    iat: nowMs - 10_000,
    exp: nowMs + request.durationMs,
    'fxa-generation': request.generation,
    'fxa-keysChangedAt': request.keysChangedAtMs,
    'fxa-lastAuthAt': Math.floor(nowMs / 1000),
    'fxa-verifiedEmail': request.email,
    'fxa-tokenVerified': true,
  });
}

/** The bundle `certificate~assertion` for an audience. */
export function signAssertion(
  clientKey: JsonWebKey,
  certificate: string,
  claims: { readonly audience: string; readonly issuedAtMs: number; readonly expiresMs: number },
): string {
  const { audience, issuedAtMs, expiresMs } = claims;
  const assertion = { aud: audience, iss: '127.0.0.1', iat: issuedAtMs, exp: expiresMs };
  return `${certificate}~${signJws(clientKey, assertion)}`;
}

/** Who made an assertion, or why it is not believed. */
export function verifyAssertion(
  bundle: string,
  expected: {
    readonly accountsKey: JsonWebKey;
    readonly issuer: string;
    readonly audiences: readonly string[];
    readonly nowMs: number;
  },
): Asserted | Refusal {
  const [certificateText = '', assertionText = '', ...rest] = bundle.split('~');
  if (rest.length > 0 || !readJws(certificateText) || !readJws(assertionText)) return 'malformed';
  const certificate = verifyJws(expected.accountsKey, certificateText)?.payload;
  if (!certificate) return 'signature';
  const assertion = signedBy(certificate['public-key'], assertionText);
  if (!assertion) return 'signature';
  if (certificate.iss !== expected.issuer) return 'issuer';
  if (!expected.audiences.some((audience) => audience === assertion.aud)) return 'audience';
  const expiresMs = Math.min(Number(certificate.exp), Number(assertion.exp));
  if (!(expiresMs > expected.nowMs)) return 'expired';
  return identityOf(certificate) ?? 'malformed';
}

/** Whether it is a key that a certificate can be for. */
export function isClientKey(key: unknown): boolean {
  return toJwk(key) !== null || toDsaKey(key) !== null;
}

/** An RSA key in BrowserID's form. */
export function toBrowserIdKey(key: JsonWebKey): BrowserIdKey {
  const { n = '', e = '' } = publicPart(key);
  return { algorithm: 'RS', n: decimal(n), e: decimal(e) };
}

/** The RSA key of BrowserID's form, or null when it is none. */
export function toJwk(key: unknown): JsonWebKey | null {
  if (!isObject(key) || key.algorithm !== 'RS') return null;
  const { n, e } = key;
  if (typeof n !== 'string' || typeof e !== 'string') return null;
  if (!/^\d{1,2000}$/.test(n) || !/^\d{1,20}$/.test(e)) return null;
  return { kty: 'RSA', n: base64url(n), e: base64url(e) };
}

function signedBy(key: unknown, token: string): Record<string, unknown> | null {
  const dsaKey = toDsaKey(key);
  if (dsaKey !== null) return verifyDsa(dsaKey, token);
  const rsaKey = toJwk(key);
  return (rsaKey && verifyJws(rsaKey, token)?.payload) ?? null;
}

function identityOf(certificate: Record<string, unknown>): Asserted | null {
  const { principal, 'fxa-verifiedEmail': verified } = certificate;
  if (!isObject(principal) || typeof principal.email !== 'string') return null;
  const [uid = ''] = principal.email.split('@');
  const generation = Number(certificate['fxa-generation']);
  const keysChangedAtMs = Number(certificate['fxa-keysChangedAt']);
  if (uid === '' || Number.isNaN(generation + keysChangedAtMs)) return null;
  const email = typeof verified === 'string' ? verified : principal.email;
  return { uid, generation, keysChangedAtMs, email };
}

function decimal(base64urlNumber: string): string {
  return BigInt(`0x${Buffer.from(base64urlNumber, 'base64url').toString('hex')}`).toString();
}

function base64url(decimalNumber: string): string {
  const hex = BigInt(decimalNumber).toString(16);
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex').toString('base64url');
}
