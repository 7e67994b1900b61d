// Hawk by another implementation, over HTTP and both ways: what a device signs, before the server
// of the `hawk` package, and what its client signs, before ours.

import { client as hawk } from 'hawk';
import { afterEach, expect, test } from 'vitest';
import { type AgentConfig, clients, generic, history, picl, sync15 } from '../../agent/index.ts';
import { signHawk } from '../../emulator/servers/hawk.ts';
import { DEVICE, Pen, type PiclUser } from '../../emulator/servers/picl/testing.ts';
import { serveOnLoopback } from '../../emulator/servers/serve.ts';
import { syntheticAccount } from '../../emulator/servers/synthetic.ts';
import { urlsBelow } from '../../emulator/servers/world.ts';
import type { Identity } from '../../platform/ports.ts';
import { FIRST } from '../contract/picl-asking.ts';
import { testDevice, testServers, userOf } from '../support/device.ts';
import { type HawkGate, startHawkGate } from '../support/hawk-gate.ts';

const gates: HawkGate[] = [];
afterEach(() => {
  for (const gate of gates.splice(0)) gate.close();
});

/** A device whose every signature passes by the gate; `aheadMs`: its clock. */
async function deviceBehindGate(protocol: 'picl' | 'sync15', aheadMs = 0) {
  const gate = await startHawkGate();
  gates.push(gate);
  const account = syntheticAccount({ records: 3, seed: 1 });
  const servers = testServers(account, { urls: urlsBelow(gate.url) });
  const { fetch: inside, urls } = servers.world;
  gate.servers = inside;
  gate.nowMs = () => servers.nowMs;
  const serverUrl = protocol === 'picl' ? urls.picl : urls.token;
  const name = protocol === 'picl' ? 'settings' : 'history';
  const remote = { protocol, serverUrl, audience: `${serverUrl}/`, auth: 'bearer' } as const;
  const config: Partial<AgentConfig> = {
    ...{ remote, collections: { [name]: { enabled: true, readOnly: false } } },
  };
  const device = testDevice(servers, {
    ...{ config, fetch, nowMs: servers.nowMs + aheadMs },
    contents: {
      drivers: [picl, sync15],
      collections: [history, generic('settings')],
      devices: clients,
    },
  });
  await device.agent.start();
  return { gate, servers, name, ...device };
}

const RECORDS = {
  settings: { id: 'a', text: 'Grüße, 日本 😀' },
  history: { id: 'aaaaaaaaaaaa', histUri: 'https://a.example/', title: 'Grüße', visits: [] },
};

test.each(['picl', 'sync15'] as const)('a device that speaks %s is authenticated', async (one) => {
  const { agent, gate, name } = await deviceBehindGate(one);
  expect(await agent.enable()).toMatchObject({ ok: true });
  await agent.put(name, RECORDS[name as 'history']);
  expect(await agent.sync()).toMatchObject({ ok: true });
  await agent.delete(name, RECORDS[name as 'history'].id);
  expect(await agent.sync()).toMatchObject({ ok: true });
  expect(gate.refused).toEqual([]);
  const writes = gate.passed.filter(({ method }) => method !== 'GET');
  expect(writes.length).toBeGreaterThan(1);
  expect(gate.passed.length).toBeGreaterThan(writes.length);
  if (one === 'picl') expect(writes.every(({ isHashed }) => isHashed)).toBe(true);
});

test.each([
  ['picl', ['Stale timestamp']],
  // The token server's answer says the time.
  ['sync15', []],
] as const)('a device that speaks %s by a wrong clock gets to know', async (one, refusals) => {
  const { agent, gate } = await deviceBehindGate(one, 3_600_000);
  expect(await agent.enable()).toMatchObject({ ok: true });
  expect(gate.refused).toEqual(refusals);
  expect(gate.passed.length).toBeGreaterThan(0);
});

test('what our gateway signs for others is authenticated, and by no other key', async () => {
  const { gate, servers, platform } = await deviceBehindGate('picl');
  const { id, key, place } = await passAt(servers.world.urls.picl, platform.identity);
  const asked = async (path: string, own: string, count: number): Promise<number> => {
    const url = new URL(place + path);
    const signed = signHawk({ method: 'GET', url }, { id, key: own }, servers.nowMs, `n${count}`);
    return (await fetch(url, { headers: { Authorization: signed } })).status;
  };
  for (const [at, path] of ['', '/records?start=a&limit=2', "/changes?x='%27é", '/x'].entries()) {
    expect([path, await asked(path, `${key}x`, at)]).toEqual([path, 401]);
    expect([path, (await asked(path, key, at)) === 401]).toEqual([path, false]);
  }
  expect(gate.refused).toEqual(Array(4).fill('Bad mac'));
});

test('what the client of the package signs is taken by our server, and nothing else', async () => {
  const clock = { nowMs: 1_795_330_000_000 };
  const account = syntheticAccount({ records: 0, seed: 1 });
  const serving = await serveOnLoopback({ port: 0, account, nowMs: () => clock.nowMs });
  try {
    const { urls } = serving.world;
    const user = userOf({ world: serving.world, nowMs: clock.nowMs });
    const { id, key, place } = await passAt(urls.picl, user);
    const credentials = { id, key, algorithm: 'sha256' } as const;
    const ask = async (method: string, path: string, payload?: string, more: object = {}) => {
      const signs = { timestamp: clock.nowMs / 1000, ...(payload !== undefined && { payload }) };
      const contentType = 'application/json; charset=utf-8';
      const options = { credentials, ...signs, contentType, ...more };
      const { header, artifacts } = hawk.header(place + path, method, options);
      const headers = { Authorization: header, 'Content-Type': contentType, ...FIRST };
      const body = payload === undefined ? {} : { body: payload };
      const answer = await fetch(place + path, { method, headers, ...body });
      return { answer, artifacts };
    };
    const pen = new Pen();
    const body = JSON.stringify({ changes: [pen.write('a', 'one')], note: 'Grüße, 日本 😀' });
    const forged = await ask('POST', '/records', body, { payload: `${body} ` });
    expect(forged.answer.status).toBe(401);
    const late = await ask('POST', '/records', body, { timestamp: clock.nowMs / 1000 - 3_600 });
    expect(late.answer.status).toBe(401);
    // The package believes the time that it is told, and by it is let in.
    const headers = Object.fromEntries(late.answer.headers);
    const proved = hawk.authenticate({ headers }, credentials, late.artifacts);
    const { ts, error } = proved.headers['www-authenticate'] ?? {};
    expect([ts, error]).toEqual([`${clock.nowMs / 1000}`, 'Stale timestamp']);
    const more = { timestamp: Number(ts), ext: "it's: [more]", app: 'app', dlg: 'dlg' };
    expect((await ask('POST', '/records', body, more)).answer.status).toBe(204);
    for (const path of ['', '/records?start=a&limit=2', "/changes?x='%27", '/records/a', '/x?y?'])
      expect([path, (await ask('GET', path)).answer.status === 401]).toEqual([path, false]);
  } finally {
    await serving.close();
  }
});

/** A login, and where one of the collections is. */
async function passAt(url: string, user: Pick<Identity, 'accessToken'>) {
  const { token } = await user.accessToken(false);
  const answer = await fetch(url, {
    ...{ method: 'POST', headers: { authorization: `Bearer ${token}` } },
    body: JSON.stringify({ device: DEVICE }),
  });
  const { id, key, collections } = (await answer.json()) as Omit<PiclUser, 'at'>;
  return { id, key, place: collections.settings ?? '' };
}
