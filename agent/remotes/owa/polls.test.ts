// How often a device asks by itself.

import { describe, expect, it, test } from 'vitest';
import { NOW_MS } from '../../../test/support/device.ts';
import { owaBench } from '../../../test/support/owa/service.ts';
import type { RemoteOptions } from '../remote.ts';
import { openPolls } from './polls.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

function device(memory: Record<string, number> = {}) {
  let nowMs = NOW_MS;
  const cache = new Map<string, unknown>();
  const clock = { nowMs: () => nowMs };
  const during = (task: RemoteOptions['task']) =>
    openPolls({ task, cache, memory, platform: { clock } } as never, clock);
  return {
    ...{ memory, during },
    polls: during('due'),
    wait(byMs: number) {
      nowMs += byMs;
    },
  };
}

/** Minutes until each poll that hears nothing, after one that has. */
function waits(headers: readonly (readonly [string, string])[] = []): number[] {
  const { polls, wait } = device();
  polls.heard(true, headers);
  return Array.from({ length: 9 }, () => {
    let minutes = 0;
    for (; !polls.isDue(false); minutes++) wait(MINUTE_MS);
    polls.heard(false, headers);
    return minutes;
  });
}

describe('polls', () => {
  it('are rarer the longer there is no news, down to one in an hour', () => {
    expect(waits()).toEqual([5, 8, 12, 17, 26, 38, 57, 60, 60]);
  });

  it.each(['x-sync-poll', 'x-sync-poll-time'])('are no more frequent than %s says', (name) => {
    expect(waits([[name, '1200']])).toEqual([20, 20, 20, 20, 26, 38, 57, 60, 60]);
    expect(waits([[name, '7200']])[0]).toBe(120);
    expect(waits([[name, '99999999']])[0]).toBe(24 * 60);
    expect(waits([[name, '-1']])[0]).toBe(5);
  });

  it('are frequent again after news', () => {
    const { polls, wait } = device();
    for (let n = 0; n < 9; n++) polls.heard(false, []);
    polls.heard(true, []);
    wait(5 * MINUTE_MS);
    expect(polls.isDue(false)).toBe(true);
  });
});

test('what a person asks for goes out, and what has work, and the first of a boot', () => {
  const { polls, during, wait } = device();
  expect(polls.isDue(false)).toBe(true);
  polls.heard(false, []);
  expect(polls.isDue(false)).toBe(false);
  expect(polls.isDue(true)).toBe(true);
  expect(during('sync').isDue(false)).toBe(true);
  // The clock was set.
  wait(-DAY_MS);
  expect(polls.isDue(false)).toBe(true);
});

describe('the only device of an account', () => {
  it('asks no more by itself after 30 days without news', () => {
    const { polls, wait, during } = device();
    polls.counted(1);
    polls.heard(true, []);
    for (let day = 0; day < 29; day++) {
      wait(DAY_MS);
      expect(polls.isDue(false)).toBe(true);
      polls.heard(false, []);
    }
    wait(2 * DAY_MS);
    expect(polls.isDue(false)).toBe(false);
    wait(300 * DAY_MS);
    expect(polls.isDue(false)).toBe(false);
    expect([polls.isDue(true), during('sync').isDue(false)]).toEqual([true, true]);
    polls.counted(2);
    expect(polls.isDue(false)).toBe(true);
  });

  it('is one only where the server says so', () => {
    const { polls, wait } = device();
    polls.counted(0);
    polls.heard(true, []);
    wait(60 * DAY_MS);
    expect(polls.isDue(false)).toBe(true);
  });

  it('is told at the login, and goes on asking when there is another one', async () => {
    const it = owaBench();
    it.lie = async ({ url }, answer) =>
      url.endsWith('/verify')
        ? Response.json({ ...Object(await answer.json()), clients: 1 })
        : answer;
    const device = await it.bench.synced(1);
    const { events, time } = device.platform;
    const passes = () =>
      events.map((json) => JSON.parse(json)).filter(({ kind }) => kind === 'pass');
    /** Requests of the pass whose time has come after so long. */
    const requests = async (afterMs: number): Promise<number> => {
      const before = passes().length;
      it.service.clock.nowMs += afterMs;
      await time.advance(afterMs);
      while (passes().length === before) await new Promise(setImmediate);
      return passes().at(-1).report.requests;
    };
    expect(await requests(20 * DAY_MS)).toBe(1);
    expect(await requests(11 * DAY_MS)).toBe(0);
    // A change of its own goes up, and what has come meanwhile comes down.
    await it.service.put(it.service.id(7), { text: 'theirs' });
    await it.bench.put(device, 8, { text: 'ours' });
    expect(await requests(MINUTE_MS)).toBeGreaterThan(2);
    expect((await it.bench.held(device)).size).toBe(3);
    expect(await requests(DAY_MS)).toBe(1);
    await it.bench.agreed(device);
  });
});
