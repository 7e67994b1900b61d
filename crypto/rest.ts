// Sealing at rest: as a record of Sync is sealed, by the device's own cryptography, which does it
// from text to text, or by what seals records in JavaScript; either opens what the other sealed.
// A box (format 2; format 1: rest-secretbox.ts) is the byte 02, an IV of 16 bytes, a MAC of 32
// (HMAC-SHA-256 of the base64 of what is encrypted), and AES-256-CBC of UTF-8. The MAC does not
// cover the IV, which can change the first block alone: so every text begins with what is known
// before it is opened, and fills that block.

import type { CipherParts, DeviceCrypto } from '../platform/crypto-port.ts';
import { concatBytes, decodeBase64, decodeHex, encodeBase64, encodeHex } from './bytes.ts';
import { CryptoError } from './error.ts';
import { hmac, hmacKey } from './hmac.ts';
import { encodeUtf8, isWellFormed } from './utf8.ts';

export interface RestCipher {
  /**
   * Seals a text for its place: one line that does not end in a space. `iv` is 16 random bytes.
   * Errors: `CryptoError` `badText` (half a surrogate pair), those of the device.
   */
  seal(iv: Uint8Array, place: string, text: string): Promise<Uint8Array>;
  /** Null: not sealed for this place, or damaged. Errors: those of the device. */
  open(place: string, box: Uint8Array): Promise<string | null>;
}

/**
 * The key for what is at rest, from the device's own key (32 bytes or more), or one for another
 * purpose. Throws `CryptoError` `badKey` for a shorter one.
 */
export function restKey(deviceKey: Uint8Array, purpose = 'kitsync/v1/rest'): Uint8Array {
  if (deviceKey.length < 32) throw new CryptoError('badKey', 'the device key is too short');
  return hmac(hmacKey(deviceKey), encodeUtf8(purpose));
}

/** By `cipher`, under keys that are made from one of `restKey`. */
export function restCipher(key: Uint8Array, cipher: DeviceCrypto): RestCipher {
  const [encKey, macKey] = [restKey(key, 'encrypt'), restKey(key, 'authenticate')];
  return {
    async seal(iv, place, text) {
      if (!isWellFormed(text)) throw new CryptoError('badText', 'half a surrogate pair');
      const [parts] = await cipher.seal(encKey, macKey, [before(place) + text], [iv]);
      const [mac, sealed] = [decodeHex(parts?.hmac ?? ''), decodeBase64(parts?.ciphertext ?? '')];
      if (mac?.length !== macBytes || sealed === null) throw unanswered();
      return concatBytes(Uint8Array.of(format), iv, mac, sealed);
    },

    async open(place, box) {
      if (box[0] !== format) return null;
      const [opened] = await cipher.open(encKey, macKey, [partsOf(box)]);
      if (opened === undefined) throw unanswered();
      const start = before(place);
      const isThere = 'text' in opened && opened.text.startsWith(start);
      return isThere ? opened.text.slice(start.length) : null;
    },
  };
}

const unanswered = (): Error => new Error('the cipher left a record unanswered');

/** What a text begins with: a block at least. */
const before = (place: string): string => `${place.padEnd(ivBytes)}\n`;

function partsOf(box: Uint8Array): CipherParts {
  const [iv, mac] = [box.subarray(1, macAt), box.subarray(macAt, sealedAt)];
  const ciphertext = encodeBase64(box.subarray(sealedAt));
  return { IV: encodeBase64(iv), hmac: encodeHex(mac), ciphertext };
}

const format = 2;
const ivBytes = 16;
const macBytes = 32;
const macAt = 1 + ivBytes;
const sealedAt = macAt + macBytes;
