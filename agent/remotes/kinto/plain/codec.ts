// Records that are not encrypted: members beside Kinto's own, as other clients of the server write
// them. What the server says of a deletion is believed.

import type { Body } from '../../../collections/collection.ts';
import { SyncError } from '../../../errors.ts';
import { parseInTurns } from '../../../wire/document.ts';
import { groupLength } from '../../batches.ts';
import type { Codec, Incoming } from '../../remote.ts';
import type { Form } from '../records.ts';
import { isUnstorable, SERVER_MEMBERS } from './collection.ts';

/** The payload is the record as a JSON text, with its id. */
export const PLAIN: Form = {
  read(value) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return { id: undefined, modifiedMs: undefined, payload: undefined };
    }
    const { id, last_modified: modifiedMs, ...members } = value as Body;
    // A live record may say so too: every client of Kinto takes it for a deletion.
    const deleted = members.deleted === true && Object.keys(members).length === 1;
    const payload = deleted ? undefined : JSON.stringify({ id, ...members });
    return { id, modifiedMs, payload, deleted };
  },
  data: (payload) => JSON.parse(payload),
  isOneMember: false,
  isUnstorable,
  isOwn: () => false,
};

/** `pause` gives the device its turn. */
export function plainCodec(pause: () => Promise<void>): Codec {
  return {
    async open(envelopes) {
      const results: Incoming[] = [];
      while (envelopes.length > 0) {
        for (const { payload } of envelopes.splice(0, groupLength(envelopes))) {
          results.push(payload === null ? { kind: 'tombstone' } : await incomingOf(payload, pause));
        }
        await pause();
      }
      return results;
    },
    async seal({ id, body, base }) {
      return { id, payload: body && JSON.stringify(ownOf(body)), base, beside: {} };
    },
  };
}

async function incomingOf(text: string, pause: () => Promise<void>): Promise<Incoming> {
  try {
    return { kind: 'live', body: (await parseInTurns(text, pause)) as Body, text };
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    // More values than the device can hold.
    return { kind: 'malformed', code: 'tooLarge', proven: true };
  }
}

function ownOf(body: Body): Body {
  const members = Object.entries(body).filter(([name]) => !SERVER_MEMBERS.includes(name));
  return Object.fromEntries(members);
}
