// The document on its way up.

import { expect, it } from 'vitest';
import { owaBench } from '../../../test/support/owa/service.ts';

it('O5, O9, O42: what the device has made goes up behind a GET, with what was there', async () => {
  const { bench, service, server, asked } = owaBench();
  const device = await bench.synced(2);
  const odd = { 'file:///x': { last_modified: 3, text: 'y' }, 'no origin': { last_modified: 4 } };
  server.replace({ ...server.document(), ...odd });
  bench.advance(60_000, device);
  await bench.put(device, 5, { text: 'ours' });
  asked.length = 0;
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  const methods = asked.map(({ method }) => method);
  expect(methods[0]).toBe('GET');
  expect(methods.filter((method) => method === 'POST')).toHaveLength(1);
  expect(server.document()).toMatchObject({ ...odd, [service.id(5)]: { text: 'ours' } });
  expect(Object.keys(server.document())).toHaveLength(5);
});

it('O44: the content type of a document is JSON, and that of an answer may be any', async () => {
  const it = owaBench();
  it.lie = (_, answer) => {
    answer.headers.set('Content-Type', 'image/png');
    return answer;
  };
  const device = await it.bench.synced(1);
  await it.bench.put(device, 5, { text: 'ours' });
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  const sent = it.asked.filter(({ method, url }) => method === 'POST' && !url.endsWith('/verify'));
  expect(sent.map(({ headers }) => headers.get('content-type'))).toEqual(['application/json']);
});

it('a document that another one was faster with is met, and sent again', async () => {
  const it = owaBench();
  const { bench, service, server } = it;
  const device = await bench.synced(2);
  await bench.put(device, 5, { text: 'ours' });
  let refusals = 0;
  it.lie = ({ method, url, headers }, answer) => {
    if (method !== 'POST' || url.endsWith('/verify') || refusals >= 2) return answer;
    refusals++;
    expect(headers.get('x-if-unmodified-since')).toMatch(/^\d+(\.\d+)?$/);
    const { [service.id(5)]: _, ...before } = server.document();
    server.replace({ ...before, [service.id(20 + refusals)]: { last_modified: 9, text: 'fast' } });
    return new Response(null, { status: 412 });
  };
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  expect(refusals).toBe(2);
  expect(Object.keys(await bench.live())).toHaveLength(5);
  await bench.agreed(device);
});

it('a server that always says so is left alone after some rounds', async () => {
  const it = owaBench();
  const device = await it.bench.synced(2);
  await it.bench.put(device, 5, { text: 'ours' });
  const text = it.server.text();
  it.lie = ({ method, url }, answer) => {
    if (method !== 'POST' || url.endsWith('/verify')) return answer;
    it.server.replace(text);
    return new Response(null, { status: 412 });
  };
  it.asked.length = 0;
  expect(await device.agent.sync()).toMatchObject({ error: { code: 'conflict' } });
  expect(it.asked.filter(({ method }) => method === 'POST').length).toBeLessThanOrEqual(4);
  expect(it.bench.statusOf(device).pending).toBe(1);
});

it.each([403, 405])('status %i is a document that nobody may write', async (status) => {
  const it = owaBench();
  const device = await it.bench.synced(2);
  await it.bench.put(device, 5, { text: 'ours' });
  it.lie = ({ method, url }, answer) =>
    method === 'POST' && !url.endsWith('/verify') ? new Response(null, { status }) : answer;
  expect(await device.agent.sync()).toMatchObject({ error: { code: 'readOnly' } });
  expect(it.bench.statusOf(device)).toMatchObject({ pending: 1, readOnly: true });
});

it.each([
  [400, '{}', 'badResponse', 'the document is not taken: status 400'],
  [413, '{}', 'tooLarge', 'the document is not taken: status 413'],
  [
    413,
    '{"field":"entry","limit":65536}',
    'tooLarge',
    'the entry is not taken, at most 65536: status 413',
  ],
  [413, '{"field":"<script>","limit":"x"}', 'tooLarge', 'the document is not taken: status 413'],
])('status %i ends the upload, and nothing is lost: %s', async (status, said, code, message) => {
  const it = owaBench();
  const device = await it.bench.synced(2);
  await it.bench.put(device, 5, { text: 'ours' });
  it.lie = ({ method, url }, answer) =>
    method === 'POST' && !url.endsWith('/verify') ? new Response(said, { status }) : answer;
  expect(await device.agent.sync()).toMatchObject({ error: { code, message } });
  expect(it.bench.statusOf(device).pending).toBe(1);
});

it('an entry of more than 65,536 bytes is not sent, and the others are', async () => {
  const it = owaBench();
  const device = await it.bench.synced(1);
  await it.bench.put(device, 5, { text: 'é'.repeat(33_000) });
  await it.bench.put(device, 6, { text: 'ours' });
  expect(await device.agent.sync()).toMatchObject({ error: { code: 'tooLarge' } });
  expect(it.server.document()).toHaveProperty([it.service.id(6), 'text'], 'ours');
  expect(it.server.document()).not.toHaveProperty([it.service.id(5)]);
  expect(it.bench.statusOf(device).pending).toBe(1);
});

it('what a pass has to send goes up in one document, long entries, too', async () => {
  const { bench, asked, service } = owaBench();
  const device = await bench.synced(30);
  for (let n = 20; n < 140; n++) await bench.put(device, n, { text: `${n} ${'x'.repeat(900)}` });
  await bench.delete(device, 3);
  asked.length = 0;
  const report = await device.agent.sync();
  expect(report.collections[service.collection]).toMatchObject({ pushed: 121 });
  const posts = asked.filter(({ method }) => method === 'POST');
  expect(posts).toHaveLength(1);
  expect(Object.keys(await bench.live())).toHaveLength(139);
  await bench.agreed(device);
  // A server that only says that it has stored it is read: of the deletion nothing is held here.
  const again = await device.agent.sync();
  expect(again.collections[service.collection]?.pulled ?? 0).toBe(1);
});

it('more than a heap can remember goes up in several', async () => {
  const { bench, asked } = owaBench();
  const device = await bench.synced(0);
  for (let n = 0; n < 600; n++) await bench.put(device, n, { text: `ours ${n}` });
  asked.length = 0;
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  expect(asked.filter(({ method }) => method === 'POST')).toHaveLength(3);
  expect(Object.keys(await bench.live())).toHaveLength(600);
  await bench.agreed(device);
});

it('an entry that an app changes while it is on its way goes up again', async () => {
  const { bench, service } = owaBench();
  const device = await bench.synced(0);
  for (let n = 0; n < 40; n++) await bench.put(device, n, { text: 'y'.repeat(2_000) });
  let isFirst = true;
  bench.wire.before = async ({ method, url }) => {
    if (method !== 'POST' || url.endsWith('/verify') || !isFirst) return;
    isFirst = false;
    for (const n of [0, 20, 39]) await bench.put(device, n, { text: 'late' });
  };
  await device.agent.sync();
  await device.agent.sync();
  const live = await bench.live();
  for (const n of [0, 20, 39]) expect(live[service.id(n)]).toEqual({ text: 'late' });
  await bench.agreed(device);
});

it('a document may be sent by PUT', async () => {
  const { bench, asked } = owaBench({ verb: 'PUT' } as object);
  const device = await bench.synced(1);
  await bench.put(device, 5, { text: 'ours' });
  asked.length = 0;
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  expect(asked.map(({ method }) => method)).toContain('PUT');
  await bench.agreed(device);
});
