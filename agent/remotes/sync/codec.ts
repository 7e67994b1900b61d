// The records of Firefox Sync: BSO payloads under the keys of `crypto/keys`, tombstones inside
// them. A wrong MAC may mean that the keys changed: they are looked at once more before a record is
// blamed.
// Source: Sync object formats; Sync encryption, storage format 5.

import type { BsoCrypto, OpenedBso } from '../../../crypto/bso.ts';
import type { KeyBundle } from '../../../crypto/keys.ts';
import type { Body } from '../../collections/collection.ts';
import { SyncError } from '../../errors.ts';
import { groupLength } from '../batches.ts';
import type { Codec, Incoming } from '../remote.ts';
import { payloadOf } from './documents.ts';
import { membersBeside } from './engines.ts';

interface CodecOptions {
  readonly collection: string;
  readonly crypto: BsoCrypto;
  /** Errors: `keyMismatch`. */
  bundle(): KeyBundle;
  /** Reads `crypto/keys` again, at most once in a pass; true if they changed. */
  recheck(): Promise<boolean>;
  pause(): Promise<void>;
}

export function bsoCodec({ collection, crypto, bundle, recheck, pause }: CodecOptions): Codec {
  const opened = async (group: { id: string; payload: string }[]): Promise<OpenedBso[]> => {
    const results = await crypto.open(bundle(), group);
    const isSuspect = (one: OpenedBso): boolean => !one.ok && one.code === 'badMac';
    if (!results.some(isSuspect) || !(await recheck())) return results;
    const suspects = group.filter((_, at) => isSuspect(results[at] as OpenedBso));
    if (suspects.every(({ payload }) => payload !== '')) {
      const again = await crypto.open(bundle(), suspects);
      return results.map((one) => (isSuspect(one) && again.shift()) || one);
    }
    // A long payload is not there for a second try: the next pass reads it again.
    throw new SyncError('conflict', 'the keys changed while the collection was read', {
      collection,
    });
  };

  return {
    async open(envelopes) {
      const results: Incoming[] = [];
      while (envelopes.length > 0) {
        const group = envelopes
          .splice(0, groupLength(envelopes))
          .map((envelope) => ({ id: envelope.id, payload: payloadOf(envelope) }));
        for (const result of await opened(group)) results.push(incomingOf(result));
        await pause();
      }
      return results;
    },
    async seal({ id, body, base }) {
      const text = JSON.stringify(body ?? { id, deleted: true });
      const [payload = ''] = await crypto.seal(bundle(), [text]);
      return { id, payload, base, beside: membersBeside(collection, body) };
    },
  };
}

/** A record that other devices have deleted: `{"id":..,"deleted":true}`. */
export function isTombstone(body: Body): boolean {
  return Object.hasOwn(body, 'deleted') && body.deleted !== false;
}

function incomingOf(result: OpenedBso): Incoming {
  if (!result.ok) {
    // The keys prove it before it is found to be too much for this device.
    return { kind: 'malformed', code: result.code, proven: result.code === 'tooLarge' };
  }
  const { body, text } = result;
  return isTombstone(body) ? { kind: 'tombstone' } : { kind: 'live', body, text };
}
