// The pass that a login gives: a Hawk id in which user and device are sealed, and a key that
// follows from it. Whoever has the secret opens it, in whichever process, and remembers nothing.

import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import { parseObject } from '../http.ts';
import type { StorageSecret } from '../storage-token.ts';

/** Who a pass is for. */
export interface Holder {
  /** As the collections of the user are named. */
  readonly user: string;
  readonly device: string;
  readonly expiresMs: number;
}

interface Pass {
  readonly id: string;
  readonly key: string;
}

const IV_BYTES = 12;
const TAG_BYTES = 16;

/** `iv`: 12 bytes that no other pass has. */
export function sealPass({ secret }: StorageSecret, holder: Holder, iv: Uint8Array): Pass {
  const cipher = createCipheriv('aes-256-gcm', derive(secret, 'seal'), iv);
  const sealed = Buffer.concat([cipher.update(JSON.stringify(holder)), cipher.final()]);
  const id = Buffer.concat([iv, sealed, cipher.getAuthTag()]).toString('base64url');
  return { id, key: keyOf(secret, id) };
}

/** Null: it was not sealed with this secret. Whether it is still good is the caller's to see. */
export function openPass(
  { secret }: StorageSecret,
  id: string,
): { holder: Holder; key: string } | null {
  const bytes = Buffer.from(id, 'base64url');
  if (bytes.length <= IV_BYTES + TAG_BYTES || bytes.toString('base64url') !== id) return null;
  const cipher = createDecipheriv('aes-256-gcm', derive(secret, 'seal'), bytes.subarray(0, 12));
  cipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    const opened = Buffer.concat([
      cipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES)),
      cipher.final(),
    ]);
    const holder = parseObject(opened.toString('utf8')) as Holder | null;
    return holder && { holder, key: keyOf(secret, id) };
  } catch {
    return null;
  }
}

function keyOf(secret: Uint8Array, id: string): string {
  return derive(secret, `hawk/${id}`).toString('base64url');
}

function derive(secret: Uint8Array, what: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `kitsync/picl/v1/${what}`, 32));
}
