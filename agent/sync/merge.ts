// What becomes of a record when the server's version arrives: the old entry and the arrival in, the
// new entry out. Pure. The rules themselves belong to the collection; here they only meet what the
// device holds.

import type { Body, Collection, MergeInput } from '../collections/collection.ts';
import { isOlderThanAgreed } from '../collections/members.ts';
import { type Entry, isUndecided, type Local, type Mirror } from '../store/record.ts';

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
  /** The server's clock as any answer has told it last; left out where no clock matters. */
  readonly clockMs?: number | undefined;
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
  const { local } = before;
  // The change was made since the version that the device has.
  const isKnown = arrival.isOwn || before.mirror?.version === arrival.version;
  const mine = isKnown ? arrived : before.mirror;
  const input: MergeInput = { local, mirror: mine, epoch, ...clockOf(before, arrival, times) };
  // What was made again since that deletion, which a restored backup says once more.
  const isOldDeletion = arrived === null && arrival.modifiedMs !== null && local?.body !== null;
  if (isOldDeletion && isOlderThanAgreed(input)) {
    return { ...requeued(before, deviceNowMs, () => seq), quarantined: false };
  }
  const decision = collection.merge(input);
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
    const { tries = 0 } = decision;
    return entry(mirror, local && local.tries !== tries ? { ...local, tries } : local);
  }
  return entry(mirror, {
    body: decision.local,
    changedAtMs: local?.changedAtMs ?? deviceNowMs,
    seq,
    tries: 0,
  });
}

/** The server has lost it: what was agreed on is a local change now, if there is no newer one. */
export function requeued(before: Entry, changedAtMs: number, nextSeq: () => number): Entry {
  const { mirror, local } = before;
  // Of an undecided conflict both versions stay as they are, until somebody has decided.
  if (mirror === null || isUndecided(local)) return before;
  const again = local ?? { body: mirror.body, changedAtMs, seq: nextSeq(), tries: 0 };
  return { ...before, mirror: null, local: again };
}

/**
 * The times that a collection's rule goes by. A remote without times has an order only, and what
 * goes up last is last in it: an arriving version counts as written just before the local change
 * that it meets, and is kept under the device's time when it came.
 */
function clockOf(
  { local }: Entry,
  { body, modifiedMs }: Arrival,
  { serverNowMs, deviceNowMs, clockMs }: Times,
): Pick<MergeInput, 'incoming' | 'serverNowMs' | 'deviceNowMs' | 'clockMs'> {
  if (modifiedMs !== null && serverNowMs !== null) {
    return { incoming: { body, modifiedMs }, serverNowMs, deviceNowMs, clockMs };
  }
  const beforeMs = Math.min(local?.changedAtMs ?? deviceNowMs, deviceNowMs) - 1;
  const incoming = { body, modifiedMs: beforeMs };
  return { incoming, serverNowMs: deviceNowMs, deviceNowMs, clockMs };
}

/** `nowMs`: the time that it is kept under, where the remote tells none. */
export function mirrorOf(arrival: Arrival, epoch: number, nowMs: number): Mirror | null {
  const { body, text, version, modifiedMs } = arrival;
  return body === null ? null : { body, text, version, modifiedMs: modifiedMs ?? nowMs, epoch };
}

function entry(mirror: Mirror | null, local: Local | null): Entry {
  return { mirror, local, quarantined: false };
}
