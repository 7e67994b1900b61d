import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BACKOFF_MS_FIRST, BACKOFF_MS_LAST, WAIT_MS_MAX, WAIT_MS_MIN } from '../limits.ts';
import {
  anchored,
  type Backoff,
  clampWait,
  NO_BACKOFF,
  passFailed,
  passSucceeded,
  serverAsked,
  waitMs,
} from './backoff.ts';

const NOW_MS = 1_795_330_000_000;
const MINUTE_MS = 60_000;

function failedTimes(count: number, jitter = 0): Backoff {
  let backoff = NO_BACKOFF;
  for (let n = 0; n < count; n++) backoff = passFailed(backoff, NOW_MS, jitter);
  return backoff;
}

const hostileNumber = fc.oneof(
  fc.double(),
  fc.constantFrom(Number.NaN, Infinity, -Infinity, -0, 1e300, Number.MAX_SAFE_INTEGER),
);

describe("a server's wish to wait", () => {
  test('holds for everybody, until it is over', () => {
    const backoff = serverAsked(NO_BACKOFF, 5 * MINUTE_MS, NOW_MS);
    for (const byUser of [true, false]) {
      expect(waitMs(backoff, NOW_MS, byUser)).toBe(5 * MINUTE_MS);
      expect(waitMs(backoff, NOW_MS + 4 * MINUTE_MS, byUser)).toBe(MINUTE_MS);
      expect(waitMs(backoff, NOW_MS + 5 * MINUTE_MS, byUser)).toBe(0);
    }
  });

  test('never shortens one that is under way', () => {
    const long = serverAsked(NO_BACKOFF, 10 * MINUTE_MS, NOW_MS);
    const both = serverAsked(long, MINUTE_MS, NOW_MS + MINUTE_MS);
    expect(waitMs(both, NOW_MS + MINUTE_MS, true)).toBe(9 * MINUTE_MS);
    const longer = serverAsked(long, 20 * MINUTE_MS, NOW_MS + MINUTE_MS);
    expect(waitMs(longer, NOW_MS + MINUTE_MS, true)).toBe(20 * MINUTE_MS);
  });

  test('is bounded as it is stored, too: no device waits for longer than two days', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (lengthMs) => {
        const server = { setAtMs: NOW_MS, untilMs: NOW_MS + Math.abs(lengthMs) };
        for (const nowMs of [NOW_MS, NOW_MS - 1, 0]) {
          const wait = waitMs({ ...NO_BACKOFF, server }, nowMs, true);
          expect(wait).toBe(Math.min(Math.abs(lengthMs), 2 * WAIT_MS_MAX));
        }
      }),
    );
  });

  test('is no wish when it is not above zero', () => {
    for (const delayMs of [0, -1, Number.NaN, -Infinity]) {
      expect(serverAsked(NO_BACKOFF, delayMs, NOW_MS)).toBe(NO_BACKOFF);
    }
  });

  test('is kept between a second and a day, whatever it says', () => {
    fc.assert(
      fc.property(hostileNumber, (delayMs) => {
        const wait = waitMs(serverAsked(NO_BACKOFF, delayMs, NOW_MS), NOW_MS, true);
        if (delayMs > 0) expect(wait).toBe(clampWait(delayMs));
        else expect(wait).toBe(0);
      }),
    );
    expect(clampWait(1)).toBe(WAIT_MS_MIN);
    expect(clampWait(Infinity)).toBe(WAIT_MS_MAX);
    expect(clampWait(1_500.4)).toBe(1_500);
  });
});

describe("the device's own caution", () => {
  test('doubles from failure to failure, from a minute to eight hours', () => {
    const waits = [1, 2, 3, 4].map((count) => waitMs(failedTimes(count), NOW_MS, false));
    expect(waits).toEqual([1, 2, 4, 8].map((factor) => factor * BACKOFF_MS_FIRST));
    expect(waitMs(failedTimes(60), NOW_MS, false)).toBe(BACKOFF_MS_LAST);
    expect(failedTimes(60).failures).toBe(60);
  });

  test('is up to twice as long by chance, and never longer than a day', () => {
    expect(waitMs(failedTimes(1, 1), NOW_MS, false)).toBe(2 * BACKOFF_MS_FIRST);
    expect(waitMs(failedTimes(60, 1), NOW_MS, false)).toBe(2 * BACKOFF_MS_LAST);
    expect(2 * BACKOFF_MS_LAST).toBeLessThan(WAIT_MS_MAX);
  });

  test('is passed over by the user, who then still waits for the server', () => {
    const both = serverAsked(failedTimes(5), MINUTE_MS, NOW_MS);
    expect(waitMs(failedTimes(5), NOW_MS, true)).toBe(0);
    expect(waitMs(both, NOW_MS, true)).toBe(MINUTE_MS);
    expect(waitMs(both, NOW_MS, false)).toBe(16 * MINUTE_MS);
  });

  test('ends with a pass that succeeds; the wish of the server does not', () => {
    const after = passSucceeded(serverAsked(failedTimes(5), MINUTE_MS, NOW_MS), NOW_MS);
    expect(after).toMatchObject({ own: null, failures: 0 });
    expect(waitMs(after, NOW_MS, false)).toBe(MINUTE_MS);
  });

  test('forgets a wish that is over: a clock that is set back does not bring it again', () => {
    const asked = serverAsked(NO_BACKOFF, MINUTE_MS, NOW_MS);
    expect(passSucceeded(asked, NOW_MS + MINUTE_MS)).toEqual(NO_BACKOFF);
  });
});

describe('a clock that jumps', () => {
  const waiting = serverAsked(failedTimes(3), MINUTE_MS, NOW_MS);

  test('back never makes a wait longer than it was', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 * NOW_MS }), fc.boolean(), (nowMs, byUser) => {
        expect(waitMs(waiting, nowMs, byUser)).toBeLessThanOrEqual(waitMs(waiting, NOW_MS, byUser));
      }),
    );
  });

  test('back by years lets a wait that begins anew end in its own time', () => {
    const thenMs = NOW_MS - 4 * 365 * 24 * 3_600_000;
    const again = anchored(waiting, thenMs);
    expect(waitMs(again, thenMs, true)).toBe(MINUTE_MS);
    expect(waitMs(again, thenMs + MINUTE_MS, true)).toBe(0);
    expect(waitMs(again, thenMs + 4 * MINUTE_MS, false)).toBe(0);
    expect(again.failures).toBe(3);
  });

  test('not at all leaves the waits as they are', () => {
    expect(anchored(waiting, NOW_MS)).toBe(waiting);
    expect(anchored(waiting, NOW_MS + 1)).toBe(waiting);
    expect(anchored(NO_BACKOFF, 0)).toBe(NO_BACKOFF);
  });
});
