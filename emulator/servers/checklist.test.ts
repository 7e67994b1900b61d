// What other implementations of Sync rely on, in ten groups: the servers asked by a client that
// shares no code with them, and the device in front of the servers where a rule is the client's. A
// group's finer points are tested beside the code that they are about.

import { beforeEach, describe, expect, test } from 'vitest';
import { secondDevice } from '../../test/sim/second-device.ts';
import { NOW_MS } from '../../test/support/device.ts';
import { bench, ok, storedUser } from '../../test/support/sync15.ts';
import { accountClient } from './account-client.ts';
import type { Health } from './http.ts';
import { askToken, type Pass, type StorageClient, startWorld, TEST_NOW_MS } from './testing.ts';

const seconds = (timeMs: number): string => (timeMs / 1000).toFixed(2);

describe('1. credentials that have expired', () => {
  test.each([
    ['GET', 'info/collections', 200],
    ['GET', 'info/collections/', 200],
    ['GET', 'info/collection_counts', 401],
    ['GET', 'info/quota', 401],
    ['GET', 'info/configuration', 401],
    ['GET', 'storage/history', 401],
    ['PUT', 'storage/history/a', 401],
    ['DELETE', '', 401],
  ])('%s %s is %i', async (method, path, status) => {
    const world = startWorld({ token: { durationSeconds: 60 } });
    const storage = await world.signIn();
    world.clock.nowMs += 60_000;
    const body = method === 'PUT' ? {} : undefined;
    expect((await storage(method, path, { body })).status).toBe(status);
  });
});

describe('2. a write under the condition that nothing changed', () => {
  test.each([
    ['since never', '0', 412],
    ['since the time before', seconds(TEST_NOW_MS - 10), 412],
    ['since that time', seconds(TEST_NOW_MS), 200],
    ['since that time, written short', `${TEST_NOW_MS / 1000}`, 200],
  ])('%s', async (_when, since, status) => {
    const storage = await startWorld().signIn();
    const headers = { 'X-If-Unmodified-Since': since };
    await storage('PUT', 'storage/col/a', { body: { payload: 'p' } });
    const answer = await storage('PUT', 'storage/col/a', { body: { payload: 'q' }, headers });
    expect(answer.status).toBe(status);
    const lastMs = status === 412 ? TEST_NOW_MS : TEST_NOW_MS + 10;
    expect(answer.headers.get('x-last-modified')).toBe(seconds(lastMs));
  });

  test('since never, where nothing is', async () => {
    const storage = await startWorld().signIn();
    const headers = { 'X-If-Unmodified-Since': '0' };
    expect((await storage('PUT', 'storage/col/a', { body: {}, headers })).status).toBe(200);
  });
});

describe('3. what is not there', () => {
  test.each([
    ['GET', 'storage/nothing', 200, '[]'],
    ['GET', 'storage/nothing?full=1&newer=1.00', 200, '[]'],
    ['GET', 'storage/nothing/a', 404, '0'],
    ['DELETE', 'storage/nothing/a', 404, '0'],
    ['GET', 'storage/meta/global', 404, '0'],
  ])('%s %s is %i %s', async (method, path, status, text) => {
    const answer = await (await startWorld().signIn())(method, path);
    expect([answer.status, answer.text]).toEqual([status, text]);
    expect(answer.headers.get('content-type')).toBe('application/json');
  });
});

describe('4. a batch', () => {
  let storage: StorageClient;
  let id: string;
  const post = async (query: string, body: unknown = [], collection = 'col') => {
    const { status, json } = await storage('POST', `storage/${collection}?${query}`, { body });
    return { status, json };
  };
  beforeEach(async () => {
    storage = await startWorld().signIn();
    const { json } = await storage('POST', 'storage/col?batch=true', { body: [{ id: 'a' }] });
    id = json.batch;
  });

  test('is answered with its name, and what was taken of each request', async () => {
    expect(await post(`batch=${id}`, [{ id: 'b' }, { id: 'c', ttl: 'x' }])).toEqual({
      status: 202,
      json: { batch: id, success: ['b'], failed: { c: expect.any(String) } },
    });
  });

  test('cannot be committed without its name, elsewhere, twice, or by no list', async () => {
    expect(await post('commit=true')).toMatchObject({ status: 400 });
    expect(await post(`batch=${id}&commit=true`, [], 'other')).toMatchObject({ status: 400 });
    expect(await post(`batch=${id}&commit=true`, {})).toMatchObject({ status: 400 });
    expect(await post(`batch=${id}&commit=true`, '')).toMatchObject({ status: 400 });
    expect(await post(`batch=${id}&commit=true`)).toMatchObject({ status: 200 });
    expect(await post(`batch=${id}&commit=true`)).toMatchObject({ status: 400 });
    expect(await post(`batch=${id}`)).toMatchObject({ status: 400 });
  });
});

describe('5. a selection', () => {
  let storage: StorageClient;
  beforeEach(async () => {
    const world = startWorld();
    storage = await world.signIn();
    for (const [at, letter] of ['a', 'b', 'c'].entries()) {
      const records = [1, 2, 3, 4].map((n) => ({ id: `${letter}${n}`, sortindex: (n * at) % 3 }));
      await storage('POST', 'storage/col', { body: records });
    }
  });
  const STAMP = TEST_NOW_MS + 10;
  const list = async (query: string): Promise<string[]> =>
    (await storage('GET', `storage/col?${query}`)).json;

  test('by time leaves out what is of that time', async () => {
    expect((await list(`newer=${seconds(STAMP)}`)).sort()).toEqual(['c1', 'c2', 'c3', 'c4']);
    expect((await list(`older=${seconds(STAMP)}`)).sort()).toEqual(['a1', 'a2', 'a3', 'a4']);
  });

  test('by ids, percent-encoded or not, names a hundred at most', async () => {
    expect((await list('ids=a1,%62%32,zz')).sort()).toEqual(['a1', 'b2']);
    const ids = (count: number): string => Array.from({ length: count }, (_, n) => `x${n}`).join();
    expect((await storage('GET', `storage/col?ids=${ids(100)}`)).status).toBe(200);
    expect((await storage('GET', `storage/col?ids=${ids(101)}`)).status).toBe(400);
  });

  test.each(['newest', 'oldest', 'index'])('in pages is the whole, sorted by %s', async (sort) => {
    const whole = await list(`sort=${sort}`);
    expect(new Set(whole).size).toBe(12);
    for (const limit of [1, 3, 5, 12]) {
      const paged: string[] = [];
      let offset = '';
      do {
        const answer = await storage('GET', `storage/col?sort=${sort}&limit=${limit}${offset}`);
        paged.push(...answer.json);
        expect(answer.headers.get('x-weave-records')).toBe(`${answer.json.length}`);
        const next = answer.headers.get('x-weave-next-offset');
        offset = next === null ? '' : `&offset=${encodeURIComponent(next)}`;
      } while (offset !== '');
      expect(paged).toEqual(whole);
    }
  });

  test('cannot go on below the time that it begins at', async () => {
    const { headers } = await storage('GET', 'storage/col?sort=oldest&limit=1');
    const query = `sort=oldest&offset=${headers.get('x-weave-next-offset')}`;
    expect((await storage('GET', `storage/col?${query}`)).status).toBe(200);
    const later = `${query}&newer=${seconds(STAMP)}`;
    expect((await storage('GET', `storage/col?${later}`)).status).toBe(400);
  });
});

describe('6. a node that asks for patience', () => {
  test('says ten seconds with a conflict', async () => {
    const health: Health = { refuse: 409 };
    const storage = await startWorld({ sync15: { health: () => health } }).signIn();
    const { status, headers } = await storage('POST', 'storage/col', { body: [] });
    expect([status, headers.get('retry-after')]).toEqual([409, '10']);
  });

  test('is left alone before the next collection, although it answers', async () => {
    let health: Health = {};
    const it = bench(undefined, { sync15: { health: () => health } });
    const { agent, platform } = await it.boot();
    await agent.enable();
    for (const name of ['history', 'passwords']) secondDevice(it.servers).touch(name);
    it.meddle = ({ url }) => {
      if (url.includes('/storage/history')) health = { backoffSeconds: 60 };
      return undefined;
    };
    it.asked.length = 0;
    expect(await agent.sync()).toMatchObject({ error: { code: 'backoff' } });
    expect(it.asked.at(-1)).toContain('/storage/history');
    expect(agent.status().notBeforeMs).toBeGreaterThanOrEqual(platform.clock.nowMs() + 60_000);
  });
});

describe('7. a token server', () => {
  const NEW_KB = '11'.repeat(32);

  test.each<[status: number, word: string, headers: Record<string, string>]>([
    [401, 'invalid-credentials', { Authorization: 'Bearer x' }],
    [401, 'invalid-credentials', { 'X-KeyID': 'x' }],
    [401, 'invalid-keysChangedAt', { 'X-KeyID': `1-${'A'.repeat(22)}` }],
    [401, 'invalid-client-state', { 'X-Client-State': '00'.repeat(16) }],
  ])('refuses with %i %s', async (status, word, headers) => {
    const world = startWorld();
    await askToken(world, world.device);
    const answer = await askToken(world, world.device, headers);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('x-timestamp')).toBe(`${TEST_NOW_MS / 1000}`);
    const errors = [
      { location: expect.any(String), name: expect.any(String), description: expect.any(String) },
    ];
    expect(await answer.json()).toEqual({ status: word, errors });
  });

  test.each([true, false])(
    'gives who has a new key a new place (if new users may come: %s)',
    async (allowNewUsers) => {
      const world = startWorld({ token: { allowNewUsers } });
      const first = (await (await askToken(world, world.device)).json()) as Pass;
      const { token } = await world.device.accessToken(false);
      world.clock.nowMs += 1_000;
      world.accounts.resetPassword(world.account.email, 'new', NEW_KB);
      const device = accountClient({
        fetch: world.fetch,
        baseUrl: world.urls.accounts,
        credentials: { email: world.account.email, password: 'new' },
        nowMs: () => world.clock.nowMs,
      });
      const answer = await askToken(world, device);
      const second = (await answer.json()) as Pass & { status?: string };
      if (!allowNewUsers) {
        expect([answer.status, second.status]).toEqual([403, 'new-users-disabled']);
        return;
      }
      expect(second.api_endpoint).not.toBe(first.api_endpoint);
      const old = await askToken(world, device, { Authorization: `Bearer ${token}` });
      expect(await old.json()).toMatchObject({ status: 'invalid-generation' });
    },
  );

  test('that is overloaded says for how long', async () => {
    const world = startWorld({ token: { health: () => ({ refuse: 503, backoffSeconds: 90 }) } });
    const { status, headers } = await askToken(world, world.device);
    expect([status, headers.get('retry-after'), headers.get('x-backoff')]).toEqual([
      503,
      '90',
      '90',
    ]);
  });

  test('that names another place makes a device compare everything there', async () => {
    const it = bench();
    const { agent } = await it.boot();
    await agent.enable();
    it.asked.length = 0;
    const moved = await it.boot({
      async fetch(request) {
        it.asked.push(new URL(request.url).pathname);
        if (!request.url.includes('/1.0/sync')) return it.servers.world.fetch(request);
        const pass = (await (await it.servers.world.fetch(request)).json()) as Pass;
        const api_endpoint = pass.api_endpoint.replace('sync15.test', 'sync15.test:443');
        return Response.json({ ...pass, api_endpoint });
      },
    });
    expect(await moved.agent.sync()).toMatchObject(ok);
    expect(it.asked).toEqual(
      expect.arrayContaining(['/1.5/1/storage/history', '/1.5/1/storage/meta/global']),
    );
    expect(moved.agent.status().collections).toMatchObject({ history: { held: 20, pending: 0 } });
  });
});

describe('9. meta/global', () => {
  const engine = (syncID: string) => ({ version: 1, syncID });
  const ENGINES = {
    history: engine('h'),
    passwords: engine('p'),
    unknown: { version: 77, x: [1] },
  };

  test.each<[what: string, change: object, code: string | null, history: number]>([
    ['of this version', {}, null, 20],
    ['of this version, in words', { storageVersion: '5' }, null, 20],
    ['of an older version', { storageVersion: 4 }, 'noSyncData', 0],
    ['of a newer version', { storageVersion: 6 }, 'clientTooOld', 0],
    ['without a collection', { engines: { passwords: engine('p') } }, null, 20],
    ['with one declined', { engines: { passwords: engine('p') }, declined: ['history'] }, null, 0],
    ['with one listed and declined', { declined: ['history', 'unknown'] }, null, 0],
    ['without collections', { engines: undefined }, null, 20],
  ])('%s', async (_what, change, code, history) => {
    const it = bench();
    const meta = {
      syncID: 's',
      storageVersion: 5,
      engines: ENGINES,
      declined: [],
      y: {},
      ...change,
    };
    const payload = JSON.stringify(meta);
    storedUser(it.servers).write('meta', [{ id: 'global', payload }], it.servers.nowMs);
    const { agent } = await it.boot();
    const report = await agent.enable();
    expect(report.error?.code ?? null).toBe(code);
    expect(agent.status().collections.history).toMatchObject({ held: history });
    const kept = storedUser(it.servers).collections.get('meta')?.get('global', it.servers.nowMs);
    const { engines = {}, ...others } = meta;
    const isListed = 'history' in engines || meta.declined.length > 0;
    if (isListed) return expect(kept?.payload).toBe(payload);
    // What nobody has declined is added, and nothing else is touched.
    const added = { version: 1, syncID: expect.stringMatching(/^[\w-]{12}$/) };
    expect(JSON.parse(kept?.payload ?? '')).toEqual({
      ...others,
      engines: { history: added, passwords: added, ...engines },
    });
  });
});

describe('10. an upload', () => {
  test('brings deletions first, in requests of 100 records and of the allowed size', async () => {
    const limits = { max_post_bytes: 50_000 };
    const it = bench(undefined, { sync15: { limits } });
    const posts: { readonly id: string; readonly payload: string }[][] = [];
    const { agent } = await it.boot({
      async fetch(request) {
        if (request.method === 'POST') posts.push(JSON.parse(await request.clone().text()));
        return it.servers.world.fetch(request);
      },
    });
    await agent.enable();
    const visits = [{ date: NOW_MS * 1000, type: 1 }];
    for (let n = 0; n < 230; n++)
      await agent.put('history', { url: `https://new.example/${n}`, visits });
    const gone = secondDevice(it.servers).ids('history').slice(0, 20);
    for (const id of gone) await agent.delete('history', id);
    const large = `https://large.example/${'x'.repeat(40_000)}`;
    await agent.put('history', { url: large, visits });
    // One is longer than the server takes: it waits, and the pass says so.
    expect((await agent.sync()).error).toMatchObject({ code: 'tooLarge' });
    expect(posts.flat()).toHaveLength(250);
    for (const post of posts) {
      const bytes = post.reduce((sum, { payload }) => sum + payload.length, 0);
      expect(bytes).toBeLessThanOrEqual(limits.max_post_bytes);
      expect(post.length).toBeLessThanOrEqual(100);
      const isDeletion = post.map(({ id }) => gone.includes(id));
      expect(isDeletion).toEqual([...isDeletion].sort().reverse());
    }
    const there = secondDevice(it.servers);
    expect(there.deleted('history').sort()).toEqual([...gone].sort());
    expect(there.live('history').size).toBe(230);
    expect(agent.status().collections.history).toMatchObject({ pending: 1 });
  });
});
