// What the end of a pass means: waits of the server and our own, the states it leaves, and that
// there is always a next one.

import { beforeEach, describe, expect, test } from 'vitest';
import {
  asks,
  boot,
  type Device,
  failing,
  HOUR_MS,
  LOGIN,
  NOW_MS,
  newWorld,
  PAGE,
  rebooted,
  signedIn,
  world,
} from '../test/support/agent.ts';
import { pageBody } from '../test/support/store.ts';
import { SyncError, type SyncErrorCode } from './errors.ts';

beforeEach(newWorld);

const theirs = { hostname: 'https://b', formSubmitURL: 'https://b', password: 'p' };

describe('a wait', () => {
  test('that the server asked for holds for the user too, without a request', async () => {
    const device = await signedIn();
    world.atRequest = asks(5 * HOUR_MS);
    expect(await device.agent.sync()).toMatchObject({ ok: true });
    expect(device.status().notBeforeMs).toBe(NOW_MS + 5 * HOUR_MS);
    world.server.log.length = 0;
    expect(await device.agent.sync()).toMatchObject({ ok: false, error: { code: 'backoff' } });
    expect(device.agent.status()).toMatchObject({ state: 'enabled', error: { code: 'backoff' } });
    const again = await rebooted(device);
    expect(await again.agent.sync()).toMatchObject({ error: { code: 'backoff' } });
    expect(world.server.log).toEqual([]);
    world.atRequest = () => undefined;
    await again.platform.time.advance(10 * HOUR_MS);
    expect(again.agent.status()).toMatchObject({
      state: 'enabled',
      error: null,
      notBeforeMs: null,
    });
  });

  test('that comes with listings alone keeps no collection from its turn', async () => {
    const device = await signedIn();
    let listed = '';
    world.atRequest = ({ notes }) => {
      world.server.instead.set('changes', () => {
        notes.waitMs = 5_000;
        listed ||= world.server.log.at(-1) ?? '';
      });
    };
    const told = { first: new Set<string>(), sent: new Set<string>() };
    for (let n = 1; n <= 12; n++) {
      // Both have news each time, and changes that wait here.
      await device.agent.put('history', { url: `https://mine${n}.example/`, title: 'mine' });
      await device.agent.put('passwords', { ...LOGIN, origin: `https://mine${n}.test` });
      await world.server.put('history', 'AAAAAAAAAAAA', pageBody(n), 10_000 * n);
      await world.server.put('passwords', '{1}', { ...theirs, password: `${n}` }, 10_000 * n);
      listed = '';
      world.server.log.length = 0;
      device.platform.time.set(device.platform.time.nowMs() + HOUR_MS);
      expect(await device.agent.sync()).toMatchObject({ ok: false, error: { code: 'backoff' } });
      told.first.add(listed);
      for (const line of world.server.log) if (/^upload/.test(line)) told.sent.add(line);
    }
    expect([...told.first].sort()).toEqual(['changes history', 'changes passwords']);
    expect([...told.sent].sort()).toEqual(['upload history', 'upload passwords']);
  });

  test('of our own after failures doubles, and a user may pass it over', async () => {
    const device = await signedIn();
    world.atRequest = failing('unavailable');
    const waits: number[] = [];
    for (let n = 0; n < 3; n++) {
      await device.agent.sync();
      waits.push((device.agent.status().notBeforeMs ?? 0) - NOW_MS);
    }
    for (const [index, wait] of waits.entries()) {
      expect(wait).toBeGreaterThanOrEqual(60_000 * 2 ** index);
      expect(wait).toBeLessThanOrEqual(60_000 * 2 ** (index + 1));
    }
  });

  test('that a wrong clock set ends in its own time when the clock is set right', async () => {
    const device = await signedIn();
    world.atRequest = asks(60_000);
    await device.agent.sync();
    world.atRequest = () => undefined;
    device.platform.time.set(NOW_MS - 4 * 365 * 24 * HOUR_MS);
    expect(await device.agent.sync()).toMatchObject({ error: { code: 'backoff' } });
    await device.platform.time.advance(60_000);
    expect(await device.agent.sync()).toMatchObject({ ok: true });
  });
});

describe('the storage', () => {
  test('is left alone by a pass that finds nothing new', async () => {
    const { agent, storage } = await signedIn();
    const before = storage.commits;
    await agent.sync();
    expect(storage.commits).toBe(before);
  });

  test.each([
    ['full', 'storageFull'],
    ['failed', 'storageFailed'],
  ])('that is %s makes a pass fail, and is tried again later', async (code, meaning) => {
    const device = await signedIn();
    await world.server.put('history', 'BBBBBBBBBBBB', pageBody(2), 4_000);
    const { commit } = device.storage;
    device.storage.commit = async () => {
      throw Object.assign(new Error('x'), { code });
    };
    expect(await device.agent.sync()).toMatchObject({ ok: false, error: { code: meaning } });
    expect(device.agent.status()).toMatchObject({ state: 'errored', error: { code: meaning } });
    device.storage.commit = commit;
    await device.platform.time.advance(2 * HOUR_MS);
    expect(device.agent.status()).toMatchObject({ state: 'enabled', error: null });
    expect(device.agent.status().collections.history).toMatchObject({ held: 2 });
  });
});

test('a mistake of the program is no error of the sync: it comes out as it is', async () => {
  const { agent } = await signedIn();
  world.atRequest = () => {
    throw new TypeError('undefined is not a function');
  };
  await expect(agent.sync()).rejects.toBeInstanceOf(TypeError);
});

test('a pass that a mistake of the program broke off is not the last one', async () => {
  const { agent, platform } = await signedIn();
  world.atRequest = () => {
    throw new TypeError('undefined is not a function');
  };
  await agent.sync().catch(() => undefined);
  expect(agent.status()).toMatchObject({ state: 'errored', error: { code: 'deviceFailed' } });
  world.atRequest = () => undefined;
  await platform.time.advance(2 * HOUR_MS);
  expect(agent.status()).toMatchObject({ state: 'enabled', error: null });
});

test('what a boot finds is the failure that came last', async () => {
  const device = await signedIn();
  for (const code of ['unavailable', 'unauthorized', 'timeout'] as const) {
    world.atRequest = failing(code);
    await device.agent.sync();
    const again = await rebooted(device);
    expect(again.agent.status()).toMatchObject({ state: 'errored', error: { code } });
  }
});

describe('whatever a pass ends with, there is a next one', () => {
  /** How each code comes about; null: at a request, as the server's doing. */
  const CONDITIONS: { readonly [code in SyncErrorCode]: (() => void) | null } = {
    ...{ offline: null, timeout: null, truncated: null },
    ...{ backoff: null, unavailable: null },
    ...{ unauthorized: null, accountChanged: null, keyMismatch: null },
    signedOut: () => {
      world.user.fails = 'signedOut';
    },
    unverified: () => {
      world.user.fails = 'unverified';
    },
    ...{ badResponse: null, conflict: null, overQuota: null, storageReset: null },
    noSyncData: () => {
      world.server.documents.delete('meta/global');
    },
    ...{ clientTooOld: null, serviceGone: null },
    ...{ storageFull: null, storageFailed: null, deviceFailed: null, outOfMemory: null },
    damaged: null,
    ...{ badInput: null, notFound: null, tooLarge: null, readOnly: null },
    ...{ disabled: null, busy: null, aborted: null },
  };
  const CODES = Object.keys(CONDITIONS) as SyncErrorCode[];
  const STEP_MS = HOUR_MS / 6;

  /** Lets the condition begin; returns what ends it. */
  const begin = (code: SyncErrorCode): (() => void) => {
    const meta = world.server.documents.get('meta/global');
    const own = CONDITIONS[code];
    if (own !== null) own();
    else world.atRequest = failing(code);
    return () => {
      world.user.fails = null;
      world.atRequest = () => undefined;
      if (meta !== undefined) world.server.documents.set('meta/global', meta);
    };
  };

  /** The times of the passes of so many hours, in hours. */
  const hoursOfPasses = async (device: Device, hours: number): Promise<number[]> => {
    const times: number[] = [];
    for (let atMs = 0; atMs < hours * HOUR_MS; atMs += STEP_MS) {
      const before = device.events('pass').length;
      await device.platform.time.advance(STEP_MS);
      const passes = device.events('pass').length - before;
      for (let n = 0; n < passes; n++) times.push((atMs + STEP_MS) / HOUR_MS);
    }
    return times;
  };

  /** At least once a day, and hardly more often than every hour after fifty. */
  const areRarer = (times: readonly number[]): void => {
    const gaps = times.map((hour, index) => hour - (times[index - 1] ?? 0));
    expect(Math.max(...gaps, 50 - (times.at(-1) ?? 0))).toBeLessThanOrEqual(24);
    expect(times.length).toBeLessThanOrEqual(50);
    expect(times.filter((hour) => hour > 25).length).toBeLessThanOrEqual(25);
  };

  test.each(CODES)('%s for fifty hours, then good again', async (code) => {
    const device = await signedIn();
    const end = begin(code);
    const times = await hoursOfPasses(device, 50);
    areRarer(times);
    expect(device.events('pass').at(-1)).toMatchObject({ report: { error: { code } } });
    end();
    await hoursOfPasses(device, 24);
    expect(device.agent.status()).toMatchObject({ state: 'enabled', error: null });
  });

  test.each(CODES)('%s for fifty hours, then a reboot, then good again', async (code) => {
    const device = await signedIn();
    await device.agent.put('history', PAGE);
    const end = begin(code);
    await hoursOfPasses(device, 50);
    const again = await rebooted(device);
    areRarer(await hoursOfPasses(again, 50));
    const last = await rebooted(again);
    end();
    await hoursOfPasses(last, 24);
    expect(last.agent.status()).toMatchObject({
      state: 'enabled',
      error: null,
      collections: { history: { pending: 0 } },
    });
  });

  test.each(CODES)('%s at the sign-in', async (code) => {
    const device = boot();
    await device.agent.start();
    const end = begin(code);
    await device.agent.enable();
    areRarer(await hoursOfPasses(device, 50));
    end();
    await hoursOfPasses(device, 24);
    expect(device.agent.status()).toMatchObject({ state: 'enabled', error: null });
  });

  test('a server that asks for a day each time is asked once a day', async () => {
    const device = await signedIn();
    world.atRequest = (options) => {
      asks(Number.MAX_VALUE)(options);
      throw new SyncError('unavailable', 'as told');
    };
    const times = await hoursOfPasses(device, 100);
    expect(times.length).toBeGreaterThanOrEqual(4);
    expect(times.length).toBeLessThanOrEqual(6);
  });

  test('but after a sign-out there is none', async () => {
    const device = await signedIn();
    await device.agent.disable();
    expect(await hoursOfPasses(device, 50)).toEqual([]);
    expect(await hoursOfPasses(await rebooted(device), 50)).toEqual([]);
  });

  test('a network that comes without a word of it is found', async () => {
    const device = await signedIn();
    device.platform.connected = 'none';
    expect(await hoursOfPasses(device, 5)).toEqual([]);
    device.platform.connected = 'wifi';
    expect((await hoursOfPasses(device, 5)).length).toBeGreaterThanOrEqual(4);
  });
});
