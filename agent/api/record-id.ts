// The two names of a record: its own id, which apps say, and its wire id, under which it is stored.
// They are one and the same unless the collection's remote takes other ids than apps do.

import type { Body, Collection } from '../collections/collection.ts';
import { isRecordId, NO_RECORD_ID } from '../collections/record-id.ts';
import { badInput } from '../errors.ts';

/** What the record with this id is stored under; null if no record can have it. */
export function storedIdOf({ ids }: Collection, id: unknown): string | null {
  return ids ? ids.wireId(id) : isRecordId(id) ? id : null;
}

/** The same, with an error instead: `badInput` names the field and the limit. */
export function wireIdOf(collection: Collection, id: unknown, field = 'id'): string {
  const { ids, idRule } = collection;
  const named = idRule ? idRule.idOf(id) : id;
  const wireId = storedIdOf(collection, named);
  if (wireId !== null) return wireId;
  throw badInput(
    `${field}: ${(named === null && idRule ? idRule : ids)?.complaint ?? NO_RECORD_ID}`,
  );
}

/** The record's own id; `body` is what is known of it. */
export function ownIdOf({ ids }: Collection, wireId: string, body: Body | null): string {
  return ids?.ownId(wireId, body) ?? wireId;
}
