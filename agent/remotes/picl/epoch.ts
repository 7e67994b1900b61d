// The one record of a log that is no app's: what says that the log was begun anew, or goes on from
// an older state, with the consent of somebody who has the key. Without it another log than the
// verified one is a fork. A record of apps goes by a hash, which is never called like it.

import { jsonOf } from '../../../crypto/engine.ts';
import { member } from '../../wire/document.ts';
import type { Log } from './log.ts';
import { type ListedChange, recordIn } from './read.ts';
import { openPayloads } from './seal.ts';

export const EPOCH_KEY = '__epoch';

export interface Epoch {
  /** Higher than every one before it. */
  readonly epoch: number;
  /** What is numbered higher, and was there before, counts no more; 0: the log is a new one. */
  readonly fromSeq: number;
}

/** The newest epoch that changes tell, if it is newer than `known`. Errors: those of the crypto. */
export async function epochOf(
  log: Log,
  changes: readonly ListedChange[],
  known: number,
): Promise<number> {
  let newest = known;
  for (const change of changes) {
    if (change.key !== EPOCH_KEY) continue;
    newest = Math.max(newest, (await opened(log, change))?.epoch ?? 0);
  }
  return newest;
}

/** The epoch that the server has now; null: none that somebody with the key has written. */
export async function currentEpoch(log: Log): Promise<Epoch | null> {
  const answer = await log.get(`/records/${EPOCH_KEY}`);
  if (answer.status !== 200) {
    answer.cancel();
    return null;
  }
  const text = (await answer.read()) ?? '';
  answer.cancel();
  const json = jsonOf(text);
  if (json === undefined) return null;
  const change = recordIn(json, EPOCH_KEY);
  if ((await log.scheme.verifySignatures([change])) >= 0) return null;
  return opened(log, change);
}

export function epochText({ epoch, fromSeq }: Epoch): string {
  return JSON.stringify({ epoch, reason: fromSeq === 0 ? 'new' : 'restored', fromSeq });
}

async function opened(
  { sealing }: Log,
  { key, seqnum, payload }: ListedChange,
): Promise<Epoch | null> {
  if (typeof payload !== 'string') return null;
  const [unsealed] = await openPayloads(sealing, [{ key, seqnum, payload }]);
  const json = unsealed?.ok ? jsonOf(unsealed.text) : undefined;
  const [epoch, fromSeq] = [member(json, 'epoch'), member(json, 'fromSeq')];
  if (!Number.isSafeInteger(epoch) || !Number.isSafeInteger(fromSeq)) return null;
  return { epoch: Number(epoch), fromSeq: Number(fromSeq) };
}
