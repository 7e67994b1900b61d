// The records of a log: a payload opens at its own key and number only, and what is in it must be
// of the id that the key is a hash of. A deletion of the log is somebody's who has the key: the
// chain has proven it.

import type { Collection } from '../../collections/collection.ts';
import { groupLength } from '../batches.ts';
import { bodyOf } from '../body-of.ts';
import type { Codec, Envelope, Incoming } from '../remote.ts';
import { seqnumOf } from './pages.ts';
import { openPayloads, type SealOptions } from './seal.ts';

interface Options {
  readonly collection: Collection;
  readonly sealing: SealOptions;
  /** Of memory that a body may take. */
  readonly bodyBytesMax: number;
  pause(): Promise<void>;
}

export function logCodec({ collection, sealing, bodyBytesMax, pause }: Options): Codec {
  const read = async (id: string, text: string): Promise<Incoming> => {
    const body = await bodyOf(text, pause, bodyBytesMax);
    if (typeof body === 'string') return { kind: 'malformed', code: body, proven: true };
    const isProven = collection.ids?.proves(id, body) ?? body.id === id;
    return isProven
      ? { kind: 'live', body, text }
      : { kind: 'malformed', code: 'idMismatch', proven: true };
  };
  return {
    async open(envelopes) {
      const results: Incoming[] = [];
      while (envelopes.length > 0) {
        const group = envelopes.splice(0, groupLength(envelopes));
        const opened = await openPayloads(sealing, group.flatMap(placed));
        for (const { id, payload } of group) {
          const one = payload === null ? null : opened.shift();
          if (!one) results.push({ kind: 'tombstone' });
          else if (one.ok) results.push(await read(id, one.text));
          else results.push({ kind: 'malformed', code: one.code, proven: false });
        }
        await pause();
      }
      return results;
    },
    // The upload knows the number, and seals.
    seal: async ({ id, body, base }) => {
      return { id, payload: body && JSON.stringify(body), base, beside: {} };
    },
  };
}

function placed({ id, version, payload }: Envelope) {
  return payload === null ? [] : [{ key: id, seqnum: seqnumOf(version), payload }];
}
