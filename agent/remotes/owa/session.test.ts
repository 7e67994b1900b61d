// Who asks: the word of the login on every request, and what becomes of a pass whose word is
// refused.

import { expect, it } from 'vitest';
import { MINUTE_MS } from '../../../test/contract/bench.ts';
import { owaBench, verified } from '../../../test/support/owa/service.ts';

const paths = (asked: readonly { method: string; url: string }[]): string[] =>
  asked.map(({ method, url }) => `${method} ${new URL(url).pathname}`);

it('O35: each request goes to the place with the word exactly as it was given', async () => {
  const bench = owaBench();
  const auth = 'Weird "x"=1, y;  z\t~';
  bench.lie = async (asked, answer) => {
    if (asked.url.endsWith('/verify')) return verified({ resource: '/else/where', auth });
    return asked.headers.get('authorization') === auth
      ? new Response(asked.method === 'GET' ? '{}' : null)
      : answer;
  };
  const device = await bench.bench.synced(0);
  await bench.bench.put(device, 0, { text: 'ours' });
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  const others = bench.asked.filter(({ url }) => !url.endsWith('/verify'));
  expect(others.length).toBeGreaterThan(2);
  expect(new Set(others.map(({ url }) => url))).toEqual(
    new Set(['https://document.test/else/where']),
  );
  expect(new Set(others.map(({ headers }) => headers.get('authorization')))).toEqual(
    new Set([auth]),
  );
  for (const text of [...device.platform.events, ...device.platform.statuses]) {
    expect(text).not.toContain('Weird');
  }
});

it('O46: a refusal leads to a new assertion, a new login and the new place, once', async () => {
  const { bench, service, server, asked } = owaBench();
  const device = await bench.synced(2);
  service.expire();
  // With all that it holds.
  const document = server.document();
  server.move();
  server.replace(document);
  asked.length = 0;
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  expect(paths(asked)).toEqual(['GET /user/1', 'POST /verify', 'GET /user/2']);
  expect(asked.at(-1)?.headers.has('x-if-modified-since')).toBe(false);
  expect(new URLSearchParams(asked[1]?.body).get('assertion')).toBe('assertion-2');
  await bench.agreed(device);
});

it('O46: the same place is asked again at once', async () => {
  const { bench, service, asked } = owaBench();
  const device = await bench.synced(2);
  service.expire();
  asked.length = 0;
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  expect(paths(asked)).toEqual(['GET /user/1', 'POST /verify', 'GET /user/1']);
});

it('O46: a document is not sent to another place before it has been read there', async () => {
  const { bench, service, server, asked } = owaBench();
  const device = await bench.synced(1);
  await bench.put(device, 7, { text: 'ours' });
  let isFirst = true;
  bench.wire.before = ({ method, url }) => {
    if (method !== 'POST' || url.endsWith('/verify') || !isFirst) return;
    isFirst = false;
    service.expire();
    server.move();
    server.write('https://theirs.test', { last_modified: 1, text: 'theirs' });
  };
  asked.length = 0;
  await bench.recovered(device);
  const sent = asked.filter(({ method, url }) => method === 'POST' && url.endsWith('/user/2'));
  expect(sent).toHaveLength(1);
  expect(sent[0]?.body).toContain('https://theirs.test');
  expect(await bench.live()).toMatchObject({ 'https://theirs.test': { text: 'theirs' } });
});

it('O47: a second refusal ends the pass, and takes nothing from the device', async () => {
  const it = owaBench();
  const { bench, asked } = it;
  const device = await bench.synced(2);
  const before = await bench.held(device);
  it.lie = ({ url }, answer) =>
    url.endsWith('/verify') ? answer : new Response('', { status: 401 });
  asked.length = 0;
  expect(await device.agent.sync()).toMatchObject({ error: { code: 'unauthorized' } });
  expect(paths(asked)).toEqual(['GET /user/1', 'POST /verify', 'GET /user/1']);
  expect(await bench.held(device)).toEqual(before);
});

it('O47: nor do new places lead on for ever', async () => {
  const it = owaBench();
  const { bench, asked } = it;
  const device = await bench.synced(2);
  let place = 10;
  it.lie = ({ url }) =>
    url.endsWith('/verify')
      ? verified({ resource: `/user/${place++}`, auth: `Opaque ${place}` })
      : new Response('', { status: 401 });
  asked.length = 0;
  expect(await device.agent.sync()).toMatchObject({ error: { code: 'unauthorized' } });
  expect(paths(asked)).toEqual(['GET /user/1', 'POST /verify', 'GET /user/10']);
});

it('O49: who is told to wait asks for nothing, and no login, after a reboot either', async () => {
  const it = owaBench();
  const { bench, asked } = it;
  const device = await bench.synced(2);
  it.lie = () => new Response('', { status: 503, headers: { 'X-Backoff': '1200' } });
  expect(await device.agent.sync()).toMatchObject({ error: { code: 'unavailable' } });
  asked.length = 0;
  bench.advance(19 * MINUTE_MS, device);
  const again = await bench.boot(device.storage.fork());
  for (const { agent } of [device, again]) {
    expect(await agent.sync()).toMatchObject({ error: { code: 'backoff' }, requests: 0 });
  }
  expect(asked).toEqual([]);
  it.lie = (_, answer) => answer;
  bench.advance(2 * MINUTE_MS, device, again);
  expect(await again.agent.sync()).toMatchObject({ ok: true });
});

it.each([
  ['Retry-After alone', { 'Retry-After': '900' }, 900],
  ['the larger of both', { 'Retry-After': '60', 'X-Backoff': '900' }, 900],
  ['the larger of both, the other way round', { 'Retry-After': '900', 'X-Backoff': '60' }, 900],
])('O50: %s counts, on an answer that is none of trouble, too', async (_, headers, seconds) => {
  const it = owaBench();
  const { bench, asked } = it;
  const device = await bench.synced(2);
  it.lie = (_, answer) => {
    for (const [name, value] of Object.entries(headers)) answer.headers.set(name, value);
    return answer;
  };
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  asked.length = 0;
  bench.advance((seconds - 1) * 1_000, device);
  expect(await device.agent.sync()).toMatchObject({ requests: 0 });
  bench.advance(2_000, device);
  expect((await device.agent.sync()).requests).toBeGreaterThan(0);
});

it('a word that the server renews is the next one', async () => {
  const it = owaBench();
  const { bench, asked } = it;
  const device = await bench.synced(1);
  it.lie = (_, answer) => {
    answer.headers.set('X-Authorization-Update', 'Opaque next');
    return answer;
  };
  await device.agent.sync();
  it.lie = (_, answer) => answer;
  asked.length = 0;
  await device.agent.sync();
  expect(asked[0]?.headers.get('authorization')).toBe('Opaque next');
});
