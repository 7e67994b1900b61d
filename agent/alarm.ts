// The agent's one timer: sleeps until the next pass is due, and begins it where there is a network that it may use.
// When a pass is due is schedule.ts's to say; this never runs two.

import type { Platform } from '../platform/ports.ts';
import { NETWORK_RECHECK_MS } from './limits.ts';
import { mayUse } from './schedule.ts';

export interface AlarmOptions {
  readonly platform: Platform;
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
}

export function createAlarm({ platform, ...options }: AlarmOptions): Alarm {
  const { clock, power } = platform;
  let armed = 0;
  const arm = (leastMs: number): void => {
    const mine = ++armed;
    const waitMs = options.dueInMs();
    if (waitMs === null) return;
    void clock.sleep(Math.max(waitMs, leastMs)).then(() => {
      if (mine !== armed || options.isRunning()) return;
      if (mayUse(power.connection(), options.wifiOnly())) options.run();
      else arm(NETWORK_RECHECK_MS);
    });
  };
  return { arm: () => arm(0) };
}
