// The records of an encrypted collection: AES-256-CBC and HMAC-SHA-256 as Sync has them, under keys
// of the collection's own. The MAC does not cover the IV, and a changed IV changes the first 16
// bytes of a cleartext: it begins with the record's wire id, so that no byte of them may change.
// Only a sealed tombstone deletes: that the server says a record is gone proves nothing.

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
    isTombstone(body) || collection.ids?.proves(wireId, body) === true;
  return {
    async open(envelopes) {
      const results: Incoming[] = [];
      while (envelopes.length > 0) {
        const group = envelopes.splice(0, groupLength(envelopes));
        const sealed = group.flatMap(({ id, payload }) =>
          payload === null ? [] : [{ id, payload }],
        );
        const opened = await crypto.open(bundle, sealed, inside);
        for (const { payload } of group) {
          const result = payload === null ? null : opened.shift();
          results.push(result ? incomingOf(result, proves) : { kind: 'unprovenDeletion' });
        }
        await pause();
      }
      return results;
    },
    async seal({ id, body, base }) {
      const json = JSON.stringify(body ?? { deleted: true });
      return { id, payload: await sealedText(crypto, bundle, id, json), base, beside: {} };
    },
  };
}

/** The payload of the record with this wire id. Errors: those of the crypto. */
export async function sealedText(
  crypto: BsoCrypto,
  bundle: KeyBundle,
  wireId: string,
  json: string,
): Promise<string> {
  const [payload = ''] = await crypto.seal(bundle, [wireId + json]);
  return payload;
}

/** Of another record's cleartext nothing is read: nothing proves to be it. */
function inside(wireId: string, cleartext: string): string {
  return cleartext.startsWith(wireId) ? cleartext.slice(wireId.length) : NOBODYS;
}

const NOBODYS = '{}';

function isTombstone({ deleted }: Body): boolean {
  return deleted === true;
}

type Opened = Awaited<ReturnType<BsoCrypto['open']>>[number];

function incomingOf(result: Opened, proves: (wireId: string, body: Body) => boolean): Incoming {
  if (!result.ok) {
    return { kind: 'malformed', code: result.code, proven: result.code === 'tooLarge' };
  }
  const { id, body, text } = result;
  if (!proves(id, body)) return { kind: 'malformed', code: 'idMismatch', proven: false };
  return isTombstone(body) ? { kind: 'tombstone' } : { kind: 'live', body, text };
}
