// Signing out: what the other devices see of it, and that it never depends on the server.

import { describe, expect, test } from 'vitest';
import { secondDevice } from '../../../test/sim/second-device.ts';
import { corpusAccount, type TestServers, testServers } from '../../../test/support/device.ts';
import { fullDevice, TV } from '../../../test/support/everything.ts';
import { FAREWELL_MS_MAX } from '../../limits.ts';

const FIREFOX = '4nRhL2pUNwI5';
const TABS = { tabs: [{ title: 'A', urlHistory: ['https://a.example/'], lastUsed: 5 }] };

function servers(): TestServers {
  const names = ['clients', 'tabs'].map((name) => `record_${name}_put_enabled`);
  return testServers(corpusAccount(), { syncto: { enabled: names } });
}

/** A device that shares its tabs; its server falls silent when it is told so. */
async function sharing(it: TestServers, protocol: 'sync15' | 'syncto' = 'sync15') {
  const link = { isSilent: false, requests: 0 };
  const device = await fullDevice(it, {
    protocol,
    fetch: (request) => {
      link.requests++;
      return link.isSilent ? new Promise<Response>(() => undefined) : it.world.fetch(request);
    },
  });
  await device.agent.enable();
  await device.agent.put('tabs', TABS);
  await device.agent.sync();
  it.nowMs += 1_000;
  return { ...device, link };
}

describe.each(['sync15', 'syncto'] as const)('a device that signs out over %s', (protocol) => {
  test('is not among the devices any more, and its tabs are gone', async () => {
    const it = servers();
    const other = secondDevice(it);
    const { agent } = await sharing(it, protocol);
    const tabsBefore = other.ids('tabs').length;
    expect(other.ids('clients')).toHaveLength(2);
    other.put('tabs', { id: FIREFOX, clientName: 'Firefox', tabs: [] });
    it.nowMs += 1_000;
    const history = other.ids('history');
    await agent.disable();
    expect([...other.live('clients').values()].map(({ name }) => name)).toContain(TV.name);
    it.nowMs += 2_000;
    expect(other.ids('clients')).toEqual([FIREFOX]);
    expect(other.ids('tabs')).toEqual([FIREFOX]);
    expect(tabsBefore).toBe(2);
    expect(other.ids('history')).toEqual(history);
  });
});

test('a device without a network signs out without asking', async () => {
  const { agent, platform, link } = await sharing(servers());
  const before = link.requests;
  platform.connected = 'none';
  await agent.disable();
  expect(agent.status()).toMatchObject({ state: 'disabled', account: null });
  expect(link.requests).toBe(before);
});

test('a silent server holds nobody up, and what it says later changes nothing', async () => {
  const { agent, platform, link, storage } = await sharing(servers());
  link.isSilent = true;
  const left = agent.disable();
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  expect(agent.status().state).toBe('disabling');
  await platform.time.advance(FAREWELL_MS_MAX);
  await left;
  expect(agent.status()).toMatchObject({ state: 'disabled', account: null });
  expect(await storage.scan({ from: '!', to: '~', limit: 9 })).toEqual(['s']);
});

test('tabs of a device that the account has no more are not shown', async () => {
  const it = servers();
  const other = secondDevice(it);
  for (const id of [FIREFOX, 'gone00000000']) {
    other.put('tabs', { id, clientName: id, tabs: [{ urlHistory: ['https://b.example/'] }] });
  }
  const { agent } = await sharing(it);
  const { records } = await agent.list('tabs', { limit: 9 });
  const ids = records.map(({ guid }) => guid);
  expect(ids).toHaveLength(2);
  expect(ids).toContain(FIREFOX);
});
