// The limits of one exchange, counted the same way on every platform. Pure: whoever waits says for
// how long it did.

import type { ExchangeLimits } from './ports.ts';

export interface ExchangeWatch {
  /**
   * For how long the next bytes of the body may be waited for. 0 or less: the exchange has taken
   * too long.
   */
  leftMs(nowMs: number): number;
  /** So many bytes came after so long a wait. */
  arrived(bytes: number, waitedMs: number): void;
}

/** `startMs`: when the request was made, on the clock of `leftMs`, which never jumps. */
export function watchExchange(limits: ExchangeLimits, startMs: number): ExchangeWatch {
  const { timeoutMs, windowMs, windowBytesMin, longestMs } = limits;
  let windowLeftMs = windowMs;
  let windowBytes = 0;
  return {
    leftMs: (nowMs) => Math.min(timeoutMs, windowLeftMs, startMs + longestMs - nowMs),
    arrived(bytes, waitedMs) {
      windowBytes += bytes;
      windowLeftMs -= waitedMs;
      if (windowBytes < windowBytesMin) return;
      windowBytes = 0;
      windowLeftMs = windowMs;
    },
  };
}
