// How a pack is sealed: as a record is that lies alone, by Sync's envelope under the collection's
// keys. The MAC does not cover the IV, and a changed IV changes the first 16 bytes of a cleartext:
// those of a pack are made of its id, and compared, so that none of them may change, and no pack
// opens in the place of another.

import type { BsoCrypto } from '../../../../crypto/bso.ts';
import type { KeyBundle } from '../../../../crypto/keys.ts';
import { decodePack, encodePack, type Pack } from './pack.ts';

export interface PackSeal {
  /** Errors: those of the crypto. */
  seal(packs: readonly (readonly [id: string, pack: Pack])[]): Promise<string[]>;
  /** Null: it does not open there, or is no pack. Errors: those of the crypto. */
  open(id: string, payload: string): Promise<Pack | null>;
}

/** `payloadCharsMax`: longer ones are not opened. */
export function packSeal(crypto: BsoCrypto, bundle: KeyBundle, payloadCharsMax: number): PackSeal {
  return {
    seal: (packs) =>
      crypto.seal(
        bundle,
        packs.map(([id, pack]) => encodePack(id, pack)),
      ),
    async open(id, payload) {
      if (payload.length > payloadCharsMax) return null;
      let text: string | null = null;
      await crypto.open(bundle, [{ id, payload }], (_, cleartext) => {
        text = cleartext;
        // It is no JSON.
        return NOTHING;
      });
      return text === null ? null : decodePack(id, text);
    },
  };
}

const NOTHING = '{}';
