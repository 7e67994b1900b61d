// A secret that is made of the user's key, so that all devices of the user have it, and kept
// sealed, for a boot without the account manager.

import { decodeBase64, encodeBase64 } from '../../crypto/bytes.ts';
import { hmac, hmacKey } from '../../crypto/hmac.ts';
import { syncKeyBundle } from '../../crypto/keys.ts';
import { encodeUtf8 } from '../../crypto/utf8.ts';
import type { Platform } from '../../platform/ports.ts';
import { fromPort, ported } from '../errors.ts';
import { FORM } from '../store/stored.ts';
import type { Vault } from '../store/vault.ts';

/** Null: there is none, or it does not open. Errors: those of the storage. */
export async function keptSecret(
  { storage }: Platform,
  vault: Vault,
  key: string,
): Promise<Uint8Array | null> {
  const [box = null] = await ported(storage.get([key]));
  const opened = box instanceof Uint8Array ? await vault.open(key, box) : null;
  return opened && decodeBase64(opened.text, 'url');
}

/** Errors: those of the storage. */
export async function keepSecret(
  { storage }: Platform,
  vault: Vault,
  key: string,
  secret: Uint8Array,
): Promise<void> {
  const sealed = await vault.seal(key, FORM, encodeBase64(secret, 'url'));
  await ported(storage.commit([[key, sealed]]));
}

/**
 * `context` tells it from other secrets of the same user. Errors: those of the account manager;
 * `keyMismatch` for a key that is none.
 */
export async function derivedSecret({ identity }: Platform, context: string): Promise<Uint8Array> {
  const key = await ported(identity.syncKey());
  try {
    return hmac(hmacKey(syncKeyBundle(key).macKey), encodeUtf8(context));
  } catch (error) {
    throw fromPort(error);
  }
}
