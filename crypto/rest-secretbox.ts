// Format 1 of a box at rest, which earlier builds wrote: a list of values as CBOR in a secretbox
// (XSalsa20-Poly1305, as NaCl has it). What is written now is format 2: see rest.ts.
// A box is one byte of format, 24 bytes of nonce, then the sealed bytes; it opens only whole and
// under its own key, and its length is the only thing that it tells.
// A nonce must never come twice under one key: draw it at random.

import { concatBytes } from './bytes.ts';
import { type CborValue, decodeCbor, encodeCbor } from './cbor.ts';
import { openSecretbox, secretbox } from './secretbox.ts';

export const nonceBytes = 24;

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

/**
 * The values of a box; null when it proves nothing. Throws `CryptoError` `badSeal` for what is no
 * list of values and was sealed all the same: no build ever did.
 */
export async function openRest(
  key: Uint8Array,
  box: Uint8Array,
  pause: () => Promise<void>,
): Promise<CborValue[] | null> {
  if (box[0] !== format || box.length < sealedAt) return null;
  const nonce = box.slice(1, sealedAt);
  const plain = await openSecretbox(box.slice(sealedAt), nonce, key, pause);
  return plain && decodeCbor(plain);
}

const format = 1;
const sealedAt = 1 + nonceBytes;
