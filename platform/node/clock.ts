// The Clock port on Node: the machine's time and its timers.
// A timer keeps the process alive until it fires or the clock is stopped.

import type { Clock } from '../ports.ts';

export interface NodeClock extends Clock {
  /** Nobody who sleeps wakes up any more. */
  stop(): void;
}

/** The longest that one timer of Node can wait. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export function nodeClock(): NodeClock {
  const timers = new Set<NodeJS.Timeout>();
  const wait = (delayMs: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(() => {
        timers.delete(timer);
        resolve();
      }, delayMs);
      timers.add(timer);
    });
  return {
    nowMs: Date.now,
    async sleep(delayMs) {
      let leftMs = delayMs;
      for (; leftMs > TIMER_MS_MAX; leftMs -= TIMER_MS_MAX) await wait(TIMER_MS_MAX);
      await wait(leftMs);
    },
    pause: () => new Promise((resolve) => setImmediate(resolve)),
    stop() {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
    },
  };
}
