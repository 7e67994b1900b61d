import { describe, expect, test } from 'vitest';
import { CLIENT_STATE, json, remoteBench } from '../../../test/support/remote.ts';
import {
  BRACES,
  open,
  outgoing,
  pathOf,
  RECORDS,
  SERVER_URL,
  writes,
} from '../../../test/support/syncto.ts';
import { PAGE_RECORDS_MAX } from '../../limits.ts';
import type { Listed } from '../remote.ts';
import { type Cursor, START } from './cursor.ts';
import type { SyncPage } from './storage.ts';
import { syncto } from './syncto.ts';

function record(id: string, modifiedMs = 1_000) {
  return { id, last_modified: modifiedMs, payload: '{}', sortindex: 100 };
}

function listing(records: readonly unknown[], headers: Readonly<Record<string, string>> = {}) {
  return json({ data: records }, 200, { ETag: '"5000"', ...headers });
}

async function readAll(page: SyncPage | 'restart' | null): Promise<Listed[]> {
  if (page === null || page === 'restart') throw new Error(`no page: ${page}`);
  const listed: Listed[] = [];
  while (await page.next(listed));
  return listed;
}

describe('who asks', () => {
  test('is said by an access token, or by an assertion for the token server', async () => {
    const bearer = open(() => new Response(null, { status: 404 }));
    await bearer.remote.fetch('meta', 'global');
    expect(bearer.requests[0]?.headers.get('authorization')).toBe('Bearer token 1');

    const { options, requests } = remoteBench(() => new Response(null, { status: 404 }));
    const audiences: unknown[] = [];
    const identity = {
      ...options.platform.identity,
      async assertion(...asked: unknown[]) {
        audiences.push(asked);
        return 'a~b';
      },
    };
    const remote = { ...options.config.remote, auth: 'browserid', audience: 'https://t/' } as const;
    await syncto
      .storage({
        ...options,
        platform: { ...options.platform, identity },
        config: { ...options.config, remote },
      })
      .fetch('meta', 'global');
    expect(requests[0]?.headers.get('authorization')).toBe('BrowserID a~b');
    expect(audiences).toEqual([['https://t/', false]]);
  });

  test('is said anew once after a refusal', async () => {
    const { remote, requests } = open((_, count) =>
      count === 1 ? json({}, 401) : json({ data: record('global') }),
    );
    await remote.fetch('meta', 'global');
    expect(requests.map(({ headers }) => headers.get('authorization'))).toEqual([
      'Bearer token 1',
      'Bearer token 2',
    ]);
  });

  test('is never said by a client state in a header', async () => {
    const { answer } = writes(() => 201);
    const { remote, requests } = open(answer);
    await (await remote.upload('history', START)).add([outgoing('a')], true);
    await remote.poll([{ collection: 'history', id: null, knownMs: 0 }]);
    for (const { headers } of requests) expect(headers.has('x-client-state')).toBe(false);
  });
});

describe('a document', () => {
  test('is asked for under the bucket of its client state, its names escaped', async () => {
    const { remote, requests } = open(() => json({ data: record(BRACES) }));
    await remote.fetch('passwords', BRACES);
    const [request] = requests;
    expect(request?.method).toBe('GET');
    expect(pathOf(request as Request)).toBe(
      `/buckets/${CLIENT_STATE}/collections/passwords/records/${encodeURIComponent(BRACES)}`,
    );
    expect(request?.headers.has('if-none-match')).toBe(false);
  });

  test('comes as its envelope, with the time of the server', async () => {
    const date = 'Thu, 01 Jan 1970 00:00:09 GMT';
    const { remote } = open(() => json({ data: record('global') }, 200, { Date: date }));
    expect(await remote.fetch('meta', 'global')).toEqual({
      kind: 'found',
      envelope: { id: 'global', version: '1000', modifiedMs: 1_000, payload: '{}' },
      serverNowMs: 9_000,
    });
  });

  test('may be missing', async () => {
    const { remote } = open(() => json({ code: 404 }, 404));
    expect(await remote.fetch('meta', 'global')).toEqual({ kind: 'missing' });
  });

  test.each([
    ['another record', { data: record('other') }, {}],
    ['no record', { data: [record('global')] }, {}],
    ['no envelope', { data: { id: 'global', payload: '{}' } }, {}],
    ['a payload that is no text', { data: { ...record('global'), payload: {} } }, {}],
    ['a web page', '<html>', {}],
    [
      'a record of another version than its entity tag',
      { data: record('global') },
      { ETag: '"1"' },
    ],
    ['too long', { data: { ...record('global'), payload: 'x'.repeat(400_000) } }, {}],
  ])('is refused when it is %s', async (_, body, headers) => {
    const { remote } = open(() => json(body, 200, headers));
    const asked = remote.fetch('meta', 'global');
    await expect(asked).rejects.toMatchObject({ code: 'badResponse' });
  });

  test.each([
    [500, 'unavailable'],
    [503, 'unavailable'],
    [400, 'badResponse'],
    [405, 'badResponse'],
  ])('is not there for now: %i', async (status, code) => {
    const { remote } = open(() => json({}, status));
    await expect(remote.fetch('meta', 'global')).rejects.toMatchObject({ code });
  });
});

describe('a poll', () => {
  const items = [
    { collection: 'meta', id: 'global', knownMs: 11 },
    { collection: 'history', id: null, knownMs: 5_000 },
    { collection: 'passwords', id: null, knownMs: 0 },
  ];

  test('is one request, whatever it asks about', async () => {
    const { remote, requests } = open(() =>
      json({ responses: items.map(() => ({ status: 304, headers: {}, body: {} })) }),
    );
    await remote.poll(items);
    expect(requests).toHaveLength(1);
    const [request] = requests;
    expect([request?.method, pathOf(request as Request)]).toEqual(['POST', '/batch']);
    const asked = JSON.parse((await request?.text()) ?? '').requests;
    const collections = `/buckets/${CLIENT_STATE}/collections`;
    expect(asked).toEqual([
      {
        method: 'GET',
        path: `${collections}/meta/records/global`,
        headers: { 'If-None-Match': '"11"' },
      },
      { method: 'GET', path: `${collections}/history/records?in_ids=-`, headers: {} },
      { method: 'GET', path: `${collections}/passwords/records?in_ids=-`, headers: {} },
    ]);
  });

  test('tells what has another version, also an older one', async () => {
    const stamped = (stamp: string) => ({ status: 200, headers: { ETag: stamp }, body: {} });
    const polled = (responses: unknown[]) => open(() => json({ responses })).remote.poll(items);
    const unchanged = { status: 304, headers: {}, body: null };
    expect(await polled([unchanged, stamped('"5000"'), stamped('"0"')])).toEqual([
      false,
      false,
      false,
    ]);
    expect(await polled([stamped('"12"'), stamped('"5010"'), stamped('"10"')])).toEqual([
      true,
      true,
      true,
    ]);
    expect(await polled([unchanged, stamped('"4990"'), stamped('')])).toEqual([false, true, true]);
  });

  test.each([
    ['in another case', { 'content-type': 'text/plain', eTag: '"5000"' }, false],
    ['marked as weak', { ETag: 'W/"5000"' }, false],
    ['of another time', { etag: '"5001"' }, true],
    ['without quotes', { ETag: '5000' }, true],
    ['that is a number', { ETag: 5000 }, true],
    ['that is no text', { ETag: { toString: 1 }, 'X-Other': { valueOf: null } }, true],
  ])('reads an entity tag %s', async (_, headers, isNews) => {
    const responses = [{ status: 304 }, { status: 200, headers }, { status: 304 }];
    const moved = await open(() => json({ responses })).remote.poll(items);
    expect(moved).toEqual([false, isNews, false]);
  });

  test.each([
    ['too few answers', [{ status: 304 }]],
    ['too many', Array(4).fill({ status: 304 })],
    ['answers without a status', Array(3).fill({})],
    ['answers that are none', ['a', null, 7]],
  ])('is refused when there are %s', async (_, responses) => {
    const asked = open(() => json({ responses })).remote.poll(items);
    await expect(asked).rejects.toMatchObject({ code: 'badResponse' });
  });

  test('fails when the server does', async () => {
    const asked = open(() => json({}, 503)).remote.poll(items);
    await expect(asked).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('a listing', () => {
  const at = (change: Partial<Cursor>): Cursor => ({ ...START, ...change });

  async function asked(cursor: Cursor): Promise<Request> {
    const { remote, requests } = open(() => listing([]));
    await remote.changes('history', cursor);
    return requests[0] as Request;
  }

  test('begins with everything, oldest first', async () => {
    const request = await asked(START);
    expect(pathOf(request)).toBe(`${RECORDS}?_sort=oldest&_limit=${PAGE_RECORDS_MAX}`);
    expect([...request.headers.keys()].sort()).toEqual(['authorization']);
  });

  test('goes on from a time, which is not quoted', async () => {
    const request = await asked(at({ sinceMs: 5_000 }));
    expect(pathOf(request)).toBe(`${RECORDS}?_since=5000&_sort=oldest&_limit=${PAGE_RECORDS_MAX}`);
  });

  test('goes on with a page as long as the collection stays as it is', async () => {
    const request = await asked(at({ sinceMs: 5_000, page: 'a b&c=', stampMs: 6_000 }));
    expect(pathOf(request)).toContain('_since=5000&');
    expect(pathOf(request)).toContain('&_token=a%20b%26c%3D');
    expect(request.headers.get('if-match')).toBe('"6000"');
  });

  test('gives records with their envelope, and where it goes on', async () => {
    const next = `http://wrong.host${RECORDS}?_limit=2&_token=a%20b%2B&_sort=oldest`;
    const { remote } = open(() =>
      listing([record('a', 1), record(BRACES, 2)], { 'Next-Page': next, ETag: '"5000"' }),
    );
    const page = (await remote.changes('history', START)) as SyncPage;
    const records = await readAll(page);
    expect(records).toMatchObject([
      { ok: true, envelope: { id: 'a', modifiedMs: 1, payload: '{}' } },
      { ok: true, envelope: { id: BRACES, modifiedMs: 2, payload: '{}' } },
    ]);
    expect([page.stampMs, page.nextPage()]).toEqual([5_000, 'a b+']);
  });

  test('ends where there is no next page', async () => {
    const { remote } = open(() => listing([]));
    const page = (await remote.changes('history', START)) as SyncPage;
    expect(await readAll(page)).toEqual([]);
    expect(page.nextPage()).toBeNull();
  });

  test.each(['https://a/?_limit=2', 'nonsense', '?_token=', '?_token=%E9'])(
    'goes on nowhere with the next page %j',
    async (next) => {
      const { remote } = open(() => listing([], { 'Next-Page': next }));
      const page = (await remote.changes('history', START)) as SyncPage;
      await readAll(page);
      expect(() => page.nextPage()).toThrow(expect.objectContaining({ code: 'badResponse' }));
    },
  );

  test('knows the time of the server', async () => {
    const date = 'Thu, 01 Jan 1970 00:00:09 GMT';
    const withDate = open(() => listing([], { Date: date })).remote;
    expect(await withDate.changes('history', START)).toMatchObject({ serverNowMs: 9_000 });
    const without = open(() => listing([])).remote;
    expect(await without.changes('history', START)).toMatchObject({ serverNowMs: null });
  });

  test('has nothing when the collection did not change', async () => {
    const { remote } = open(() => new Response(null, { status: 304 }));
    expect(await remote.changes('history', at({ sinceMs: 5_000 }))).toBeNull();
  });

  test('starts again when the collection moved on, or the page is not known', async () => {
    for (const status of [412, 400]) {
      const { remote } = open(() => json({}, status));
      const cursor = at({ page: 'x', stampMs: 6_000 });
      expect(await remote.changes('history', cursor)).toBe('restart');
    }
    const { remote } = open(() => json({}, 400));
    const first = remote.changes('history', START);
    await expect(first).rejects.toMatchObject({ code: 'badResponse' });
  });

  test('tells of every record that cannot be used, and goes on behind it', async () => {
    const bad = [
      { id: 'a', last_modified: '5', payload: '{}' },
      { id: 'b', last_modified: -1, payload: '{}' },
      { id: 'c', last_modified: 1, payload: null },
      { id: 'é', last_modified: 1, payload: '{}' },
      { last_modified: 1, payload: '{}' },
      { id: 'd', last_modified: 1, payload: 'x'.repeat(400_000) },
      null,
    ];
    const { remote } = open(() => listing([...bad, record('good')]));
    const listed = await readAll(await remote.changes('history', START));
    const seen = listed.map((one) => (one.ok ? one.envelope.id : [one.id, one.code]));
    expect(seen).toEqual([
      ['a', 'badEnvelope'],
      ['b', 'badEnvelope'],
      ['c', 'badEnvelope'],
      ['badId %e9', 'badId'],
      ['badId 34', 'badId'],
      ['d', 'tooLarge'],
      ['badId 4', 'badId'],
      'good',
    ]);
  });

  test('that is cut short is no listing', async () => {
    const { remote } = open(() => new Response('{"data":[', { headers: { ETag: '"1"' } }));
    const page = await remote.changes('history', START);
    await expect(readAll(page)).rejects.toMatchObject({ code: 'truncated' });
  });
});

test('the place of the data is the server', async () => {
  expect(await open(() => json({})).remote.place()).toBe(SERVER_URL);
});
