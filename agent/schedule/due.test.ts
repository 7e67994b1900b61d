import { describe, expect, test } from 'vitest';
import { CHANGE_DELAY_MS } from '../limits.ts';
import { NO_BACKOFF, passFailed, passSucceeded, serverAsked } from './backoff.ts';
import { dueInMs, mayUse, type ScheduleInput } from './due.ts';

const NOW_MS = 1_795_330_000_000;
const HOUR_MS = 3_600_000;

function due(input: Partial<ScheduleInput>): number {
  return dueInMs({
    nowMs: NOW_MS,
    lastPassMs: NOW_MS,
    intervalMs: HOUR_MS,
    changedAtMs: null,
    backoff: NO_BACKOFF,
    spread: 0,
    ...input,
  });
}

describe('the next pass', () => {
  test('is due at once after a boot', () => {
    expect(due({ lastPassMs: null })).toBe(0);
  });

  test('is due an interval after the last one', () => {
    expect(due({})).toBe(HOUR_MS);
    expect(due({ lastPassMs: NOW_MS - HOUR_MS / 4 })).toBe((3 * HOUR_MS) / 4);
    expect(due({ lastPassMs: NOW_MS - 9 * HOUR_MS })).toBe(0);
  });

  test('is due soon after the first of some local changes', () => {
    expect(due({ changedAtMs: NOW_MS })).toBe(CHANGE_DELAY_MS);
    expect(due({ changedAtMs: NOW_MS - 1_000 })).toBe(CHANGE_DELAY_MS - 1_000);
    expect(due({ changedAtMs: NOW_MS - HOUR_MS })).toBe(0);
  });

  test('is not put off by a local change', () => {
    expect(due({ lastPassMs: NOW_MS - HOUR_MS, changedAtMs: NOW_MS })).toBe(0);
  });

  test('waits for what the server asked, and for the own caution', () => {
    const asked = serverAsked(NO_BACKOFF, 2 * HOUR_MS, NOW_MS);
    expect(due({ lastPassMs: null, changedAtMs: NOW_MS, backoff: asked })).toBe(2 * HOUR_MS);
    const failed = passFailed(NO_BACKOFF, NOW_MS, 0);
    expect(due({ lastPassMs: null, backoff: failed })).toBe(60_000);
  });

  test('comes after a failure as soon as the own caution allows', () => {
    const failed = passFailed(NO_BACKOFF, NOW_MS, 0);
    expect(due({ backoff: failed })).toBe(60_000);
    expect(due({ backoff: serverAsked(failed, HOUR_MS, NOW_MS) })).toBe(HOUR_MS);
    expect(due({ backoff: passSucceeded(failed, NOW_MS) })).toBe(HOUR_MS);
  });

  test('is spread over more than the interval and the wait of a server, and never early', () => {
    expect(due({ spread: 1 })).toBe((11 * HOUR_MS) / 10);
    expect(due({ spread: 0.5 })).toBe((21 * HOUR_MS) / 20);
    const asked = serverAsked(NO_BACKOFF, 2 * HOUR_MS, NOW_MS);
    expect([0, 0.5, 1].map((spread) => due({ lastPassMs: null, backoff: asked, spread }))).toEqual([
      2 * HOUR_MS,
      3 * HOUR_MS,
      4 * HOUR_MS,
    ]);
    const day = serverAsked(NO_BACKOFF, 24 * HOUR_MS, NOW_MS);
    expect(due({ lastPassMs: null, backoff: day, spread: 1 })).toBe(24 * HOUR_MS);
  });

  test('does not move while it is waited for', () => {
    const backoff = serverAsked(NO_BACKOFF, 2 * HOUR_MS, NOW_MS);
    for (const spread of [0, 0.3, 1]) {
      const atFirst = due({ backoff, spread });
      for (const laterMs of [1, 60_000, HOUR_MS, 1.9 * HOUR_MS]) {
        const nowMs = NOW_MS + laterMs;
        expect(due({ backoff, spread, nowMs })).toBe(atFirst - laterMs);
      }
    }
  });

  test('is at most an interval away although the clock went back', () => {
    expect(due({ lastPassMs: NOW_MS + 1e12 })).toBe(HOUR_MS);
    expect(due({ changedAtMs: NOW_MS + 1e12 })).toBe(CHANGE_DELAY_MS);
  });
});

test('a scheduled pass uses a network that costs nothing, or any if it may', () => {
  expect([mayUse('wifi', true), mayUse('wifi', false)]).toEqual([true, true]);
  expect([mayUse('metered', true), mayUse('metered', false)]).toEqual([false, true]);
  expect([mayUse('none', true), mayUse('none', false)]).toEqual([false, false]);
});
