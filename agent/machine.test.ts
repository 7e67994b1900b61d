// The states of the agent, and how each survives a reboot, over a server in the same process.

import { beforeEach, describe, expect, test } from 'vitest';
import { MemoryStorage } from '../platform/memory/storage.ts';
import {
  boot,
  type Device,
  failing,
  HOUR_MS,
  held,
  LOGIN,
  NOW_MS,
  newWorld,
  PAGE,
  rebooted,
  saved,
  signedIn,
  slowPut,
  world,
} from '../test/support/agent.ts';
import { META } from '../test/support/server.ts';
import { pageBody } from '../test/support/store.ts';
import type { SyncErrorCode } from './errors.ts';
import { NETWORK_RECHECK_MS } from './limits.ts';
import { NEW_STATE, openStates } from './store/state.ts';

beforeEach(newWorld);

describe('disabled', () => {
  test('is how a device begins: nothing is asked of anybody, and nothing is there', async () => {
    const { agent, storage, status } = boot();
    await agent.start();
    expect(agent.status()).toMatchObject({ state: 'disabled', account: null, collections: {} });
    for (const call of [
      () => agent.sync(),
      () => agent.list('history', { limit: 1 }),
      () => agent.get('history', 'a'),
      () => agent.put('history', PAGE),
      () => agent.delete('history', 'a'),
    ]) {
      await expect(call()).rejects.toMatchObject({ code: 'disabled' });
    }
    expect([world.server.log, storage.commits, status()]).toEqual([[], 0, null]);
  });

  test('to enabling to enabled: a user signs in', async () => {
    const device = boot();
    await device.agent.start();
    const during: string[] = [];
    world.atRequest = async () => void during.push(await saved(device));
    expect(await device.agent.enable()).toMatchObject({ ok: true, error: null });
    expect(device.states()).toEqual(['enabling', 'enabled']);
    expect(during[0]).toBe('enabling');
    expect(await saved(device)).toBe('enabled');
    expect(device.status()).toMatchObject({
      state: 'enabled',
      account: 'u1@example.test',
      lastSyncMs: NOW_MS,
      error: null,
      notBeforeMs: null,
      collections: { history: { held: 1, pending: 0, quarantined: 0, declined: false } },
    });
  });
});

describe('enabling', () => {
  test.each([
    ['signedOut', 'signedOut'],
    ['unverified', 'unverified'],
    ['offline', 'offline'],
  ])('to errored: the account manager says %s', async (code, meaning) => {
    const device = boot();
    await device.agent.start();
    world.user.fails = code;
    const report = await device.agent.enable();
    expect(report).toMatchObject({ ok: false, error: { code: meaning } });
    expect(device.states()).toEqual(['enabling', 'errored']);
    expect(device.status().error).toMatchObject({ code: meaning });
    expect(await saved(device)).toBe('errored');
  });

  test('to errored: the account has no Sync data', async () => {
    const device = boot();
    await device.agent.start();
    world.server.documents.clear();
    expect(await device.agent.enable()).toMatchObject({ error: { code: 'noSyncData' } });
    expect(device.states()).toEqual(['enabling', 'errored']);
  });

  /** The power goes at the first request of a sign-in whose answer nobody has seen. */
  const cutWhileEnabling = async (line: string): Promise<Device> => {
    const device = boot();
    await device.agent.start();
    let isReached = (): void => undefined;
    const reached = new Promise<void>((resolve) => {
      isReached = resolve;
    });
    world.atRequest = (_, asked) => {
      if (asked !== line) return undefined;
      isReached();
      return new Promise(() => undefined);
    };
    void device.agent.enable();
    await reached;
    world.atRequest = () => undefined;
    return device;
  };

  test.each(['fetch meta', 'fetch crypto'])(
    'at a boot goes on by itself: the power went at %s',
    async (line) => {
      const again = await rebooted(await cutWhileEnabling(line));
      expect(again.agent.status()).toMatchObject({ state: 'enabling', account: 'u1@example.test' });
      await again.platform.time.advance(0);
      expect(again.states()).toEqual(['enabling', 'enabled']);
      expect(again.agent.status()).toMatchObject({
        state: 'enabled',
        collections: { history: { held: 1 } },
      });
    },
  );

  test('at a boot goes on although the power went before anybody was asked', async () => {
    const storage = new MemoryStorage();
    await openStates(storage).save({ ...NEW_STATE, state: 'enabling' });
    const again = boot(storage);
    await again.agent.start();
    await again.platform.time.advance(0);
    expect(again.agent.status()).toMatchObject({ state: 'enabled', account: 'u1@example.test' });
  });

  test('at a boot is a request of the user still, answered by this pass or the next', async () => {
    const again = await rebooted(await cutWhileEnabling('fetch crypto'));
    expect(await again.agent.enable()).toMatchObject({ ok: true });
    expect(again.states()).toEqual(['enabling', 'enabled']);
  });

  test('at a boot with another account is disabled: nobody has asked for that one', async () => {
    const device = await cutWhileEnabling('fetch crypto');
    world.user = { ...world.user, uid: 'u2' };
    const again = await rebooted(device);
    await again.platform.time.advance(0);
    expect(again.agent.status()).toMatchObject({ state: 'disabled', account: null });
    expect(again.storage.snapshot().map(([key]) => key)).toEqual(['s']);
    await again.platform.time.advance(48 * HOUR_MS);
    expect(again.states()).toEqual(['enabling', 'disabled']);
    expect(await again.agent.enable()).toMatchObject({ ok: true });
  });

  test('at a boot without a network waits for one', async () => {
    const device = boot((await cutWhileEnabling('fetch meta')).storage.fork());
    device.platform.connected = 'none';
    await device.agent.start();
    await device.platform.time.advance(HOUR_MS);
    expect(device.states()).toEqual(['enabling']);
    device.platform.connected = 'wifi';
    await device.platform.time.advance(NETWORK_RECHECK_MS);
    expect(device.states()).toEqual(['enabling', 'enabled']);
  });
});

describe('enabled', () => {
  test('to syncing to enabled: a pass', async () => {
    const { agent, states } = await signedIn();
    expect(await agent.sync()).toMatchObject({ ok: true, requests: 1 });
    expect(states()).toEqual(['syncing', 'enabled']);
  });

  test('to disabling to disabled: a user signs out, and all data and keys go', async () => {
    const device = await signedIn();
    await device.agent.put('passwords', LOGIN);
    await device.agent.disable();
    expect(device.states()).toEqual(['disabling', 'disabled']);
    expect(device.agent.status()).toMatchObject({ state: 'disabled', account: null });
    expect(device.storage.snapshot().map(([key]) => key)).toEqual(['s']);
    await expect(device.agent.sync()).rejects.toMatchObject({ code: 'disabled' });
  });

  test('a sign-in that is repeated is a pass', async () => {
    const { agent, states } = await signedIn();
    expect(await agent.enable()).toMatchObject({ ok: true });
    expect(states()).toEqual(['syncing', 'enabled']);
  });

  test('at a boot is enabled, and syncs', async () => {
    const device = await rebooted(await signedIn());
    expect(device.agent.status()).toMatchObject({ state: 'enabled', account: 'u1@example.test' });
    await device.platform.time.advance(0);
    expect(device.states()).toEqual(['enabled', 'syncing', 'enabled']);
  });
});

describe('syncing', () => {
  test('to errored to syncing to enabled: a failure, and a user who tries again', async () => {
    const device = await signedIn();
    world.atRequest = failing('unavailable');
    expect(await device.agent.sync()).toMatchObject({ ok: false, error: { code: 'unavailable' } });
    expect(device.status()).toMatchObject({ state: 'errored', error: { code: 'unavailable' } });
    world.atRequest = () => undefined;
    expect(await device.agent.sync()).toMatchObject({ ok: true });
    expect(device.states()).toEqual(['syncing', 'errored', 'syncing', 'enabled']);
    expect(device.status()).toMatchObject({ state: 'enabled', error: null, notBeforeMs: null });
  });

  test('is one pass at a time: a second one begins when the first is over', async () => {
    const { agent, states } = await signedIn();
    const { isReached, letGo } = held();
    const both = [agent.sync(), agent.sync()];
    await isReached;
    expect(states()).toEqual(['syncing']);
    letGo();
    expect(await Promise.all(both)).toMatchObject([{ ok: true }, { ok: true }]);
    expect(states()).toEqual(['syncing', 'enabled', 'syncing', 'enabled']);
  });

  test('to enabled: a pass that is cancelled is no error, and no reason to wait', async () => {
    const device = await signedIn();
    await world.server.put('history', 'BBBBBBBBBBBB', pageBody(2), 4_000);
    world.server.setMeta(META, 5_000);
    world.atRequest = () => device.agent.cancel();
    expect(await device.agent.sync()).toMatchObject({ ok: false, error: { code: 'aborted' } });
    expect(device.states()).toEqual(['syncing', 'enabled']);
    expect(device.status()).toMatchObject({ error: null, notBeforeMs: null });
    world.atRequest = () => undefined;
    expect(await device.agent.sync()).toMatchObject({ ok: true });
  });

  test('a cancel when there is no pass does nothing to the next one', async () => {
    const { agent } = await signedIn();
    agent.cancel();
    expect(await agent.sync()).toMatchObject({ ok: true });
  });

  test('at a boot is enabled: the pass begins anew', async () => {
    const device = await signedIn();
    const { isReached } = held();
    void device.agent.sync();
    await isReached;
    expect(await saved(device)).toBe('enabled');
    const again = await rebooted(device);
    expect(again.agent.status().state).toBe('enabled');
  });

  test('to disabling to disabled: signing out ends the pass first', async () => {
    const device = await signedIn();
    world.server.setMeta(META, 5_000);
    const { isReached, letGo } = held();
    const pass = device.agent.sync();
    await isReached;
    const gone = device.agent.disable();
    await new Promise(setImmediate);
    expect(device.states()).toEqual(['syncing', 'disabling']);
    letGo();
    await gone;
    expect(await pass).toMatchObject({ ok: false, error: { code: 'aborted' } });
    expect(device.states()).toEqual(['syncing', 'disabling', 'disabled']);
    expect(device.storage.snapshot().map(([key]) => key)).toEqual(['s']);
  });

  test('a pass that ends well while the user signs out brings nothing back', async () => {
    const device = await signedIn();
    const { isReached, letGo } = held();
    // The last request of the pass: nothing after it could notice that it is unwanted.
    const pass = device.agent.sync();
    await isReached;
    const gone = device.agent.disable();
    letGo();
    await Promise.all([pass, gone]);
    expect(device.states()).toEqual(['syncing', 'disabling', 'disabled']);
    expect(await saved(device)).toBe('disabled');
  });
});

describe('disabling', () => {
  test('at a boot goes on: the power may go at any commit of a sign-out', async () => {
    const device = await signedIn();
    await device.agent.put('passwords', LOGIN);
    for (let atCommit = 1, isOver = false; !isOver; atCommit++) {
      const cut = boot(device.storage.fork({ atCommit, when: 'after' }));
      await cut.agent.start();
      isOver = await cut.agent.disable().then(
        () => true,
        () => false,
      );
      const again = await rebooted(cut);
      expect(again.agent.status()).toMatchObject({ state: 'disabled', account: null });
      expect(again.storage.snapshot().map(([key]) => key)).toEqual(['s']);
    }
  });

  test('takes edits along that were not finished', async () => {
    const device = await signedIn();
    const { put, letGo } = await slowPut(device);
    await device.agent.disable();
    letGo();
    expect(await put).toMatchObject({ code: 'disabled' });
    expect(device.storage.snapshot().map(([key]) => key)).toEqual(['s']);
  });

  test('leaves the number of its keys behind: what comes next has another one', async () => {
    const device = await signedIn();
    const { generation } = await openStates(device.storage).load();
    await device.agent.disable();
    expect((await openStates(device.storage).load()).generation).toBeGreaterThan(generation);
  });

  test('takes no edit any more', async () => {
    const device = await signedIn();
    const gone = device.agent.disable();
    await expect(device.agent.put('history', PAGE)).rejects.toMatchObject({ code: 'disabled' });
    await gone;
    expect(device.storage.snapshot().map(([key]) => key)).toEqual(['s']);
  });

  test('leaves nothing for the next one who signs in, but the switches of the device', async () => {
    const device = await signedIn();
    await device.agent.put('history', PAGE);
    await device.agent.configure({ wifiOnly: true });
    await device.agent.disable();
    world.user = { ...world.user, uid: 'u2' };
    world.server.collections.clear();
    expect(await device.agent.enable()).toMatchObject({ ok: true });
    expect(device.agent.status().account).toBe('u2@example.test');
    expect((await openStates(device.storage).load()).settings).toMatchObject({ wifiOnly: true });
    expect(await device.agent.list('history', { limit: 9 })).toEqual({ records: [], next: null });
  });
});

describe('errored', () => {
  test.each<SyncErrorCode>(['unauthorized', 'keyMismatch', 'clientTooOld', 'serviceGone'])(
    'at a boot stays so until it has asked again, or the user has: %s',
    async (code) => {
      const device = await signedIn();
      world.atRequest = failing(code);
      await device.agent.sync();
      const again = await rebooted(device);
      expect(again.agent.status()).toMatchObject({ state: 'errored', error: { code } });
      await again.platform.time.advance(24 * HOUR_MS);
      expect(again.states()).toEqual(['errored', 'syncing', 'errored']);
      world.atRequest = () => undefined;
      expect(await again.agent.enable()).toMatchObject({ ok: true });
    },
  );

  test('at a boot tries again, when the address may have been confirmed', async () => {
    const device = boot();
    await device.agent.start();
    world.user.fails = 'unverified';
    await device.agent.enable();
    world.user.fails = null;
    const again = await rebooted(device);
    await again.platform.time.advance(24 * HOUR_MS);
    expect(again.states().at(-1)).toBe('enabled');
    expect(again.agent.status().collections.history).toMatchObject({ held: 1 });
  });

  test('at a boot waits as long as before, then tries again by itself', async () => {
    const device = await signedIn();
    world.atRequest = failing('unavailable');
    await device.agent.sync();
    const again = await rebooted(device);
    expect(again.agent.status()).toMatchObject({
      state: 'errored',
      error: { code: 'unavailable' },
      notBeforeMs: expect.any(Number),
    });
    world.atRequest = () => undefined;
    await again.platform.time.advance(30_000);
    expect(again.states()).toEqual(['errored']);
    // A minute, and by chance up to another one.
    await again.platform.time.advance(90_000);
    expect(again.states()).toEqual(['errored', 'syncing', 'enabled']);
  });

  test('to enabling to enabled, and to disabling to disabled', async () => {
    const device = await signedIn();
    world.atRequest = failing('unauthorized');
    await device.agent.sync();
    world.atRequest = () => undefined;
    await device.agent.enable();
    world.atRequest = failing('unauthorized');
    await device.agent.sync();
    await device.agent.disable();
    expect(device.states()).toEqual([
      ...['syncing', 'errored', 'enabling', 'enabled'],
      ...['syncing', 'errored', 'disabling', 'disabled'],
    ]);
  });

  test('still shows and takes what apps ask for', async () => {
    const device = await signedIn();
    world.atRequest = failing('unauthorized');
    await device.agent.sync();
    await device.agent.put('history', PAGE);
    const { records } = await device.agent.list('history', { limit: 9 });
    expect(records).toHaveLength(2);
    expect(device.agent.status().collections.history).toMatchObject({ pending: 1 });
  });
});
