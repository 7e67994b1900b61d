// How a pack is sealed: CBOR in AES-256-GCM under a key of the collection's own, with the pack's id
// authenticated, so that one pack does not open in the place of another.

import type { BulkCrypto } from '../../../../crypto/bulk.ts';
import { concatBytes, decodeBase64, encodeBase64 } from '../../../../crypto/bytes.ts';
import { encodeUtf8 } from '../../../../crypto/utf8.ts';
import type { Entropy } from '../../../../platform/ports.ts';
import { decodePack, encodePack, type Pack } from './pack.ts';

export interface PackSeal {
  /** Errors: those of the crypto. */
  seal(packs: readonly (readonly [id: string, pack: Pack])[]): Promise<string[]>;
  /** Null: it does not open there, or is no pack. Errors: those of the crypto. */
  open(id: string, payload: string): Promise<Pack | null>;
}

/** `key`: 32 bytes. `payloadCharsMax`: longer ones are not opened. */
export function packSeal(
  bulk: BulkCrypto,
  key: Uint8Array,
  entropy: Entropy,
  payloadCharsMax: number,
): PackSeal {
  return {
    async seal(packs) {
      const ivs = packs.map(() => entropy.random(IV_BYTES));
      const items = packs.map(([id, pack], at) => ({
        iv: ivs[at] ?? new Uint8Array(0),
        aad: encodeUtf8(id),
        bytes: encodePack(pack),
      }));
      const sealed = await bulk.encrypt('gcm', key, items);
      return sealed.map((bytes, at) => encodeBase64(concatBytes(items[at]?.iv ?? bytes, bytes)));
    },
    async open(id, payload) {
      const bytes = payload.length > payloadCharsMax ? null : decodeBase64(payload);
      if (bytes === null) return null;
      const item = { iv: bytes.slice(0, IV_BYTES), bytes: bytes.subarray(IV_BYTES) };
      const [opened] = await bulk.decrypt('gcm', key, [{ ...item, aad: encodeUtf8(id) }]);
      return opened ? decodePack(opened) : null;
    },
  };
}

const IV_BYTES = 12;
