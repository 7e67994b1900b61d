// What a user switches and what apps are told, over a server in the same process.

import { beforeEach, describe, expect, test } from 'vitest';
import { MemoryStorage } from '../platform/memory/storage.ts';
import {
  boot,
  failing,
  LOGIN,
  newWorld,
  PAGE,
  rebooted,
  signedIn,
  world,
} from '../test/support/agent.ts';
import { pageBody } from '../test/support/store.ts';

beforeEach(newWorld);

test('an app that comes while the store is opened gets the same store as the pass', async () => {
  const device = boot();
  await device.agent.start();
  const { identity } = device.platform;
  const { deviceKey } = identity;
  let openedCount = 0;
  identity.deviceKey = async () => {
    openedCount++;
    await new Promise(setImmediate);
    return deviceKey.call(identity);
  };
  const pass = device.agent.enable();
  const puts: Promise<unknown>[] = [];
  for (let n = 0; n < 20; n++) {
    await new Promise(setImmediate);
    const page = { url: `https://a.test/${n}` };
    puts.push(device.agent.put('history', page).catch((error: unknown) => error));
  }
  await pass;
  const stored = (await Promise.all(puts)).filter((id) => typeof id === 'string').length;
  expect([openedCount, stored > 0]).toEqual([1, true]);
  expect(device.agent.status().collections.history).toMatchObject({ held: stored + 1 });
  const again = await rebooted(device);
  expect(again.agent.status().collections.history).toMatchObject({ held: stored + 1 });
});

describe('a user’s switches', () => {
  test('count at once, and after a reboot', async () => {
    const device = await signedIn();
    await device.agent.configure({ collections: { history: { enabled: false } } });
    expect(device.status().collections.history).toMatchObject({ enabled: false });
    const again = await rebooted(device);
    await world.server.put('history', 'BBBBBBBBBBBB', pageBody(2), 4_000);
    expect((await again.agent.sync()).collections).not.toHaveProperty('history');
    await again.agent.configure({ collections: { history: { enabled: true } } });
    expect((await again.agent.sync()).collections.history).toMatchObject({ pulled: 1 });
  });

  test('keep apps from writing what is read-only, and the device from sending it', async () => {
    const { agent } = await signedIn();
    const id = await agent.put('history', PAGE);
    await agent.configure({ collections: { history: { readOnly: true } } });
    await expect(agent.put('history', PAGE)).rejects.toMatchObject({ code: 'readOnly' });
    await expect(agent.delete('history', id)).rejects.toMatchObject({ code: 'readOnly' });
    world.server.log.length = 0;
    await agent.sync();
    expect(world.server.log).not.toContain('upload history');
    expect(await agent.put('passwords', LOGIN)).toMatch(/^\{/);
  });

  test('are refused when they are none, and stay as they were', async () => {
    const { agent, storage } = await signedIn();
    const before = storage.commits;
    await expect(agent.configure({ intervalMs: 0 })).rejects.toMatchObject({ code: 'badInput' });
    expect(storage.commits).toBe(before);
  });

  test('name a collection of this build, or it is bad input', async () => {
    const { agent } = await signedIn();
    for (const name of ['tabs', '__proto__', '']) {
      await expect(agent.list(name, { limit: 1 })).rejects.toMatchObject({
        code: 'badInput',
        message: 'collection: not one of history, passwords',
      });
    }
  });
});

describe('what apps are told', () => {
  test('are the changes of the collections that they watch', async () => {
    const device = await signedIn();
    await device.agent.put('history', PAGE);
    device.agent.observe('history', true);
    const id = await device.agent.put('history', { ...PAGE, title: 'again' });
    await device.agent.put('passwords', LOGIN);
    await device.agent.delete('history', id);
    device.agent.observe('history', false);
    await device.agent.put('history', PAGE);
    expect(device.events('record')).toEqual([
      { kind: 'record', collection: 'history', id, change: 'put' },
      { kind: 'record', collection: 'history', id, change: 'delete' },
    ]);
  });

  test('is every pass, with what it did or why it failed', async () => {
    const device = await signedIn();
    await device.agent.put('history', PAGE);
    await device.agent.sync();
    world.atRequest = failing('timeout');
    await device.agent.sync();
    expect(device.events('pass')).toMatchObject([
      { report: { ok: true, requests: 1, collections: { history: { pushed: 1 } } } },
      { report: { ok: false, error: { code: 'timeout', message: 'as told' } } },
    ]);
  });

  test('is what the server says to its users', async () => {
    const device = await signedIn();
    world.atRequest = ({ notes }) => {
      notes.alert = 'down on Sunday';
      notes.quotaRemainingBytes = 1_024;
    };
    await device.agent.sync();
    expect(device.status()).toMatchObject({ alert: 'down on Sunday', quotaRemainingBytes: 1_024 });
  });

  test('is that the service ends', async () => {
    const device = await signedIn();
    world.atRequest = ({ notes }) => {
      notes.gone = true;
    };
    expect(await device.agent.sync()).toMatchObject({ ok: false, error: { code: 'serviceGone' } });
    expect(device.status()).toMatchObject({ state: 'errored', error: { code: 'serviceGone' } });
  });
});

test('a build without the protocol of its configuration says so', async () => {
  const device = boot(new MemoryStorage(), {
    remote: { protocol: 'other', serverUrl: '', audience: '', auth: 'bearer' },
  });
  await device.agent.start();
  await expect(device.agent.enable()).rejects.toThrow('other');
});
