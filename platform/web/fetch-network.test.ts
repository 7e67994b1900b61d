import { HttpResponse, http } from 'msw';
import { setupServer } from 'msw/node';
import { describe, expect, test } from 'vitest';
import { networkContract } from '../../test/contract/network.ts';
import { REFUSED, type Server, SILENT } from '../../test/contract/network-server.ts';
import type { NetworkRequest } from '../ports.ts';
import { type Fetch, fetchNetwork } from './fetch-network.ts';

for (const streamsBodies of [true, false]) {
  networkContract(
    `a server in the same process, bodies ${streamsBodies ? 'streamed' : 'collected'}`,
    async (server) => ({ network: fetchNetwork(sameProcess(server), { streamsBodies }), close }),
    { whileMade: streamsBodies, onTheWayBytesMax: 2 * 16_384 },
  );
}

function sameProcess(server: Server): Fetch {
  return async (request) => {
    if (request.url.endsWith(REFUSED)) throw new TypeError('fetch failed');
    if (request.url.endsWith(SILENT)) await silence(request);
    return server(request);
  };
}

/** Takes what comes, and says nothing. */
async function silence(request: Request): Promise<never> {
  await request.arrayBuffer();
  return new Promise(() => undefined);
}

async function close(): Promise<void> {}

networkContract(
  "the runtime's own fetch",
  async (server) => {
    const msw = setupServer(
      http.all(`*${REFUSED}`, () => HttpResponse.error()),
      http.all(`*${SILENT}`, () => new Promise<never>(() => undefined)),
      http.all('*', ({ request }) => answerOf(server, request)),
    );
    msw.listen({ onUnhandledRequest: 'error' });
    return {
      network: fetchNetwork((request) => fetch(request)),
      close: async () => msw.close(),
    };
  },
  null,
);

async function answerOf(server: Server, request: Request): Promise<Response> {
  return server(request);
}

const GET: NetworkRequest = {
  method: 'GET',
  url: 'https://server.test/',
  headers: [],
  timeoutMs: 15,
  windowMs: 9_000,
  windowBytesMin: 1,
  longestMs: 9_000,
};

/** A body of one chunk, after which nothing comes any more. */
function stalled() {
  const seen = { isCancelled: false };
  const body = new ReadableStream<Uint8Array>(
    {
      start: (controller) => controller.enqueue(Uint8Array.of(0x61)),
      cancel: () => {
        seen.isCancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  return { seen, body };
}

describe('an answer over fetch', () => {
  test('that comes to a standstill times out, and its connection is given up', async () => {
    const { seen, body } = stalled();
    let signal: AbortSignal | null = null;
    const network = fetchNetwork(async (request) => {
      signal = request.signal;
      return new Response(body);
    });
    const response = await network.request(GET);
    expect(await response.read()).toBe('a');
    await expect(response.read()).rejects.toMatchObject({ code: 'timeout' });
    expect(seen.isCancelled).toBe(true);
    expect(signal).toMatchObject({ aborted: true });
  });

  test('that nobody wants any more is cancelled at its source', async () => {
    const { seen, body } = stalled();
    const network = fetchNetwork(async () => new Response(body));
    const response = await network.request(GET);
    response.cancel();
    await new Promise(setImmediate);
    expect(seen.isCancelled).toBe(true);
  });

  test('that is no text is cancelled at its source', async () => {
    const { seen, body } = stalled();
    const bad = new TransformStream<Uint8Array, Uint8Array>({
      transform: (_, controller) => controller.enqueue(Uint8Array.of(0xff)),
    });
    const network = fetchNetwork(async () => new Response(body.pipeThrough(bad)));
    const response = await network.request(GET);
    await expect(response.read()).rejects.toMatchObject({ code: 'encoding' });
    await new Promise(setImmediate);
    expect(seen.isCancelled).toBe(true);
  });

  test('is asked for without following redirects, and with no body where none is', async () => {
    const seen: unknown[] = [];
    const network = fetchNetwork(async (request) => {
      seen.push(request.redirect, request.body);
      return new Response(null);
    });
    await network.request(GET);
    expect(seen).toEqual(['manual', null]);
  });
});

test('a body that is sent whole has a limit, which is named', async () => {
  const lengths: number[] = [];
  const server = async (request: Request) => {
    lengths.push((await request.arrayBuffer()).byteLength);
    return new Response(null, { status: 204 });
  };
  const network = fetchNetwork(server, { collectedBytesMax: 4_000 });
  const send = (count: number) => {
    let asked = 0;
    const next = async () => (asked++ < count ? 'é' : null);
    const body = { open: () => ({ next }) };
    return network.request({ ...GET, method: 'PUT', body }).then(({ status }) => status);
  };
  expect(await send(2_000)).toBe(204);
  const refused = send(2_001);
  await expect(refused).rejects.toMatchObject({ code: 'unsupported' });
  await expect(refused).rejects.toThrow('more than 4000 bytes');
  expect(lengths).toEqual([4_000]);
});
