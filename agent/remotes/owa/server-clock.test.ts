// What time it is to the server.

import { describe, expect, it } from 'vitest';
import { NOW_MS } from '../../../test/support/device.ts';
import { openClock } from './server-clock.ts';

/** A clock that has heard of these answers, each so long after it was asked for. */
async function heard(...answers: readonly { aheadMs: number; tripMs: number; says?: string }[]) {
  let nowMs = NOW_MS;
  let answer = answers[0];
  const notes = { serverNowMs: 0 };
  const clock = openClock({
    notes,
    cache: new Map<string, unknown>(),
    platform: {
      clock: { nowMs: () => nowMs },
      network: {
        async request() {
          const { aheadMs = 0, tripMs = 0, says } = answer ?? {};
          nowMs += tripMs;
          const seconds = (nowMs - tripMs / 2 + aheadMs) / 1_000;
          return { headers: [['x-timestamp', says ?? `${seconds}`]] };
        },
      },
    },
  } as never);
  for (answer of answers) await clock.network.request({} as never);
  expect(clock.nowMs()).toBe(nowMs + clock.aheadMs());
  clock.tell();
  expect(notes.serverNowMs).toBe(clock.nowMs());
  return clock.aheadMs();
}

const HOUR_MS = 3_600_000;

describe('the server’s clock', () => {
  it.each([
    ['is a day behind', [{ aheadMs: -24 * HOUR_MS, tripMs: 200 }], -24 * HOUR_MS],
    [
      'is 50 years ahead of a device that has just booted',
      [{ aheadMs: 50 * 365 * 24 * HOUR_MS, tripMs: 20 }],
      50 * 365 * 24 * HOUR_MS,
    ],
    ['is right where it is off by a second', [{ aheadMs: 1_000, tripMs: 10 }], 0],
    ['is believed to a second and a bit', [{ aheadMs: 1_002, tripMs: 10 }], 1_002],
    ['counts in the middle of the way', [{ aheadMs: 60_000, tripMs: 29_000 }], 60_000],
    [
      'is not told by an answer that took half a minute',
      [
        { aheadMs: 60_000, tripMs: 10 },
        { aheadMs: 0, tripMs: 30_000 },
      ],
      60_000,
    ],
    [
      'is told by such a one where nothing else is known',
      [{ aheadMs: HOUR_MS, tripMs: 40_000 }],
      HOUR_MS,
    ],
    ['is not, where that could be the way itself', [{ aheadMs: 30_000, tripMs: 40_000 }], 0],
    [
      'is told by the last answer',
      [
        { aheadMs: HOUR_MS, tripMs: 10 },
        { aheadMs: 5_000, tripMs: 10 },
      ],
      5_000,
    ],
    ['is not told by a word that is no time', [{ aheadMs: 0, tripMs: 10, says: 'noon' }], 0],
    ['nor by one behind the year 3000', [{ aheadMs: 0, tripMs: 10, says: '99999999999999' }], 0],
  ])('%s', async (_, answers, aheadMs) => {
    expect(await heard(...answers)).toBe(aheadMs);
  });
});
