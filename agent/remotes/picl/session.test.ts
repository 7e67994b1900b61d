// Who asks a PiCL storage, and what of its refusals is believed.

import { expect, test } from 'vitest';
import { MINUTE_MS } from '../../../test/contract/bench.ts';
import { piclBench } from '../../../test/support/picl/bench.ts';
import { NAME } from '../../../test/support/picl-service.ts';

const UUID = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

test('P10: each login has a proof and the same device, after a restart, too', async () => {
  const { bench, server, service } = piclBench();
  const device = await bench.synced(2);
  service.expire();
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  const again = await bench.boot(device.storage.fork());
  expect(await again.agent.sync()).toMatchObject({ ok: true });
  const devices = server.logins.map((body) => body.device);
  expect(devices.length).toBe(3);
  expect(new Set(devices).size).toBe(1);
  expect(devices[0]).toMatch(UUID);
});

test('P10: an assertion is sent where the device has assertions', async () => {
  const { bench, server, service } = piclBench({ auth: 'browserid' });
  const device = await bench.synced(1);
  expect(server.logins[0]).toMatchObject({
    assertion: 'token',
    device: expect.stringMatching(UUID),
  });
  service.expire();
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  expect(server.logins.at(-1)).toMatchObject({ assertion: 'token-2' });
});

test('P17: expired credentials are renewed once, and the new place is asked', async () => {
  const { bench, server, service } = piclBench();
  const device = await bench.synced(2);
  service.expire();
  // The collection is elsewhere now, with all that it holds.
  const log = server.log(NAME);
  (log as { path: string }).path = '/elsewhere/things';
  bench.wire.asked.length = 0;
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  expect(bench.wire.asked.filter((one) => one.startsWith('POST /login'))).toHaveLength(1);
  expect(bench.wire.asked.at(-1)).toMatch(/^GET \/elsewhere\/things/);
});

test('P17: a second refusal ends the pass, and the next one waits', async () => {
  const { bench, server } = piclBench();
  const device = await bench.synced(2);
  server.lie = (request, answer) =>
    request.url.includes('login') ? answer : { ...answer, status: 401, json: {} };
  bench.wire.asked.length = 0;
  expect(await device.agent.sync()).toMatchObject({ error: { code: 'unauthorized' } });
  expect(bench.wire.asked).toHaveLength(3);
  bench.advance(4 * MINUTE_MS, device);
  expect(await device.agent.sync()).toMatchObject({ requests: 0 });
});

test('P16: a clock that is off by an hour costs one refusal, and no login', async () => {
  const { bench, server, service } = piclBench();
  const device = await bench.synced(2);
  server.nowSeconds = () => Math.floor(service.clock.nowMs / 1000) + 3_600;
  bench.wire.asked.length = 0;
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  expect(bench.wire.asked).toHaveLength(2);
  bench.wire.asked.length = 0;
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  expect(bench.wire.asked).toHaveLength(1);
});

test('P16: a time that nobody with the key has said is not believed', async () => {
  const { bench, server, service } = piclBench();
  const device = await bench.synced(2);
  server.nowSeconds = () => Math.floor(service.clock.nowMs / 1000) + 3_600;
  server.lie = (_, answer) => {
    const said = answer.headers['WWW-Authenticate']?.replace(/tsm="[^"]*"/, 'tsm="AAAA"');
    return said ? { ...answer, headers: { 'WWW-Authenticate': said } } : answer;
  };
  bench.wire.asked.length = 0;
  expect(await device.agent.sync()).toMatchObject({ ok: false });
  expect(bench.wire.asked.some((one) => one.startsWith('POST /login'))).toBe(true);
});

test('P11: a collection is where the login says, wherever that is', async () => {
  const { bench, server } = piclBench();
  (server.log(NAME) as { path: string }).path = '/data/center-7/user%20x/things';
  await bench.synced(2);
  expect(bench.wire.asked.every((one) => /^(GET|POST) \/(login|data\/center-7)/.test(one))).toBe(
    true,
  );
});

test.each([
  ['no id', { id: undefined }, 'login: no id'],
  ['an id that no header takes', { id: 'a"b' }, 'login: no id'],
  ['no key', { key: '' }, 'login: no key'],
  ['another algorithm', { algorithm: 'sha1' }, 'login: algorithm is not sha256'],
  ['no collections', { collections: null }, 'login: no collections'],
  [
    'a way that is not encrypted',
    { collections: { things: 'http://picl.test/c1/things' } },
    'no place',
  ],
  ['another collection only', { collections: { others: 'https://picl.test/x' } }, 'no place'],
])('a login with %s is refused', async (_what, part, message) => {
  const { bench, server, service } = piclBench();
  const { fetch } = server;
  (service as { fetch: typeof fetch }).fetch = async (request) => {
    const response = await fetch(request);
    if (!request.url.includes('login')) return response;
    const text = JSON.stringify({ ...((await response.json()) as object), ...part });
    return new Response(text, { headers: { 'Content-Type': 'application/json' } });
  };
  const device = await bench.boot();
  const report = await device.agent.enable();
  expect(report.ok).toBe(false);
  expect(report.error?.message).toContain(message);
});

test('P12: an id is sent as it came', async () => {
  const { bench, server, service } = piclBench();
  const { fetch } = server;
  const id = `a b:c/d=e+f,~${'x'.repeat(300)}`;
  const ids: (string | undefined)[] = [];
  (service as { fetch: typeof fetch }).fetch = async (request) => {
    if (!request.url.includes('login')) {
      ids.push(/^Hawk id="([^"]*)"/.exec(request.headers.get('authorization') ?? '')?.[1]);
      return new Response('{}', { status: 403 });
    }
    const json = (await (await fetch(request)).json()) as object;
    return new Response(JSON.stringify({ ...json, id }));
  };
  const device = await bench.boot();
  await device.agent.enable();
  expect(ids).toEqual([id]);
});

test('a session that is nearly over is renewed before it is refused', async () => {
  const { bench, server, service } = piclBench();
  const { fetch } = server;
  (service as { fetch: typeof fetch }).fetch = async (request) => {
    const response = await fetch(request);
    if (!request.url.includes('login')) return response;
    const json = (await response.json()) as object;
    return new Response(JSON.stringify({ ...json, duration: 600 }));
  };
  const device = await bench.synced(1);
  bench.advance(5 * MINUTE_MS, device);
  await device.agent.sync();
  expect(server.logins).toHaveLength(1);
  bench.advance(5 * MINUTE_MS, device);
  await device.agent.sync();
  expect(server.logins).toHaveLength(2);
});
