// A town's televisions after a power cut: all boot at once, and each asks when the agent's own
// schedule says. The server takes so many passes a second and has no time for the rest. Time goes
// by the second, in counts alone: the same seed gives the same figures.

import { SPREAD_MS } from '../../agent/limits.ts';
import { chance } from '../../agent/schedule/alarm.ts';
import { NO_BACKOFF, passFailed } from '../../agent/schedule/backoff.ts';
import { dueInMs } from '../../agent/schedule/due.ts';
import { createRandom } from '../../emulator/device/random.ts';

interface FleetOptions {
  readonly devices: number;
  /** Passes that the server takes in a second. */
  readonly takenPerSecond: number;
  /**
   * False: nothing is random but our own waits after a failure, which are longer by up to a
   * quarter.
   */
  readonly isSpread: boolean;
  readonly seed?: number;
}

interface FleetResult {
  /** Most passes that begin in one second. */
  readonly peakPerSecond: number;
  readonly rejected: number;
  /** Seconds until so much of the fleet has synced; null: not within the time that was watched. */
  readonly seconds99: number | null;
}

/** Devices of one kind do not boot equally fast: from the first to the last. */
const BOOT_MS_SPREAD = 30_000;
const INTERVAL_MS = 3_600_000;
const WATCHED_SECONDS = 4 * 3_600;
const NOBODY = -1;

export function runFleet({
  devices,
  takenPerSecond,
  isSpread,
  seed = 1,
}: FleetOptions): FleetResult {
  const random = createRandom(seed);
  // The same four bytes for all: a list of its own for each of them would take most of the time.
  const word = new Uint32Array(1);
  const bytes = new Uint8Array(word.buffer);
  const entropy = {
    random(): Uint8Array {
      word[0] = random.uint32();
      return bytes;
    },
  };
  const spreadMs = isSpread ? SPREAD_MS : 0;
  const jitterMax = isSpread ? 1 : 0.25;
  const failures = new Uint8Array(devices);
  /** Who asks in each second: the last one, and who is before each. */
  const last = new Int32Array(WATCHED_SECONDS).fill(NOBODY);
  const before = new Int32Array(devices);
  const ask = (device: number, atMs: number): void => {
    const second = Math.floor(atMs / 1_000);
    if (second >= WATCHED_SECONDS) return;
    before[device] = last[second] ?? NOBODY;
    last[second] = device;
  };
  for (let device = 0; device < devices; device++) {
    ask(device, BOOT_MS_SPREAD * chance(entropy) + spreadMs * chance(entropy));
  }

  const result = { peakPerSecond: 0, rejected: 0, seconds99: null as number | null };
  let synced = 0;
  for (let second = 0; second < WATCHED_SECONDS && result.seconds99 === null; second++) {
    let asked = 0;
    const nowMs = second * 1_000;
    for (let device = last[second] ?? NOBODY; device !== NOBODY; ) {
      const next = before[device] ?? NOBODY;
      if (++asked <= takenPerSecond) synced++;
      else {
        result.rejected++;
        const failed = { ...NO_BACKOFF, failures: failures[device] ?? 0 };
        const backoff = passFailed(failed, nowMs, jitterMax * chance(entropy));
        failures[device] = backoff.failures;
        const due = { nowMs, lastPassMs: nowMs, intervalMs: INTERVAL_MS, changedAtMs: null };
        // Where in its second a device asks is not kept: it is drawn anew.
        const withinMs = 1_000 * chance(entropy);
        ask(device, nowMs + withinMs + dueInMs({ ...due, backoff, spread: 0 }));
      }
      device = next;
    }
    result.peakPerSecond = Math.max(result.peakPerSecond, asked);
    if (synced >= devices * 0.99) result.seconds99 = second + 1;
  }
  return result;
}
