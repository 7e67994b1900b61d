// One local change on its way to the server, sealed. The body is not kept with a long payload:
// memory is for one of the two.

import type { Body } from '../collections/collection.ts';
import { writtenAtMs } from '../collections/members.ts';
import { PAYLOAD_SAFE_CHARS } from '../limits.ts';
import type { Outgoing } from '../remotes/remote.ts';
import type { Known, Local } from '../store/record.ts';
import type { CollectionPass } from './pass-context.ts';

export interface Job {
  readonly id: string;
  /** Of the change, when it was sealed. */
  readonly seq: number;
  readonly tries: number;
  readonly isDeletion: boolean;
  /** By the server's clock, as far as it is known. */
  readonly writtenMs: number;
  /** What was sealed; null for a deletion, and where it is long. */
  readonly body: Body | null;
  readonly outgoing: Outgoing;
  /** What the device had of it, where that is known and not long. */
  readonly known?: Known | undefined;
}

/**
 * `base`: the server's version that the change was made from; `agreed`: what it says. Errors: those
 * of the codec.
 */
export async function sealedJob(
  { offer, notes, platform, store: { collection } }: CollectionPass,
  id: string,
  { body: made, seq, tries, changedAtMs }: Local,
  base: string | null,
  known?: Known,
  agreed?: Body,
): Promise<Job> {
  const deviceNowMs = platform.clock.nowMs();
  const serverNowMs = notes.serverNowMs || deviceNowMs;
  const writtenMs = writtenAtMs(changedAtMs, { serverNowMs, deviceNowMs });
  const body = made && (collection.stamped?.(made, writtenMs, agreed) ?? made);
  const change = { id, body: body && collection.outgoing(id, body), base, changedAtMs };
  const outgoing = await offer.codec.seal(change);
  const kept = charsOf(outgoing) <= PAYLOAD_SAFE_CHARS ? { body, known } : { body: null };
  return { id, seq, tries, isDeletion: body === null, writtenMs, ...kept, outgoing };
}

/** Of the payload: what a request is measured by. */
export function charsOf({ payload }: Outgoing): number {
  return payload?.length ?? 0;
}
