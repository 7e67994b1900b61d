// JSON Web Signatures in compact form with RS256 (RFC 7515): what BrowserID certificates and
// assertions and OAuth access tokens are. RS256 signatures are deterministic.

import { createPrivateKey, createPublicKey, type JsonWebKey, sign, verify } from 'node:crypto';
import { parseObject } from './http.ts';

interface Jws {
  readonly header: Record<string, unknown>;
  readonly payload: Record<string, unknown>;
}

/** Signs a payload. `header` is added to `{"alg":"RS256"}`. */
export function signJws(
  privateKey: JsonWebKey,
  payload: Readonly<Record<string, unknown>>,
  header: Readonly<Record<string, unknown>> = {},
): string {
  const signed = `${encode({ alg: 'RS256', ...header })}.${encode(payload)}`;
  const key = createPrivateKey({ key: privateKey, format: 'jwk' });
  return `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`;
}

/** What a token says, without believing it; null when it is no token. */
export function readJws(token: string): Jws | null {
  const [header, payload, signature, ...rest] = token.split('.').map(decode);
  if (!signature || rest.length > 0) return null;
  const parsedHeader = parseObject(header ?? '');
  const parsedPayload = parseObject(payload ?? '');
  return parsedHeader && parsedPayload ? { header: parsedHeader, payload: parsedPayload } : null;
}

/** What a token says, if this key signed it; else null. */
export function verifyJws(publicKey: JsonWebKey, token: string): Jws | null {
  const jws = readJws(token);
  if (jws?.header.alg !== 'RS256') return null;
  const end = token.lastIndexOf('.');
  const signature = Buffer.from(token.slice(end + 1), 'base64url');
  try {
    const key = createPublicKey({ key: publicKey, format: 'jwk' });
    return verify('sha256', Buffer.from(token.slice(0, end)), key, signature) ? jws : null;
  } catch {
    return null; // the key is no RSA key
  }
}

/** The public part of an RSA key. */
export function publicPart({ kty, n, e }: JsonWebKey): JsonWebKey {
  return { kty, n, e } as JsonWebKey;
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function decode(part: string): string {
  return Buffer.from(part, 'base64url').toString('utf8');
}
