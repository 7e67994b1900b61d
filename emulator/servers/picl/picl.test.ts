// A PiCL storage among the other servers of a world: its login, and where its collections are.

import { describe, expect, test } from 'vitest';
import { memoryBsos } from '../memory-bsos.ts';
import { memoryPlaces } from '../place-storage.ts';
import { memoryStorage } from '../storage/local-storage.ts';
import { keysUnder } from '../storage/server-storage.ts';
import { Store } from '../store.ts';
import { startWorld, storageClient } from '../testing.ts';
import { createPicl } from './picl.ts';
import { askLogin, DEVICE, Pen, signIn } from './testing.ts';

describe('a user', () => {
  test('writes and reads', async () => {
    const user = await signIn(startWorld());
    const ask = user.at('history');
    const pen = new Pen();
    const body = { changes: [pen.write('b', 'two'), pen.write('a', 'one'), pen.write('b', null)] };
    const posted = await ask('POST', 'records', { headers: { 'If-None-Match': '*' }, body });
    expect([posted.status, posted.text, posted.headers.get('etag')]).toEqual([204, '', pen.tag]);
    const { json } = await ask('GET', 'changes');
    expect(json.changes.map(({ key }: { key: string }) => key)).toEqual(['b', 'a', 'b']);
    expect(Object.keys((await ask('GET', 'records')).json.records)).toEqual(['a']);
    const { seqnum, changeid } = pen;
    const metadata = { name: 'history', seqnum, changeid, signature: 'sig3' };
    expect((await ask('GET', '')).json).toEqual(metadata);
  });

  test('cannot ask at another one’s place', async () => {
    const world = startWorld();
    const { id, key, collections } = await signIn(world);
    const elsewhere = collections.history?.replace(/[\w-]{22}/, 'x'.repeat(22)) ?? '';
    const pass = { id, key, api_endpoint: elsewhere };
    const ask = storageClient(world, pass, () => world.clock.nowMs);
    expect(await ask('GET', '')).toMatchObject({ status: 401 });
  });
});

describe('a login', () => {
  test('takes an access token in the place of an assertion, for the same user', async () => {
    const world = startWorld();
    const { token } = await world.device.accessToken(false);
    const authorization = `Bearer ${token}`;
    const answer = await askLogin(world, { assertion: undefined }, { authorization });
    expect(answer.status).toBe(200);
    const { collections } = (await answer.json()) as { collections: object };
    expect(collections).toEqual((await signIn(world)).collections);
  });

  test.each<[string, object, number]>([
    ['no device', { device: undefined }, 400],
    ['a device that is no UUID', { device: 'x' }, 400],
    ['no proof', { assertion: undefined }, 400],
    ['an assertion of nobody', { assertion: 'x.y.z~x.y.z' }, 401],
  ])('with %s gives nothing', async (_, body, status) => {
    const answer = await askLogin(startWorld(), body);
    expect(answer.status).toBe(status);
    expect(await answer.json()).not.toHaveProperty('key');
  });

  test('is a POST of JSON', async () => {
    const { fetch, urls } = startWorld();
    expect(await fetch(new Request(urls.picl))).toMatchObject({ status: 405 });
    const posted = await fetch(new Request(urls.picl, { method: 'POST', body: '[]' }));
    expect(posted.status).toBe(400);
  });

  test('names what the server was set up for, a new collection as well', async () => {
    const names = ['history', 'recipes'];
    const { collections } = await signIn(startWorld({ picl: { collections: names } }));
    expect(Object.keys(collections)).toEqual(names);
  });

  test('a name that no collection can have is a mistake', () => {
    const options = { baseUrl: 'https://x.test', collections: ['a.b'] };
    expect(() => createPicl(options as never)).toThrow(RangeError);
  });
});

describe('a request that is sent again to another process', () => {
  /** A process, as many others as are asked for on its storage, and all that it was sent. */
  async function several() {
    const [storage, secret] = [memoryStorage(), new Uint8Array(32).fill(7)];
    const start = () => {
      const store = new Store();
      const kept = { bsos: memoryBsos(store), places: memoryPlaces(store), picl: storage, secret };
      return startWorld({ storage: kept });
    };
    const one = start();
    const sent: Request[] = [];
    const fetch = (request: Request): Promise<Response> => {
      sent.push(request.clone());
      return one.fetch(request);
    };
    const user = await signIn({ ...one, fetch });
    sent.length = 0;
    return { one, start, storage, sent, ask: user.at('history') };
  }

  /** Hawk signs no headers but its own. */
  async function altered(request: Request, headers: object, body?: string): Promise<Request> {
    const { url, method } = request;
    const sent = { ...Object.fromEntries(request.headers), ...headers };
    const text = body ?? (await request.clone().text());
    return new Request(url, { method, headers: sent, body: text });
  }

  test('changes nothing: what it would append follows a state that is over', async () => {
    const { ask, start, sent } = await several();
    const pen = new Pen();
    const changes = [1, 2].map((n) => pen.write(`k${n}`, `${n}`));
    const conditions = [{ 'If-None-Match': '*' }, { 'If-Match': `1-${changes[0]?.changeid}` }];
    for (const [at, headers] of conditions.entries()) {
      const body = { changes: [changes[at]] };
      const signed = { headers, body, hashOf: JSON.stringify(body) };
      expect((await ask('POST', 'records', signed)).status).toBe(204);
    }
    const posts = [...sent];
    for (const request of posts) {
      const named = await altered(request, { 'if-none-match': 'W/"0-x"', 'if-match': pen.tag });
      const bad = await start().fetch(named);
      expect([bad.status, await bad.json()]).toEqual([412, { error: 'bad-chain', index: 0 }]);
      expect((await start().fetch(request)).status).toBe(412);
    }
    const { json } = await ask('GET', '');
    expect([posts.length, json.seqnum, json.changeid]).toEqual([2, 2, changes[1]?.changeid]);
  });

  test('with another body is taken by none, whatever became of the first', async () => {
    const { ask, start, sent } = await several();
    const headers = { 'If-None-Match': '*' };
    const [pen, other] = [new Pen(), new Pen()];
    const body = { changes: [pen.write('a', 'one')] };
    const forged = JSON.stringify({ changes: [other.write('a', 'another')] });
    // The first is refused, and the second taken; nobody has signed either body.
    expect((await ask('POST', 'changes', { headers, body: { changes: [] } })).status).toBe(400);
    expect((await start().fetch(await altered(sent[0] as Request, {}, forged))).status).toBe(401);
    expect((await ask('POST', 'changes', { headers, body })).status).toBe(204);
    const next = JSON.stringify({ changes: [new Pen(1, pen.changeid).write('a', 'another')] });
    const again = await altered(sent[1] as Request, { 'if-match': pen.tag }, next);
    expect((await start().fetch(again)).status).toBe(401);
    expect((await ask('GET', '')).json.seqnum).toBe(1);
  });

  test('is forgotten when its time is over, whoever took it', async () => {
    const { ask, one, storage } = await several();
    const taken = () => storage.read('any', (reader) => reader.keys(keysUnder('pn/', 9)));
    const post = () => ask('POST', 'changes', { body: { changes: [] } });
    await post();
    await post();
    expect(await taken()).toHaveLength(2);
    one.clock.nowMs += 121_000;
    await post();
    expect(await taken()).toHaveLength(1);
  });

  test('is answered where it reads, for two minutes at most', async () => {
    const { ask, one, start, sent } = await several();
    const other = start();
    await ask('GET', 'records');
    const again = sent.at(-1) as Request;
    expect((await one.fetch(again.clone())).status).toBe(401);
    other.clock.nowMs += 60_000;
    expect((await other.fetch(again.clone())).status).toBe(200);
    other.clock.nowMs += 1_000;
    expect((await other.fetch(again)).status).toBe(401);
  });
});

test('a server in trouble says how long to stay away, with any answer', async () => {
  let refuse: 503 | undefined;
  const health = () => ({ backoffSeconds: 9, ...(refuse === undefined ? {} : { refuse }) });
  const world = startWorld({ picl: { health } });
  const ask = (await signIn(world)).at('history');
  for (const [path, status] of [
    ['', 200],
    ['records/none', 404],
  ] as const) {
    const answer = await ask('GET', path);
    expect([answer.status, answer.headers.get('x-backoff')]).toEqual([status, '9']);
  }
  refuse = 503;
  const answer = await ask('GET', '');
  expect([
    answer.status,
    answer.headers.get('x-backoff'),
    answer.headers.get('retry-after'),
  ]).toEqual([503, '9', '60']);
});

describe('collections on two origins', () => {
  test('are each where the login says, and nowhere else', async () => {
    const places = new Map([['passwords', 'https://other.test/deep']]);
    const world = startWorld({ picl: { places } });
    const user = await signIn(world, { device: DEVICE });
    expect(user.collections.passwords).toMatch(
      /^https:\/\/other\.test\/deep\/[\w-]{22}\/passwords$/,
    );
    for (const name of ['history', 'passwords'])
      expect(await user.at(name)('GET', '')).toMatchObject({ status: 200, json: { name } });
  });
});
