// The document on its way up.

import { expect, it } from 'vitest';
import { owaBench } from '../../../test/support/owa/service.ts';

it('O9, O42: what the device has made goes up behind a GET, with all that was there', async () => {
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

it.each([400, 413])('status %i ends the upload, and nothing is lost', async (status) => {
  const it = owaBench();
  const device = await it.bench.synced(2);
  await it.bench.put(device, 5, { text: 'ours' });
  it.lie = ({ method, url }, answer) =>
    method === 'POST' && !url.endsWith('/verify') ? new Response('{}', { status }) : answer;
  expect(await device.agent.sync()).toMatchObject({ error: { code: 'badResponse' } });
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
