import { describe, expect, test } from 'vitest';
import { json } from '../../../test/support/remote.ts';
import {
  type Answer,
  type Asked,
  BRACES,
  open,
  outgoing,
  part,
  pathOf,
  RECORDS,
  SERVER_URL,
  writes,
  written,
} from '../../../test/support/syncto.ts';
import { PAYLOAD_SAFE_CHARS } from '../../limits.ts';
import type { Outgoing } from '../remote.ts';
import { START } from './cursor.ts';
import { type StorageOptions, stored } from './storage.ts';

async function kindsOf(answer: Answer, records: readonly Outgoing[]): Promise<string[]> {
  const upload = await open(answer).remote.upload('history', START);
  return (await upload.add(records, true)).map(({ kind }) => kind);
}

test('what a part of a batch says beside its answer is heard as if the batch said it', async () => {
  const said: Record<string, string>[] = [
    ...[{ Backoff: '60' }, { Backoff: '5', 'Retry-After': '30' }, { 'Quota-Remaining': '2' }],
    { Alert: '{"code":"hard-eol","message":"it ends"}' },
  ];
  const { remote, options } = open(async (request) => {
    const { requests } = (await request.json()) as { requests: Asked[] };
    const responses = requests.map((asked, at) => ({ ...part(asked, 200), headers: said[at] }));
    return json({ responses });
  });
  const item = { collection: 'history', id: null, knownMs: 0 };
  await remote.poll(said.map(() => item));
  expect(options.notes).toMatchObject({
    ...{ waitMs: 60_000, quotaRemainingBytes: 2_048, gone: true },
    alert: said[3]?.Alert,
  });
});

describe('changes that go up', () => {
  test('are conditional: on the version they were made from, or on there being none', async () => {
    const { batches, answer } = writes(() => 201);
    const upload = await open(answer).remote.upload('history', START);
    const results = await upload.add(
      [
        outgoing('a', { payload: 'pa', beside: { sortindex: 100, ttl: 60 } }),
        outgoing(BRACES, { payload: 'pb', base: '5000' }),
      ],
      true,
    );
    expect(batches).toEqual([
      [
        {
          method: 'PUT',
          path: `${RECORDS}/a`,
          headers: { 'If-None-Match': '*' },
          body: { data: { payload: 'pa', sortindex: 100, ttl: 60 } },
        },
        {
          method: 'PUT',
          path: `${RECORDS}/${encodeURIComponent(BRACES)}`,
          headers: { 'If-Match': '"5000"' },
          body: { data: { payload: 'pb' } },
        },
      ],
    ]);
    expect(results).toEqual([stored(6_000), stored(6_000)]);
    expect(await upload.commit()).toEqual({ kind: 'none' });
  });

  test.each([
    [3, 3],
    [1_000, 25],
    [0, 25],
    [-1, 25],
    ['7', 25],
    [null, 25],
  ])('come in batches as the server takes them: it says %j', async (said, max) => {
    const { answer } = writes(() => 201, said);
    expect((await open(answer).remote.upload('history', START)).addMax).toBe(max);
  });

  test.each(['kinto.', 'cliquet.'])(
    'the size of a batch may have the prefix %s',
    async (prefix) => {
      const { remote } = open(() => json({ settings: { [`${prefix}batch_max_requests`]: 7 } }));
      expect((await remote.upload('history', START)).addMax).toBe(7);
    },
  );

  test('the size of a batch is asked for once', async () => {
    const memory: StorageOptions['memory'] = {};
    const { answer } = writes(() => 201, 9);
    const first = open(answer, { memory });
    await first.remote.upload('history', START);
    expect(memory.batchRequestsMax).toBe(9);
    const second = open(answer, { memory });
    expect((await second.remote.upload('history', START)).addMax).toBe(9);
    expect(second.requests).toHaveLength(0);
  });

  test('and again after the server refused a batch', async () => {
    const memory: StorageOptions['memory'] = { batchRequestsMax: 9 };
    const { remote } = open(() => json({}, 400), { memory });
    const upload = await remote.upload('history', START);
    const added = upload.add([outgoing('a'), outgoing('b')], true);
    await expect(added).rejects.toMatchObject({ code: 'badResponse' });
    expect(memory.batchRequestsMax).toBeUndefined();
  });

  test.each([
    [200, 'stored'],
    [201, 'stored'],
    [412, 'conflict'],
    [405, 'readOnly'],
    [400, 'failed'],
    [404, 'failed'],
    [413, 'failed'],
    [401, 'failed'],
    [403, 'failed'],
    [409, 'failed'],
    [429, 'failed'],
    [500, 'failed'],
    [503, 'failed'],
    [304, 'failed'],
  ])('are answered one by one: %i means %s', async (status, kind) => {
    const { answer } = writes(({ path }) => (path.endsWith('/a') ? status : 201));
    const kinds = await kindsOf(answer, [outgoing('b'), outgoing('a'), outgoing('c')]);
    expect(kinds).toEqual(['stored', kind, 'stored']);
  });

  test.each([
    [400, 'refused'],
    [404, 'refused'],
    [413, 'refused'],
    [409, 'failed'],
    [503, 'failed'],
  ])('that not every server takes go alone: %i means %s', async (status, kind) => {
    const large = outgoing('a', { payload: 'x'.repeat(16_385) });
    const { answer } = writes(({ path }) => (path.endsWith('/a') ? status : 201));
    expect(await kindsOf(answer, [large, outgoing('b')])).toEqual([kind, 'stored']);
  });

  test('are not stored for sure without a version, or with another record’s answer', async () => {
    const answered = (data: unknown) => (request: Request) =>
      pathOf(request) === '/'
        ? json({})
        : json({ responses: [data, data].map((one) => ({ status: 200, body: { data: one } })) });
    const records = [outgoing('a'), outgoing('a')];
    for (const data of [{ id: 'a' }, { id: 'b', last_modified: 1 }, { last_modified: 1 }, null]) {
      expect(await kindsOf(answered(data), records)).toEqual(['failed', 'failed']);
    }
    expect(await kindsOf(answered({ id: 'a', last_modified: 1.5 }), records)).toEqual([
      'failed',
      'failed',
    ]);
  });

  test.each([
    ['a web page', () => new Response('<p>Hello', { headers: { ETag: '"7000"' } })],
    ['nothing', () => new Response('', { headers: { ETag: '"7000"' } })],
    ['an error', () => written(201, { code: 412, errno: 114, error: 'Precondition Failed' })],
  ])('are not stored for sure when it is %s that says so', async (_, said) => {
    const answer: Answer = (request) => (pathOf(request) === '/' ? json({}) : said());
    expect(await kindsOf(answer, [outgoing('a')])).toEqual(['failed']);
  });

  test('that are large go alone, in a request of their own', async () => {
    const { batches, singles, answer } = writes(() => 200);
    const large = outgoing('large', { payload: 'x'.repeat(PAYLOAD_SAFE_CHARS + 1), base: '5' });
    const upload = await open(answer).remote.upload('history', START);
    const records = [outgoing('a'), outgoing('b'), large, outgoing('c'), outgoing('d')];
    const results = await upload.add(records, true);
    expect(batches.map((batch) => batch.length)).toEqual([2, 2]);
    expect(singles.map(({ method, url }) => [method, url])).toEqual([
      ['PUT', `${SERVER_URL}/v1${RECORDS}/large`],
    ]);
    expect(singles[0]?.headers.get('if-match')).toBe('"5"');
    expect(await singles[0]?.json()).toEqual({ data: { payload: large.payload } });
    expect(results.map(({ kind }) => kind)).toEqual(Array(5).fill('stored'));
    expect(results[2]).toEqual(stored(7_000));
  });

  test('are halved until the one that breaks the server stands alone', async () => {
    const calls: number[] = [];
    const answer: Answer = async (request) => {
      if (pathOf(request) === '/') return json({});
      if (request.method === 'PUT') {
        calls.push(1);
        const isBad = request.url.endsWith('/c');
        return written(isBad ? 503 : 200);
      }
      const { requests } = (await request.json()) as { requests: Asked[] };
      calls.push(requests.length);
      if (requests.some(({ path }) => path.endsWith('/c'))) return json({}, 503);
      return json({ responses: requests.map((asked) => part(asked, 201)) });
    };
    const kinds = await kindsOf(
      answer,
      [...'abcdefgh'].map((id) => outgoing(id)),
    );
    expect(kinds).toEqual([...'abcdefgh'].map((id) => (id === 'c' ? 'failed' : 'stored')));
    expect(calls.slice(0, 6)).toEqual([8, 4, 2, 2, 1, 1]);
    expect(calls.length).toBeLessThan(12);
  });

  test('stop at an outage after a few requests', async () => {
    const { remote, requests } = open((request) =>
      pathOf(request) === '/' ? json({}) : json({}, 503),
    );
    const upload = await remote.upload('history', START);
    const records = Array.from({ length: 25 }, (_, n) => outgoing(`r${n}`));
    const results = await upload.add(records, true);
    expect(results.map(({ kind }) => kind)).toEqual(Array(25).fill('failed'));
    expect(requests.length).toBeLessThan(10);
  });

  test.each([
    ['fewer', (parts: unknown[]) => parts.slice(1)],
    ['more', (parts: unknown[]) => [...parts, ...parts]],
    ['none', () => []],
  ])('with %s answers than there are requests: nothing is believed', async (_, bend) => {
    const answer: Answer = async (request) => {
      if (pathOf(request) === '/') return json({});
      const { requests } = (await request.json()) as { requests: Asked[] };
      return json({ responses: bend(requests.map((asked) => part(asked, 201))) });
    };
    const kinds = kindsOf(answer, [outgoing('a'), outgoing('b')]);
    await expect(kinds).rejects.toMatchObject({ code: 'badResponse' });
  });
});
