// What becomes of a record when the server's version arrives: the old entry and the arrival in, the new entry out.
// Pure. The rules themselves belong to the collection; here they only meet what the device holds.

import type { Body, Collection } from './collections/collection.ts';
import type { Entry, Local, Mirror } from './entry.ts';

export interface Arrival {
  /** Null: a tombstone, or gone from the server. */
  readonly body: Body | null;
  readonly text: string;
  readonly modifiedMs: number;
}

/** Clocks of both sides at the time of the answer: only ages are compared. */
export interface Times {
  readonly serverNowMs: number;
  readonly deviceNowMs: number;
}

/** `seq` numbers the local change, if the merge makes a new one. */
export function receive(
  collection: Collection,
  before: Entry,
  arrival: Arrival,
  epoch: number,
  times: Times,
  seq: number,
): Entry {
  const arrived = mirrorOf(arrival, epoch);
  if (before.mirror === null && before.local === null) return entry(arrived, null);
  const decision = collection.merge({
    local: before.local,
    mirror: before.mirror,
    incoming: arrival,
    ...times,
  });
  const mirror =
    decision.mirror === 'asIs' ? arrived : rewritten(decision.mirror, arrival.modifiedMs, epoch);
  if (decision.local === 'none') return entry(mirror, null);
  if (decision.local === 'keep') return entry(mirror, before.local);
  return entry(mirror, {
    body: decision.local,
    changedAtMs: before.local?.changedAtMs ?? times.deviceNowMs,
    seq,
    tries: 0,
  });
}

/** A record that other devices have deleted: `{"id":..,"deleted":true}`. */
export function isTombstone(body: Body): boolean {
  return Object.hasOwn(body, 'deleted') && body.deleted !== false;
}

export function mirrorOf(arrival: Arrival, epoch: number): Mirror | null {
  const { body, text, modifiedMs } = arrival;
  return body === null ? null : { body, text, modifiedMs, epoch };
}

function rewritten(body: Body | null, modifiedMs: number, epoch: number): Mirror | null {
  return body === null ? null : { body, text: JSON.stringify(body), modifiedMs, epoch };
}

function entry(mirror: Mirror | null, local: Local | null): Entry {
  return { mirror, local, quarantined: false };
}
