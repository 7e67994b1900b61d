// What of PiCL's is made from the user's key: for each collection a key that signs the ids of its
// changes, and one that seals its payloads, so that nothing of one collection proves itself in
// another one.
// Source: RFC 5869 under contexts of docs/picl.md. The key of the Hawk session is none of them.

import { concatBytes } from '../../../crypto/bytes.ts';
import { hkdf } from '../../../crypto/hmac.ts';
import { syncKeyBundle } from '../../../crypto/keys.ts';
import { encodeUtf8 } from '../../../crypto/utf8.ts';
import type { SyncKey } from '../../../platform/ports.ts';

export interface PiclKeys {
  /** 32 bytes for HMAC-SHA-256. */
  signKey(collection: string): Uint8Array;
  /** 32 bytes for AES-256-GCM. */
  sealKey(collection: string): Uint8Array;
}

/**
 * Of the user's key. A device that has kB and one that has the scoped key of it have the same: only
 * what both have is made use of. Throws `CryptoError` `badKey`.
 */
export function piclKeys(key: SyncKey): PiclKeys {
  const { encKey, macKey } = syncKeyBundle(key);
  return piclKeysOf(hkdf(concatBytes(encKey, macKey), encodeUtf8(`${CONTEXT}/root`), KEY_BYTES));
}

/** `root`: 32 bytes that the user's devices share. */
export function piclKeysOf(root: Uint8Array): PiclKeys {
  const derived = new Map<string, Uint8Array>();
  const keyOf = (use: string, collection: string): Uint8Array => {
    const info = `${CONTEXT}/${use}/${collection}`;
    const made = derived.get(info) ?? hkdf(root, encodeUtf8(info), KEY_BYTES);
    derived.set(info, made);
    return made;
  };
  return {
    signKey: (collection) => keyOf('sign', collection),
    sealKey: (collection) => keyOf('encrypt', collection),
  };
}

const CONTEXT = 'picl/queuesync/v1';
const KEY_BYTES = 32;
