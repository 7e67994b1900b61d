import { type IncomingHttpHeaders, request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { accountClient } from './account-client.ts';
import { signIn } from './picl/testing.ts';
import { type Serving, serveOnLoopback } from './serve.ts';
import { clientState } from './sync-keys.ts';
import { syntheticAccount } from './synthetic.ts';
import { storageClient } from './testing.ts';

const account = syntheticAccount({ records: 30, seed: 1 });
const APP = 'https://app.example';
let serving: Serving;

beforeAll(async () => {
  const origins = [APP];
  serving = await serveOnLoopback({ port: 0, account, hosts: ['kitchen.local'], origins });
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
  const bucket = `${world.urls.syncto}/v1/buckets/${clientState(account.kB)}`;
  const records = `${bucket}/collections/history/records`;
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
  const sent = { ...headers, 'Content-Type': 'application/json' };
  const put = await fetch(`${records}/%7Bid%7D`, { method: 'PUT', headers: sent, body });
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

test('a PiCL collection at another origin is asked for there, and signed so', async () => {
  const places = new Map([['passwords', 'http://other.local/picl']]);
  const { world, port, close } = await serveOnLoopback({ port: 0, account, picl: { places } });
  const send = async (asked: Request): Promise<Response> => {
    const { host, pathname, search } = new URL(asked.url);
    const headers = { ...Object.fromEntries(asked.headers), host };
    const path = pathname + search;
    const options = { host: '127.0.0.1', port, method: asked.method, path, headers };
    const body = await asked.text();
    return new Promise((resolve, reject) => {
      const sent = request(options, async (incoming) => {
        const text = Buffer.concat(await incoming.toArray()).toString();
        resolve(new Response(text, { status: incoming.statusCode ?? 0 }));
      });
      sent.on('error', reject).end(body);
    });
  };
  const credentials = { email: world.account.email, kB: account.kB };
  const baseUrl = world.urls.accounts;
  const device = accountClient({ fetch: send, baseUrl, credentials, nowMs: Date.now });
  const clock = { nowMs: Date.now() };
  const user = await signIn({ fetch: send, urls: world.urls, device, clock });
  for (const name of ['history', 'passwords'])
    expect(await user.at(name)('GET', '')).toMatchObject({ status: 200, json: { name } });
  const there = user.collections.history ?? '';
  const moved = there.replace(new URL(there).host, 'other.local');
  const ask = storageClient({ fetch: send }, { ...user, api_endpoint: moved }, Date.now);
  expect((await ask('GET', '')).status).toBe(404);
  await close();
});

test('a port that is taken is refused', async () => {
  const port = Number(new URL(serving.url).port);
  await expect(serveOnLoopback({ port, account })).rejects.toMatchObject({ code: 'EADDRINUSE' });
});

interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Of the body, as far as it went until the answer came. */
  readonly sentBytes: number;
}

/** One request as any client may write it, with a body of zeros. */
function ask(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  bodyBytes = 0,
): Promise<Answered> {
  return new Promise((resolve, reject) => {
    let sentBytes = 0;
    const asked = request(serving.url, { method, headers, path }, (answer) => {
      answer.resume();
      answer.once('end', () => {
        asked.destroy();
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, sentBytes });
      });
    });
    asked.on('error', reject);
    const send = (): void => {
      while (sentBytes < bodyBytes && !asked.destroyed) {
        sentBytes += PIECE.length;
        if (!asked.write(PIECE)) return void asked.once('drain', send);
      }
      asked.end();
    };
    send();
  });
}
const PIECE = Buffer.alloc(65_536);
const TOKEN = '/token/1.0/sync/1.5';

describe('a body', () => {
  test.each([
    ['/accounts/v1/account/login', 65_536],
    [TOKEN, 1_024],
    ['/sync15/1.5/1/storage/history', 4_194_304],
    ['/syncto/v1/batch', 8_388_608],
    ['/elsewhere', 1_024],
  ])('for %s is not read beyond %i bytes', async (path, bytesMax) => {
    const length = 400_000_000;
    const told = await ask('POST', path, { 'Content-Length': `${length}` }, length);
    expect(told.status).toBe(413);
    const chunked = await ask('POST', path, { 'Transfer-Encoding': 'chunked' }, length);
    expect(chunked.status).toBe(413);
    // What lies in the buffers of the sockets comes on top.
    for (const { sentBytes } of [told, chunked]) expect(sentBytes).toBeLessThan(bytesMax + 2e7);
  });

  it('that the storage itself finds too long is still its own to refuse', async () => {
    const length = 46 * PIECE.length;
    const headers = { 'Content-Length': `${length}` };
    const path = '/sync15/1.5/1/storage/history';
    const { status, headers: said } = await ask('POST', path, headers, length);
    expect([status, said['x-weave-timestamp']]).toEqual([413, expect.any(String)]);
  });
});

describe('a name that this machine has not', () => {
  test.each([
    ['evil.example', 421],
    ['127.0.0.1.evil.example:80', 421],
    ['localhost', 401],
    ['LOCALHOST:1234', 401],
    ['[::1]:1234', 401],
    ['kitchen.local:80', 401],
  ])('%s: %i', async (host, status) => {
    expect((await ask('GET', TOKEN, { Host: host })).status).toBe(status);
  });

  it('is refused in the target of the request, too', async () => {
    const text = await new Promise<string>((resolve) => {
      const socket = connect(serving.port, '127.0.0.1');
      let heard = '';
      socket.on('data', (bytes) => {
        heard += bytes;
      });
      socket.once('close', () => resolve(heard));
      socket.end(
        `GET http://evil.example${TOKEN} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
      );
    });
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
  });
});

describe('a page', () => {
  const preflight = { 'Access-Control-Request-Method': 'GET' };

  test.each([['https://evil.example'], ['null'], [`${APP}.evil.example`], ['http://127.0.0.1:1']])(
    'of %s may not ask',
    async (origin) => {
      for (const method of ['GET', 'POST', 'OPTIONS']) {
        const { status, headers } = await ask(method, TOKEN, { Origin: origin, ...preflight });
        expect([status, headers['access-control-allow-origin']]).toEqual([403, undefined]);
      }
    },
  );

  test.each(['/accounts/v1/oauth/token', TOKEN, '/sync15/1.5/1/info/collections'])(
    'of an origin that is allowed may ask %s, without the cookies of the browser',
    async (path) => {
      const before = await ask('OPTIONS', path, { Origin: APP, ...preflight });
      expect([before.status, before.headers['access-control-allow-origin']]).toEqual([204, APP]);
      expect(before.headers['access-control-allow-headers']).toContain('X-KeyID');
      const { status, headers } = await ask('GET', path, { Origin: APP });
      expect(status).toBeGreaterThan(204);
      expect(headers).toMatchObject({ 'access-control-allow-origin': APP, vary: 'Origin' });
      expect(headers['access-control-expose-headers']).toContain('X-Last-Modified');
      for (const said of [headers, before.headers]) {
        expect(said).not.toHaveProperty('access-control-allow-credentials');
      }
    },
  );

  it('may not ask a Syncto gateway, wherever it comes from', async () => {
    expect((await ask('GET', '/syncto/v1/', { Origin: APP })).status).toBe(403);
  });

  it('of the servers themselves may ask', async () => {
    const host = new URL(serving.url).host;
    const { status } = await ask('GET', TOKEN, { Origin: `http://${host}` });
    expect(status).toBe(401);
  });
});
