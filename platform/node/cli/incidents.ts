// What a server was seen to have lost, or to say of a user's data without being able to prove it.
// Nothing of it costs the user anything, so no pass fails for it; it is told once by the sync, and
// kept in the folder's notes for a month, since it may be the first sign of a server in trouble.

import type { AgentEvent } from '../../../agent/index.ts';

export interface Incident {
  readonly kind: 'beganAnew' | 'unprovenDeletion';
  readonly collection: string;
  /** How often; of deletions, how many records. */
  readonly count: number;
  /** When it was seen last. */
  readonly lastMs: number;
}

/** What is kept, with what an event tells; the same object where it tells of no incident. */
export function withIncident(
  known: readonly Incident[],
  event: AgentEvent,
  nowMs: number,
): readonly Incident[] {
  if (event.kind !== 'beganAnew' && event.kind !== 'unprovenDeletion') return known;
  const { kind, collection } = event;
  return merged(known, [{ kind, collection, count: 1, lastMs: nowMs }], nowMs);
}

/** Those of both that are not too old. */
export function merged(
  known: readonly Incident[],
  more: readonly Incident[],
  nowMs: number,
): readonly Incident[] {
  const young = known.filter(({ lastMs }) => lastMs > nowMs - KEPT_MS);
  const all = new Map(young.map((one) => [nameOf(one), one] as const));
  for (const one of more) {
    const before = all.get(nameOf(one));
    all.delete(nameOf(one));
    all.set(nameOf(one), { ...one, count: (before?.count ?? 0) + one.count });
  }
  return [...all.values()].slice(-KEPT_MAX);
}

/** In words, without the time. */
export function incidentText({ kind, collection, count }: Omit<Incident, 'lastMs'>): string {
  if (kind === 'beganAnew') {
    return (
      `${collection}: what the server has was begun anew (it was emptied or restored, or the ` +
      'key is another one now); what it lacks goes up again'
    );
  }
  const records = count === 1 ? '1 record is' : `${count} records are`;
  return (
    `${collection}: the server says that ${records} gone, and nobody with the key has deleted ` +
    'them; they stay here and go up again'
  );
}

export function isIncident(value: unknown): value is Incident {
  const { kind, collection, count, lastMs } = (value ?? {}) as Partial<Incident>;
  return (
    (kind === 'beganAnew' || kind === 'unprovenDeletion') &&
    typeof collection === 'string' &&
    typeof count === 'number' &&
    typeof lastMs === 'number'
  );
}

const KEPT_MS = 30 * 86_400_000;
const KEPT_MAX = 20;

function nameOf({ kind, collection }: Incident): string {
  return `${kind} ${collection}`;
}
