import { describe, expect, test } from 'vitest';
import { startWorld, TEST_NOW_MS, type TestWorld } from '../testing.ts';
import { ask, BUCKET, put, RECORDS, spied, stampMs, worldWith } from './testing.ts';

describe('endpoints', () => {
  test('hello needs no credentials and names the batch limit twice', async () => {
    const { fetch } = startWorld();
    const response = await fetch(new Request('https://syncto.test/v1/'));
    expect(await response.json()).toMatchObject({
      settings: { batch_max_requests: 25, 'cliquet.batch_max_requests': 25 },
    });
  });

  test('the heartbeat is that of the token server', async () => {
    const isUp = async (world: TestWorld) => {
      const response = await world.fetch(new Request('https://syncto.test/v1/__heartbeat__'));
      return [response.status, await response.json()];
    };
    expect(await isUp(startWorld())).toEqual([200, { cache: true, sync: true }]);
    const down = startWorld({ token: { health: () => ({ refuse: 503 }) } });
    expect(await isUp(down)).toEqual([503, { cache: true, sync: false }]);
  });

  test.each([
    ['POST', RECORDS, 405, 115],
    ['DELETE', RECORDS, 405, 115],
    ['POST', `${RECORDS}/a`, 405, 115],
    ['GET', `/v1/buckets/${BUCKET}/collections/history`, 404, 111],
    ['GET', `/v1/buckets/${BUCKET}`, 404, 111],
    ['GET', '/v1/info/collections', 404, 111],
    ['GET', `${RECORDS}/a/b`, 404, 111],
    ['GET', '/v2/', 404, 116],
    ['GET', '/v1', 404, 111],
    ['GET', `${RECORDS}/%E0`, 404, 111],
  ])('%s %s is %i with errno %i', async (method, path, status, errno) => {
    const { json, status: answered } = await ask(startWorld(), path, { method });
    expect([answered, json.errno, json.code]).toEqual([status, errno, status]);
  });

  test('the name of a collection is lowered for storage', async () => {
    const { json } = await ask(worldWith(1), RECORDS.replace('history', 'History'));
    expect(json.data).toHaveLength(1);
  });
});

describe('reading', () => {
  test('a list holds records with integer stamps, and its own as the ETag', async () => {
    const { json, headers } = await ask(worldWith(2), `${RECORDS}?_sort=oldest`);
    expect(json).toEqual({
      data: [
        { id: 'r0', last_modified: stampMs(0), payload: 'p0', sortindex: 0 },
        { id: 'r1', last_modified: stampMs(1), payload: 'p1', sortindex: 1 },
      ],
    });
    expect(headers.get('etag')).toBe(`"${stampMs(1)}"`);
    expect(headers.get('last-modified')).toBe(new Date(stampMs(1)).toUTCString());
    expect(headers.get('cache-control')).toBe('no-cache');
    expect(headers.get('total-records')).toBe('2');
  });

  test('an unknown collection is an empty list', async () => {
    const { status, json } = await ask(startWorld(), RECORDS.replace('history', 'unknown'));
    expect([status, json]).toEqual([200, { data: [] }]);
  });

  test.each([
    ['_since=1442849064460', 'full=True&newer=1442849064.46'],
    ['_limit=5&_token=a%3A1', 'full=True&limit=5&offset=a%3A1'],
    ['_sort=-last_modified', 'full=True&sort=newest'],
    ['_sort=newest', 'full=True&sort=newest'],
    ['_sort=last_modified', 'full=True&sort=oldest'],
    ['_sort=oldest', 'full=True&sort=oldest'],
    ['_sort=-sortindex', 'full=True&sort=index'],
    ['_sort=index', 'full=True&sort=index'],
    ['in_ids=a,b', 'full=True&ids=a%2Cb'],
    ['_before=5&_fields=id&exclude_id=a&in_id=b&title=x', 'full=True'],
  ])('?%s asks storage for ?%s', async (query, mapped) => {
    const { world, requests } = spied(0);
    await ask(world, `${RECORDS}?${query}`);
    expect(requests.map(({ url }) => url)).toEqual([
      `https://sync15.test/1.5/1/storage/history?${mapped}`,
    ]);
  });

  test.each([
    '_since="123"',
    '_since=1.5',
    '_since=',
    '_sort=title',
    '_sort=toString',
    '_limit=x',
    '_token=x',
  ])('?%s is 400 with errno 107', async (query) => {
    const { status, json } = await ask(startWorld(), `${RECORDS}?${query}`);
    expect([status, json.errno]).toEqual([400, 107]);
  });

  test('pages follow each other by absolute URLs that repeat the whole query', async () => {
    const world = worldWith(5);
    const ids: string[] = [];
    let path = `${RECORDS}?_since=${stampMs(0)}&_sort=oldest&_limit=2&extra=1`;
    for (let page = 0; page < 2; page++) {
      const { json, headers } = await ask(world, path);
      ids.push(...json.data.map(({ id }: { id: string }) => id));
      expect(headers.has('total-records')).toBe(false);
      const next = headers.get('next-page');
      if (page === 1) expect(next).toBeNull();
      if (next === null) break;
      const url = new URL(next);
      expect(url.origin).toBe('https://syncto.test');
      expect([...url.searchParams.keys()]).toEqual([
        '_since',
        '_sort',
        '_limit',
        'extra',
        '_token',
      ]);
      path = url.pathname + url.search;
    }
    expect(ids).toEqual(['r1', 'r2', 'r3', 'r4']);
  });

  test('one record comes with its own stamp', async () => {
    const { json, headers } = await ask(worldWith(2), `${RECORDS}/r0`);
    expect(json).toEqual({
      data: { id: 'r0', last_modified: stampMs(0), payload: 'p0', sortindex: 0 },
    });
    expect(headers.get('etag')).toBe(`"${stampMs(0)}"`);
    const missing = await ask(worldWith(0), `${RECORDS}/r0`);
    expect([missing.status, missing.json.errno]).toEqual([404, 110]);
  });

  test.each([
    [{ 'If-None-Match': `"${stampMs(1)}"` }, 304],
    [{ 'If-None-Match': `"${stampMs(0)}"` }, 200],
    [{ 'If-Match': `"${stampMs(1)}"` }, 200],
    [{ 'If-Match': `"${stampMs(0)}"` }, 412],
    [{ 'If-Match': String(stampMs(1)) }, 400],
    [{ 'If-Match': '*' }, 400],
    [{ 'If-None-Match': '"*"' }, 400],
    [{ 'If-Match': '"1"', 'If-None-Match': '"1"' }, 400],
  ])('with %j a list is %i', async (headers, status) => {
    const answer = await ask(worldWith(2), RECORDS, { headers: headers as Record<string, string> });
    expect(answer.status).toBe(status);
    if (status === 304) expect(answer.text).toBe('');
    if (status === 304 || status === 412)
      expect(answer.headers.get('etag')).toBe(`"${stampMs(1)}"`);
    if (status === 412)
      expect(answer.json).toEqual({
        code: 412,
        errno: 114,
        error: 'Precondition Failed',
        message: 'Resource was modified meanwhile',
      });
  });

  test('the client is named to storage', async () => {
    const { world, requests } = spied(0);
    await ask(world, RECORDS, { headers: { 'User-Agent': 'TV/1' } });
    expect(requests[0]?.headers.get('user-agent')).toBe('Syncto/1.5.0 (on behalf of TV/1)');
  });
});

describe('writing', () => {
  test('a record is written without its id and stamp, and comes back with new ones', async () => {
    const { world, requests } = spied(0);
    const data = { id: 'other', last_modified: 5, payload: 'p', sortindex: 3, ttl: 60 };
    const id = '{2558f612-8ef4-634d-a603-2640dbb39147}';
    const path = `${RECORDS.replace('history', 'passwords')}/${encodeURIComponent(id)}`;
    const { status, json, headers } = await ask(world, path, { method: 'PUT', body: { data } });
    expect(status).toBe(200);
    expect(json.data).toEqual({
      id,
      last_modified: TEST_NOW_MS,
      payload: 'p',
      sortindex: 3,
      ttl: 60,
    });
    expect(headers.get('etag')).toBe(`"${TEST_NOW_MS}"`);
    expect(await requests[0]?.json()).toEqual({ payload: 'p', sortindex: 3, ttl: 60 });
  });

  test('what is left out keeps its value', async () => {
    const world = worldWith(1);
    await ask(world, `${RECORDS}/r0`, put('new'));
    expect((await ask(world, `${RECORDS}/r0`)).json.data).toMatchObject({
      payload: 'new',
      sortindex: 0,
    });
  });

  test.each([
    [{ 'If-None-Match': '*' }, 'r0', 412],
    [{ 'If-None-Match': '*' }, 'new', 200],
    [{ 'If-Match': `"${stampMs(0)}"` }, 'r0', 200],
    [{ 'If-Match': `"${stampMs(0) - 10}"` }, 'r0', 412],
    [{ 'If-Match': '"x"' }, 'r0', 400],
  ])('with %j a PUT of %s is %i', async (headers, id, status) => {
    const sent = { ...put('new'), headers: headers as Record<string, string> };
    expect((await ask(worldWith(1), `${RECORDS}/${id}`, sent)).status).toBe(status);
  });

  test.each([
    [{ data: { payload: 'p' }, permissions: {} }],
    [{ payload: 'p' }],
    [{ data: 'p' }],
    ['p'],
  ])('the body %j is 400 with errno 107', async (body) => {
    const { status, json } = await ask(startWorld(), `${RECORDS}/a`, { method: 'PUT', body });
    expect([status, json.errno]).toEqual([400, 107]);
  });

  test('is possible for history and passwords, and for nothing else', async () => {
    const world = startWorld();
    const status = async (name: string, method: string) => {
      const body = method === 'PUT' ? { data: { payload: 'p' } } : undefined;
      const path = `${RECORDS.replace('history', name)}/a`;
      return (await ask(world, path, { method, body })).status;
    };
    expect(await status('history', 'PUT')).toBe(200);
    expect(await status('passwords', 'PUT')).toBe(200);
    expect(await status('History', 'PUT')).toBe(405);
    expect(await status('meta', 'PUT')).toBe(405);
    expect(await status('history', 'DELETE')).toBe(405);
  });

  test('was off in Syncto as it came: 405 before anybody is asked who they are', async () => {
    const world = startWorld({ syncto: { enabled: [] } });
    const headers = { Authorization: 'nothing' };
    const { status, json } = await ask(world, `${RECORDS}/a`, { ...put('p'), headers });
    expect([status, json]).toEqual([
      405,
      {
        code: 405,
        errno: 115,
        error: 'Method Not Allowed',
        message: 'Endpoint disabled for this collection in configuration.',
      },
    ]);
    const bad = { method: 'PUT', body: {}, headers };
    expect((await ask(world, `${RECORDS}/a`, bad)).status).toBe(400);
  });

  test('deleting, where it is allowed, erases the record and leaves no trace', async () => {
    const world = worldWith(2, { syncto: { enabled: ['record_history_delete_enabled'] } });
    const { status, text, headers } = await ask(world, `${RECORDS}/r0`, { method: 'DELETE' });
    expect([status, text, headers.has('content-type')]).toEqual([204, '', false]);
    expect((await ask(world, RECORDS)).json.data).toHaveLength(1);
  });

  test('says what is left of the quota', async () => {
    const world = startWorld({ sync15: { quotaBytes: 10 * 1024 } });
    const { headers } = await ask(world, `${RECORDS}/a`, put('x'.repeat(1024)));
    expect(headers.get('quota-remaining')).toBe('9');
    const over = await ask(world, `${RECORDS}/b`, put('x'.repeat(10 * 1024)));
    expect([over.status, over.json.errno, over.json.message]).toEqual([
      400,
      107,
      '400 Bad Request: 14',
    ]);
  });
});

describe('trouble behind it', () => {
  const answering = (status: number, headers: Record<string, string> = {}) =>
    startWorld({
      intercept: (server) => (server === 'sync15' ? new Response('0', { status, headers }) : null),
    });

  test.each([
    [400, 400, 107],
    [401, 401, 105],
    [403, 403, 121],
    [404, 404, 110],
    [412, 412, 114],
    [405, 503, 201],
    [409, 503, 201],
    [413, 503, 201],
    [415, 503, 201],
    [500, 503, 201],
    [503, 503, 201],
    [513, 503, 201],
  ])('%i is told as %i with errno %i', async (status, told, errno) => {
    const world = answering(status, {
      'Retry-After': '7',
      'X-Weave-Backoff': '9',
      'X-Last-Modified': '1.50',
    });
    const { status: answered, json, headers } = await ask(world, RECORDS);
    expect([answered, json.code, json.errno]).toEqual([told, told, errno]);
    expect(headers.get('retry-after')).toBe(told === 503 ? '30' : null);
    expect(headers.get('backoff')).toBe('9');
    expect(headers.get('etag')).toBe('"1500"');
  });

  test('a connection that cannot be made is 503 with its own words', async () => {
    const world = startWorld({
      syncto: { retryAfterSeconds: 60 },
      intercept: (server) => {
        if (server === 'token') throw new TypeError('fetch failed');
        return null;
      },
    });
    const { status, json, headers } = await ask(world, RECORDS);
    expect([status, json.errno, headers.get('retry-after')]).toEqual([503, 201, '60']);
    expect(json.message).toMatch(/^Unable to reach the service\./);
  });

  test('an answer that is no JSON is an internal error', async () => {
    const world = startWorld({
      intercept: (server) => (server === 'sync15' ? new Response('<html>') : null),
    });
    const { status, json } = await ask(world, RECORDS);
    expect([status, json.errno]).toEqual([500, 999]);
  });

  test('backoff and alerts of storage are handed on with a success', async () => {
    const alert = '{"code":"hard-eol"}';
    const world = worldWith(1, { sync15: { health: () => ({ backoffSeconds: 5, alert }) } });
    const { headers } = await ask(world, RECORDS);
    expect([headers.get('backoff'), headers.get('alert')]).toEqual(['5', alert]);
  });
});

describe('pages of other origins', () => {
  test('may read the headers of a list, and fewer of a record', async () => {
    const world = worldWith(1);
    const headers = { Origin: 'https://app.test' };
    const list = await ask(world, RECORDS, { headers });
    expect(list.headers.get('access-control-allow-origin')).toBe('*');
    expect(list.headers.get('access-control-expose-headers')).toContain('Quota-Remaining');
    const record = await ask(world, `${RECORDS}/r0`, { headers });
    expect(record.headers.get('access-control-expose-headers')).not.toContain('Quota-Remaining');
    const asked = { ...headers, 'Access-Control-Request-Method': 'GET' };
    const preflight = await ask(world, RECORDS, { method: 'OPTIONS', headers: asked });
    expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([
      200,
      '*',
    ]);
  });
});
