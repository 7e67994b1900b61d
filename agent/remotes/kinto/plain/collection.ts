// A collection whose records lie on a Kinto as they are, as far as apps can say them: ids that the
// server takes, no member that is the server's own, no text that it cannot store.
// Source: Kinto HTTP API 1.x (records); what Kinto 26.5.0 on PostgreSQL was seen to refuse.

import { encodeHex } from '../../../../crypto/bytes.ts';
import type { Body, Collection } from '../../../collections/collection.ts';
import { isRecordId } from '../../../collections/record-id.ts';
import { isKintoId, withIds } from '../../ids.ts';

/** Members that Kinto gives and takes itself: a record cannot have them as its own. */
export const SERVER_MEMBERS: readonly string[] = ['last_modified', 'deleted'];

/** The same collection, its records by the ids that other clients of the server know. */
export function plainCollection<T extends Collection>(collection: T): T {
  const wireId = (id: unknown): string | null => (isRecordId(id) && isKintoId(id) ? id : null);
  const named = withIds(collection, {
    complaint: 'not 1 to 64 letters, digits, _ and -, of which the first is no _ or -',
    wireId,
    ownId: (id) => id,
    proves: () => true,
  });
  return {
    ...named,
    newId: uuid,
    prepare(input, existing, newId, nowMs) {
      const complaint = complaintOf(input);
      return complaint === null
        ? named.prepare(input, existing, newId, nowMs)
        : { ok: false, complaint };
    },
  };
}

/** Null: the server takes all of it. */
function complaintOf(input: Body): string | null {
  for (const name of Object.keys(input)) {
    if (SERVER_MEMBERS.includes(name)) return `${name}: a member that is the server's own`;
    const text = `${JSON.stringify(name)}${JSON.stringify(input[name]) ?? ''}`;
    if (isUnstorable(text))
      return `${name}: U+0000 or half a surrogate pair, which no server takes`;
  }
  return null;
}

/** Of a JSON text: whether it has a character that PostgreSQL stores in no JSON. */
export function isUnstorable(json: string): boolean {
  return (
    /(^|[^\\])(\\\\)*\\u(0000|d[89a-f][0-9a-f]{2})/.test(json) || /[\ud800-\udfff]/u.test(json)
  );
}

/** As most clients of Kinto make them: version 4, of random bytes. */
function uuid(random: Uint8Array): string {
  const hex = encodeHex(random.subarray(0, 16));
  const variant = '89ab'[Number.parseInt(hex.slice(16, 17), 16) & 3];
  const end = `${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${end}`;
}
