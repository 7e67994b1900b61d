// When the device syncs by itself, and how many devices do not do it at once.

import { beforeEach, describe, expect, test } from 'vitest';
import { MemoryStorage } from '../platform/memory/storage.ts';
import {
  asks,
  boot,
  type Device,
  failing,
  HOUR_MS,
  NOW_MS,
  newWorld,
  PAGE,
  signedIn,
  world,
} from '../test/support/agent.ts';
import { CHANGE_DELAY_MS, INTERVAL_SPREAD, SPREAD_MS } from './limits.ts';

beforeEach(newWorld);

describe('by itself the device syncs', () => {
  const passes = (device: Device): number => device.events('pass').length;

  test('every interval', async () => {
    const device = await signedIn();
    await device.platform.time.advance(HOUR_MS - 1);
    expect(passes(device)).toBe(0);
    await device.platform.time.advance(HOUR_MS * INTERVAL_SPREAD);
    expect(passes(device)).toBe(1);
    await device.platform.time.advance(HOUR_MS * (1 + INTERVAL_SPREAD));
    expect(passes(device)).toBe(2);
  });

  test('after a failure as soon as its caution allows, not at the next interval', async () => {
    const device = await signedIn();
    world.atRequest = failing('unavailable');
    await device.agent.sync();
    world.atRequest = () => undefined;
    const waitMs = (device.agent.status().notBeforeMs ?? 0) - NOW_MS;
    await device.platform.time.advance(waitMs - 1);
    expect(passes(device)).toBe(1);
    await device.platform.time.advance(1);
    expect(passes(device)).toBe(2);
    expect(device.agent.status()).toMatchObject({ state: 'enabled', error: null });
  });

  test('at once when the network is back that it failed for', async () => {
    const device = await signedIn();
    world.atRequest = failing('offline');
    await device.agent.sync();
    await device.agent.sync();
    world.atRequest = () => undefined;
    device.agent.connectionChanged();
    await device.platform.time.advance(0);
    expect(passes(device)).toBe(3);
    expect(device.agent.status()).toMatchObject({ state: 'enabled', error: null });
  });

  test('no more often than ever with a server that asks for a second each time', async () => {
    const device = await signedIn();
    world.atRequest = asks(1_000);
    await device.agent.put('history', PAGE);
    for (let n = 0; n < 24 * 60; n++) await device.platform.time.advance(HOUR_MS / 60);
    expect(passes(device)).toBeLessThan(27);
    expect(passes(device)).toBeGreaterThan(5);
    // It gets on all the same.
    expect(device.agent.status().collections.history).toMatchObject({ pending: 0 });
  });

  test('at the interval that the user chose', async () => {
    const device = await signedIn();
    await device.agent.configure({ intervalMs: 600_000 });
    await device.platform.time.advance(600_000 * (1 + INTERVAL_SPREAD));
    expect(passes(device)).toBe(1);
  });

  test('soon after the first of many local changes, once, with one timer', async () => {
    const device = await signedIn();
    let timers = 0;
    const { sleep } = device.platform.clock;
    device.platform.clock.sleep = (delayMs) => {
      timers++;
      return sleep(delayMs);
    };
    for (let n = 0; n < 20; n++) await device.agent.put('history', { url: `https://a.test/${n}` });
    expect(timers).toBe(1);
    await device.platform.time.advance(CHANGE_DELAY_MS);
    expect(passes(device)).toBe(1);
    await device.platform.time.advance(CHANGE_DELAY_MS);
    expect(passes(device)).toBe(1);
    expect(device.agent.status().collections.history).toMatchObject({ pending: 0 });
  });

  test('for an edit when a wait is over, though a user asked for nothing meanwhile', async () => {
    const device = await signedIn();
    world.atRequest = asks(600_000);
    await device.agent.sync();
    world.atRequest = () => undefined;
    await device.agent.put('history', PAGE);
    expect(await device.agent.sync()).toMatchObject({ error: { code: 'backoff' } });
    const before = passes(device);
    // A wait of the server is longer by up to as much, for passes that nobody has asked for.
    await device.platform.time.advance(2 * 600_000);
    expect(passes(device)).toBe(before + 1);
    expect(device.agent.status().collections.history).toMatchObject({ pending: 0 });
  });

  test('not after a put that says what is there, which is no news for apps either', async () => {
    const device = await signedIn();
    const id = await device.agent.put('history', PAGE);
    await device.agent.sync();
    device.agent.observe('history', true);
    device.platform.events.length = 0;
    const [page] = (await device.agent.list('history', { prefix: PAGE.url, limit: 1 })).records;
    expect(await device.agent.put('history', page ?? {})).toBe(id);
    await device.platform.time.advance(CHANGE_DELAY_MS);
    expect(device.platform.events).toEqual([]);
    expect(device.agent.status().collections.history).toMatchObject({ pending: 0 });
  });

  test('with a network that it may use, as soon as there is one', async () => {
    const device = await signedIn({ wifiOnly: true });
    for (const connection of ['none', 'metered'] as const) {
      device.platform.connected = connection;
      await device.platform.time.advance(HOUR_MS);
      expect(passes(device)).toBe(0);
    }
    device.platform.connected = 'wifi';
    device.agent.connectionChanged();
    await device.platform.time.advance(0);
    expect(passes(device)).toBe(1);
  });

  test('over a network that costs money if it may, and when the user says so', async () => {
    const device = await signedIn({ wifiOnly: true });
    device.platform.connected = 'metered';
    expect(await device.agent.sync()).toMatchObject({ ok: true });
    await device.agent.configure({ wifiOnly: false });
    await device.platform.time.advance(HOUR_MS * (1 + INTERVAL_SPREAD));
    expect(passes(device)).toBe(2);
  });

  test('never while it is signed out', async () => {
    const device = await signedIn();
    await device.agent.disable();
    await device.platform.time.advance(24 * HOUR_MS);
    expect(passes(device)).toBe(0);
  });
});

describe('many devices at once', () => {
  const SPREAD = { spreadMs: SPREAD_MS };
  const STEP_MS = 1_000;

  /** Seconds until the next pass of each of so many devices that were made the same way. */
  const secondsUntilPass = async (
    seeds: number,
    made: (seed: number) => Promise<Device>,
    again: (device: Device) => void = () => undefined,
  ): Promise<number[]> => {
    const seconds: number[] = [];
    for (let seed = 1; seed <= seeds; seed++) {
      const device = await made(seed);
      again(device);
      const before = device.events('pass').length;
      let waited = 0;
      while (device.events('pass').length === before && waited < 4 * 3_600) {
        await device.platform.time.advance(STEP_MS);
        waited++;
      }
      seconds.push(waited);
    }
    return seconds;
  };
  const booted = async (seed: number): Promise<Device> => {
    const { storage } = await signedIn();
    const device = boot(storage.fork(), SPREAD, seed);
    await device.agent.start();
    return device;
  };
  const areSpread = (seconds: readonly number[], mostMs: number): void => {
    expect(new Set(seconds).size).toBeGreaterThan(seconds.length / 2);
    expect(Math.max(...seconds)).toBeLessThanOrEqual(mostMs / 1_000 + 1);
    expect(Math.max(...seconds) - Math.min(...seconds)).toBeGreaterThan(mostMs / 4_000);
  };

  test('that boot are spread over ten minutes, or what their configuration says', async () => {
    areSpread(await secondsUntilPass(12, booted), SPREAD_MS);
    const { storage } = await signedIn();
    const short = boot(storage.fork(), { spreadMs: 5_000 }, 3);
    await short.agent.start();
    await short.platform.time.advance(5_000);
    await short.platform.time.advance(0);
    expect(short.events('pass')).toHaveLength(1);
  });

  test('that boot with a change do not come sooner for it', async () => {
    const seconds = await secondsUntilPass(12, async (seed) => {
      const device = await booted(seed);
      await device.agent.put('history', PAGE);
      return device;
    });
    areSpread(seconds, SPREAD_MS);
  });

  test('whose network is back are spread likewise, though it comes and goes', async () => {
    const seconds = await secondsUntilPass(12, async (seed) => {
      const device = await booted(seed);
      device.platform.connected = 'none';
      await device.platform.time.advance(SPREAD_MS);
      device.platform.connected = 'wifi';
      device.agent.connectionChanged();
      await device.platform.time.advance(STEP_MS);
      device.agent.connectionChanged();
      return device;
    });
    areSpread(seconds, SPREAD_MS);
  });

  test('that a server told to wait come back over as long again', async () => {
    const seconds = await secondsUntilPass(12, async (seed) => {
      const device = await booted(seed);
      world.atRequest = asks(HOUR_MS);
      await device.agent.sync();
      world.atRequest = () => undefined;
      return device;
    });
    expect(Math.min(...seconds)).toBeGreaterThanOrEqual(3_600);
    areSpread(
      seconds.map((second) => second - 3_600),
      HOUR_MS,
    );
  });

  test('do at once what a person asks for, and from then on what their apps write', async () => {
    const device = await booted(1);
    expect(await device.agent.sync()).toMatchObject({ ok: true });
    await device.agent.put('history', PAGE);
    await device.platform.time.advance(CHANGE_DELAY_MS);
    expect(device.events('pass')).toHaveLength(2);
    const fresh = boot(new MemoryStorage(), SPREAD);
    await fresh.agent.start();
    expect(await fresh.agent.enable()).toMatchObject({ ok: true });
  });
});
