// The pass that a login gives: a Hawk id in which user and device are sealed, and a key that
// follows from it. Whoever has the secret opens it, in whichever process, and remembers nothing.

import { keyFor, seal, unseal } from '../sealed.ts';
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

const LABEL = 'kitsync/picl/v1';

/** `iv`: 12 bytes that no other pass has. */
export function sealPass(secret: StorageSecret, holder: Holder, iv: Uint8Array): Pass {
  const id = seal(secret, `${LABEL}/seal`, holder, iv);
  return { id, key: keyOf(secret, id) };
}

/** Null: it was not sealed with this secret. Whether it is still good is the caller's to see. */
export function openPass(
  secret: StorageSecret,
  id: string,
): { holder: Holder; key: string } | null {
  const holder = unseal(secret, `${LABEL}/seal`, id) as Holder | null;
  return holder && { holder, key: keyOf(secret, id) };
}

function keyOf({ secret }: StorageSecret, id: string): string {
  return keyFor(secret, `${LABEL}/hawk/${id}`).toString('base64url');
}
