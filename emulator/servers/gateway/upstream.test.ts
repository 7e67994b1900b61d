import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createUpstream } from './upstream.ts';

let server: ReturnType<typeof createServer>;
let sockets: Socket[];
let upstream: ReturnType<typeof createUpstream>;
const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
const ask = (method = 'GET') => upstream.fetch(new Request(url(), { method }));

beforeEach(async () => {
  sockets = [];
  server = createServer().listen(0, '127.0.0.1');
  server.on('connection', (socket) => sockets.push(socket));
  upstream = createUpstream({ idleMs: 300, exchangeMs: 900 });
  await once(server, 'listening');
});
afterEach(() => {
  upstream.close();
  server.closeAllConnections();
  server.close();
});

test('a server that says nothing is given up', async () => {
  await expect(ask()).rejects.toThrow('nothing came for too long');
});

test('an answer that stops in the middle fails where it is read', async () => {
  server.on('request', (_asked, answer) => answer.write('a'));
  await expect((await ask()).text()).rejects.toThrow();
});

test('an answer that drips for ever is given up, too', async () => {
  server.on('request', (_asked, answer) => {
    const timer = setInterval(() => answer.write('a'), 50);
    answer.once('close', () => clearInterval(timer));
  });
  await expect((await ask()).text()).rejects.toThrow();
});

test('an answer that nobody reads any more ends its connection', async () => {
  const closed = new Promise((resolve) => {
    server.on('request', (_asked, answer) => {
      const timer = setInterval(() => answer.write('a'.repeat(10_000)), 10);
      answer.once('close', () => resolve(clearInterval(timer)));
    });
  });
  await (await ask()).body?.cancel();
  await closed;
});

test.each([
  [200, 'text', 'text'],
  [204, '', ''],
  [304, '', ''],
  [599, 'text', 'text'],
])('status %i comes as it is', async (status, sent, heard) => {
  server.on('request', (_asked, answer) => answer.writeHead(status).end(sent));
  const answer = await ask();
  expect([answer.status, await answer.text()]).toEqual([status, heard]);
});

test('a status that means nothing is no answer', async () => {
  server.on('request', (_asked, answer) => answer.writeHead(999).end());
  await expect(ask()).rejects.toThrow('status 999');
});

test('a head without end is no answer', async () => {
  server.on('request', (_asked, answer) => answer.writeHead(200, { a: 'x'.repeat(40_000) }).end());
  await expect(ask()).rejects.toThrow();
});

test.each([
  ['GET', 2, 'text'],
  ['PUT', 1, null],
])(
  'a kept connection that is closed while %s takes it: asked %i times',
  async (method, times, text) => {
    let asked = 0;
    let isClosing = false;
    server.on('request', (_incoming, answer) => {
      if (!isClosing) return answer.end('first');
      asked++;
      if (asked === 1) answer.destroy();
      else answer.end('text');
    });
    await (await ask()).text();
    expect(sockets).toHaveLength(1);
    isClosing = true;
    const heard = await ask(method).then(
      (answer) => answer.text(),
      () => null,
    );
    expect([asked, heard]).toEqual([times, text]);
  },
);

test('after its end nobody is asked', async () => {
  server.on('request', (_asked, answer) => answer.end('text'));
  upstream.close();
  await expect(ask()).rejects.toThrow('any more');
  expect(sockets).toHaveLength(0);
});
