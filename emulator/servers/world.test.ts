import { expect, test } from 'vitest';
import { clientState } from './sync-keys.ts';
import { syntheticAccount } from './synthetic.ts';
import { startWorld, TEST_NOW_MS } from './testing.ts';
import { type ServerName, urlsBelow } from './world.ts';

/** A run through all servers: every URL asked, every byte answered. */
async function trace(): Promise<string[]> {
  const account = syntheticAccount({ records: 250, seed: 3 });
  const world = startWorld({ account });
  const lines: string[] = [];
  const assertion = await world.device.assertion('https://token.test/', false);
  const { token } = await world.device.accessToken(true);
  const bucket = `https://syncto.test/v1/buckets/${clientState(account.kB)}`;
  const records = `${bucket}/collections/history/records`;
  const ask = async (url: string, authorization: string, init: RequestInit = {}) => {
    const headers = { Authorization: authorization };
    const response = await world.fetch(new Request(url, { ...init, headers }));
    lines.push(url, JSON.stringify([...response.headers]), await response.text());
    return response;
  };
  let next: string | null = `${records}?_limit=100&_sort=oldest`;
  while (next) next = (await ask(next, `BrowserID ${assertion}`)).headers.get('next-page');
  const body = JSON.stringify({ data: { payload: 'p' } });
  await ask(`${records}/new`, `Bearer ${token}`, { method: 'PUT', body });
  const storage = await world.signIn();
  const begin = await storage('POST', 'storage/passwords?batch=true', { body: [{ id: 'a' }] });
  lines.push(begin.text, JSON.stringify(world.dump()));
  return lines;
}

test('the same run gives the same bytes', async () => {
  const first = await trace();
  expect(first.length).toBeGreaterThan(10);
  expect(await trace()).toEqual(first);
});

test('a URL that is nobody’s fails as a connection does', async () => {
  const { fetch } = startWorld();
  for (const url of [
    'https://elsewhere.test/',
    'https://accounts.test.evil/',
    'http://token.test/',
  ])
    await expect(fetch(new Request(url))).rejects.toThrow('fetch failed');
});

test('every request can be answered by somebody else, those of Syncto too', async () => {
  const seen: ServerName[] = [];
  const world = startWorld({
    intercept: (server) => {
      seen.push(server);
      return server === 'sync15' ? new Response('0', { status: 500 }) : null;
    },
  });
  const assertion = await world.device.assertion('https://token.test/', false);
  const bucket = clientState(world.account.kB);
  const url = `https://syncto.test/v1/buckets/${bucket}/collections/a/records`;
  const headers = { Authorization: `BrowserID ${assertion}` };
  expect((await world.fetch(new Request(url, { headers }))).status).toBe(503);
  expect(seen).toEqual(['accounts', 'accounts', 'accounts', 'syncto', 'token', 'sync15']);
});

test('the servers work under path prefixes of one origin', async () => {
  const url = 'http://127.0.0.1:8000';
  const urls = urlsBelow(url);
  const account = syntheticAccount({ records: 3, seed: 1 });
  const world = startWorld({ account, urls });
  const bucket = `${urls.syncto}/v1/buckets/${clientState(account.kB)}`;
  const records = `${bucket}/collections/history/records`;
  for (const audience of [`${url}/`, `${urls.token}/`]) {
    const headers = { Authorization: `BrowserID ${await world.device.assertion(audience, false)}` };
    const response = await world.fetch(new Request(`${records}?_limit=2`, { headers }));
    expect(response.status).toBe(200);
    expect(response.headers.get('next-page')).toContain(`${records}?_limit=2&_token=`);
  }
});

test('what was written is in the dump', async () => {
  const world = startWorld();
  const storage = await world.signIn();
  await storage('PUT', 'storage/col/a', { body: { payload: 'p', ttl: 60 } });
  expect(world.dump().users[1]?.collections).toEqual({
    col: {
      modified: TEST_NOW_MS / 1000,
      bsos: [{ id: 'a', modified: TEST_NOW_MS / 1000, payload: 'p', ttl: 60 }],
    },
  });
});
