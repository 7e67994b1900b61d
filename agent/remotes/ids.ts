// Ids that a remote does not take, or that are too long for a key in storage. Apps, and the bodies
// of records, say a record's own id, which may be any text; on the wire and in storage such a
// record goes by a keyed hash of it, its wire id. Whoever has no key learns nothing of the id, not
// even that two users have the same one, nor one user in two collections. An id that the remote
// takes stays as it is. No two ids share a wire id: what looks like a hash is hashed, too.

import { encodeBase64 } from '../../crypto/bytes.ts';
import { hmac, hmacKey } from '../../crypto/hmac.ts';
import { encodeUtf8 } from '../../crypto/utf8.ts';
import type { Body, Collection, Prepared, RecordIds } from '../collections/collection.ts';
import { isRecordId } from '../collections/record-id.ts';

/** Which ids the records of a remote may have. */
export interface IdRules {
  /** UTF-16 units of the longest own id. */
  readonly charsMax: number;
  /** Whether an id may go over the wire as it is. A hash, `h-` and 43 of base64url, always may. */
  isLegal(id: string): boolean;
}

/** Kinto: what it matches with `^[a-zA-Z0-9][a-zA-Z0-9_-]*$`. */
export const isKintoId = (id: string): boolean => /^[a-zA-Z0-9][a-zA-Z0-9_-]*$/.test(id);

/** PiCL: a record's key. */
export const isPiclKey = (id: string): boolean => /^[a-zA-Z0-9_-]{1,64}$/.test(id);

/**
 * The ids of one collection. `secret`: a key of 32 bytes that the remote has for it, and that all
 * devices of the user have. Throws an Error for rules that no hash meets.
 */
export function recordIds(rules: IdRules, secret: Uint8Array, collection: string): RecordIds {
  const key = hmacKey(hmac(hmacKey(secret), encodeUtf8(`kitsync/v1/ids/${collection}`)));
  const hashed = (id: string): string => `${MARK}${encodeBase64(hmac(key, encodeUtf8(id)), 'url')}`;
  if (!rules.isLegal(hashed(''))) throw new Error('the remote takes no hashed ids');
  const wireId = (id: unknown): string | null => {
    if (!isText(id) || id.length > rules.charsMax) return null;
    return isRecordId(id) && rules.isLegal(id) && !isHashedId(id) ? id : hashed(id);
  };
  return {
    complaint: `not a text of 1 to ${rules.charsMax} characters`,
    wireId,
    ownId: ownIdOf,
    proves: (id, body) => wireId(body.id === undefined ? id : body.id) === id,
  };
}

/** The same collection, its records by any id: what it says to apps and servers has their own. */
export function withIds<T extends Collection>(collection: T, ids: RecordIds): T {
  return {
    ...collection,
    ids,
    // The collection judges ids by what it knows, which the wire id is.
    prepare(input, existing, newId, nowMs, asked): Prepared {
      const { guid, ...members } = input;
      const own = existing?.id ?? input.id ?? guid ?? newId;
      const id = ids.wireId(own);
      if (id === null) return { ok: false, complaint: `id: ${ids.complaint}` };
      const isId = guid === undefined || input.id === undefined || guid === input.id;
      const named = { ...members, ...(isId ? {} : { guid }), id };
      const known = existing && { ...existing, id };
      const prepared = collection.prepare(named, known, id, nowMs, asked);
      return prepared.ok ? { ...prepared, body: { ...prepared.body, id: own } } : prepared;
    },
    view: (id: string, body: Body) => collection.view(ownIdOf(id, body), body),
    outgoing: (id: string, body: Body) => collection.outgoing(ownIdOf(id, body), body),
  };
}

/** Whether an id is one that `recordIds` has made of another, or looks like it. */
export function isHashedId(id: string): boolean {
  return HASHED.test(id);
}

const MARK = 'h-';
const HASHED = /^h-[A-Za-z0-9_-]{43}$/;

function ownIdOf(wireId: string, body: Body | null): string {
  const id = body?.id;
  return isHashedId(wireId) && typeof id === 'string' ? id : wireId;
}

/** Not empty, and without half a surrogate pair, which no UTF-8 has. */
function isText(id: unknown): id is string {
  return typeof id === 'string' && id !== '' && !/[\ud800-\udfff]/u.test(id);
}
