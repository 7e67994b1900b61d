// The gateway's port, with a handler of the test's own behind it: which requests reach that, what
// is answered to all others, what the log says, and how it stops.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { listen } from './listener.ts';

type Options = Parameters<typeof listen>[0];
type Line = Record<string, unknown>;

const open: Awaited<ReturnType<typeof listen>>[] = [];
afterEach(() => Promise.all(open.splice(0).map((listener) => listener.close(0))));

/** A listener before `handler`, what it has logged, and the requests that came through. */
async function started(
  handler: (request: Request) => Promise<Response>,
  change: Partial<Options> = {},
) {
  const lines: Line[] = [];
  const seen: Request[] = [];
  const urls: string[] = [];
  let nowMs = 0;
  const listener = await listen({
    ...{ port: 0, publicUrl: null, hosts: [] },
    log: (event, values = {}) => lines.push({ event, ...values }),
    handlerFor(publicUrl) {
      urls.push(publicUrl);
      return (request) => {
        seen.push(request);
        return handler(request);
      };
    },
    nowMs: () => (nowMs += 2.6),
    ...change,
  });
  open.push(listener);
  return { ...listener, lines, seen, urls, said: (text: string) => exchange(listener.port, text) };
}

const fine = async () => new Response('fine');
const head = (method: string, target: string, host = '127.0.0.1', more = '') =>
  `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${more}\r\n`;

async function textOf(socket: Socket): Promise<string> {
  let text = '';
  for await (const chunk of socket) text += chunk;
  return text;
}

/** All that comes back for these bytes. */
function exchange(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(bytes);
  return textOf(socket);
}

test('without a name of its own, it is called by its port', async () => {
  const { publicUrl, port, urls, seen } = await started(fine);
  expect(publicUrl).toBe(`http://127.0.0.1:${port}`);
  expect(urls).toEqual([publicUrl]);
  expect(await (await fetch(`${publicUrl}/v1/?a=b`)).text()).toBe('fine');
  expect(seen.map(({ url }) => url)).toEqual([`${publicUrl}/v1/?a=b`]);
});

test('a handler sees its public name, whatever the client called it, and the body', async () => {
  const bodies: string[] = [];
  const { said, seen, urls } = await started(
    async (request) => {
      bodies.push(await request.text());
      return new Response('fine');
    },
    { publicUrl: 'https://tv.test/syncto' },
  );
  const text = `${head('POST', '/syncto/v1/batch', 'localhost:5', 'Content-Length: 4\r\n')}body`;
  expect(await said(text)).toMatch(/^HTTP\/1\.1 200 .*fine$/s);
  expect(urls).toEqual(['https://tv.test/syncto']);
  expect(seen.map(({ url }) => url)).toEqual(['https://tv.test/syncto/v1/batch']);
  expect(bodies).toEqual(['body']);
});

test.each([
  ['127.0.0.1', 200],
  ['localhost:99', 200],
  ['tv.test', 200],
  ['Gateway.Test:443', 200],
  ['evil.test', 421],
  ['tv.test.evil.test', 421],
])('asked for the name %s, it answers %i', async (host, status) => {
  const { said, seen } = await started(fine, {
    ...{ publicUrl: 'https://tv.test', hosts: ['gateway.test'] },
  });
  const text = await said(head('GET', '/v1/', host));
  expect(text).toContain(`HTTP/1.1 ${status} `);
  expect(seen).toHaveLength(status === 200 ? 1 : 0);
  if (status === 421) expect(text).toContain('"errno":107');
  // Who looks after processes knows them by their address.
  expect(await said(head('GET', '/__lbheartbeat__', host))).toContain('HTTP/1.1 200 ');
});

test.each([
  [head('GET', 'http://127.0.0.1/v1/'), 400, 107],
  [head('TRACE', '/v1/'), 405, 115],
  [head('POST', '/v1/batch', 'localhost', 'Content-Length: 8388609\r\n'), 413, 113],
])('%j is answered here: %i, errno %i', async (text, status, errno) => {
  const { said, seen, lines } = await started(fine);
  const answer = await said(text);
  expect(answer).toContain(`HTTP/1.1 ${status} `);
  expect(answer).toContain('content-type: application/json');
  const body: unknown = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')));
  expect(body).toEqual({
    code: status,
    errno,
    error: expect.any(String),
    message: expect.any(String),
  });
  expect(seen).toEqual([]);
  expect(lines).toMatchObject([{ event: 'request', status, bytes: JSON.stringify(body).length }]);
});

test('a body that does not say how long it is is taken up to the limit', async () => {
  const { publicUrl, seen } = await started(async (request) =>
    Response.json((await request.arrayBuffer()).byteLength),
  );
  const post = async (bytes: number) => {
    const body = new Blob([new Uint8Array(bytes)]).stream();
    const init = { method: 'POST', body, duplex: 'half' } as RequestInit;
    const response = await fetch(`${publicUrl}/v1/batch`, init);
    return [response.status, await response.json()];
  };
  expect(await post(65_536)).toEqual([200, 65_536]);
  expect(await post(8_388_609)).toEqual([413, expect.objectContaining({ errno: 113 })]);
  expect(seen).toHaveLength(1);
});

test('a handler that fails is a gateway in trouble, and the log has the kind alone', async () => {
  const { publicUrl, lines } = await started(async () => {
    throw Object.assign(new Error('the-secret'), { code: 'ECONNRESET' });
  });
  const response = await fetch(`${publicUrl}/v1/`);
  expect(response.status).toBe(500);
  expect(await response.text()).not.toContain('the-secret');
  expect(lines).toMatchObject([
    { event: 'fault', cause: 'ECONNRESET' },
    { event: 'request', method: 'GET', route: 'hello', status: 500 },
  ]);
  expect(JSON.stringify(lines)).not.toContain('the-secret');
});

test('an answer that breaks off ends its connection, and the log says why', async () => {
  const body = () => {
    let pieces = 0;
    return new ReadableStream({
      pull(to) {
        if (++pieces > 3) to.error(Object.assign(new Error('gone'), { code: 'EPIPE' }));
        else to.enqueue(Buffer.from('part'));
      },
    });
  };
  const { publicUrl, lines } = await started(async () => new Response(body()));
  const whole = fetch(`${publicUrl}/v1/`).then((response) => response.text());
  await expect(whole).rejects.toThrow();
  expect(lines).toMatchObject([{ event: 'request', status: 200, cause: 'EPIPE' }]);
});

test('each request is a line: what kind, how it ended, its time and its bytes', async () => {
  const { publicUrl, lines } = await started(async () => new Response('12345', { status: 404 }));
  await fetch(`${publicUrl}/v1/batch?secret=1`, { method: 'POST', body: 'x' });
  await expect
    .poll(() => lines)
    .toEqual([{ event: 'request', method: 'POST', route: 'batch', status: 404, ms: 3, bytes: 5 }]);
});

test('a port that somebody has is refused as the system says it', async () => {
  const { port } = await started(fine);
  await expect(started(fine, { port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
});

test('told to stop, it finishes what has begun, and ends the connection with it', async () => {
  let finish = (_answer: Response): void => undefined;
  const { port, seen, lines, close } = await started(
    () => new Promise((resolve) => (finish = resolve)),
  );
  const socket = connect(port, '127.0.0.1');
  const text = textOf(socket);
  const kept = (target: string) => `GET ${target} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
  socket.write(kept('/v1/'));
  await expect.poll(() => seen.length).toBe(1);
  const closed = close(60_000);
  await expect(once(connect(port, '127.0.0.1'), 'connect')).rejects.toThrow();
  // Who asks on a connection that is still there is sent elsewhere.
  socket.write(kept('/__lbheartbeat__'));
  await expect.poll(() => lines).toMatchObject([{ route: 'heartbeat', status: 503 }]);
  finish(new Response('fine'));
  expect(await text).toContain('fine');
  await closed;
});

test('what has not ended when its time is over is cut off', async () => {
  const { port, seen, close } = await started(() => new Promise(() => undefined));
  const text = exchange(port, head('GET', '/v1/')).catch(() => '');
  await expect.poll(() => seen.length).toBe(1);
  await close(1);
  expect(await text).toBe('');
});
