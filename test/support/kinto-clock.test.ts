// A real server's clock that a test moves.

import { expect, test } from 'vitest';
import { MovedClock } from './kinto-clock.ts';

const HOUR_MS = 3_600_000;
const START_MS = 1_700_000_000_000;

/** A server that has stamped a record at this time. */
const stamped = (stampMs: number) => async () =>
  new Response(JSON.stringify({ data: { last_modified: stampMs } }));

async function heard(clock: MovedClock, stampMs: number): Promise<number> {
  const request = new Request('http://127.0.0.1/v1/');
  const text = await (await clock.fetch(request, stamped(stampMs))).text();
  return JSON.parse(text).data.last_modified;
}

test.each([
  ['in the millisecond of a move', 0],
  ['ahead of the server’s time', 60],
])('what was stamped %s is from before it', async (_, aheadMs) => {
  for (let n = 0; n < 20; n++) {
    const clock = new MovedClock(START_MS);
    const stampMs = Date.now() + aheadMs;
    const before = await heard(clock, stampMs);
    clock.nowMs += HOUR_MS;
    expect(await heard(clock, stampMs)).toBe(before);
    expect(clock.nowMs - before).toBeGreaterThan(HOUR_MS - 1_000);
    // What comes later is from behind it.
    expect((await heard(clock, Date.now())) - before).toBeGreaterThan(HOUR_MS - 1_000);
  }
});

test('a stamp that somebody has put far ahead holds up no move', async () => {
  const clock = new MovedClock(START_MS);
  await heard(clock, Date.now() + HOUR_MS);
  clock.nowMs += HOUR_MS;
  expect(clock.nowMs).toBeGreaterThanOrEqual(START_MS + HOUR_MS);
});
