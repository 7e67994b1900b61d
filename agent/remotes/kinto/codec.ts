// The records of an encrypted collection: AES-256-CBC and HMAC-SHA-256 as Sync has them, under keys
// of the collection's own, with the record's id inside. Only a sealed tombstone deletes: that the
// server says a record is gone proves nothing.

import type { BsoCrypto } from '../../../crypto/bso.ts';
import type { KeyBundle } from '../../../crypto/keys.ts';
import type { Body, Collection } from '../../collections/collection.ts';
import { groupLength } from '../batches.ts';
import type { Codec, Incoming } from '../remote.ts';

interface SealOptions {
  readonly collection: Collection;
  readonly crypto: BsoCrypto;
  readonly bundle: KeyBundle;
  pause(): Promise<void>;
}

export function sealedCodec({ collection, crypto, bundle, pause }: SealOptions): Codec {
  const proves = (wireId: string, body: Body): boolean =>
    isTombstone(body) ? body.id === wireId : collection.ids?.proves(wireId, body) === true;
  return {
    async open(envelopes) {
      const results: Incoming[] = [];
      while (envelopes.length > 0) {
        const group = envelopes.splice(0, groupLength(envelopes));
        const sealed = group.flatMap(({ id, payload }) =>
          payload === null ? [] : [{ id, payload }],
        );
        const opened = await crypto.open(bundle, sealed, proves);
        for (const { payload } of group) {
          const result = payload === null ? null : opened.shift();
          results.push(result ? incomingOf(result) : { kind: 'unprovenDeletion' });
        }
        await pause();
      }
      return results;
    },
    async seal({ id, body, base }) {
      const text = JSON.stringify(body ?? { id, deleted: true });
      const [payload = ''] = await crypto.seal(bundle, [text]);
      return { id, payload, base, beside: {} };
    },
  };
}

function isTombstone({ deleted }: Body): boolean {
  return deleted === true;
}

type Opened = Awaited<ReturnType<BsoCrypto['open']>>[number];

function incomingOf(result: Opened): Incoming {
  if (!result.ok) {
    return { kind: 'malformed', code: result.code, proven: result.code === 'tooLarge' };
  }
  const { body, text } = result;
  return isTombstone(body) ? { kind: 'tombstone' } : { kind: 'live', body, text };
}
