// The one timer: when it rings, when it does not, and how many devices that one event has woken do
// not ring at once.

import { describe, expect, test } from 'vitest';
import { memoryPlatform } from '../../platform/memory/platform.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { NETWORK_RECHECK_MS } from '../limits.ts';
import { chance, createAlarm } from './alarm.ts';

/** An alarm over things that a test changes, and how often it has rung. */
function alarm(change: { spreadMs?: number; random?: readonly number[] } = {}) {
  const { spreadMs = 0, random = [128, 0, 0, 0] } = change;
  const platform = memoryPlatform({
    storage: new MemoryStorage(),
    fetch: async () => Response.error(),
    identity: {
      account: async () => ({ uid: '', email: '' }),
      assertion: async () => '',
      accessToken: async () => ({ token: '' }),
      syncKey: async () => ({ kB: '' }),
    },
    nowMs: 0,
    random: () => Uint8Array.from(random),
  });
  const now = { dueInMs: 1_000 as number | null, isRunning: false, wifiOnly: false, rung: 0 };
  const made = createAlarm({
    ...{ platform, spreadMs },
    dueInMs: () => now.dueInMs,
    isRunning: () => now.isRunning,
    wifiOnly: () => now.wifiOnly,
    run: () => void now.rung++,
  });
  return Object.assign(now, made, { platform, advance: platform.time.advance });
}

test('it rings when a pass is due, once', async () => {
  const it = alarm();
  it.arm();
  await it.advance(999);
  expect(it.rung).toBe(0);
  await it.advance(1);
  expect(it.rung).toBe(1);
  await it.advance(10_000);
  expect(it.rung).toBe(1);
});

test('armed anew, it rings by the new time alone', async () => {
  const it = alarm();
  it.arm();
  it.dueInMs = 3_000;
  it.arm();
  await it.advance(1_000);
  expect(it.rung).toBe(0);
  await it.advance(2_000);
  expect(it.rung).toBe(1);
});

test('where no pass is to come it does not ring, not for what was due before either', async () => {
  const it = alarm();
  it.arm();
  it.dueInMs = null;
  it.arm();
  await it.advance(100_000);
  expect(it.rung).toBe(0);
});

test('it does not ring into a pass', async () => {
  const it = alarm();
  it.arm();
  it.isRunning = true;
  await it.advance(1_000);
  expect(it.rung).toBe(0);
});

describe('without a network that it may use', () => {
  test.each([
    ['none', false],
    ['metered', true],
  ] as const)(
    'it looks again now and then, and rings when there is one: %s',
    async (of, wifiOnly) => {
      const it = alarm();
      it.wifiOnly = wifiOnly;
      it.platform.connected = of;
      it.dueInMs = 0;
      it.arm();
      await it.advance(0);
      it.platform.connected = 'wifi';
      await it.advance(NETWORK_RECHECK_MS - 1);
      expect(it.rung).toBe(0);
      await it.advance(1);
      expect(it.rung).toBe(1);
    },
  );

  test('it does not look again before what is due then', async () => {
    const it = alarm();
    it.platform.connected = 'none';
    it.arm();
    it.dueInMs = NETWORK_RECHECK_MS + 5_000;
    await it.advance(1_000);
    it.platform.connected = 'wifi';
    await it.advance(NETWORK_RECHECK_MS);
    expect(it.rung).toBe(0);
    await it.advance(5_000);
    expect(it.rung).toBe(1);
  });
});

describe('what is due when the power or the network comes back', () => {
  test('waits for a random part of the spread', async () => {
    const it = alarm({ spreadMs: 10_000 });
    it.dueInMs = 0;
    it.hold();
    await it.advance(4_999);
    expect(it.rung).toBe(0);
    await it.advance(1);
    await it.advance(0);
    expect(it.rung).toBe(1);
  });

  test('does not wait longer, or shorter, because it is said twice', async () => {
    const it = alarm({ spreadMs: 10_000 });
    it.dueInMs = 0;
    it.hold();
    await it.advance(3_000);
    it.hold();
    it.arm();
    await it.advance(1_999);
    expect(it.rung).toBe(0);
    await it.advance(1);
    await it.advance(0);
    expect(it.rung).toBe(1);
  });

  test('waits no more once somebody has asked for a pass', async () => {
    const it = alarm({ spreadMs: 10_000 });
    it.dueInMs = 0;
    it.hold();
    it.release();
    it.dueInMs = 1_000;
    it.arm();
    await it.advance(1_000);
    expect(it.rung).toBe(1);
    // The wait that was given up arms nothing when it ends.
    it.dueInMs = 0;
    await it.advance(4_000);
    await it.advance(0);
    expect(it.rung).toBe(1);
  });

  test('does not wait where nothing was due, or where there is no spread', async () => {
    for (const [spreadMs, dueInMs] of [
      [10_000, 1_000],
      [0, 0],
    ]) {
      const it = alarm({ spreadMs: spreadMs ?? 0 });
      it.dueInMs = dueInMs ?? 0;
      it.hold();
      await it.advance(dueInMs ?? 0);
      expect(it.rung).toBe(1);
    }
  });
});

test.each([
  [[0, 0, 0, 0], 0],
  [[128, 0, 0, 0], 0.5],
  [[0, 0, 0, 1], 2 ** -32],
  [[255, 255, 255, 255], 1 - 2 ** -32],
])('chance is from 0 to 1, and as fine as its bytes: %j', (bytes, is) => {
  expect(chance({ random: () => Uint8Array.from(bytes) })).toBe(is);
});
