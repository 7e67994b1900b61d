// A pass that never ends, whatever has swallowed it: there is a next one, and whoever signs out
// does not wait for it.

import { describe, expect, test } from 'vitest';
import type { MemoryStorage } from '../platform/memory/storage.ts';
import { swallowing } from '../test/support/swallowing.ts';
import {
  DEVICE_KEY_MS_MAX,
  FAREWELL_MS_MAX,
  FORGET_MS_MAX,
  GIVE_UP_MS,
  PASS_MS_MAX,
} from './limits.ts';

const never = <T>(): Promise<T> => new Promise(() => undefined);

test.each(['network', 'identity', 'storage'] as const)(
  'a pass that its %s has swallowed ends with an error, and the next one is good',
  async (port) => {
    const { agent, platform, service, swallows, settled } = await swallowing();
    await agent.put(service.collection, { id: 'a', text: 'ours' });
    service.put('b', { text: 'theirs' });
    swallows[port] = true;
    const swallowed = agent.sync();
    const next = agent.sync();
    await settled();
    await platform.time.advance(PASS_MS_MAX - 1);
    swallows[port] = false;
    expect(agent.status().state).toBe('syncing');
    await platform.time.advance(1);
    expect(await swallowed).toMatchObject({
      ok: false,
      error: { code: 'deviceFailed', message: expect.stringContaining(`${PASS_MS_MAX} ms`) },
    });
    expect(await next).toMatchObject({ ok: true, error: null });
    expect([...(await service.live()).keys()].sort()).toEqual(['a', 'b']);
    expect(agent.status()).toMatchObject({ state: 'enabled', error: null });
  },
);

describe('a sign-out', () => {
  const keysOf = (storage: MemoryStorage): string[] => storage.snapshot().map(([key]) => key);

  const PORTS = ['network', 'identity'] as const;
  test.each(PORTS)('does not wait for a pass that its %s has swallowed', async (port) => {
    const it = await swallowing();
    const { agent, service, storage } = it;
    service.put('b', { text: 'theirs' });
    it.swallows[port] = true;
    const swallowed = agent.sync();
    await it.settled();
    expect(await it.until(agent.disable())).toBeLessThanOrEqual(GIVE_UP_MS);
    expect(await swallowed).toMatchObject({ ok: false, error: { code: 'aborted' } });
    expect(agent.status()).toMatchObject({ state: 'disabled', account: null });
    expect(keysOf(storage)).toEqual(['s']);
    const state = storage.snapshot();
    // What was swallowed goes on: it is nobody's any more.
    it.late.asksForPatience = true;
    await it.letGo();
    await it.platform.time.advance(60_000);
    await it.settled();
    expect(storage.snapshot()).toEqual(state);
    expect(agent.status()).toMatchObject({ state: 'disabled', account: null });
    expect(await agent.enable()).toMatchObject({ ok: true });
    expect(agent.status().collections[service.collection]).toMatchObject({ held: 1, pending: 0 });
  });

  test('waits for its storage, and for nothing else then', async () => {
    const it = await swallowing();
    const { agent, service, storage } = it;
    service.put('b', { text: 'theirs' });
    it.swallows.storage = true;
    void agent.sync();
    await it.settled();
    const left = agent.disable();
    await it.platform.time.advance(3_600_000);
    expect(agent.status().state).toBe('disabling');
    await it.letGo();
    expect(await it.until(left)).toBeLessThanOrEqual(FAREWELL_MS_MAX);
    expect(keysOf(storage)).toEqual(['s']);
  });

  test('does not wait for ever for a device that does not say its key', async () => {
    const it = await swallowing();
    const { agent, platform, storage } = it;
    await agent.disable();
    const { deviceKey } = platform.identity;
    platform.identity.deviceKey = never;
    const swallowed = agent.enable();
    await it.settled();
    expect(await it.until(agent.disable())).toBeLessThanOrEqual(2 * DEVICE_KEY_MS_MAX);
    expect(await swallowed).toMatchObject({ ok: false });
    expect(agent.status()).toMatchObject({ state: 'disabled', account: null });
    expect(keysOf(storage)).toEqual(['s']);
    platform.identity.deviceKey = deviceKey;
    expect(await agent.enable()).toMatchObject({ ok: true });
  });

  test('does not wait for ever for an account manager that shall forget its user', async () => {
    const it = await swallowing(never);
    expect(await it.until(it.agent.disable())).toBeLessThanOrEqual(FORGET_MS_MAX);
    expect(it.agent.status()).toMatchObject({ state: 'disabled', account: null });
    expect(keysOf(it.storage)).toEqual(['s']);
  });

  test('lets a pass that comes to its next step in time end by itself', async () => {
    const it = await swallowing();
    it.swallows.network = true;
    const swallowed = it.agent.sync();
    await it.settled();
    const left = it.agent.disable();
    await it.platform.time.advance(GIVE_UP_MS - 1);
    await it.letGo();
    expect(await it.until(left)).toBe(0);
    const { error } = await swallowed;
    expect(error).toMatchObject({ code: 'aborted', message: 'the pass is given up' });
  });

  test('and who comes again at once is not given up with the pass before', async () => {
    const it = await swallowing();
    await it.agent.disable();
    it.swallows.network = true;
    const enabled = it.agent.enable();
    await it.settled();
    await it.platform.time.advance(2 * GIVE_UP_MS);
    await it.letGo();
    expect(await enabled).toMatchObject({ ok: true });
  });
});

test('a pass that was given up leaves the waits and memory of the next ones alone', async () => {
  const it = await swallowing();
  it.swallows.network = true;
  const swallowed = it.agent.sync();
  await it.settled();
  await it.platform.time.advance(PASS_MS_MAX);
  expect(await swallowed).toMatchObject({ error: { code: 'deviceFailed' } });
  it.swallows.network = false;
  expect(await it.agent.sync()).toMatchObject({ ok: true });
  const stored = it.storage.snapshot();
  it.late.asksForPatience = true;
  await it.letGo();
  expect(it.storage.snapshot()).toEqual(stored);
  expect(it.agent.status()).toMatchObject({ state: 'enabled', error: null });
});

test('a pass that waits in vain for the device’s key says so, the next one is good', async () => {
  const it = await swallowing();
  const { agent, platform } = it;
  await agent.disable();
  const { deviceKey } = platform.identity;
  platform.identity.deviceKey = never;
  const swallowed = agent.enable();
  await it.settled();
  await platform.time.advance(DEVICE_KEY_MS_MAX);
  expect(await swallowed).toMatchObject({
    ...{ ok: false, error: { code: 'deviceFailed' } },
    error: { message: expect.stringContaining('deviceKey') },
  });
  platform.identity.deviceKey = deviceKey;
  expect(await agent.sync()).toMatchObject({ ok: true });
});
