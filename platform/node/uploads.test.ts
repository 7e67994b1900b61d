// Bodies that are made while they go up, over the sockets of this machine.

import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, createServer as createSocketServer } from 'node:net';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, test } from 'vitest';
import { EXCHANGE_LIMITS } from '../../agent/limits.ts';
import { REFUSED, type Server, SILENT } from '../../test/contract/network-server.ts';
import { uploadContract } from '../../test/contract/uploads.ts';
import { turnsAfter } from '../../test/support/turns.ts';
import type { Network, NetworkRequest, StreamedBody } from '../ports.ts';
import type { Fetch } from '../web/fetch-network.ts';
import { nodeMachine } from './platform.ts';

type Answer = (request: IncomingMessage) => Promise<Response>;

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** The port of a server; what its answer breaks with breaks the connection. */
async function listening(answer: Answer): Promise<number> {
  const server = createServer(async (request, response) => {
    try {
      const { status, headers, body } = await answer(request);
      response.writeHead(status, [...headers].flat());
      for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) response.write(chunk);
      response.end();
    } catch {
      response.destroy();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

function requestOf(incoming: IncomingMessage): Request {
  const { method = '', url = '' } = incoming;
  const headers = Object.entries(incoming.headers).map(([name, value]): [string, string] => [
    name,
    `${value}`,
  ]);
  const body = Readable.toWeb(incoming) as ReadableStream<Uint8Array>;
  return new Request(`https://server.test${url}`, { method, headers, body, duplex: 'half' });
}

/** A machine for which the servers of `https://server.test` are at a port of this one. */
function machineFor(port: number): Network {
  const fetchThere: Fetch = (request) => {
    const { pathname } = new URL(request.url);
    const there = pathname.endsWith(REFUSED) ? 1 : port;
    return fetch(new Request(`http://127.0.0.1:${there}${pathname}`, request));
  };
  const { network, stop } = nodeMachine({ fetch: fetchThere });
  closing.push(stop);
  return network;
}

/** One piece, and what the system keeps between two programs. */
const ON_THE_WAY_BYTES_MAX = 6 * 1024 * 1024;

describe('Node.js over its sockets', () => {
  const serve = async (server: Server): Promise<Network> =>
    machineFor(
      await listening(async (incoming) => {
        if (!incoming.url?.endsWith(SILENT)) return server(requestOf(incoming));
        incoming.resume();
        return new Promise(() => undefined);
      }),
    );
  uploadContract(serve, { whileMade: true, onTheWayBytesMax: ON_THE_WAY_BYTES_MAX });
});

const POST: NetworkRequest = {
  method: 'POST',
  url: 'https://server.test/',
  headers: [],
  ...EXCHANGE_LIMITS,
};

test('50 MB go up, and the machine holds as little of them as of a short body', async () => {
  const bytesMax = 50 * 1024 * 1024;
  let takenBytes = 0;
  let chunks = 0;
  const port = await listening(async (incoming) => {
    for await (const chunk of incoming) {
      takenBytes += (chunk as Uint8Array).length;
      // A server that is slower than the device, at times.
      if (++chunks % 16 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return new Response(`${takenBytes} of ${incoming.headers['content-length']}`);
  });
  let madeBytes = 0;
  let heldBytes = 0;
  const next = async (): Promise<Uint8Array | null> => {
    if (madeBytes === bytesMax) return null;
    madeBytes += 16_384;
    heldBytes = Math.max(heldBytes, madeBytes - takenBytes);
    return new Uint8Array(16_384);
  };
  const body: StreamedBody = { lengthBytes: bytesMax, open: () => ({ next }) };
  const response = await machineFor(port).request({ ...POST, body });
  expect(await response.read()).toBe(`${bytesMax} of ${bytesMax}`);
  expect(heldBytes).toBeLessThanOrEqual(ON_THE_WAY_BYTES_MAX);
});

test.each([
  ['announced', 30_000, ['30000', undefined]],
  ['in chunks, where its length is not known', undefined, [undefined, 'chunked']],
])('a body is %s', async (_, lengthBytes, framing) => {
  const seen: unknown[] = [];
  const port = await listening(async ({ headers, method }) => {
    seen.push(headers['content-length'], headers['transfer-encoding']);
    return new Response(method);
  });
  const pieces = ['é'.repeat(5_000), new Uint8Array(10_000), 'x'.repeat(10_000)];
  const open = () => {
    const left = [...pieces];
    return { next: async () => left.shift() ?? null };
  };
  const body = { ...(lengthBytes !== undefined && { lengthBytes }), open };
  await machineFor(port).request({ ...POST, body });
  expect(seen).toEqual(framing);
});

test('a server that answers early and hangs up is heard', async () => {
  const answer = 'HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nwhy';
  let isAnswered = (): void => undefined;
  const answered = new Promise<void>((resolve) => {
    isAnswered = resolve;
  });
  const server = createSocketServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(answer, isAnswered));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => server.close());
  let asked = 0;
  const next = async (): Promise<string> => {
    // So slowly that nothing more is on its way when the server hangs up: else the answer may be
    // lost with the connection, which is `offline`.
    if (asked++ > 0) {
      await answered;
      await turnsAfter(20);
    }
    return 'x'.repeat(9_000);
  };
  const network = machineFor((server.address() as AddressInfo).port);
  const response = await network.request({ ...POST, body: { open: () => ({ next }) } });
  expect([response.status, await response.read()]).toEqual([413, 'why']);
  const askedByThen = asked;
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(asked).toBeLessThanOrEqual(askedByThen + 1);
});
