// What every device's network must do, as one suite that takes the implementation as an argument.
// It promises to test the words of platform/ports.ts (interface Network) and nothing about how a
// network works inside. Each test has a server of its own.

import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type {
  ExchangeLimits,
  Network,
  NetworkRequest,
  NetworkResponse,
} from '../../platform/ports.ts';
import { REFUSED, type Server, SILENT, SLOW, SLOW_BYTES_PER_SECOND } from './network-server.ts';
import type { UploadTraits } from './upload-bodies.ts';
import { uploadContract } from './uploads.ts';

interface NetworkUnderTest {
  readonly network: Network;
  close(): Promise<void>;
}

const URL_BASE = 'https://server.test/v1';
const PIECE_CHARS_MAX = 16_384;
const GET: NetworkRequest = {
  method: 'GET',
  url: `${URL_BASE}/x`,
  headers: [],
  timeoutMs: 9_000,
  windowMs: 9_000,
  windowBytesMin: 1,
  longestMs: 9_000,
};

export function networkContract(
  name: string,
  make: (server: Server) => Promise<NetworkUnderTest>,
  traits: UploadTraits | null,
): void {
  describe(`the network contract: ${name}`, () => {
    let opened: NetworkUnderTest[] = [];
    const serve = async (server: Server): Promise<Network> => {
      const made = await make(server);
      opened.push(made);
      return made.network;
    };
    const ask = async (server: Server): Promise<NetworkResponse> =>
      (await serve(server)).request(GET);
    afterEach(async () => {
      for (const one of opened) await one.close();
      opened = [];
    });

    if (traits !== null) uploadContract(serve, traits);

    it('gives status, headers by lower-case name, and the text', async () => {
      const headers = { ETag: '"17"', 'X-Weave-Backoff': '60' };
      const response = await ask(() => new Response('grüße', { status: 203, headers }));
      expect(response.status).toBe(203);
      expect(response.headers).toContainEqual(['etag', '"17"']);
      expect(response.headers).toContainEqual(['x-weave-backoff', '60']);
      expect(await textOf(response)).toBe('grüße');
    });

    it('hands method, address, headers and body over', async () => {
      const seen: string[] = [];
      const network = await serve(async (request) => {
        seen.push(request.method, request.url, request.headers.get('if-match') ?? 'none');
        seen.push(request.headers.get('authorization') ?? 'none', await request.text());
        return new Response('ok');
      });
      const url = `${URL_BASE}/%7B1%7D?a=%22b%22&c=d`;
      await network.request({ ...GET, url, headers: [['Authorization', 'x y']] });
      const headers = [['If-Match', '"7"']] as const;
      await network.request({ ...GET, method: 'PUT', headers, body: '{"ü":"\u{1f9a6}"}' });
      expect(seen).toEqual([
        ...['GET', url, 'none', 'x y', ''],
        ...['PUT', GET.url, '"7"', 'none', '{"ü":"\u{1f9a6}"}'],
      ]);
    });

    it.each([301, 302, 303, 307, 308])('returns a redirect %i as it is', async (status) => {
      const urls: string[] = [];
      const response = await ask((request) => {
        urls.push(request.url);
        return new Response(null, { status, headers: { location: 'https://evil.test/' } });
      });
      expect(response.status).toBe(status);
      expect(response.headers).toContainEqual(['location', 'https://evil.test/']);
      expect(urls).toEqual([GET.url]);
    });

    it.each([204, 304, 401, 404, 412, 503])('%i is an answer like any other', async (status) => {
      const body = status === 204 || status === 304 ? null : 'why';
      const response = await ask(() => new Response(body, { status }));
      expect(response.status).toBe(status);
      expect(await textOf(response)).toBe(body ?? '');
    });

    it('ends where the answer ends, and stays there', async () => {
      for (const body of ['', 'a']) {
        const response = await ask(() => new Response(body));
        expect(await textOf(response)).toBe(body);
        expect([await response.read(), await response.read()]).toEqual([null, null]);
      }
    });

    it('cuts a long text into pieces, never through a character', async () => {
      for (const text of ['x'.repeat(40_000), `x${'\u{1f9a6}'.repeat(20_000)}`]) {
        expect(await textOf(await ask(() => new Response(text)))).toBe(text);
      }
    });

    it('puts a character together that arrives in two packets, wherever it is cut', async () => {
      const text = 'aé€\u{1f9a6}z';
      const bytes = Buffer.from(text);
      for (let at = 1; at < bytes.length; at++) {
        const chunks = [bytes.subarray(0, at), bytes.subarray(at)];
        expect(await textOf(await ask(() => new Response(streamOf(chunks).body)))).toBe(text);
      }
    });

    it('gives any text whole, however it is sent', async () => {
      const unit = fc.constantFrom('a', 'é', '€', '\u{1f9a6}', '\ufeff', '\0', '\n');
      const lengths = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 60 });
      await fc.assert(
        fc.asyncProperty(fc.string({ unit, maxLength: 60 }), lengths, async (text, sizes) => {
          const bytes = Buffer.from(text);
          const chunks: Uint8Array[] = [];
          let at = 0;
          for (const size of sizes) {
            chunks.push(bytes.subarray(at, at + size));
            at += size;
          }
          chunks.push(bytes.subarray(at));
          const filled = chunks.filter((chunk) => chunk.length > 0);
          expect(await textOf(await ask(() => new Response(streamOf(filled).body)))).toBe(text);
        }),
        { numRuns: 40 },
      );
    });

    it.each([
      ['a byte that is in no text', [0x61, 0xff, 0x62]],
      ['a character in more bytes than it needs', [0xc0, 0xaf]],
      ['half a surrogate pair', [0xed, 0xa0, 0x80]],
      ['a character beyond the last', [0xf4, 0x90, 0x80, 0x80]],
      ['the end of a character without its start', [0x80]],
      ['the start of a character at the end', [0x61, 0xe2, 0x82]],
    ])('is no text: %s', async (_, bytes) => {
      const response = await ask(() => new Response(Uint8Array.from(bytes)));
      await expect(textOf(response)).rejects.toMatchObject({ code: 'encoding' });
    });

    it('tells when the connection breaks, and gives what arrived before', async () => {
      const response = await ask(() => new Response(streamOf([Buffer.from('abc')], true).body));
      expect(await response.read()).toBe('abc');
      await expect(response.read()).rejects.toMatchObject({ code: 'truncated' });
    });

    it('reads no further after a failure', async () => {
      const broken = streamOf([Buffer.of(0xff), Buffer.from('more')]);
      const response = await ask(() => new Response(broken.body));
      await expect(response.read()).rejects.toMatchObject({ code: 'encoding' });
      const [after] = await Promise.allSettled([response.read()]);
      expect(after?.status === 'rejected' || after?.value === null).toBe(true);
    });

    it('is offline when no connection can be made', async () => {
      const network = await serve(() => new Response('never'));
      const refused = network.request({ ...GET, url: URL_BASE + REFUSED });
      await expect(refused).rejects.toMatchObject({ code: 'offline' });
    });

    it.each(['', REFUSED, SILENT])('says why it failed, and nothing secret: %s', async (path) => {
      const network = await serve(() => new Response(streamOf([Buffer.from('a')], true).body));
      const url = `${URL_BASE}/secret${path}`;
      const headers = [['Authorization', 'secret']] as const;
      const exchange = async (): Promise<unknown> =>
        textOf(await network.request({ ...GET, url, headers, timeoutMs: 15 }));
      const error = await exchange().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(Error);
      const { cause, message } = error as Error;
      expect(cause).toMatch(/^([A-Z_]+ )?server\.test$/);
      expect(message).not.toContain('secret');
    });

    it('waits for a silent server as long as it was told to', async () => {
      const network = await serve(() => new Response('never'));
      const silent = network.request({ ...GET, url: URL_BASE + SILENT, timeoutMs: 15 });
      await expect(silent).rejects.toMatchObject({ code: 'timeout' });
    });

    describe('an answer that comes slowly', () => {
      const url = URL_BASE + SLOW;
      const slowly = async (chars: number, limits: Partial<ExchangeLimits>): Promise<string> => {
        const network = await serve(() => new Response(slowStream(chars)));
        return textOf(await network.request({ ...GET, url, ...limits }));
      };

      it('is waited for, as long as it comes as fast as it must', async () => {
        const limits = { windowMs: 1_000, windowBytesMin: 20, longestMs: 30_000 };
        expect(await slowly(60, limits)).toBe('x'.repeat(60));
        // The last bytes may be fewer.
        expect(await slowly(8, limits)).toBe('x'.repeat(8));
      });

      it('is given up below the lowest rate, although it never stands still', async () => {
        const limits = { timeoutMs: 9_000, windowMs: 150, windowBytesMin: 500, longestMs: 30_000 };
        await expect(slowly(9_000, limits)).rejects.toMatchObject({ code: 'timeout' });
      });

      it('is given up after the longest time, however fast it comes', async () => {
        const limits = { windowMs: 9_000, windowBytesMin: 1, longestMs: 500 };
        await expect(slowly(9_000, limits)).rejects.toMatchObject({ code: 'timeout' });
      });

      it('has no more to give after that', async () => {
        const network = await serve(() => new Response(slowStream(9_000)));
        const response = await network.request({ ...GET, url, longestMs: 1_000 });
        await expect(textOf(response)).rejects.toMatchObject({ code: 'timeout' });
        const [after] = await Promise.allSettled([response.read()]);
        expect(after?.status === 'rejected' || after?.value === null).toBe(true);
      });
    });

    it('ends the wait for a silent server after the longest time too', async () => {
      const network = await serve(() => new Response('never'));
      const silent = network.request({ ...GET, url: URL_BASE + SILENT, longestMs: 15 });
      await expect(silent).rejects.toMatchObject({ code: 'timeout' });
    });

    it('counts no time in which nobody waits for the body', async () => {
      const chunks = Array<Buffer>(4).fill(Buffer.from('abc'));
      const network = await serve(() => new Response(streamOf(chunks).body));
      const response = await network.request({ ...GET, windowMs: 500, windowBytesMin: 1_000 });
      expect(await response.read()).toBe('abc');
      await new Promise((resolve) => setTimeout(resolve, 700));
      expect(await textOf(response)).toBe('abcabcabc');
    });

    it('can be given up at any time and more than once', async () => {
      for (const readCount of [0, 1, 3]) {
        const chunks = [Buffer.from('a'), Buffer.from('b')];
        const response = await ask(() => new Response(streamOf(chunks).body));
        for (let n = 0; n < readCount; n++) await response.read();
        response.cancel();
        response.cancel();
        expect(await response.read()).toBeNull();
      }
    });

    it('takes at most one piece more from the wire than was asked for', async () => {
      const chunk = Buffer.alloc(PIECE_CHARS_MAX, 0x61);
      const { body, taken } = streamOf(Array<Buffer>(30).fill(chunk));
      const response = await ask(() => new Response(body));
      for (let pieces = 1; pieces <= 5; pieces++) {
        await response.read();
        await new Promise(setImmediate);
        expect(taken()).toBeLessThanOrEqual(pieces + 1);
      }
      response.cancel();
    });

    it('has several exchanges at once, each with its own answer', async () => {
      const network = await serve((request) => new Response(request.url.slice(-1)));
      const urls = ['a', 'b', 'c'].map((letter) => `${URL_BASE}/${letter}`);
      const responses = await Promise.all(urls.map((url) => network.request({ ...GET, url })));
      const texts = [];
      for (const response of responses.reverse()) texts.push(await textOf(response));
      expect(texts).toEqual(['c', 'b', 'a']);
    });
  });
}

/** The whole text; every piece is as the port promises it. */
async function textOf(response: NetworkResponse): Promise<string> {
  let text = '';
  for (let piece = await response.read(); piece !== null; piece = await response.read()) {
    expect(piece.length).toBeGreaterThanOrEqual(1);
    expect(piece.length).toBeLessThanOrEqual(PIECE_CHARS_MAX);
    expect(piece).not.toMatch(/\p{Surrogate}/u);
    text += piece;
  }
  return text;
}

/** A body at `SLOW_BYTES_PER_SECOND`, for a network that does not slow it down itself. */
function slowStream(chars: number): ReadableStream<Uint8Array> {
  let sent = 0;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve, 1_000 / SLOW_BYTES_PER_SECOND));
        if (sent++ < chars) controller.enqueue(Uint8Array.of(0x78));
        else controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}

/** A body that gives its chunks one by one, only when asked; then it ends, or breaks. */
function streamOf(chunks: readonly Uint8Array[], breaks = false) {
  let count = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const chunk = chunks[count++];
        if (chunk !== undefined) controller.enqueue(Uint8Array.from(chunk));
        else if (breaks) controller.error(new Error('the link broke'));
        else controller.close();
      },
    },
    { highWaterMark: 0 },
  );
  return { body, taken: () => count };
}
