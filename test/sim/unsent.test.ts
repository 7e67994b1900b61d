// Changes that a server never takes: a condition that fails whatever the device does, times that
// are left out, cut or doubled on their way. The pass says so, with few requests; other collections
// go on, and all goes up in the end.

import { describe, expect, test } from 'vitest';
import { syntheticAccount } from '../../emulator/servers/synthetic.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { type TestServers, testDevice, testServers } from '../support/device.ts';
import { ok } from '../support/sync15.ts';
import { disagreements } from './agreement.ts';
import { secondDevice } from './second-device.ts';

type Fetch = (request: Request) => Promise<Response>;
type Asked = { readonly method: string; readonly path: string };
const CHANGES = 3;
const REQUESTS_MAX = 12;

/**
 * A device with changes in two collections, and a server that answers through `twist` from then on.
 */
async function withChanges(
  protocol: 'syncto' | 'sync15',
  twist: (ask: Fetch) => Fetch,
  changes = CHANGES,
) {
  const servers: TestServers = testServers(
    syntheticAccount({ records: 10, seed: 8, bodyBytes: 160, passwords: 2 }),
  );
  let ask: Fetch = servers.world.fetch;
  const storage = new MemoryStorage();
  const device = testDevice(servers, { protocol, storage, fetch: (request) => ask(request) });
  const { agent } = device;
  await agent.start();
  expect(await agent.enable()).toMatchObject(ok);
  for (let n = 0; n < changes; n++) {
    await agent.put('history', { url: `https://n.example/${n}`, title: '' });
  }
  await agent.put('passwords', { origin: 'https://n.example', httpRealm: 'n', password: 'n' });
  ask = twist(servers.world.fetch);
  return {
    ...{ device, servers, agent },
    mend: () => {
      ask = servers.world.fetch;
    },
  };
}

/** Changes headers of the answers about history. */
const rewrites =
  (change: (headers: Headers) => void) =>
  (ask: Fetch): Fetch =>
  async (request) => {
    const answer = await ask(request);
    if (!request.url.includes('/history')) return answer;
    const headers = new Headers(answer.headers);
    change(headers);
    return new Response(answer.body, { status: answer.status, headers });
  };
const set = (name: string, value: (was: string) => string) => (headers: Headers) => {
  const was = headers.get(name);
  if (was !== null) headers.set(name, value(was));
};
/** Answers every write to history with 412. */
const refuses =
  (ask: Fetch): Fetch =>
  async (request) =>
    request.method !== 'GET' && request.url.includes('/history')
      ? new Response('0', { status: 412 })
      : ask(request);

describe('over sync15, changes that cannot go up are told', () => {
  test.each<[what: string, twist: (ask: Fetch) => Fetch]>([
    ['every write is a 412', refuses],
    ['no X-Last-Modified', rewrites((headers) => headers.delete('x-last-modified'))],
    [
      'X-Last-Modified in whole seconds',
      rewrites(set('x-last-modified', (was) => `${Math.floor(Number(was))}`)),
    ],
    ['X-Last-Modified that is no time', rewrites(set('x-last-modified', () => 'yesterday'))],
    [
      'X-Last-Modified of the day before',
      rewrites(set('x-last-modified', (was) => `${Number(was) - 86_400}`)),
    ],
  ])('%s', async (_, twist) => {
    const { agent, servers, mend } = await withChanges('sync15', twist);
    // The server's history has a time with hundredths, as nearly every one has.
    servers.nowMs += 1_230;
    secondDevice(servers).touch('history');
    for (let pass = 0; pass < 3; pass++) {
      const report = await agent.sync();
      expect(report).toMatchObject({ ok: false, error: { code: 'conflict' } });
      expect(report.requests).toBeLessThanOrEqual(REQUESTS_MAX);
      expect(agent.status()).toMatchObject({
        error: { code: 'conflict', message: expect.stringContaining('history') },
        collections: { history: { pending: CHANGES }, passwords: { pending: 0 } },
      });
    }
    mend();
    expect(await agent.sync()).toMatchObject(ok);
    expect(await disagreements(agent, secondDevice(servers))).toEqual([]);
  });
});

describe('over syncto, changes that cannot go up are told', () => {
  const conflicts =
    (ask: Fetch): Fetch =>
    async (request) => {
      if (request.method === 'PUT' && request.url.includes('/history')) {
        return new Response('{"code":412}', { status: 412 });
      }
      if (!request.url.endsWith('/batch')) return ask(request);
      const { requests } = (await request.clone().json()) as { requests: Asked[] };
      const isWrite = ({ method, path }: Asked) => method === 'PUT' && path.includes('/history');
      if (!requests.some(isWrite)) return ask(request);
      const responses = requests.map((one) => ({
        ...{ path: one.path, headers: {} },
        ...(isWrite(one) ? { status: 412, body: { code: 412 } } : { status: 503, body: {} }),
      }));
      return Response.json({ responses });
    };

  test.each([CHANGES, 60])('every write of %i is a 412', async (changes) => {
    const { agent, device } = await withChanges('syncto', conflicts, changes);
    const report = await agent.sync();
    expect(report).toMatchObject({ ok: false, error: { code: 'unavailable' } });
    expect(report.requests).toBeLessThan(70);
    expect(agent.status().collections).toMatchObject({ passwords: { pending: 0 } });
    expect(device.platform.events.filter((text) => text.includes('"quarantine"'))).toEqual([]);
  });
});

describe.each(['syncto', 'sync15'] as const)(
  'over %s, headers that a proxy has doubled',
  (protocol) => {
    const doubled =
      (more: Readonly<Record<string, string>> = {}) =>
      (ask: Fetch): Fetch =>
      async (request) => {
        const answer = await ask(request);
        const headers = new Headers({ ...Object.fromEntries(answer.headers), ...more });
        for (const [name, value] of [...headers]) {
          if (/^(x-weave|x-last|etag|retry|backoff|date|last|next-page|total)/.test(name)) {
            headers.set(name, `${value}, ${value}`);
          }
        }
        return new Response(answer.body, { status: answer.status, headers });
      };

    test('mean what one of them means: all goes down and up', async () => {
      const { agent, servers } = await withChanges(protocol, doubled());
      secondDevice(servers).touch('history');
      expect(await agent.sync()).toMatchObject(ok);
      expect(await agent.sync()).toMatchObject({ ...ok, requests: 1 });
      expect(await disagreements(agent, secondDevice(servers))).toEqual([]);
    });

    test('are a wait that is kept', async () => {
      const { agent, servers } = await withChanges(protocol, doubled({ backoff: '1800' }));
      await agent.sync();
      expect(agent.status().notBeforeMs).toBe(servers.nowMs + 1_800_000);
    });
  },
);
