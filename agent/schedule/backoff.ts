// When the next request may go out. Pure: times come in, a value to be persisted goes out.
// A server's wish and our own caution are kept apart: a user may ignore ours, never the server's.
// Of several wishes the larger wins. A device clock that jumped back never makes a wait longer than
// it was.

import { BACKOFF_MS_FIRST, BACKOFF_MS_LAST, WAIT_MS_MAX, WAIT_MS_MIN } from '../limits.ts';

interface Wait {
  readonly setAtMs: number;
  readonly untilMs: number;
}

export interface Backoff {
  /** Asked for by the server (Backoff, Retry-After). */
  readonly server: Wait | null;
  /** Ours, after failures. */
  readonly own: Wait | null;
  /** Failed passes in a row. */
  readonly failures: number;
}

export const NO_BACKOFF: Backoff = { server: null, own: null, failures: 0 };

/** Milliseconds until the next request may go out; `byUser` passes over our own caution. */
export function waitMs(backoff: Backoff, nowMs: number, byUser: boolean): number {
  const server = remaining(backoff.server, nowMs);
  return byUser ? server : Math.max(server, remaining(backoff.own, nowMs));
}

/**
 * As `waitMs`, for a pass that nobody has asked for: up to twice the wait of the server, by
 * `spread` (0 to 1), and at most a day. All who were told to wait a minute would be back in the
 * same second.
 */
export function scheduledWaitMs(backoff: Backoff, nowMs: number, spread: number): number {
  const { server, own } = backoff;
  if (server === null) return remaining(own, nowMs);
  const { setAtMs, untilMs } = server;
  const totalMs = untilMs - setAtMs;
  const longerMs = Math.max(totalMs, Math.min(Math.round(totalMs * (1 + spread)), WAIT_MS_MAX));
  const longer = { setAtMs, untilMs: setAtMs + longerMs };
  return Math.max(remaining(longer, nowMs), remaining(own, nowMs));
}

/** The server asked for `delayMs` (any number, also a hostile one). */
export function serverAsked(backoff: Backoff, delayMs: number, nowMs: number): Backoff {
  if (!(delayMs > 0)) return backoff;
  const wait = Math.max(remaining(backoff.server, nowMs), clampWait(delayMs));
  return { ...backoff, server: { setAtMs: nowMs, untilMs: nowMs + wait } };
}

/**
 * A pass failed: doubling waits, up to twice as long by `jitter` (0 to 1), so that a fleet does not
 * return as one.
 */
export function passFailed(backoff: Backoff, nowMs: number, jitter: number): Backoff {
  const failures = backoff.failures + 1;
  const doubled = BACKOFF_MS_FIRST * 2 ** Math.min(failures - 1, 20);
  const wait = Math.round(Math.min(doubled, BACKOFF_MS_LAST) * (1 + jitter));
  return { ...backoff, failures, own: { setAtMs: nowMs, untilMs: nowMs + wait } };
}

/** There is a network again: what failed for want of one may be tried at once. */
export function connected(backoff: Backoff): Backoff {
  return { ...backoff, own: null };
}

/** A wait that is over is forgotten: a boot whose clock is set back would begin it anew. */
export function passSucceeded(backoff: Backoff, nowMs: number): Backoff {
  return waitMs(backoff, nowMs, true) > 0 ? { ...NO_BACKOFF, server: backoff.server } : NO_BACKOFF;
}

/**
 * Waits that a clock set which was ahead of now begin now: else they would last until it is there
 * again.
 */
export function anchored(backoff: Backoff, nowMs: number): Backoff {
  const server = anchoredWait(backoff.server, nowMs);
  const own = anchoredWait(backoff.own, nowMs);
  return server === backoff.server && own === backoff.own ? backoff : { ...backoff, server, own };
}

export function clampWait(delayMs: number): number {
  return Math.min(Math.max(Math.round(delayMs), WAIT_MS_MIN), WAIT_MS_MAX);
}

function anchoredWait(wait: Wait | null, nowMs: number): Wait | null {
  if (wait === null || nowMs >= wait.setAtMs) return wait;
  return { setAtMs: nowMs, untilMs: nowMs + remaining(wait, nowMs) };
}

function remaining(wait: Wait | null, nowMs: number): number {
  if (wait === null) return 0;
  const total = Math.min(wait.untilMs - wait.setAtMs, 2 * WAIT_MS_MAX);
  return nowMs < wait.setAtMs ? total : Math.max(0, wait.setAtMs + total - nowMs);
}
