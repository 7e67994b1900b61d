import { afterAll, beforeAll, expect, test } from 'vitest';
import { accountClient } from './account-client.ts';
import { type Serving, serveOnLoopback } from './serve.ts';
import { clientState } from './sync-keys.ts';
import { syntheticAccount } from './synthetic.ts';

const account = syntheticAccount({ records: 30, seed: 1 });
let serving: Serving;

beforeAll(async () => {
  serving = await serveOnLoopback({ port: 0, account });
});
afterAll(() => serving.close());

test('a client over real sockets signs in, pages through the history and writes', async () => {
  const { url, world } = serving;
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  const device = accountClient({
    fetch: (request) => fetch(request),
    baseUrl: world.urls.accounts,
    credentials: { email: world.account.email, kB: account.kB },
    nowMs: Date.now,
  });
  const headers = { Authorization: `BrowserID ${await device.assertion(`${url}/`, false)}` };
  const records = `${world.urls.syncto}/v1/buckets/${clientState(account.kB)}/collections/history/records`;
  let count = 0;
  let next: string | null = `${records}?_limit=20&_sort=oldest`;
  while (next) {
    const response: Response = await fetch(next, { headers });
    expect(response.status).toBe(200);
    const { data } = (await response.json()) as { data: unknown[] };
    count += data.length;
    next = response.headers.get('next-page');
  }
  expect(count).toBe(30);
  const body = JSON.stringify({ data: { payload: 'ü' } });
  const put = await fetch(`${records}/%7Bid%7D`, { method: 'PUT', headers, body });
  expect(await put.json()).toMatchObject({ data: { id: '{id}', payload: 'ü' } });
  const etag = put.headers.get('etag') ?? '';
  const same = await fetch(`${records}/%7Bid%7D`, {
    headers: { ...headers, 'If-None-Match': etag },
  });
  expect([same.status, await same.text()]).toEqual([304, '']);
});

test('a path that belongs to no server is 404', async () => {
  expect((await fetch(`${serving.url}/elsewhere`)).status).toBe(404);
});

test('a port that is taken is refused', async () => {
  const port = Number(new URL(serving.url).port);
  await expect(serveOnLoopback({ port, account })).rejects.toMatchObject({ code: 'EADDRINUSE' });
});
