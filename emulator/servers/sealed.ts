// What a server hands out and takes back without remembering it: statements sealed with AES-256-GCM
// under its secret. Whoever has the secret opens them, in whichever process; nobody else reads or
// changes one. A `label` keeps those of one kind from being taken for another.

import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import { parseObject } from './http.ts';
import type { StorageSecret } from './storage-token.ts';

/** Of what no two sealed statements may have in common. */
export const IV_BYTES = 12;
const TAG_BYTES = 16;

/** In base64url. `iv`: 12 bytes that no other one has. */
export function seal(
  { secret }: StorageSecret,
  label: string,
  statement: object,
  iv: Uint8Array,
): string {
  const cipher = createCipheriv('aes-256-gcm', keyFor(secret, label), iv);
  const sealed = Buffer.concat([cipher.update(JSON.stringify(statement)), cipher.final()]);
  return Buffer.concat([iv, sealed, cipher.getAuthTag()]).toString('base64url');
}

/** Null: it was not sealed so. */
export function unseal(
  { secret }: StorageSecret,
  label: string,
  text: string,
): Record<string, unknown> | null {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.length <= IV_BYTES + TAG_BYTES || bytes.toString('base64url') !== text) return null;
  const iv = bytes.subarray(0, IV_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', keyFor(secret, label), iv);
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    const sealed = decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES));
    return parseObject(Buffer.concat([sealed, decipher.final()]).toString('utf8'));
  } catch {
    return null;
  }
}

/** A key that follows from the secret, for one use. */
export function keyFor(secret: Uint8Array, label: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', label, 32));
}
