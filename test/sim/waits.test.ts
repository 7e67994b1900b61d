// Waiting: whatever a server writes into the headers that ask for patience, the device waits
// between a second and a day, asks for nothing before that, and remembers it over a reboot and a
// clock that jumps. And when it syncs by itself: the interval, a local change, the network that it
// may use.

import { describe, expect, test } from 'vitest';
import { INTERVAL_SPREAD, SPREAD_MS } from '../../agent/limits.ts';
import { openStates } from '../../agent/store/state.ts';
import { syntheticAccount } from '../../emulator/servers/synthetic.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { NOW_MS } from '../support/device.ts';
import { deviceOn, freezeAccount, honest, sharedUser, thaw } from './lab.ts';

const START = freezeAccount(
  syntheticAccount({ records: 2, seed: 21, bodyBytes: 160, passwords: 1 }),
);
const USER = sharedUser(START);
const SECOND_MS = 1_000;
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

const VALUES = [
  '',
  ' ',
  '0',
  '1',
  '-1',
  '0.001',
  '0.5',
  '30',
  '3600',
  '86400',
  '86401',
  '1e308',
  '-1e308',
  'NaN',
  'Infinity',
  '999999999999999',
  '9007199254740993',
  '99999999999999999999999999',
  '0x10',
  '1;2',
  '12, 13',
  'null',
  'Thu, 01 Jan 1970 00:00:00 GMT',
  'Fri, 31 Dec 9999 23:59:59 GMT',
  'Sun, 22 Nov 2026 07:46:40 GMT',
];

const HEADERS = [
  'backoff',
  'retry-after',
  'x-weave-backoff',
  'alert',
  'total-records',
  'quota-remaining',
  'date',
  'last-modified',
];

/** A device that has synced, and then once more with that header on every answer. */
async function told(name: string, value: string) {
  const servers = thaw(START);
  const storage = new MemoryStorage();
  const ask = honest(servers);
  let isOn = false;
  const device = deviceOn(servers, storage, {
    identity: USER,
    async answer(request, index) {
      const reply = await ask(request, index);
      const others = reply.headers.filter(([other]) => other !== name);
      return isOn ? { ...reply, headers: [[name, value], ...others] } : reply;
    },
  });
  await device.agent.start();
  await device.agent.enable();
  isOn = true;
  await device.agent.put('history', { url: 'https://a.example/', title: 'a' });
  await device.agent.sync();
  return { servers, storage, device, ask };
}

const ROWS = HEADERS.flatMap((name) => VALUES.map((value) => [name, value] as const));

test(`three of ${ROWS.length} headers ask for patience: no request before it ends`, async () => {
  const asks = new Set<string>();
  for (const [name, value] of ROWS) {
    const { servers, storage, device } = await told(name, value);
    const where = `${name}: ${value}`;
    if (device.agent.status().notBeforeMs !== null) asks.add(name);
    const { server } = (await openStates(storage).load()).backoff;
    if (server === null) continue;
    const waitMs = server.untilMs - server.setAtMs;
    expect(device.agent.status().notBeforeMs, where).toBeGreaterThanOrEqual(server.untilMs);
    expect(waitMs, where).toBeGreaterThanOrEqual(SECOND_MS);
    expect(waitMs, where).toBeLessThanOrEqual(DAY_MS);
    for (const nowMs of [NOW_MS, NOW_MS + waitMs - 1, 0]) {
      const again = deviceOn(servers, storage.fork(), { identity: USER, nowMs });
      await again.agent.start();
      const report = await again.agent.sync();
      expect(report.error?.code, where).toBe('backoff');
      expect(again.network.requests, where).toEqual([]);
    }
    const later = deviceOn(servers, storage.fork(), { identity: USER, nowMs: NOW_MS + waitMs });
    await later.agent.start();
    expect(await later.agent.sync(), where).toMatchObject({ ok: true });
  }
  expect([...asks].sort()).toEqual(['backoff', 'retry-after', 'x-weave-backoff']);
});

test('a wait that began when the clock was in 2100 ends after its time, not in 2100', async () => {
  const servers = thaw(START);
  const storage = new MemoryStorage();
  const nowMs = Date.UTC(2100, 0, 1);
  const ask = honest(servers);
  const device = deviceOn(servers, storage, {
    identity: USER,
    nowMs,
    answer: async (request, index) => ({
      ...(await ask(request, index)),
      headers: [['retry-after', '600']],
    }),
  });
  await device.agent.start();
  await device.agent.enable();
  const later = deviceOn(servers, storage.fork(), { identity: USER });
  await later.agent.start();
  expect(await later.agent.sync()).toMatchObject({ error: { code: 'backoff' } });
  await later.platform.time.advance(601 * SECOND_MS);
  expect((await later.agent.sync()).error?.code).not.toBe('backoff');
});

describe('by itself', () => {
  async function synced() {
    const servers = thaw(START);
    const device = deviceOn(servers, new MemoryStorage(), { identity: USER });
    await device.agent.start();
    await device.agent.enable();
    const passes = () =>
      device.platform.events.filter((json) => json.includes('"kind":"pass"')).length;
    const wait = async (ms: number): Promise<number> => {
      await device.platform.time.advance(ms);
      for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
      return passes();
    };
    return { ...device, wait };
  }

  test('it syncs when the interval is over, and not before', async () => {
    const { wait } = await synced();
    expect(await wait(HOUR_MS - 1)).toBe(1);
    expect(await wait(HOUR_MS * INTERVAL_SPREAD)).toBe(2);
    expect(await wait(HOUR_MS * (1 + INTERVAL_SPREAD))).toBe(3);
  });

  test('it syncs ten seconds after the first of several local changes', async () => {
    const { agent, wait } = await synced();
    await agent.put('history', { url: 'https://a.example/', title: 'a' });
    expect(await wait(5 * SECOND_MS)).toBe(1);
    await agent.put('history', { url: 'https://b.example/', title: 'b' });
    expect(await wait(4_999)).toBe(1);
    expect(await wait(1)).toBe(2);
    expect(agent.status().collections.history).toMatchObject({ pending: 0 });
  });

  test('it leaves a network that costs money alone if told so, and none always', async () => {
    const { agent, platform, network, wait } = await synced();
    await agent.configure({ wifiOnly: true });
    platform.connected = 'metered';
    const before = network.requests.length;
    await wait(2 * HOUR_MS);
    platform.connected = 'none';
    agent.connectionChanged();
    await wait(2 * HOUR_MS);
    expect(network.requests.length).toBe(before);
    platform.connected = 'wifi';
    agent.connectionChanged();
    await wait(SPREAD_MS);
    expect(await wait(0)).toBe(2);
  });

  test('an unsent change is tried again, later each time, at once when the user asks', async () => {
    const servers = thaw(START);
    const ask = honest(servers);
    let isDown = false;
    const device = deviceOn(servers, new MemoryStorage(), {
      identity: USER,
      answer: async (request, index) =>
        isDown ? { status: 502, headers: [], body: Buffer.from('down') } : ask(request, index),
    });
    await device.agent.start();
    await device.agent.enable();
    isDown = true;
    await device.agent.put('history', { url: 'https://a.example/', title: 'a' });
    await device.agent.sync();
    const waits: number[] = [];
    for (let failure = 0; failure < 12; failure++) {
      const waitMs = Number(device.agent.status().notBeforeMs) - device.platform.clock.nowMs();
      waits.push(waitMs);
      const before = device.network.requests.length;
      await device.platform.time.advance(waitMs - 1);
      expect(device.network.requests.length).toBe(before);
      await device.platform.time.advance(1);
      for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
      expect(device.network.requests.length).toBeGreaterThan(before);
    }
    expect(waits.every((waitMs, at) => at === 0 || waitMs >= Number(waits[at - 1]) * 0.5)).toBe(
      true,
    );
    expect(waits.at(-1)).toBeGreaterThan(8 * HOUR_MS - 1);
    expect(waits.at(-1)).toBeLessThanOrEqual(16 * HOUR_MS);
    isDown = false;
    expect(await device.agent.sync()).toMatchObject({ ok: true });
  });

  test('it stops where it is told to, and what is not sent stays pending', async () => {
    const servers = thaw(START);
    const ask = honest(servers);
    const device = deviceOn(servers, new MemoryStorage(), {
      identity: USER,
      async answer(request, index) {
        if (index === 5) device.agent.cancel();
        return ask(request, index);
      },
    });
    await device.agent.start();
    await device.agent.enable();
    await device.agent.put('history', { url: 'https://a.example/', title: 'a' });
    expect((await device.agent.sync()).error?.code).toBe('aborted');
    expect(device.agent.status()).toMatchObject({
      state: 'enabled',
      collections: { history: { pending: 1 } },
    });
    expect(await device.agent.sync()).toMatchObject({ ok: true });
  });
});
