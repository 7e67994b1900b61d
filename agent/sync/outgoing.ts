// One local change on its way to the server, sealed. The body is not kept with a long payload:
// memory is for one of the two.

import type { Body } from '../collections/collection.ts';
import { PAYLOAD_SAFE_CHARS } from '../limits.ts';
import type { Outgoing } from '../remotes/remote.ts';
import type { Local } from '../store/record.ts';
import type { CollectionPass } from './pass-context.ts';

export interface Job {
  readonly id: string;
  /** Of the change, when it was sealed. */
  readonly seq: number;
  readonly tries: number;
  readonly isDeletion: boolean;
  /** What was sealed; null for a deletion, and where it is long. */
  readonly body: Body | null;
  readonly outgoing: Outgoing;
}

/** `baseMs`: the server's version that the change was made from. Errors: those of the keys. */
export async function sealedJob(
  { crypto, keys, store }: CollectionPass,
  id: string,
  { body, seq, tries }: Local,
  baseMs: number | null,
): Promise<Job> {
  const { collection } = store;
  const text = JSON.stringify(
    body === null ? { id, deleted: true } : collection.outgoing(id, body),
  );
  const [payload = ''] = await crypto.seal(keys.bundle(collection.name), [text]);
  const sortindex = body === null ? null : collection.sortindex(body);
  const outgoing = { id, payload, sortindex, ttlSeconds: collection.ttlSeconds, baseMs };
  const kept = payload.length <= PAYLOAD_SAFE_CHARS ? body : null;
  return { id, seq, tries, isDeletion: body === null, body: kept, outgoing };
}
