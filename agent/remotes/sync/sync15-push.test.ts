import { describe, expect, test } from 'vitest';
import { syntheticAccount } from '../../../emulator/servers/synthetic.ts';
import { secondDevice } from '../../../test/sim/second-device.ts';
import { NOW_MS } from '../../../test/support/device.ts';
import { agreed, bench, ok, storedUser } from '../../../test/support/sync15.ts';

describe('uploads', () => {
  const visit = { date: NOW_MS * 1000, type: 1 };
  const page = (n: number, chars = 0) => ({
    url: `https://new.example/${n}${'x'.repeat(chars)}`,
    title: 'new',
    visits: [visit],
  });

  test('a new page costs one request more, and the limits are asked for once', async () => {
    const it = bench();
    const device = await it.boot();
    await device.agent.enable();
    for (const [n, requests] of [
      [1, 3],
      [2, 2],
    ] as const) {
      await device.agent.put('history', page(n));
      it.asked.length = 0;
      expect(await device.agent.sync()).toMatchObject({ ...ok, requests });
    }
    expect(it.asked).toEqual(['GET /1.5/1/info/collections', 'POST /1.5/1/storage/history']);
    it.asked.length = 0;
    expect(await device.agent.sync()).toMatchObject({ ...ok, requests: 1 });
    await agreed(device, it);
  });

  test.each([200, 404])('a limit of one collection counts (status %i)', async (status) => {
    const it = bench();
    const configuration = { collections: { history: { max_record_payload_bytes: 20_000 } } };
    it.meddle = ({ url }) =>
      url.endsWith('/info/configuration')
        ? new Response(JSON.stringify(configuration), { status })
        : undefined;
    const device = await it.boot();
    await device.agent.enable();
    const large = await device.agent.put('history', page(1, 20_000));
    const small = await device.agent.put('history', page(2));
    const report = await device.agent.sync();
    expect(report.error?.code).toBe(status === 404 ? undefined : 'tooLarge');
    const ids = secondDevice(it.servers).ids('history');
    expect(ids).toContain(small);
    expect(ids.includes(large)).toBe(status === 404);
    const refusals = device.platform.events.filter((text) => text.includes('"tooLarge"'));
    expect(refusals.length > 0).toBe(status !== 404);
    expect(await device.agent.sync()).toMatchObject(ok);
  });

  test('a batch that is full is followed by another one', async () => {
    const it = bench(undefined, {
      sync15: { limits: { max_post_records: 7, max_total_records: 20 } },
    });
    const device = await it.boot();
    await device.agent.enable();
    for (let n = 0; n < 50; n++) await device.agent.put('history', page(n));
    expect(await device.agent.sync()).toMatchObject(ok);
    await agreed(device, it);
    const stamps = [...(storedUser(it.servers).collections.get('history')?.inArrivalOrder(0) ?? [])]
      .slice(20)
      .map(({ modifiedMs }) => modifiedMs);
    expect(new Set(stamps).size).toBe(3);
  });

  test('no more than a thousand changes are in one batch', async () => {
    const it = bench();
    const device = await it.boot();
    await device.agent.enable();
    for (let n = 0; n < 1_050; n++) await device.agent.put('history', page(n));
    it.asked.length = 0;
    expect(await device.agent.sync()).toMatchObject(ok);
    expect(it.asked.filter((line) => line.includes('batch=true'))).toHaveLength(2);
    expect(it.asked.filter((line) => line.includes('commit=true'))).toHaveLength(2);
    await agreed(device, it);
  });

  test('what fills the user space is said, and holds up no other collection', async () => {
    const account = syntheticAccount({ records: 20, seed: 3, bodyBytes: 200 });
    const [user] = account.store.users.values();
    const quotaBytes = (user?.payloadBytes(NOW_MS) ?? 0) + 2_500;
    const it = bench(account, { sync15: { quotaBytes } });
    const device = await it.boot();
    await device.agent.enable();
    const large = await device.agent.put('history', page(1, 3_000));
    secondDevice(it.servers).touch('passwords');
    const report = await device.agent.sync();
    expect(report).toMatchObject({ ok: false, error: { code: 'overQuota' } });
    expect(report.collections.passwords?.pulled).toBeGreaterThan(0);
    await device.agent.delete('history', large);
    await device.agent.put('history', page(2));
    expect(await device.agent.sync()).toMatchObject(ok);
    expect(device.agent.status().quotaRemainingBytes).toBeGreaterThan(0);
  });

  test.each([409, 503])(
    'a server that answers %i gets the time that it asks for',
    async (status) => {
      const it = bench();
      const { agent, platform } = await it.boot();
      await agent.enable();
      await agent.put('history', page(1));
      it.meddle = ({ method }) =>
        method === 'POST'
          ? new Response('0', { status, headers: { 'Retry-After': '10' } })
          : undefined;
      expect(await agent.sync()).toMatchObject({ ok: false });
      expect(agent.status().notBeforeMs).toBeGreaterThanOrEqual(platform.clock.nowMs() + 10_000);
      it.meddle = () => undefined;
      await platform.time.advance(20_000);
      expect(await agent.sync()).toMatchObject(ok);
      expect(agent.status().collections).toMatchObject({ history: { pending: 0 } });
    },
  );

  test('a request that is too large for the server is cut into smaller ones', async () => {
    const it = bench(undefined, { sync15: { limits: { max_request_bytes: 10_000 } } });
    it.meddle = ({ url }) =>
      url.endsWith('/info/configuration') ? new Response('0', { status: 404 }) : undefined;
    const device = await it.boot();
    await device.agent.enable();
    for (let n = 0; n < 50; n++) await device.agent.put('history', page(n));
    it.asked.length = 0;
    expect(await device.agent.sync()).toMatchObject(ok);
    await agreed(device, it);
    expect(it.asked.length).toBeLessThan(10);
  });

  test('what is written meanwhile is taken in, and the upload made again at once', async () => {
    const it = bench();
    const device = await it.boot();
    await device.agent.enable();
    await device.agent.put('history', page(1));
    const second = secondDevice(it.servers);
    const [id = ''] = second.ids('history');
    it.meddle = ({ method }) => {
      if (method !== 'POST') return undefined;
      it.meddle = () => undefined;
      second.put('history', { ...second.get('history', id), id, title: 'meanwhile' });
      return undefined;
    };
    it.asked.length = 0;
    expect(await device.agent.sync()).toMatchObject(ok);
    await agreed(device, it);
    expect(it.asked.map((line) => line.replace(/ .*\/|\?.*/g, ' ').trim())).toEqual([
      'GET collections',
      'GET configuration',
      'POST history',
      'GET history',
      'POST history',
    ]);
  });

  test('a service that has ended is not asked again', async () => {
    const it = bench();
    const { agent } = await it.boot();
    await agent.enable();
    it.meddle = () => new Response('0', { status: 513 });
    expect(await agent.sync()).toMatchObject({ error: { code: 'serviceGone' } });
  });

  test('members that nobody here knows survive an edit', async () => {
    const it = bench();
    const second = secondDevice(it.servers);
    const [id = ''] = second.ids('history');
    const known = second.get('history', id);
    second.put('history', { ...known, id, fromTheFuture: { deep: [1] } });
    const { agent } = await it.boot();
    await agent.enable();
    await agent.put('history', { guid: id, visits: [visit] });
    expect(await agent.sync()).toMatchObject(ok);
    expect(second.get('history', id)).toMatchObject({ fromTheFuture: { deep: [1] } });
  });
});

describe('a server that says, on an answer that is good,', () => {
  /** A device that has synced, with news in both collections; then the node says more. */
  async function told(name: string, value: string) {
    const it = bench();
    let headers: readonly (readonly [string, string])[] = [];
    const fetch = async (request: Request): Promise<Response> => {
      const response = await it.servers.world.fetch(request);
      it.asked.push(new URL(request.url).pathname);
      if (request.url.includes('/storage/history')) {
        for (const [key, text] of headers) response.headers.set(key, text);
      }
      return response;
    };
    const device = await it.boot({ fetch });
    await device.agent.enable();
    for (const collection of ['history', 'passwords']) secondDevice(it.servers).touch(collection);
    headers = [[name, value]];
    it.asked.length = 0;
    const report = await device.agent.sync();
    headers = [];
    return { it, device, report, asked: it.asked.map((path) => path.split('/').at(-1)) };
  }

  test.each([
    ['X-Weave-Backoff', '30'],
    ['X-Weave-Backoff', '29.01'],
    ['Retry-After', '30'],
    ['X-Backoff', '30'],
  ])('%s: %s, is left alone before the next collection', async (name, value) => {
    const { it, device, report, asked } = await told(name, value);
    const { agent, platform } = device;
    expect(report).toMatchObject({ ok: false, error: { code: 'backoff' } });
    expect(asked).toEqual(['collections', 'history']);
    expect(await agent.sync()).toMatchObject({ error: { code: 'backoff' }, requests: 0 });
    const later = await it.boot();
    expect(await later.agent.sync()).toMatchObject({ error: { code: 'backoff' }, requests: 0 });
    await platform.time.advance(29_000);
    expect(await agent.sync()).toMatchObject({ error: { code: 'backoff' }, requests: 0 });
    await platform.time.advance(1_000);
    expect(await agent.sync()).toMatchObject(ok);
    await agreed(device, it);
  });

  test.each([
    ['words for the user', null],
    ['{"code":"soft-eol","message":"soon","url":"https://a.example"}', null],
    ['{"code":"hard-eol","message":"over","url":"https://a.example"}', 'serviceGone'],
  ])('X-Weave-Alert: %s, is quoted', async (alert, code) => {
    const { device, report } = await told('X-Weave-Alert', alert);
    expect(report.error?.code ?? null).toBe(code);
    expect(device.agent.status().alert).toBe(alert);
  });

  test('X-Weave-Quota-Remaining: is told to the user in bytes', async () => {
    const { device } = await told('X-Weave-Quota-Remaining', '12.5');
    expect(device.agent.status().quotaRemainingBytes).toBe(12_800);
  });
});
