// What of PiCL's is made from the user's key: for each collection a key that signs the ids of its
// changes, and one that seals its payloads, so that nothing of one collection proves itself in
// another one.
// Source: RFC 5869 under contexts of docs/picl.md. The key of the Hawk session is none of them.

import { concatBytes, decodeHex } from '../../../crypto/bytes.ts';
import { hkdf } from '../../../crypto/hmac.ts';
import { syncKeyBundle } from '../../../crypto/keys.ts';
import { encodeUtf8 } from '../../../crypto/utf8.ts';
import type { SyncKey } from '../../../platform/ports.ts';

interface PiclKeys {
  /** 32 bytes for HMAC-SHA-256. */
  signKey(collection: string): Uint8Array;
  /** 32 bytes for AES-256-GCM. */
  sealKey(collection: string): Uint8Array;
}

/**
 * The root is kB itself, or is made of both halves of a scoped key. Throws `CryptoError` `badKey`.
 */
export function piclKeys(key: SyncKey): PiclKeys {
  // Looks at the key, whichever it is.
  const { encKey, macKey } = syncKeyBundle(key);
  const scoped = (): Uint8Array =>
    hkdf(concatBytes(encKey, macKey), encodeUtf8(`${CONTEXT}/root`), KEY_BYTES);
  const root = ('kB' in key ? decodeHex(key.kB) : null) ?? scoped();
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
