// What becomes of a record when the server's version arrives: the old entry and the arrival in, the
// new entry out. Pure. The rules themselves belong to the collection; here they only meet what the
// device holds.

import type { Body, Collection, MergeInput } from '../collections/collection.ts';
import type { Entry, Local, Mirror } from '../store/record.ts';

export interface Arrival {
  /** Null: a tombstone, or gone from the server. */
  readonly body: Body | null;
  readonly text: string;
  readonly version: string;
  /** Null where the remote has no times. */
  readonly modifiedMs: number | null;
  /** This device has written it: a change that was made since then is one of this version. */
  readonly isOwn?: boolean | undefined;
}

/** Clocks of both sides at the time of the answer: only ages are compared. */
export interface Times {
  /** Null where the remote has no times. */
  readonly serverNowMs: number | null;
  readonly deviceNowMs: number;
}

/** `fork` becomes a record of its own: see `MergeDecision`. */
export type Received = Entry & { readonly fork?: Body };

/** `seq` numbers the local change, if the merge makes a new one. */
export function receive(
  collection: Collection,
  before: Entry,
  arrival: Arrival,
  epoch: number,
  times: Times,
  seq: number,
): Received {
  const { deviceNowMs } = times;
  const arrived = mirrorOf(arrival, epoch, deviceNowMs);
  if (before.mirror === null && before.local === null) return entry(arrived, null);
  const decision = collection.merge({
    local: before.local,
    mirror: arrival.isOwn ? arrived : before.mirror,
    epoch,
    ...clockOf(before, arrival, times),
  });
  const body = decision.mirror;
  const mirror =
    body === 'asIs'
      ? arrived
      : mirrorOf({ ...arrival, body, text: JSON.stringify(body) }, epoch, deviceNowMs);
  if (decision.local === 'none') {
    return { ...entry(mirror, null), ...(decision.fork && { fork: decision.fork }) };
  }
  // What the server refused beside another version of the record may be taken beside this one.
  if (decision.local === 'keep') {
    const [{ local }, { tries = 0 }] = [before, decision];
    return entry(mirror, local && local.tries !== tries ? { ...local, tries } : local);
  }
  return entry(mirror, {
    body: decision.local,
    changedAtMs: before.local?.changedAtMs ?? times.deviceNowMs,
    seq,
    tries: 0,
  });
}

/**
 * The times that a collection's rule goes by. A remote without times has an order only, and what
 * goes up last is last in it: an arriving version counts as written just before the local change
 * that it meets, and is kept under the device's time when it came.
 */
function clockOf(
  { local }: Entry,
  { body, modifiedMs }: Arrival,
  { serverNowMs, deviceNowMs }: Times,
): Pick<MergeInput, 'incoming' | 'serverNowMs' | 'deviceNowMs'> {
  if (modifiedMs !== null && serverNowMs !== null) {
    return { incoming: { body, modifiedMs }, serverNowMs, deviceNowMs };
  }
  const beforeMs = Math.min(local?.changedAtMs ?? deviceNowMs, deviceNowMs) - 1;
  return { incoming: { body, modifiedMs: beforeMs }, serverNowMs: deviceNowMs, deviceNowMs };
}

/** `nowMs`: the time that it is kept under, where the remote tells none. */
export function mirrorOf(arrival: Arrival, epoch: number, nowMs: number): Mirror | null {
  const { body, text, version, modifiedMs } = arrival;
  return body === null ? null : { body, text, version, modifiedMs: modifiedMs ?? nowMs, epoch };
}

function entry(mirror: Mirror | null, local: Local | null): Entry {
  return { mirror, local, quarantined: false };
}
