// What of Kinto's is made from the user's key: the name of the bucket, and the keys of every
// collection, so that a record which is put into another collection does not open there. Another
// key has another bucket: what two keys seal never meets.
// Source: RFC 5869, each of them under a context of its own.

import { concatBytes, encodeHex } from '../../../crypto/bytes.ts';
import { hkdf } from '../../../crypto/hmac.ts';
import { type KeyBundle, keyBundle, syncKeyBundle } from '../../../crypto/keys.ts';
import { encodeUtf8 } from '../../../crypto/utf8.ts';
import type { SyncKey } from '../../../platform/ports.ts';

/** What the user's data on a Kinto is found and sealed by. */
export interface KintoKeys {
  /** `kitsync-` and 32 hexadecimal digits: nobody else comes upon it. */
  readonly bucket: string;
  /** The same object at every call. */
  bundleFor(collection: string): KeyBundle;
  /** Of the record that says what the others belong to: `epoch-` and 32 hexadecimal digits. */
  epochIdFor(collection: string): string;
}

/** Throws `CryptoError` `badKey`. */
export function kintoKeys(key: SyncKey): KintoKeys {
  const { encKey, macKey } = syncKeyBundle(key);
  const root = hkdf(concatBytes(encKey, macKey), encodeUtf8(`${CONTEXT}/root`), 32);
  const known = new Map<string, { readonly bundle: KeyBundle; readonly epochId: string }>();
  const keysFor = (collection: string) => {
    const found = known.get(collection);
    if (found !== undefined) return found;
    const bytes = hkdf(root, encodeUtf8(`${CONTEXT}/records/${collection}`), 80);
    const bundle = keyBundle(bytes.slice(0, 32), bytes.slice(32, 64));
    const keys = { bundle, epochId: `epoch-${encodeHex(bytes.slice(64))}` };
    known.set(collection, keys);
    return keys;
  };
  return {
    bucket: `kitsync-${encodeHex(hkdf(root, encodeUtf8(`${CONTEXT}/bucket`), 16))}`,
    bundleFor: (collection) => keysFor(collection).bundle,
    epochIdFor: (collection) => keysFor(collection).epochId,
  };
}

const CONTEXT = 'kitsync/v1/kinto';
