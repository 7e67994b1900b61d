// The records of a collection with packs. One in a pack is in the clear between the pack and here:
// whoever takes packs apart and makes them has sealed it. One that lies alone is sealed as in other
// collections; its version is a stamp of the server's.

import { isObject, jsonOf } from '../../../../crypto/engine.ts';
import type { Collection } from '../../../collections/collection.ts';
import type { Codec, Envelope, Incoming } from '../../remote.ts';

/** The version of a record whose pack does not open; `stamp`: the pack's. */
export const spoiltVersion = (level: number, stamp: string): string => `${SPOILT}${level}.${stamp}`;

/** Of such a version; null: it is another one. */
export function spoiltPlaceOf(version: string | null): { readonly level: number } | null {
  const words = /^!(\d{1,2})\./.exec(version ?? '');
  return words && { level: Number(words[1]) };
}

/** `alone`: opens what lies alone. */
export function packedCodec(
  collection: Collection,
  alone: Codec,
  pause: () => Promise<void>,
): Codec {
  return {
    async open(envelopes) {
      const all = envelopes.splice(0);
      const opened = await alone.open(all.filter(isAlone));
      const results: Incoming[] = [];
      for (const one of all) {
        const result = isAlone(one) ? opened.shift() : incomingOf(collection, one);
        results.push(result ?? { kind: 'malformed', code: 'badPayload', proven: false });
        // Proving an id is a hash of it: some of them are a slice's worth.
        if (results.length % PROVEN_AT_ONCE === 0) await pause();
      }
      return results;
    },
    seal: async ({ id, body, base }) => ({
      ...{ id, base, beside: {} },
      payload: body === null ? '' : JSON.stringify(body),
    }),
  };
}

const SPOILT = '!';
const PROVEN_AT_ONCE = 8;

/**
 * What the wire says is deleted is nobody's word, wherever it lay. No stamp of the server's has a
 * point.
 */
function isAlone({ version, payload }: Envelope): boolean {
  return payload === null || !version.includes('.');
}

function incomingOf({ ids }: Collection, { id, version, payload }: Envelope): Incoming {
  if (version.startsWith(SPOILT)) return { kind: 'malformed', code: 'badPack', proven: false };
  if (!payload) return { kind: 'tombstone' };
  const body = jsonOf(payload);
  if (!isObject(body)) return { kind: 'malformed', code: 'notAnObject', proven: false };
  return ids?.proves(id, body)
    ? { kind: 'live', body, text: payload }
    : { kind: 'malformed', code: 'idMismatch', proven: false };
}
