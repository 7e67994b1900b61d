import { describe, expect, test } from 'vitest';
import type { Health } from './http.ts';
import { startWorld, TEST_NOW_MS } from './testing.ts';

const seconds = (timeMs: number) => (timeMs / 1000).toFixed(2);

describe('records', () => {
  test('a record comes back as it was written, under the stamp of the write', async () => {
    const storage = await startWorld().signIn();
    const put = await storage('PUT', 'storage/col/%7Bid%7D', {
      body: { payload: 'text', sortindex: 7, ttl: 100 },
    });
    expect(put.text).toBe('1795323280');
    expect(put.headers.get('x-last-modified')).toBe('1795323280.00');
    const get = await storage('GET', 'storage/col/%7Bid%7D');
    expect(get.json).toEqual({ id: '{id}', modified: 1795323280, payload: 'text', sortindex: 7 });
    expect(get.headers.get('x-last-modified')).toBe('1795323280.00');
    expect(get.headers.get('x-weave-timestamp')).toBe('1795323280.00');
  });

  test('stamps rise by 10 ms even when the clock stands still', async () => {
    const storage = await startWorld().signIn();
    const stamps: number[] = [];
    for (const id of ['a', 'b', 'c'])
      stamps.push((await storage('PUT', `storage/col/${id}`, { body: { payload: '' } })).json);
    expect(stamps).toEqual([1795323280, 1795323280.01, 1795323280.02]);
  });

  test('what is left out keeps its value, null resets it', async () => {
    const world = startWorld();
    const storage = await world.signIn();
    const put = (body: object) => storage('PUT', 'storage/col/a', { body });
    const get = async () => (await storage('GET', 'storage/col/a')).json;
    await put({ payload: 'p', sortindex: 1, ttl: 10 });
    await put({ sortindex: 2 });
    expect(await get()).toMatchObject({ payload: 'p', sortindex: 2 });
    await put({ sortindex: null, ttl: null });
    expect(await get()).toEqual({ id: 'a', modified: 1795323280.02, payload: 'p' });
    world.clock.nowMs += 60_000;
    expect((await storage('GET', 'storage/col/a')).status).toBe(200);
  });

  test('a new time to live alone wakes nobody: the record keeps its stamp', async () => {
    const storage = await startWorld().signIn();
    await storage('PUT', 'storage/col/a', { body: { payload: 'p', ttl: 10 } });
    await storage('PUT', 'storage/col/a', { body: { ttl: 1000 } });
    expect((await storage('GET', 'storage/col/a')).json.modified).toBe(1795323280);
    await storage('PUT', 'storage/col/b', { body: { ttl: 1000 } });
    expect((await storage('GET', 'storage/col/b')).json).toMatchObject({ payload: '' });
  });

  test('a record past its time to live is gone from every answer', async () => {
    const world = startWorld();
    const storage = await world.signIn();
    await storage('PUT', 'storage/col/a', { body: { payload: 'p', ttl: 10 } });
    await storage('PUT', 'storage/col/b', { body: { payload: 'p', ttl: 20 } });
    world.clock.nowMs += 10_000;
    expect((await storage('GET', 'storage/col/a')).status).toBe(404);
    expect((await storage('GET', 'storage/col')).json).toEqual(['b']);
    expect((await storage('GET', 'info/collection_counts')).json).toEqual({ col: 1 });
  });

  test.each([
    [{ payload: 1 }, 400],
    [{ payload: 'p', unknown: 1 }, 400],
    [{ payload: 'p', sortindex: 1e9 }, 400],
    [{ payload: 'p', sortindex: 0.5 }, 400],
    [{ payload: 'p', ttl: -1 }, 400],
    [[], 400],
    ['not json', 400],
    [{ payload: 'x'.repeat(101) }, 413],
    [{ payload: 'é'.repeat(51) }, 413],
    [{ payload: 'x'.repeat(100), modified: 5, collection: 'col', id: 'a' }, 200],
  ])('PUT %j is answered %i', async (body, status) => {
    const world = startWorld({ sync15: { limits: { max_record_payload_bytes: 100 } } });
    const storage = await world.signIn();
    expect((await storage('PUT', 'storage/col/a', { body })).status).toBe(status);
  });

  test('ids are 1 to 64 printable characters, collections 1 to 32 of a few', async () => {
    const storage = await startWorld().signIn();
    const put = async (path: string) =>
      (await storage('PUT', `storage/${path}`, { body: { payload: '' } })).status;
    expect(await put(`col/${'a'.repeat(64)}`)).toBe(200);
    expect(await put('col/__proto__')).toBe(200);
    expect(await put('col/a%2Fb%20%7E')).toBe(200);
    expect(await put(`col/${'a'.repeat(65)}`)).toBe(404);
    expect(await put('col/%C3%A9')).toBe(404);
    expect(await put('col%20lection/a')).toBe(400);
    expect(await put(`${'c'.repeat(33)}/a`)).toBe(400);
    expect((await storage('GET', 'storage/col')).json).toHaveLength(3);
  });

  test('keys sealed with an initialisation vector of zeros are refused', async () => {
    const storage = await startWorld().signIn();
    const payload = JSON.stringify({ ciphertext: '', IV: 'AAAAAAAAAAAAAAAAAAAAAA==', hmac: '' });
    const put = await storage('PUT', 'storage/crypto/keys', { body: { payload } });
    expect([put.status, put.text]).toEqual([400, '8']);
    const post = await storage('POST', 'storage/crypto', { body: [{ id: 'keys', payload }] });
    expect([post.status, post.text]).toEqual([400, '8']);
    expect((await storage('PUT', 'storage/other/keys', { body: { payload } })).status).toBe(200);
  });

  test('meta/global is kept letter for letter, whatever it says', async () => {
    const storage = await startWorld().signIn();
    const payload =
      '{"storageVersion":"5","engines":{"unknown":{"version":9}},"declined":["unknown"],"x":1}';
    await storage('PUT', 'storage/meta/global', { body: { payload } });
    expect((await storage('GET', 'storage/meta/global')).json.payload).toBe(payload);
  });
});

describe('preconditions', () => {
  const unmodified = (timeMs: number) => ({ 'X-If-Unmodified-Since': seconds(timeMs) });
  const modified = (timeMs: number) => ({ 'X-If-Modified-Since': seconds(timeMs) });

  test('an equal stamp passes, an older one is 412 with the stamp there is', async () => {
    const storage = await startWorld().signIn();
    await storage('PUT', 'storage/col/a', { body: { payload: 'p' } });
    const old = unmodified(TEST_NOW_MS - 10);
    for (const [method, path] of [
      ['PUT', 'storage/col/a'],
      ['POST', 'storage/col'],
      ['DELETE', 'storage/col/a'],
      ['DELETE', 'storage/col'],
      ['DELETE', 'storage'],
      ['GET', 'storage/col?limit=1'],
      ['GET', 'storage/col/a'],
      ['GET', 'info/collections'],
    ] as const) {
      const body = method === 'POST' ? [] : method === 'PUT' ? {} : undefined;
      const answer = await storage(method, path, { headers: old, body });
      expect([method, path, answer.status]).toEqual([method, path, 412]);
      expect(answer.headers.get('x-last-modified')).toBe(seconds(TEST_NOW_MS));
    }
    const put = { headers: unmodified(TEST_NOW_MS), body: { payload: 'q' } };
    expect((await storage('PUT', 'storage/col/a', put)).status).toBe(200);
  });

  test('what has not changed is 304 with its stamp and no body', async () => {
    const storage = await startWorld().signIn();
    await storage('PUT', 'storage/col/a', { body: { payload: 'p' } });
    for (const path of ['storage/col/a', 'storage/col', 'info/collections']) {
      const same = await storage('GET', path, { headers: modified(TEST_NOW_MS) });
      expect([same.status, same.text]).toEqual([304, '']);
      expect(same.headers.get('x-last-modified')).toBe(seconds(TEST_NOW_MS));
      expect((await storage('GET', path, { headers: modified(TEST_NOW_MS - 10) })).status).toBe(
        200,
      );
    }
  });

  test.each([
    [{ 'X-If-Modified-Since': '1.0', 'X-If-Unmodified-Since': '1.0' }],
    [{ 'X-If-Modified-Since': '-1' }],
    [{ 'X-If-Unmodified-Since': 'NaN' }],
    [{ 'X-If-Unmodified-Since': '1e9' }],
  ])('%j is 400', async (headers) => {
    const storage = await startWorld().signIn();
    expect((await storage('GET', 'storage/col', { headers })).status).toBe(400);
  });
});

describe('deleting', () => {
  test('a collection goes whole; one whose records go by id stays', async () => {
    const storage = await startWorld().signIn();
    for (const name of ['one', 'two'])
      await storage('POST', `storage/${name}`, { body: [{ id: 'a' }, { id: 'b' }] });
    const byIds = await storage('DELETE', 'storage/one?ids=a,b');
    expect(byIds.json).toEqual({ modified: 1795323280.02 });
    await storage('DELETE', 'storage/two');
    expect((await storage('GET', 'info/collections')).json).toEqual({ one: 1795323280.02 });
    const ids = Array.from({ length: 101 }, (_, index) => `i${index}`).join();
    expect((await storage('DELETE', `storage/one?ids=${ids}`)).status).toBe(400);
  });

  test('the open batches of a collection go with it', async () => {
    const storage = await startWorld().signIn();
    const { batch } = (await storage('POST', 'storage/col?batch=true', { body: [{ id: 'a' }] }))
      .json;
    const other = (await storage('POST', 'storage/two?batch=true', { body: [{ id: 'a' }] })).json;
    await storage('DELETE', 'storage/col');
    const commit = async (path: string) =>
      (await storage('POST', `storage/${path}&commit=true`, { body: [] })).status;
    expect(await commit(`col?batch=${batch}`)).toBe(400);
    expect(await commit(`two?batch=${other.batch}`)).toBe(200);
  });

  test('one record goes and moves its collection on', async () => {
    const storage = await startWorld().signIn();
    await storage('POST', 'storage/col', { body: [{ id: 'a' }, { id: 'b' }] });
    expect((await storage('DELETE', 'storage/col/a')).json).toEqual({ modified: 1795323280.01 });
    const list = await storage('GET', 'storage/col');
    expect([list.json, list.headers.get('x-last-modified')]).toEqual([['b'], '1795323280.01']);
  });

  test('a collection that is not there is deleted without a new stamp', async () => {
    const storage = await startWorld().signIn();
    await storage('PUT', 'storage/col/a', { body: {} });
    expect((await storage('DELETE', 'storage/other')).json).toEqual({ modified: 1795323280 });
  });

  test.each(['storage', ''])('DELETE %j wipes the user', async (path) => {
    const storage = await startWorld().signIn();
    await storage('PUT', 'storage/col/a', { body: {} });
    const batch = await storage('POST', 'storage/col?batch=true', { body: [{ id: 'b' }] });
    expect((await storage('DELETE', path)).json).toEqual({ modified: 1795323280.01 });
    expect((await storage('GET', 'info/collections')).json).toEqual({});
    const late = await storage('POST', `storage/col?batch=${batch.json.batch}&commit=true`, {
      body: [],
    });
    expect(late.status).toBe(400);
  });
});

describe('info', () => {
  test('says when, how many, how much, and how much is allowed', async () => {
    const world = startWorld({ sync15: { quotaBytes: 4096, limits: { max_post_records: 7 } } });
    const storage = await world.signIn();
    const put = await storage('PUT', 'storage/col/a', { body: { payload: 'x'.repeat(1024) } });
    expect(put.headers.get('x-weave-quota-remaining')).toBe('3');
    const info = async (kind: string) => (await storage('GET', `info/${kind}`)).json;
    expect(await info('collections')).toEqual({ col: 1795323280 });
    expect(await info('collection_counts')).toEqual({ col: 1 });
    expect(await info('collection_usage')).toEqual({ col: 1 });
    expect(await info('quota')).toEqual([1, 4]);
    const configuration = await storage('GET', 'info/configuration');
    expect(configuration.json).toMatchObject({ max_post_records: 7, max_total_records: 10_000 });
    expect(configuration.headers.get('x-last-modified')).toBe('0.00');
    expect((await storage('GET', 'info/nothing')).status).toBe(404);
    expect((await storage('GET', 'info/toString')).status).toBe(404);
  });

  test('a collection may have limits of its own', async () => {
    const tabs = { max_record_payload_bytes: 20, max_request_bytes: 300, max_post_bytes: 25 };
    const limits = { max_record_payload_bytes: 10, max_request_bytes: 200, collections: { tabs } };
    const storage = await startWorld({ sync15: { limits } }).signIn();
    const { json } = await storage('GET', 'info/configuration');
    expect(json).toMatchObject({ max_record_payload_bytes: 10, collections: { tabs } });
    const payload = 'x'.repeat(20);
    const status = async (path: string, body: unknown) =>
      (await storage(Array.isArray(body) ? 'POST' : 'PUT', `storage/${path}`, { body })).status;
    expect(await status('tabs/a', { payload })).toBe(200);
    expect(await status('other/a', { payload })).toBe(413);
    const long = [{ id: 'a', payload: '' }, ' '.repeat(200)];
    expect([await status('tabs', long), await status('other', long)]).toEqual([400, 413]);
    const two = [
      { id: 'a', payload },
      { id: 'b', payload },
    ];
    const { failed } = (await storage('POST', 'storage/tabs', { body: two })).json;
    expect(failed).toEqual({ b: 'retry bytes' });
    const headers = { 'X-Weave-Bytes': '26' };
    expect((await storage('POST', 'storage/tabs', { body: [], headers })).text).toBe('17');
    expect((await storage('POST', 'storage/other', { body: [], headers })).status).toBe(200);
  });

  test('a write over the quota is 400 with a 14', async () => {
    const storage = await startWorld({ sync15: { quotaBytes: 10 } }).signIn();
    const put = await storage('PUT', 'storage/col/a', { body: { payload: 'x'.repeat(11) } });
    expect([put.status, put.text]).toEqual([400, '14']);
    expect((await storage('GET', 'info/quota')).json).toEqual([0, 10 / 1024]);
  });
});

describe('form', () => {
  test('a list comes one value a line where that is accepted', async () => {
    const storage = await startWorld().signIn();
    await storage('POST', 'storage/col', {
      body: [{ id: 'a', payload: 'two\nlines' }, { id: 'b' }],
    });
    const headers = { Accept: 'application/newlines' };
    const { text, headers: answered } = await storage('GET', 'storage/col?full=1&sort=oldest', {
      headers,
    });
    expect(answered.get('content-type')).toBe('application/newlines');
    expect(answered.get('x-weave-records')).toBe('2');
    expect(text.split('\n').map((line) => (line ? JSON.parse(line).id : ''))).toEqual([
      'a',
      'b',
      '',
    ]);
    expect((await storage('GET', 'storage/col', { headers: { Accept: 'text/html' } })).status).toBe(
      406,
    );
  });

  test('a list is taken one value a line, or as JSON under another name', async () => {
    const storage = await startWorld().signIn();
    const post = async (type: string, body: string) =>
      (await storage('POST', 'storage/col', { headers: { 'Content-Type': type }, body })).status;
    expect(await post('application/newlines', '{"id":"a"}\n{"id":"b"}\n')).toBe(200);
    expect(await post('text/plain; charset=utf-8', '[{"id":"c"}]')).toBe(200);
    expect(await post('application/newlines', '{"id":"a"}\n{')).toBe(400);
    for (const body of ['\n', '{"id":"a"}\n\n', '{"id":"a"}\n\n{"id":"b"}'])
      expect(await post('application/newlines', body)).toBe(400);
    expect(await post('application/xml', '[]')).toBe(415);
    expect((await storage('GET', 'storage/col')).json.sort()).toEqual(['a', 'b', 'c']);
  });

  test('what is not there or not allowed says so', async () => {
    const storage = await startWorld().signIn();
    expect((await storage('GET', 'elsewhere/a')).status).toBe(404);
    expect((await storage('GET', 'storage')).status).toBe(405);
    expect((await storage('PUT', 'storage/col', { body: {} })).status).toBe(405);
    expect((await storage('POST', 'storage/col/a', { body: {} })).status).toBe(405);
    expect((await storage('POST', 'info/collections', { body: {} })).status).toBe(405);
  });

  test('a body over the limit is 413', async () => {
    const storage = await startWorld({ sync15: { limits: { max_request_bytes: 100 } } }).signIn();
    const put = await storage('PUT', 'storage/col/a', { body: { payload: 'x'.repeat(100) } });
    expect([put.status, put.text]).toEqual([413, '17']);
  });

  test('a server in trouble says it on every answer', async () => {
    let health: Health = {};
    const storage = await startWorld({ sync15: { health: () => health } }).signIn();
    health = { backoffSeconds: 20, alert: 'hello' };
    const list = await storage('GET', 'storage/col');
    expect(list.status).toBe(200);
    expect(list.headers.get('x-weave-backoff')).toBe('20');
    expect(list.headers.get('x-weave-alert')).toBe('hello');
    health = { refuse: 409 };
    const locked = await storage('PUT', 'storage/col/a', { body: {} });
    expect([locked.status, locked.headers.get('retry-after')]).toEqual([409, '10']);
    health = { refuse: 503, backoffSeconds: 120 };
    const busy = await storage('GET', 'info/collections');
    expect([busy.status, busy.headers.get('retry-after')]).toEqual([503, '120']);
    health = { refuse: 513 };
    expect((await storage('GET', 'info/collections')).status).toBe(513);
  });
});
