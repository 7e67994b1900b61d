// What tests of the servers stand on: a world whose clock is theirs, and a client of the storage
// that says what it is told to say and no more.

import { expect, onTestFinished, test } from 'vitest';
import { memoryBsos } from './memory-bsos.ts';
import { memoryPlaces } from './place-storage.ts';
import { Store } from './store.ts';
import {
  askToken,
  countingRandom,
  emptyAccount,
  keepWorldsIn,
  type Pass,
  startWorld,
  storageClient,
  TEST_KB,
  TEST_NOW_MS,
} from './testing.ts';

const OTHER_KB = 'b0'.repeat(32);

test('an empty account has one user, of its own key, who has nothing', () => {
  const { kB, store } = emptyAccount();
  expect(kB).toBe(TEST_KB);
  const users = [...store.users.values()];
  expect(users.map(({ collections }) => collections.size)).toEqual([0]);
  const [other] = emptyAccount(OTHER_KB).store.users.values();
  expect(other?.keyFingerprint).not.toBe(users[0]?.keyFingerprint);
});

test('bytes that are counted differ from call to call, and are the same in the next run', () => {
  const [one, two] = [countingRandom(), countingRandom()];
  const first = one(16);
  expect(first).toHaveLength(16);
  expect(two(16)).toEqual(first);
  expect(one(16)).not.toEqual(first);
  expect(new Set(first).size).toBeGreaterThan(8);
});

test('two worlds that are asked the same answer the same', async () => {
  const answers = await Promise.all(
    [startWorld(), startWorld()].map(async (world) => (await askToken(world, world.device)).json()),
  );
  expect(answers[0]).toEqual(answers[1]);
});

test('the clock of a world stands until it is moved', async () => {
  const world = startWorld();
  const storage = await world.signIn();
  const put = async () =>
    Number((await storage('PUT', 'storage/col/a', { body: { payload: 'p' } })).text);
  expect(await put()).toBe(TEST_NOW_MS / 1_000);
  world.clock.nowMs += 90_000;
  expect(await put()).toBe(TEST_NOW_MS / 1_000 + 90);
});

test('a world has the account that it is given', async () => {
  const account = emptyAccount(OTHER_KB);
  const world = startWorld({ account });
  expect([world.account.kB, world.store]).toEqual([OTHER_KB, account.store]);
  expect(await world.device.syncKey()).toEqual({ kB: OTHER_KB });
});

test('worlds that are kept elsewhere have nothing in their own store', async () => {
  const elsewhere = new Store();
  // Later files run in this process, too.
  onTestFinished(() => keepWorldsIn(null));
  keepWorldsIn(() => ({ bsos: memoryBsos(elsewhere), places: memoryPlaces(elsewhere) }));
  const world = startWorld({ token: { allowNewUsers: true } });
  const storage = await world.signIn();
  expect((await storage('PUT', 'storage/col/a', { body: { payload: 'p' } })).status).toBe(200);
  const namesIn = (store: Store) =>
    [...store.users.values()].flatMap(({ collections }) => [...collections.keys()]);
  expect([namesIn(world.store), namesIn(elsewhere)]).toEqual([[], ['col']]);
});

test('who asks for a token shows one and the key, or what stands in their place', async () => {
  const asked: Request[] = [];
  const world = startWorld({
    intercept(server, request) {
      if (server === 'token') asked.push(request.clone());
      return null;
    },
  });
  expect((await askToken(world, world.device)).status).toBe(200);
  expect((await askToken(world, world.device, { Authorization: 'Bearer no' })).status).toBe(401);
  expect((await askToken(world, world.device, {}, '?duration=60')).status).toBe(200);
  const headers = { 'X-KeyID': '5-other' };
  expect((await askToken(world, world.device, headers)).status).toBe(401);
  const keyId = asked[0]?.headers.get('x-keyid') ?? '';
  expect(keyId).toMatch(/^\d+-[\w-]{22}$/);
  expect(asked.map(({ headers }) => headers.get('x-keyid'))).toEqual([
    keyId,
    keyId,
    keyId,
    '5-other',
  ]);
  expect(asked.map(({ url }) => new URL(url).search)).toEqual(['', '', '?duration=60', '']);
});

/** A client of a storage that notes what it is asked, and answers with a text. */
function noting(text: string) {
  const asked: Request[] = [];
  const pass: Pick<Pass, 'id' | 'key' | 'api_endpoint'> = {
    ...{ id: 'i', key: 'k', api_endpoint: 'https://sync15.test/1.5/7' },
  };
  const fetch = async (request: Request) => {
    asked.push(request.clone());
    return new Response(text, { status: 299, headers: { 'X-Said': 'so' } });
  };
  return { asked, client: storageClient({ fetch }, pass, () => TEST_NOW_MS) };
}

const attributes = (request: Request | undefined) =>
  Object.fromEntries(
    [...(request?.headers.get('authorization') ?? '').matchAll(/(\w+)="([^"]*)"/g)].map(
      ([, name = '', value]) => [name, value],
    ),
  );

test('a storage client sends an object as JSON, and a text as it is', async () => {
  const { asked, client } = noting('[1]');
  await client('POST', 'storage/col', { body: [{ id: 'a' }] });
  await client('POST', 'storage/col', { body: '{broken', headers: { 'Content-Type': 'text/x' } });
  await client('GET', 'storage/col');
  expect(await Promise.all(asked.map((request) => request.text()))).toEqual([
    ...['[{"id":"a"}]', '{broken', ''],
  ]);
  expect(asked.map(({ url }) => url)).toEqual(
    Array.from({ length: 3 }, () => 'https://sync15.test/1.5/7/storage/col'),
  );
  const types = asked.map(({ headers }) => headers.get('content-type'));
  expect(types).toEqual(['application/json', 'text/x', 'application/json']);
});

test('a storage client signs by its clock, and a hash where it is to', async () => {
  const { asked, client } = noting('');
  await client('GET', 'info/quota');
  await client('GET', 'info/quota', { atMs: 5_999 });
  await client('PUT', 'storage/col/a', { body: 'sent', hashOf: 'signed' });
  const [plain, early, hashed] = asked.map(attributes);
  expect(plain).toMatchObject({ id: 'i', ts: String(TEST_NOW_MS / 1_000) });
  expect(early).toMatchObject({ ts: '5' });
  expect([plain?.hash, hashed?.hash]).toEqual([undefined, expect.stringMatching(/^.{43}=$/)]);
  const headers = { Authorization: 'none' };
  await client('GET', 'info/quota', { headers });
  expect(asked.at(-1)?.headers.get('authorization')).toBe('none');
});

test('an answer is there whole, and its JSON where it is some', async () => {
  const answer = await noting('{"a":1}').client('GET', 'x');
  expect([answer.status, answer.text, answer.json]).toEqual([299, '{"a":1}', { a: 1 }]);
  expect(answer.headers.get('x-said')).toBe('so');
  expect((await noting('{"a":').client('GET', 'x')).json).toBeUndefined();
});
