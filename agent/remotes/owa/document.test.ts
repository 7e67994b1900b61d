// The document on its way down: what is asked for, and what is no document.

import { describe, expect, it } from 'vitest';
import { MemoryStorage } from '../../../platform/memory/storage.ts';
import { type OwaBench, owaBench } from '../../../test/support/owa/service.ts';

const gets = ({ asked }: OwaBench) => asked.filter(({ method }) => method === 'GET');
const sinceOf = (it: OwaBench): (string | null)[] =>
  gets(it).map(({ headers }) => headers.get('x-if-modified-since'));

it('O36, O37: only who has read it says since when, in the server’s own digits', async () => {
  const it = owaBench();
  it.lie = (asked, answer) => {
    if (asked.method === 'GET') answer.headers.set('X-Last-Modified', '1795329999.2570');
    return answer;
  };
  const device = await it.bench.synced(2);
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  const again = await it.bench.boot(device.storage.fork());
  expect(await again.agent.sync()).toMatchObject({ ok: true });
  expect(sinceOf(it)).toEqual([null, '1795329999.2570', '1795329999.2570']);
});

it('O41, O59: an idle pass is one request, and nothing is written or sent', async () => {
  const it = owaBench();
  const device = await it.bench.synced(3);
  await device.agent.sync();
  it.asked.length = 0;
  const { commits } = device.storage;
  expect(await device.agent.sync()).toMatchObject({ ok: true, requests: 1 });
  expect(it.asked.map(({ method }) => method)).toEqual(['GET']);
  expect(device.storage.commits).toBe(commits);
});

it('304 is nothing new, too', async () => {
  const it = owaBench();
  const device = await it.bench.synced(3);
  it.lie = ({ method }, answer) =>
    method === 'GET' ? new Response(null, { status: 304 }) : answer;
  expect(await device.agent.sync()).toMatchObject({ ok: true, requests: 1 });
  await it.bench.agreed(device);
});

it.each([204, 404])('at the first time %i is a document without apps', async (status) => {
  const it = owaBench();
  it.lie = ({ method }, answer) => (method === 'GET' ? new Response(null, { status }) : answer);
  const device = await it.bench.synced(0);
  await it.bench.put(device, 0, { text: 'ours' });
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  expect(it.server.document()).toMatchObject({ [it.service.id(0)]: { text: 'ours' } });
});

it('a server that has gone back is read as a whole', async () => {
  const it = owaBench();
  const device = await it.bench.synced(3);
  it.lie = ({ method, headers }, answer) =>
    method === 'GET' && headers.has('x-if-modified-since')
      ? new Response(null, { status: 204, headers: { 'X-Last-Modified': '0' } })
      : answer;
  it.asked.length = 0;
  it.server.replace({ [it.service.id(9)]: { last_modified: 7, text: 'of a backup' } });
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  expect(sinceOf(it).slice(0, 2)).toEqual([expect.any(String), null]);
  expect(Object.keys(await it.bench.live())).toHaveLength(4);
  await it.bench.agreed(device);
});

describe('what is no document changes nothing, and is asked for again as before', () => {
  const deep = `${'['.repeat(1e6)}${']'.repeat(1e6)}`;
  const good = '"https://x.test":{"last_modified":5,"text":"x"}';
  it.each([
    ['nothing', ''],
    ['blanks', ' \n '],
    ['a list', '[]'],
    ['a text', '"x"'],
    ['null', 'null'],
    ['a page of HTML', '<!doctype html><p>hello'],
    ['an object that does not end', `{${good}`],
    ['an object with a comma too many', `{${good},}`],
    ['an object with something behind it', `{${good}}{}`],
    ['an entry that is no JSON', `{${good},"https://y.test":{"last_modified":5,}}`],
    ['a name that is no text', `{${good},7:{}}`],
    ['an entry that nests too deeply', `{${good},"y":${deep}}`],
  ])('O53: %s', async (_, text) => {
    for (const count of [0, 3]) {
      const it = owaBench();
      const device = count > 0 ? await it.bench.synced(count) : await it.bench.boot();
      if (count > 0) await it.service.put(it.service.id(9), { text: 'new' });
      const before = count > 0 ? await it.bench.held(device) : new Map();
      it.lie = ({ method }, answer) => (method === 'GET' ? new Response(text) : answer);
      const { agent } = device;
      const report = await (count > 0 ? agent.sync() : agent.enable());
      expect(report.error?.code).toMatch(/badResponse|truncated/);
      expect(await it.bench.held(device)).toEqual(before);
      it.lie = (_, answer) => answer;
      expect(it.asked.filter(({ body }) => body.includes('last_modified'))).toEqual([]);
      const [since] = sinceOf(it).slice(-1);
      await it.bench.recovered(device);
      expect(sinceOf(it).at(count > 0 ? -1 : 1)).toBe(since);
      await it.bench.agreed(device);
    }
  });
});

it('a document that is too long is refused before it has come, or while it comes', async () => {
  const it = owaBench();
  const device = await it.bench.synced(2);
  let given = 0;
  const endless = (): ReadableStream => {
    given = 0;
    return new ReadableStream({
      pull(controller) {
        const name = `"https://${given++}.test":{"last_modified":5,"text":"${'x'.repeat(60_000)}"}`;
        controller.enqueue(new TextEncoder().encode(`${given === 1 ? '{' : ','}${name}`));
      },
    });
  };
  it.lie = ({ method }, answer) => (method === 'GET' ? new Response(endless()) : answer);
  const before = await it.bench.held(device);
  const message = 'the document is longer than 33554432 characters';
  const { error } = await device.agent.sync();
  expect(error).toEqual({ code: 'badResponse', message });
  expect(await it.bench.held(device)).toEqual(before);
  const headers = { 'Content-Length': `${100 * 1024 * 1024}` };
  it.lie = ({ method }, answer) =>
    method === 'GET' ? new Response(endless(), { headers }) : answer;
  it.bench.advance(3_600_000, device);
  expect((await device.agent.sync()).error?.message).toBe(message);
  expect(given).toBeLessThan(10);
});

it('bytes that are no UTF-8 are no document', async () => {
  const it = owaBench();
  const device = await it.bench.synced(2);
  const before = await it.bench.held(device);
  const bytes = new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x37, 0x7d]);
  it.lie = ({ method }, answer) => (method === 'GET' ? new Response(bytes) : answer);
  expect((await device.agent.sync()).error?.code).toBe('badResponse');
  expect(await it.bench.held(device)).toEqual(before);
});

it.each([400, 403, 500])('status %i is no document', async (status) => {
  const it = owaBench();
  const device = await it.bench.boot(new MemoryStorage());
  it.lie = ({ method }, answer) => (method === 'GET' ? new Response('{}', { status }) : answer);
  expect((await device.agent.enable()).ok).toBe(false);
});
