// The made-up servers keep to the protocols that they are made after, and hurt where they are told.

import { describe, expect, test } from 'vitest';
import { AUDIENCE, COLLECTION, DocumentServer } from './document-server.ts';
import { changeIdOf } from './log-change.ts';
import { LogServer } from './log-server.ts';
import { RecordsServer } from './records-server.ts';
import { noTrouble, serverOf, wireTo } from './server.ts';

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly json: any;
  readonly headers: Headers;
}

type Ask = (
  method: string,
  path: string,
  headers?: Record<string, string>,
  body?: unknown,
) => Promise<Answer>;

function asker(
  { url, fetch }: { url: string; fetch: (request: Request) => Promise<Response> },
  authorization: string,
): Ask {
  return async (method, path, headers = {}, body = undefined) => {
    const response = await fetch(
      new Request(`${url}${path}`, {
        method,
        headers: { authorization, ...headers },
        ...(body === undefined
          ? {}
          : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      }),
    );
    const text = await response.text();
    return {
      status: response.status,
      json: text === '' ? null : JSON.parse(text),
      headers: response.headers,
    };
  };
}

const NONE = { 'if-none-match': '*' };

describe('records with wire tombstones', () => {
  const RECORDS = '/collections/c/records';
  const start = () => {
    const server = new RecordsServer();
    return { server, ask: asker(server, 'Bearer token') };
  };

  test('a record is made once, changed under its version, and leaves a tombstone', async () => {
    const { ask } = start();
    const made = await ask('PUT', `${RECORDS}/a`, NONE, { data: { payload: '1' } });
    expect([made.status, made.json.data.payload]).toEqual([201, '1']);
    const version = made.json.data.last_modified;
    expect(version).toMatch(/^[0-9a-f]{8}$/);
    expect((await ask('PUT', `${RECORDS}/a`, NONE, { data: { payload: '2' } })).status).toBe(412);
    const gone = await ask('DELETE', `${RECORDS}/a`, { 'if-match': version });
    expect(gone.json.data).toEqual({ id: 'a', last_modified: expect.any(String), deleted: true });
    const { json, headers } = await ask('GET', `${RECORDS}?_since=${version}`);
    expect(json.data).toEqual([gone.json.data]);
    expect(headers.get('etag')).toBe(gone.json.data.last_modified);
    const again = await ask('PUT', `${RECORDS}/a`, NONE, { data: { payload: '3' } });
    expect(again.status).toBe(201);
  });

  test('a conflict brings what the server holds, a tombstone too', async () => {
    const { server, ask } = start();
    server.write('c', 'a', 'theirs');
    const put = (match: string) =>
      ask('PUT', `${RECORDS}/a`, { 'if-match': match }, { data: { payload: 'ours' } });
    expect((await put('x')).json.details.existing).toMatchObject({ id: 'a', payload: 'theirs' });
    server.write('c', 'a', null);
    expect((await put('x')).json.details.existing).toMatchObject({ id: 'a', deleted: true });
    expect(server.records('c')).toMatchObject([{ id: 'a', deleted: true }]);
  });

  test('a write must say what it is made from, and a name must be one', async () => {
    const { ask } = start();
    expect((await ask('PUT', `${RECORDS}/a`, {}, { data: { payload: '1' } })).status).toBe(412);
    const braces = `${RECORDS}/%7Ba%7D`;
    expect((await ask('PUT', braces, NONE, { data: { payload: '1' } })).status).toBe(400);
  });

  test('a batch does what it can, and is not longer than said', async () => {
    const { server, ask } = start();
    server.write('c', 'b', 'theirs');
    const part = (id: string) => ({
      method: 'PUT',
      path: `${RECORDS}/${id}`,
      headers: NONE,
      body: { data: { payload: id } },
    });
    const answer = await ask('POST', '/batch', {}, { requests: ['a', 'b', 'c'].map(part) });
    const { responses } = answer.json;
    expect(responses.map(({ status }: Answer) => status)).toEqual([201, 412, 201]);
    const long = { requests: ['d', 'e', 'f', 'g', 'h'].map(part) };
    expect((await ask('POST', '/batch', {}, long)).status).toBe(400);
    expect((await ask('GET', '/collections')).json.batch_max_requests).toBe(4);
  });

  test('a listing starts at the oldest change; another change moves to its end', async () => {
    const { server, ask } = start();
    for (let n = 0; n < 7; n++) server.write('c', `r${n}`, `${n}`);
    const first = await ask('GET', RECORDS);
    const ids = ({ json }: Answer) => json.data.map(({ id }: { id: string }) => id);
    expect(ids(first)).toEqual(['r0', 'r1', 'r2', 'r3', 'r4']);
    server.write('c', 'r0', 'again');
    const second = await ask('GET', `${RECORDS}?_since=${first.headers.get('next-since')}`);
    expect(ids(second)).toEqual(['r5', 'r6', 'r0']);
    expect(second.headers.has('next-since')).toBe(false);
    expect((await ask('GET', `${RECORDS}?_since=never`)).status).toBe(400);
  });

  test('one request says what has changed, and that a collection is another one', async () => {
    const { server, ask } = start();
    server.write('c', 'a', '1');
    const before = (await ask('GET', '/collections')).json.data[0];
    server.write('c', 'a', '2');
    const after = (await ask('GET', '/collections')).json.data[0];
    expect(after).toMatchObject({ id: 'c', created: before.created });
    expect(after.etag).not.toBe(before.etag);
    server.flush('c');
    expect((await ask('GET', '/collections')).json.data[0].created).not.toBe(before.created);
    expect(server.records('c')).toEqual([]);
  });

  test('who may only read is told 403, a stranger 401', async () => {
    const { server, ask } = start();
    server.trouble.readOnly.add('c');
    const put = await ask('PUT', `${RECORDS}/a`, NONE, { data: { payload: '1' } });
    expect(put.status).toBe(403);
    server.token = 'another';
    expect((await ask('GET', RECORDS)).status).toBe(401);
  });
});

describe('a numbered, chained log', () => {
  const start = async () => {
    const server = new LogServer(['c']);
    const login = await asker(server, '')('POST', '/', {}, { assertion: 'assertion', device: 'd' });
    const url = login.json.collections.c;
    return { server, ask: asker({ ...server, url }, `Session ${login.json.id}`) };
  };
  const change = (before: string, seqnum: number, key: string, payload: string | null) => {
    const changeid = changeIdOf(before, { seqnum, key, payload });
    return { key, payload, seqnum, changeid, signature: 's' };
  };
  const writer = (payload: string | null) => ({
    seal: (seqnum: number) => (payload === null ? null : `${payload}@${seqnum}`),
    sign: () => 'theirs',
  });

  test('changes that continue it are taken all together, under the tag of its end', async () => {
    const { server, ask } = await start();
    const { headers, json } = await ask('GET', '');
    expect(json).toMatchObject({ name: 'c', seqnum: 0 });
    const one = change(json.changeid, 1, 'a', 'A');
    const two = change(one.changeid, 2, 'a', null);
    const match = { 'if-match': headers.get('etag') ?? '' };
    const taken = await ask('POST', '/records', match, { changes: [one, two] });
    expect([taken.status, taken.headers.get('etag')]).toEqual([204, `2-${two.changeid}`]);
    expect(server.log('c')).toEqual([one, two]);
    expect((await ask('GET', '/records')).json).toEqual({ records: {} });
    const late = await ask('POST', '/records', match, { changes: [one] });
    expect([late.status, late.headers.get('etag')]).toEqual([412, `2-${two.changeid}`]);
    expect((await ask('POST', '/records', {}, { changes: [] })).status).toBe(428);
  });

  test.each([
    ['a number that is left out', 2, (before: string) => before],
    ['an id of another chain', 1, () => 'another'],
  ])('%s changes nothing', async (_what, seqnum, chain) => {
    const { server, ask } = await start();
    const { headers, json } = await ask('GET', '');
    const good = change(json.changeid, 1, 'a', 'A');
    const bad = change(chain(good.changeid), seqnum + 1, 'b', 'B');
    const match = { 'if-match': headers.get('etag') ?? '' };
    const answer = await ask('POST', '/records', match, { changes: [good, bad] });
    expect(answer.status).toBe(400);
    expect(server.log('c')).toEqual([]);
  });

  test('another client continues it, and its pages say where to go on', async () => {
    const { server, ask } = await start();
    for (let n = 1; n <= 6; n++) server.write('c', `k${n}`, writer('x'));
    server.write('c', 'k1', writer(null));
    const first = await ask('GET', '/changes');
    expect(first.json.next).toBe(6);
    const second = await ask('GET', '/changes?since=6');
    const changes = [...first.json.changes, ...second.json.changes];
    expect(second.json.next).toBeUndefined();
    expect(changes.map(({ payload }) => payload)).toEqual([
      ...['x@1', 'x@2', 'x@3', 'x@4', 'x@5', 'x@6', null],
    ]);
    for (const [at, { changeid, ...one }] of changes.entries()) {
      expect(changeid).toBe(changeIdOf(changes[at - 1]?.changeid ?? 'c1', one));
    }
  });

  test('the records are listed by their names, of one moment', async () => {
    const { server, ask } = await start();
    for (const key of ['f', 'b', 'd', 'a', 'e', 'c']) server.write('c', key, writer('x'));
    const first = await ask('GET', '/records');
    expect(Object.keys(first.json.records)).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(first.json.next).toBe('f');
    server.write('c', 'a', writer('y'));
    const match = { 'if-match': first.headers.get('etag') ?? '' };
    expect((await ask('GET', '/records?start=f', match)).status).toBe(412);
    expect(Object.keys((await ask('GET', '/records?start=f')).json.records)).toEqual(['f']);
  });

  test('what was compacted away is 416, and the records are there', async () => {
    const { server, ask } = await start();
    for (const key of ['a', 'b', 'c']) server.write('c', key, writer('x'));
    server.compact('c', 1);
    expect((await ask('GET', '/changes?since=2')).status).toBe(416);
    expect((await ask('GET', '/changes?since=3')).json.changes).toHaveLength(1);
    expect(Object.keys((await ask('GET', '/records')).json.records)).toHaveLength(3);
    server.compact('c', 0);
    expect((await ask('GET', '/changes?since=3')).status).toBe(416);
    expect((await ask('GET', '/changes?since=4')).json.changes).toEqual([]);
  });

  test('a collection that was deleted has another address, a session an end', async () => {
    const { server, ask } = await start();
    server.reset('c');
    expect((await ask('GET', '')).status).toBe(404);
    server.assertion = 'another';
    expect((await ask('GET', '')).status).toBe(401);
    expect((await asker(server, '')('POST', '/', {}, { assertion: 'assertion' })).status).toBe(401);
  });

  test('who may only read is told 403, and a POST that is too long 413', async () => {
    const { server, ask } = await start();
    const match = { 'if-match': (await ask('GET', '')).headers.get('etag') ?? '' };
    const changes = Array.from({ length: 5 }, () => change('c1', 1, 'a', 'A'));
    expect((await ask('POST', '/records', match, { changes })).status).toBe(413);
    server.trouble.readOnly.add('c');
    expect((await ask('POST', '/records', match, { changes: [] })).status).toBe(403);
  });
});

describe('one document', () => {
  const start = async () => {
    const clock = { nowMs: 10_257 };
    const server = new DocumentServer(() => clock.nowMs);
    const form = `assertion=assertion&audience=${encodeURIComponent(AUDIENCE)}`;
    const { json } = await asker(server, '')('POST', '/verify', {}, form);
    const ask = asker({ ...server, url: json.resource }, json.auth);
    return { server, ask, verified: json, clock };
  };

  test('an assertion is traded for an address and a header', async () => {
    const { server, verified } = await start();
    expect(verified).toMatchObject({ status: 'okay', email: 'user@example.test' });
    const form = 'assertion=assertion&audience=https://dashboard.test';
    const { status, json } = await asker(server, '')('POST', '/verify', {}, form);
    expect([status, json]).toEqual([200, { status: 'failure', reason: 'audience' }]);
  });

  test('it comes whole if it is new, with the times of the server', async () => {
    const { server, ask } = await start();
    server.replace({ 'https://a.test': { last_modified: 1.5 } });
    const first = await ask('GET', '');
    expect(first.json).toEqual({ 'https://a.test': { last_modified: 1.5 } });
    expect(first.headers.get('x-timestamp')).toBe('10.257');
    expect(first.headers.get('x-last-modified')).toBe('10.257');
    const second = await ask('GET', '', { 'x-if-modified-since': '10.257' });
    expect([second.status, second.json]).toEqual([204, null]);
    expect(second.headers.get('x-last-modified')).toBe('10.257');
    expect((await ask('GET', '', { 'x-if-modified-since': '10.256' })).status).toBe(200);
  });

  test.each(['POST', 'PUT'])('the last one that comes by %s stays', async (method) => {
    const { server, ask, clock } = await start();
    server.write('https://a.test', { last_modified: 1 });
    clock.nowMs = 20_000;
    const sent = await ask(method, '', {}, { 'https://b.test': { deleted: true } });
    expect([sent.status, sent.json]).toEqual([204, null]);
    expect(server.document()).toEqual({ 'https://b.test': { deleted: true } });
    expect((await ask('GET', '', { 'x-if-modified-since': '19.999' })).status).toBe(200);
    expect((await ask(method, '', {}, '[]')).status).toBe(400);
  });

  test('who may only read is told 403; a session that is over says only 401', async () => {
    const { server, ask } = await start();
    server.trouble.readOnly.add(COLLECTION);
    expect((await ask('POST', '', {}, {})).status).toBe(403);
    server.move();
    const answer = await ask('GET', '');
    expect([answer.status, answer.headers.has('www-authenticate')]).toEqual([401, false]);
  });
});

describe('trouble', () => {
  test('a wait is said on any answer, in the words of the protocol', async () => {
    const server = new RecordsServer();
    server.trouble.waitSeconds = 30;
    const ask = asker(server, 'Bearer token');
    expect((await ask('GET', '/collections')).headers.get('backoff')).toBe('30');
    server.trouble.isDown = true;
    const down = await ask('GET', '/collections');
    expect([down.status, down.headers.get('backoff')]).toEqual([503, '30']);
  });

  test('a fault of the server itself is no answer', async () => {
    const server = serverOf(noTrouble(), 'Backoff', async () => {
      throw new RangeError('broken');
    });
    await expect(server(new Request('https://a.test'))).rejects.toThrow('broken');
  });

  test('an answer is lost after the server has done what was asked', async () => {
    const server = new RecordsServer();
    const wire = wireTo(server.fetch);
    const ask = asker({ url: server.url, fetch: wire.fetch }, 'Bearer token');
    wire.loses = (_request, count) => count === 1;
    wire.before = (_request, count) => {
      if (count === 1) server.write('c', 'b', 'theirs');
    };
    const put = () => ask('PUT', '/collections/c/records/a', NONE, { data: { payload: '1' } });
    await expect(put()).rejects.toThrow('fetch failed');
    expect(server.records('c').map(({ id }) => id)).toEqual(['b', 'a']);
    expect((await put()).status).toBe(412);
    expect(wire.asked).toEqual(Array(2).fill('PUT /v1/collections/c/records/a'));
  });
});
