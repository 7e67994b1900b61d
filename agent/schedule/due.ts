// When the next pass is due. Pure: the agent asks, sleeps, and asks again.
// Reasons to sync: the interval, a local change, the user, a boot, a failure. The server's wish to
// wait outranks them all.

import type { Connection } from '../../platform/ports.ts';
import { CHANGE_DELAY_MS, INTERVAL_SPREAD, READ_ONLY_RECHECK_MS } from '../limits.ts';
import { type Backoff, scheduledWaitMs } from './backoff.ts';

export interface ScheduleInput {
  readonly nowMs: number;
  /** Device time of the last pass that succeeded or failed; null: none since the boot. */
  readonly lastPassMs: number | null;
  readonly intervalMs: number;
  /** Device time of the oldest local change that no pass has seen; null: none. */
  readonly changedAtMs: number | null;
  readonly backoff: Backoff;
  /** A random number from 0 to 1, another one for every pass. */
  readonly spread: number;
}

/** Milliseconds until a pass is due. A clock that jumped back counts as no time passed. */
export function dueInMs(input: ScheduleInput): number {
  const { nowMs, lastPassMs, changedAtMs, backoff, spread } = input;
  // Devices that one event has put in step leave it, a little with every pass.
  const intervalMs = Math.round(input.intervalMs * (1 + spread * INTERVAL_SPREAD));
  // After a failure our own caution is the interval.
  const isFirst = lastPassMs === null || backoff.failures > 0;
  const byInterval = isFirst ? 0 : until(lastPassMs + intervalMs, nowMs, intervalMs);
  const byChange =
    changedAtMs === null ? Infinity : until(changedAtMs + CHANGE_DELAY_MS, nowMs, CHANGE_DELAY_MS);
  return Math.max(Math.min(byInterval, byChange), scheduledWaitMs(backoff, nowMs, spread));
}

/**
 * A server's refusal to take writes is believed for a day, by the device's clock: it may open
 * again. 0: none.
 */
export function isRefusalBelieved(refusedAtMs: number, nowMs: number): boolean {
  const ageMs = nowMs - refusedAtMs;
  return refusedAtMs > 0 && ageMs >= 0 && ageMs < READ_ONLY_RECHECK_MS;
}

/** A scheduled pass may use this network. */
export function mayUse(connection: Connection, wifiOnly: boolean): boolean {
  return connection === 'wifi' || (connection === 'metered' && !wifiOnly);
}

function until(dueMs: number, nowMs: number, mostMs: number): number {
  return Math.min(Math.max(dueMs - nowMs, 0), mostMs);
}
