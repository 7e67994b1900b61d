// Sealing at rest: lists of values as CBOR in a secretbox (XSalsa20-Poly1305, as NaCl has it).
// A box is one byte of format, 24 bytes of nonce, then the sealed bytes; it opens only whole and
// under its own key, and its length is the only thing that it tells.
// A nonce must never come twice under one key: draw it at random.

import { concatBytes } from './bytes.ts';
import { type CborValue, decodeCbor, encodeCbor } from './cbor.ts';
import { CryptoError } from './error.ts';
import { hmac, hmacKey } from './hmac.ts';
import { openSecretbox, secretbox } from './secretbox.ts';
import { encodeUtf8 } from './utf8.ts';

export const nonceBytes = 24;

/**
 * The key for what is at rest, from the device's own key (32 bytes or more), or one for another
 * purpose. Throws `CryptoError` `badKey` for a shorter one.
 */
export function restKey(deviceKey: Uint8Array, purpose = 'kitsync/v1/rest'): Uint8Array {
  if (deviceKey.length < 32) throw new CryptoError('badKey', 'the device key is too short');
  return hmac(hmacKey(deviceKey), encodeUtf8(purpose));
}

/**
 * Seals a list of values under a key of `restKey` and a nonce of 24 bytes. `pause`: see
 * `secretbox`.
 */
export async function sealRest(
  key: Uint8Array,
  nonce: Uint8Array,
  values: readonly CborValue[],
  pause: () => Promise<void>,
): Promise<Uint8Array> {
  const box = await secretbox(encodeCbor(values), nonce, key, pause);
  return concatBytes(new Uint8Array([format]), nonce, box);
}

/** The values of a box. Throws `CryptoError` `badSeal` when it proves nothing. */
export async function openRest(
  key: Uint8Array,
  box: Uint8Array,
  pause: () => Promise<void>,
): Promise<CborValue[]> {
  if (box[0] !== format) throw new CryptoError('badSeal', 'an unknown format');
  const nonce = box.slice(1, sealedAt);
  const plain =
    nonce.length < nonceBytes ? null : await openSecretbox(box.slice(sealedAt), nonce, key, pause);
  if (plain === null) throw new CryptoError('badSeal', 'not sealed under this key, or damaged');
  return decodeCbor(plain);
}

const format = 1;
const sealedAt = 1 + nonceBytes;
