import { expect, test } from 'vitest';
import { clientState } from '../sync-keys.ts';
import { startWorld, TEST_KB, TEST_NOW_MS, type TestWorld } from '../testing.ts';

const RECORDS = `/buckets/${clientState(TEST_KB)}/collections/history/records`;

interface Part {
  status: number;
  path: string;
  headers: Record<string, string>;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  body: any;
}

async function post(world: TestWorld, body: unknown) {
  const headers = {
    Authorization: `BrowserID ${await world.device.assertion('https://token.test/', false)}`,
    'Content-Type': 'application/json',
  };
  const init = { method: 'POST', headers, body: JSON.stringify(body) };
  const response = await world.fetch(new Request('https://syncto.test/v1/batch', init));
  const json = (await response.json()) as { responses: Part[]; errno?: number };
  return { status: response.status, headers: response.headers, json };
}

const put = (id: string, headers: Record<string, string> = {}) => ({
  method: 'PUT',
  path: `${RECORDS}/${id}`,
  headers,
  body: { data: { payload: `of ${id}` } },
});

test('parts run one by one with the outer credentials, each answered in its place', async () => {
  const world = startWorld();
  const { status, json } = await post(world, {
    requests: [put('a'), put('b'), { path: `/v1${RECORDS}?_sort=oldest` }],
  });
  expect(status).toBe(200);
  expect(json.responses.map((part) => [part.status, part.path])).toEqual([
    [200, `/v1${RECORDS}/a`],
    [200, `/v1${RECORDS}/b`],
    [200, `/v1${RECORDS}`],
  ]);
  const [first, second, list] = json.responses;
  expect(first?.headers.ETag).toBe(`"${TEST_NOW_MS}"`);
  expect(second?.body.data).toEqual({ id: 'b', payload: 'of b', last_modified: TEST_NOW_MS + 10 });
  expect(list?.body.data.map(({ id }: { id: string }) => id)).toEqual(['a', 'b']);
});

test('defaults fill what a part leaves out', async () => {
  const { json } = await post(startWorld(), {
    defaults: {
      method: 'PUT',
      headers: { 'If-None-Match': '*' },
      body: { data: { payload: 'p' } },
    },
    requests: [
      { path: `${RECORDS}/a` },
      { path: `${RECORDS}/a` },
      { ...put('a', { 'If-None-Match': '"1"' }) },
    ],
  });
  expect(json.responses.map(({ status }) => status)).toEqual([200, 412, 200]);
});

test('a part that is refused does not undo or stop the others', async () => {
  const { status, json } = await post(startWorld(), {
    requests: [put('a'), put('a', { 'If-Match': '"10"' }), { path: `${RECORDS}/none` }, put('b')],
  });
  expect(status).toBe(200);
  expect(json.responses.map((part) => [part.status, part.body.errno])).toEqual([
    [200, undefined],
    [412, 114],
    [404, 110],
    [200, undefined],
  ]);
});

test('a part in the 500s answers the whole, and what was written before stays', async () => {
  let writes = 0;
  const world = startWorld({
    intercept: (server) => {
      if (server !== 'sync15') return null;
      return ++writes === 2 ? new Response('0', { status: 409 }) : null;
    },
  });
  const { status, json, headers } = await post(world, { requests: [put('a'), put('b'), put('c')] });
  expect([status, json.errno, headers.get('retry-after')]).toEqual([503, 201, '30']);
  expect(writes).toBe(2);
  const stored = world.store.users.get(1)?.collections.get('history');
  expect(stored?.get('a', TEST_NOW_MS)?.payload).toBe('of a');
  expect(stored?.count(TEST_NOW_MS)).toBe(1);
});

test('up to 25 parts are taken', async () => {
  const parts = Array.from({ length: 26 }, (_, index) => put(`r${index}`));
  const world = startWorld();
  expect((await post(world, { requests: parts.slice(1) })).json.responses).toHaveLength(25);
  const { status, json } = await post(world, { requests: parts });
  expect([status, json.errno]).toEqual([400, 107]);
});

test.each([
  [{}],
  [[]],
  [{ requests: {} }],
  [{ requests: [1] }],
  [{ requests: [{ method: 'GET' }] }],
  [{ requests: [{ path: 'relative' }] }],
  [{ requests: [{ path: '/', method: 'BREW' }] }],
  [{ requests: [{ path: '/', body: 'text' }] }],
  [{ requests: [{ path: '/', headers: { a: 1 } }] }],
])('%j is 400 with errno 107', async (body) => {
  const { status, json } = await post(startWorld(), body);
  expect([status, json.errno]).toEqual([400, 107]);
});

test('a batch in a batch is refused', async () => {
  const inner = { method: 'POST', path: '/batch', body: { requests: [] } };
  const { status, json } = await post(startWorld(), { requests: [inner] });
  expect([status, json.errno]).toEqual([400, 107]);
});

test('what is nested too deeply is refused before anybody writes it out', async () => {
  let deep: unknown = 'p';
  for (let level = 0; level < 600; level++) deep = [deep];
  const part = { ...put('a'), body: { data: { payload: deep } } };
  const { status, json } = await post(startWorld(), { requests: [part] });
  expect([status, json.errno]).toEqual([400, 107]);
});

test('a part that leads to a path without its slash gives the answer of that', async () => {
  const { json } = await post(startWorld(), { requests: [{ path: `${RECORDS}/` }] });
  expect(json.responses[0]).toMatchObject({ status: 200, path: `/v1${RECORDS}` });
});

test('an answer without a body is empty text', async () => {
  const world = startWorld({
    syncto: { enabled: ['record_history_put_enabled', 'record_history_delete_enabled'] },
  });
  const remove = { method: 'DELETE', path: `${RECORDS}/a` };
  const { json } = await post(world, { requests: [put('a'), remove] });
  expect(json.responses[1]).toMatchObject({ status: 204, body: '' });
});
