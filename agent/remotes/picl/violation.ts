// What a server's log may be guilty of. Nothing is applied of what shows one, nothing is deleted,
// and nothing is sent to it.

import { badResponse, type SyncError } from '../../errors.ts';

/**
 * `gap`, `badChangeid`: changes that do not hang together. `badSignature`: nobody with the key made
 * one. `fork`: another log than the one that was verified. `rolledBack`: the same, and the newest
 * changes are gone. `truncated`: it has fewer changes than it says. `staleRecord`: a record is
 * older than the one that is held. `unsafeSeqnum`: numbers past 2^53 - 1. `badShape`: no change at
 * all.
 */
export type Violation =
  | 'gap'
  | 'badChangeid'
  | 'badSignature'
  | 'fork'
  | 'rolledBack'
  | 'truncated'
  | 'staleRecord'
  | 'unsafeSeqnum'
  | 'badShape';

/** The error `badResponse` with the violation as its `reason`. */
export function violation(reason: Violation, what: string, collection?: string): SyncError {
  const where = collection === undefined ? '' : `${collection}: `;
  return badResponse(`${where}${what} (${reason})`, { reason, ...(collection && { collection }) });
}

/** Null: the error is about something else. */
export function violationIn(error: unknown): Violation | null {
  const { reason } = (error as { detail?: { reason?: string } } | null)?.detail ?? {};
  return REASONS.find((one) => one === reason) ?? null;
}

const REASONS: readonly Violation[] = [
  ...(['gap', 'badChangeid', 'badSignature', 'fork', 'rolledBack'] as const),
  ...(['truncated', 'staleRecord', 'unsafeSeqnum', 'badShape'] as const),
];
