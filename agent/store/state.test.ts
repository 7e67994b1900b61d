// What outlives a reboot is read as it was written, or refused; nothing is written over it.

import { beforeEach, describe, expect, test } from 'vitest';
import { boot, type Device, newWorld, signedIn } from '../../test/support/agent.ts';

beforeEach(newWorld);

describe('a store that is damaged', () => {
  const damaged = async (end: string, value = '{"generation":'): Promise<Device> => {
    const { storage } = await signedIn();
    const [key = ''] = storage.snapshot().find(([name]) => name.endsWith(end)) ?? [];
    await storage.commit([[key, value]]);
    return boot(storage);
  };

  test('at its state, which cannot be fetched again, is not gone on with', async () => {
    const device = await damaged('s');
    const before = device.storage.snapshot();
    await expect(device.agent.start()).rejects.toMatchObject({
      code: 'damaged',
      detail: { stored: 'state' },
    });
    expect(device.storage.snapshot()).toEqual(before);
  });

  test.each([
    'b{"state":"enabled"}',
    '{"settings":{"collections":[null]}}',
    '{"backoff":null}',
    'a{}',
    'B{}',
  ])('whose state is %s is refused, and nothing is written to it', async (value) => {
    const device = await damaged('s', value);
    const before = device.storage.snapshot();
    await expect(device.agent.start()).rejects.toMatchObject({ code: 'damaged' });
    await expect(device.agent.enable()).rejects.toMatchObject({ code: 'damaged' });
    await expect(device.agent.configure({ wifiOnly: true })).rejects.toMatchObject({
      code: 'damaged',
    });
    await expect(device.agent.sync()).rejects.toMatchObject({ code: 'damaged' });
    await expect(device.agent.get('history', 'a')).rejects.toMatchObject({ code: 'damaged' });
    expect(device.agent.status()).toMatchObject({ state: 'disabled', error: { code: 'damaged' } });
    expect(device.states()).toEqual([]);
    expect(device.storage.snapshot()).toEqual(before);
    // Whoever signs out gives it up.
    await device.agent.disable();
    expect(device.agent.status()).toMatchObject({ state: 'disabled', error: null });
  });

  test('at what the server has is mended from there', async () => {
    const device = await damaged('.m');
    await device.agent.start();
    expect(await device.agent.sync()).toMatchObject({ ok: true });
    expect(device.agent.status().collections.history).toMatchObject({ held: 1, declined: false });
  });
});
