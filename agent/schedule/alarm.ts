// The agent's one timer: sleeps until the next pass is due, and begins it where there is a network
// that it may use. When a pass is due is due.ts's to say; this never runs two. What comes back for
// many devices at once, power or a network, makes each of them wait a random part of the spread
// first: a whole town would ask in the same second.

import type { Entropy, Platform } from '../../platform/ports.ts';
import { NETWORK_RECHECK_MS } from '../limits.ts';
import { mayUse } from './due.ts';

interface AlarmOptions {
  readonly platform: Platform;
  readonly spreadMs: number;
  /** Milliseconds until the next pass; null: there is none to come. */
  dueInMs(): number | null;
  isRunning(): boolean;
  /** Passes wait for a network that costs nothing. */
  wifiOnly(): boolean;
  run(): void;
}

export interface Alarm {
  /** Sets the timer anew: what is due may have changed. */
  arm(): void;
  /**
   * As `arm`, but a pass that is due now waits for a random part of the spread. One that is under
   * way goes on: a network may come and go.
   */
  hold(): void;
  /** Somebody has asked for a pass: there is nothing to hold back any more. */
  release(): void;
}

export function createAlarm({ platform, spreadMs, ...options }: AlarmOptions): Alarm {
  const { clock, entropy, power } = platform;
  let armed = 0;
  let held: object | null = null;
  const arm = (leastMs: number): void => {
    const mine = ++armed;
    const waitMs = options.dueInMs();
    if (waitMs === null || held !== null) return;
    void clock.sleep(Math.max(waitMs, leastMs)).then(() => {
      if (mine !== armed || options.isRunning()) return;
      if (mayUse(power.connection(), options.wifiOnly())) options.run();
      else arm(NETWORK_RECHECK_MS);
    });
  };
  return {
    arm: () => arm(0),
    hold() {
      const mine = {};
      if (spreadMs > 0 && held === null && options.dueInMs() === 0) {
        held = mine;
        void clock.sleep(Math.round(spreadMs * chance(entropy))).then(() => {
          if (held !== mine) return;
          held = null;
          arm(0);
        });
      }
      arm(0);
    },
    release() {
      held = null;
    },
  };
}

/** A random number from 0 to 1, fine enough that millions of devices do not meet. */
export function chance(entropy: Entropy): number {
  return entropy.random(4).reduce((sum, byte) => sum * 256 + byte, 0) / 2 ** 32;
}
