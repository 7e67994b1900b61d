import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, test } from 'vitest';
import { EXCHANGE_LIMITS } from '../../agent/limits.ts';
import type { NetworkRequest } from '../ports.ts';
import { fetchNetwork } from '../web/fetch-network.ts';
import { overKeptConnections } from './kept-connections.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

let server: Server | null = null;
let worker: Worker | null = null;
afterEach(async () => {
  server?.close();
  await worker?.terminate();
});

/**
 * A server that does with each request what `answer` says; `nth` counts those of one connection.
 */
async function listen(answer: (socket: Socket, nth: number) => void) {
  const seen: string[] = [];
  server = createServer((socket) => {
    let nth = 0;
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      seen.push(bytes.toString('latin1').slice(0, 4).trim());
      answer(socket, ++nth);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, seen };
}

function client() {
  const network = fetchNetwork(overKeptConnections(fetch));
  return async (url: string, method: NetworkRequest['method'] = 'GET') => {
    const body = method === 'PUT' || method === 'POST' ? { body: '{}' } : {};
    const response = await network.request({
      url,
      method,
      headers: [],
      ...EXCHANGE_LIMITS,
      ...body,
    });
    let text = '';
    for (let piece = await response.read(); piece !== null; piece = await response.read()) {
      text += piece;
    }
    // Then the connection is free to be used again.
    await new Promise((resolve) => setTimeout(resolve, 5));
    return text;
  };
}

describe('a server that closes a kept connection just when it is used again', () => {
  const closing = (socket: Socket, nth: number): void => {
    if (nth === 1) socket.write(OK);
    else socket.destroy();
  };

  test('is asked once more, over another one', async () => {
    const { url, seen } = await listen(closing);
    const ask = client();
    for (let round = 0; round < 4; round++) expect(await ask(url)).toBe('ok');
    expect(seen).toHaveLength(7);
  });

  test.each(['POST', 'PUT', 'DELETE'] as const)('never gets a %s twice', async (method) => {
    const { url, seen } = await listen(closing);
    const ask = client();
    await ask(url);
    await expect(ask(url, method)).rejects.toMatchObject({ code: 'offline' });
    expect(seen).toEqual(['GET', method.slice(0, 4)]);
  });
});

test('a server that closes every connection is asked twice and no more', async () => {
  let closes = false;
  const { url, seen } = await listen((socket) => {
    if (closes) socket.destroy();
    else socket.write(OK);
  });
  const ask = client();
  await ask(url);
  closes = true;
  const cause = expect.stringMatching(/^(UND_ERR_SOCKET|ECONNRESET) 127/);
  await expect(ask(url)).rejects.toMatchObject({ code: 'offline', cause });
  expect(seen).toHaveLength(3);
});

test('a server that has never answered is asked once', async () => {
  const { url, seen } = await listen((socket) => void socket.destroy());
  await expect(client()(url)).rejects.toMatchObject({ code: 'offline' });
  expect(seen).toHaveLength(1);
});

test('an answer that breaks in the middle is not asked for again', async () => {
  const { url, seen } = await listen((socket, nth) => {
    if (nth === 1) socket.write(OK);
    else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok', () => socket.destroy());
  });
  const ask = client();
  await ask(url);
  await expect(ask(url)).rejects.toMatchObject({ code: 'truncated' });
  expect(seen).toHaveLength(2);
});

/** A server with a loop of its own: it closes what is idle while this process is busy. */
const IMPATIENT = `
const { createServer } = require('node:net');
const { parentPort, workerData } = require('node:worker_threads');
const server = createServer((socket) => {
  let timer;
  socket.on('error', () => undefined);
  socket.on('data', () => {
    clearTimeout(timer);
    socket.write(${JSON.stringify(OK)});
    timer = setTimeout(() => socket.end(), 20);
  });
  socket.once('finish', () => {
    Atomics.add(workerData, 0, 1);
    Atomics.notify(workerData, 0);
  });
});
server.listen(0, '127.0.0.1', () => {
  parentPort.postMessage(server.address().port);
});`;

test.each(['GET', 'POST'] as const)(
  'a program that was busy too long: its %s arrives',
  async (method) => {
    const closed = new Int32Array(new SharedArrayBuffer(4));
    worker = new Worker(IMPATIENT, { eval: true, workerData: closed });
    const [port] = await once(worker, 'message');
    const url = `http://127.0.0.1:${port}/`;
    const ask = client();
    for (let round = 0; round < 8; round++) {
      await ask(url);
      // Busy until the server has closed: what comes of that waits for this process.
      Atomics.wait(closed, 0, 2 * round);
      expect(await ask(url, method)).toBe('ok');
      Atomics.wait(closed, 0, 2 * round + 1);
    }
  },
);
