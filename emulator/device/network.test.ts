import { describe, expect, test } from 'vitest';
import type { NetworkRequest } from '../../platform/ports.ts';
import { NS_PER_MS, virtualClock } from './clock.ts';
import {
  createNetwork,
  type DeviceNetwork,
  type FetchHandler,
  type NetworkFault,
  type ResponseHead,
} from './network.ts';

const GET: NetworkRequest<string> = {
  method: 'GET',
  url: 'https://sync.example/v1/records?_limit=2',
  headers: [['accept', 'application/json']],
  timeoutMs: 30_000,
  windowMs: 60_000,
  windowBytesMin: 1_000,
  longestMs: 600_000,
};

/** One byte takes a microsecond, a round trip 100 ms, a first connection 50 ms. */
function setUp(fetch: FetchHandler, fault?: (index: number) => NetworkFault | null) {
  const clock = virtualClock();
  const link = { bytesPerSecond: 1_000_000, roundTripMs: 100, connectMs: 50 };
  const network = createNetwork({ clock, link, fetch, fault, connection: () => 'wifi' });
  const run = async <T>(start: (done: (outcome: T) => void) => void): Promise<T> => {
    let outcome: { value: T } | null = null;
    start((value) => {
      outcome = { value };
    });
    while (outcome === null && (await clock.step()));
    if (outcome === null) throw new Error('nothing came');
    return (outcome as { value: T }).value;
  };
  const request = (what: NetworkRequest<string> = GET) =>
    run((done: Parameters<DeviceNetwork['request']>[1]) => network.request(what, done));
  const read = (stream: number) =>
    run((done: Parameters<DeviceNetwork['read']>[1]) => network.read(stream, done));
  const open = async () => (await request()) as ResponseHead;
  return { clock, network, run, request, read, open, nowMs: () => clock.nowNs() / NS_PER_MS };
}

const answer = (body: ConstructorParameters<typeof Response>[0], init?: ResponseInit) => async () =>
  new Response(body, init);

/** A body in chunks, which records how many of them were taken. */
function streamed(chunks: readonly Uint8Array[]) {
  const taken = { count: 0, cancelled: false };
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const chunk = chunks[taken.count++];
        if (chunk) controller.enqueue(chunk);
        else controller.close();
      },
      cancel() {
        taken.cancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  return { taken, fetch: answer(body) };
}

describe('an exchange', () => {
  test('gives status, headers and the whole text', async () => {
    const { open, read } = setUp(answer('grüße', { status: 203, headers: { ETag: '"5"' } }));
    const head = await open();
    expect(head.status).toBe(203);
    expect(head.headers).toContainEqual(['etag', '"5"']);
    expect(await read(head.stream)).toEqual({ text: 'grüße' });
    expect(await read(head.stream)).toBeNull();
  });

  test('hands method, headers and body to the server', async () => {
    const seen: string[] = [];
    const { request } = setUp(async (received) => {
      seen.push(received.method, received.url, received.headers.get('if-match') ?? '');
      seen.push(await received.text());
      return new Response(null, { status: 204 });
    });
    await request({ ...GET, method: 'PUT', headers: [['If-Match', '"7"']], body: '{"ü":1}' });
    expect(seen).toEqual(['PUT', GET.url, '"7"', '{"ü":1}']);
  });

  test('returns a redirect as it is', async () => {
    const { open } = setUp(
      answer(null, { status: 302, headers: { location: 'https://evil.example/' } }),
    );
    const head = await open();
    expect([head.status, head.headers]).toEqual([302, [['location', 'https://evil.example/']]]);
  });

  test('costs a round trip, the bytes, and a handshake the first time', async () => {
    const { open, nowMs, network } = setUp(answer(null, { status: 204 }));
    await open();
    const { bytesIn, bytesOut } = network.counters();
    expect(nowMs()).toBeCloseTo(50 + 100 + (bytesIn + bytesOut) / 1000, 6);
    const firstMs = nowMs();
    await open();
    expect(nowMs() - firstMs).toBeCloseTo(100 + (bytesIn + bytesOut) / 1000, 6);
  });

  test('counts the lines of HTTP/1.1, both ways', async () => {
    const { open, read, network } = setUp(answer('[{"id":1}]', { headers: { 'x-a': 'b' } }));
    const { stream } = await open();
    await read(stream);
    const sent =
      'GET /v1/records?_limit=2 HTTP/1.1\r\nhost: sync.example\r\naccept: application/json\r\n\r\n';
    const head = 'HTTP/1.1 200 \r\ncontent-type: text/plain;charset=UTF-8\r\nx-a: b\r\n\r\n';
    expect(network.counters()).toEqual({
      requests: 1,
      bytesOut: sent.length,
      bytesIn: head.length + '[{"id":1}]'.length,
      payloadBytesIn: '{"id":1}'.length,
    });
  });

  test('is offline for a server that cannot be reached and an address that is none', async () => {
    const { request } = setUp(async () => Promise.reject(new TypeError('fetch failed')));
    expect(await request()).toEqual({ error: 'offline', text: 'sync.example' });
    expect(await request({ ...GET, url: 'nonsense' })).toMatchObject({ error: 'offline' });
  });
});

describe('a body', () => {
  test('comes in pieces of at most 16,384 characters, one for each read', async () => {
    const { open, read } = setUp(answer('x'.repeat(40_000)));
    const { stream } = await open();
    const lengths = [];
    for (;;) {
      const piece = await read(stream);
      if (piece === null || 'error' in piece) break;
      lengths.push(piece.text.length);
    }
    expect(lengths).toEqual([16_384, 16_384, 7_232]);
  });

  test('is truncated when it is shorter than announced', async () => {
    const { open, read } = setUp(answer('abc', { headers: { 'content-length': '4' } }));
    const { stream } = await open();
    expect(await read(stream)).toEqual({ text: 'abc' });
    expect(await read(stream)).toEqual({ error: 'truncated', text: 'sync.example' });
  });

  test('is not taken from the server before it is asked for', async () => {
    const { taken, fetch } = streamed(Array.from({ length: 100 }, () => Buffer.alloc(1000, 0x61)));
    const { open, read, network } = setUp(fetch);
    const { stream } = await open();
    expect(taken.count).toBe(0);
    await read(stream);
    expect(taken.count).toBe(1);
    network.close(stream);
    expect(taken.cancelled).toBe(true);
    expect(await read(stream)).toEqual({ error: 'truncated' });
  });

  test('travels while the device is busy, one piece ahead', async () => {
    const { clock, open, read, nowMs } = setUp(answer('x'.repeat(16_384 * 2)));
    const { stream } = await open();
    await read(stream);
    const beforeMs = nowMs();
    clock.spend(10 * NS_PER_MS);
    await read(stream);
    expect(nowMs() - beforeMs).toBeCloseTo(16.384, 6);
  });
});

describe('a connection that fails', () => {
  test('can be refused', async () => {
    const { request, network } = setUp(answer('x'), () => 'refused');
    expect(await request()).toEqual({ error: 'offline', text: 'ECONNREFUSED sync.example' });
    expect(network.counters()).toMatchObject({ requests: 1, bytesOut: 0, bytesIn: 0 });
  });

  test('can stay silent until the time is over', async () => {
    const { request, nowMs } = setUp(answer('x'), () => 'silent');
    expect(await request()).toEqual({ error: 'timeout', text: 'sync.example' });
    expect(nowMs()).toBe(30_000);
  });

  test('can break at any byte of head and body; the bytes before it arrive', async () => {
    const whole = setUp(answer('hello'));
    await whole.read((await whole.open()).stream);
    const totalBytes = whole.network.counters().bytesIn;
    for (let cutAfterBytes = 0; cutAfterBytes <= totalBytes; cutAfterBytes++) {
      const { request, read, network } = setUp(answer('hello'), () => ({ cutAfterBytes }));
      const head = await request();
      let text = '';
      let end: unknown = head;
      while ('stream' in head) {
        end = await read(head.stream);
        if (end === null || 'error' in (end as object)) break;
        text += (end as { text: string }).text;
      }
      const bodyBytes = cutAfterBytes - (totalBytes - 5);
      expect(text).toBe(bodyBytes > 0 ? 'hello'.slice(0, bodyBytes) : '');
      if (bodyBytes < 0) expect(end).toMatchObject({ error: 'offline' });
      else if (bodyBytes < 5) expect(end).toMatchObject({ error: 'truncated' });
      else expect(end).toBeNull();
      expect(network.counters().bytesIn).toBe(cutAfterBytes);
    }
  });
});

describe('a body that comes in pieces', () => {
  const PUT: NetworkRequest<string> = { ...GET, method: 'PUT' };
  const piece = new Uint8Array(10_000);
  const whole: FetchHandler = async (request) => new Response(await request.text());

  /** Sends so many pieces and the end; resolves to the answer, with when each piece had left. */
  function sending(fetch: FetchHandler, fault?: NetworkFault) {
    const set = setUp(fetch, () => fault ?? null);
    const leftMs: number[] = [];
    const upload = async (count: number, lengthBytes: number | null = count * piece.length) =>
      set.run<ResponseHead | { error: string }>((done) => {
        const out = set.network.upload(PUT, lengthBytes, done);
        const send = (at: number): void => {
          if (at <= count) {
            out.piece(at < count ? piece : null, () => {
              leftMs.push(set.nowMs());
              send(at + 1);
            });
          }
        };
        send(0);
      });
    return { ...set, upload, leftMs };
  }

  test('leaves as fast as the link takes it, and is counted', async () => {
    const { upload, leftMs, network } = sending(whole);
    expect(await upload(3)).toMatchObject({ status: 200 });
    const head = `PUT /v1/records?_limit=2 HTTP/1.1\r\nhost: sync.example\r\n${[
      'content-length: 30000',
      'accept: application/json',
    ].join('\r\n')}\r\n\r\n`;
    expect(network.counters().bytesOut).toBe(head.length + 30_000);
    expect(leftMs[0]).toBeCloseTo(50 + (head.length + 10_000) / 1_000, 6);
    expect((leftMs[2] ?? 0) - (leftMs[1] ?? 0)).toBeCloseTo(10, 6);
  });

  test('is framed in chunks where its length is not known', async () => {
    const [known, unknown] = [sending(whole), sending(whole)];
    await known.upload(2);
    await unknown.upload(2, null);
    const framed = 'transfer-encoding: chunked'.length - 'content-length: 20000'.length;
    const chunks = 2 * '2710\r\n\r\n'.length + '0\r\n\r\n'.length;
    const bytesOut = known.network.counters().bytesOut + framed + chunks;
    expect(unknown.network.counters().bytesOut).toBe(bytesOut);
  });

  test('waits for a server that takes it slowly', async () => {
    const { upload, leftMs } = sending(whole, { bytesPerSecond: 10_000 });
    expect(await upload(9)).toMatchObject({ status: 200 });
    expect((leftMs[8] ?? 0) - (leftMs[7] ?? 0)).toBeCloseTo(1_000, 6);
  });

  test('breaks at any byte, and the server never sees it whole', async () => {
    let isWhole = false;
    const wary: FetchHandler = async (request) => {
      await request.text();
      isWhole = true;
      return new Response(null, { status: 204 });
    };
    const all = sending(wary);
    await all.upload(2);
    const { bytesOut } = all.network.counters();
    isWhole = false;
    for (let cut = 0; cut < bytesOut; cut += 997) {
      const { upload, network } = sending(wary, { cutUploadAfterBytes: cut });
      expect(await upload(2)).toMatchObject({ error: 'offline' });
      expect(network.counters().bytesOut).toBe(cut);
      expect(isWhole).toBe(false);
    }
    const { upload } = sending(wary, { cutUploadAfterBytes: bytesOut });
    expect(await upload(2)).toMatchObject({ status: 204 });
  });

  test('breaks as a text does that is all of it', async () => {
    let requests = 0;
    const { request, network } = setUp(
      async () => {
        requests++;
        return new Response(null, { status: 204 });
      },
      () => ({ cutUploadAfterBytes: 20 }),
    );
    expect(await request({ ...PUT, body: 'x'.repeat(99) })).toMatchObject({ error: 'offline' });
    expect([requests, network.counters().bytesOut]).toEqual([0, 20]);
  });

  test('is lost with the power', async () => {
    let isBroken = false;
    const { network, clock } = sending(async (request) => {
      await request.text().catch(() => {
        isBroken = true;
      });
      return new Response();
    });
    const done: unknown[] = [];
    const out = network.upload(PUT, null, (outcome) => done.push(outcome));
    out.piece(piece, () => undefined);
    for (let events = 0; events < 3; events++) await clock.step();
    clock.clear();
    network.reset();
    await new Promise(setImmediate);
    expect([isBroken, done]).toEqual([true, []]);
  });
});

test('a power loss ends every stream and forgets every connection', async () => {
  const { open, read, network, nowMs } = setUp(answer('hello'));
  const { stream } = await open();
  network.reset();
  expect(await read(stream)).toEqual({ error: 'truncated' });
  const beforeMs = nowMs();
  await open();
  expect(nowMs() - beforeMs).toBeGreaterThan(150);
});
