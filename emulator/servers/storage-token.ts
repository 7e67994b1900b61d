// The pass from the token server to a storage node: a signed statement whose Hawk key both sides
// derive from one secret, so that neither has to remember it.

import { createHash, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { parseObject } from './http.ts';

/** What the pass says. */
export interface StorageClaims {
  /** The storage node's base URL. */
  readonly node: string;
  readonly uid: number;
  readonly expiresMs: number;
  /** 6 hex digits that tell two passes of one instant apart. */
  readonly salt: string;
}

/** Shared by the token server and the node. A new `secret` makes all passes of before worthless. */
export interface StorageSecret {
  secret: Uint8Array;
}

const SIGNATURE_BYTES = 32;
const KEY_INFO = 'services.mozilla.com/tokenlib/v1/derive/';

/** The Hawk id and key for the claims. */
export function issueStorageToken(
  { secret }: StorageSecret,
  claims: StorageClaims,
): { id: string; key: string } {
  const statement = Buffer.from(JSON.stringify(claims));
  const id = Buffer.concat([statement, signatureOf(secret, statement)]).toString('base64url');
  return { id, key: keyOf(secret, id, claims) };
}

/** What a Hawk id says and the key that goes with it; null when this secret did not sign it. */
export function openStorageToken(
  { secret }: StorageSecret,
  id: string,
): { claims: StorageClaims; key: string } | null {
  const bytes = Buffer.from(id, 'base64url');
  if (bytes.length <= SIGNATURE_BYTES || bytes.toString('base64url') !== id) return null;
  const statement = bytes.subarray(0, -SIGNATURE_BYTES);
  if (!timingSafeEqual(signatureOf(secret, statement), bytes.subarray(-SIGNATURE_BYTES)))
    return null;
  const claims = parseObject(statement.toString('utf8')) as StorageClaims | null;
  return claims && { claims, key: keyOf(secret, id, claims) };
}

function signatureOf(secret: Uint8Array, statement: Uint8Array): Buffer {
  const key = createHash('sha256').update(secret).update('signature').digest();
  return createHmac('sha256', key).update(statement).digest();
}

function keyOf(secret: Uint8Array, id: string, { salt }: StorageClaims): string {
  const key = hkdfSync('sha256', secret, Buffer.from(salt, 'hex'), KEY_INFO + id, 32);
  return Buffer.from(key).toString('base64url');
}
