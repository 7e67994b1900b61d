// What every device's network must do with a body that is made while it goes up: part of the
// network suite (network.ts), which says where its servers are. It counts what the source is asked
// for and what the server has taken; how a network works inside is not its business.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type {
  BodySource,
  ExchangeLimits,
  Network,
  NetworkRequest,
  NetworkResponse,
  StreamedBody,
} from '../../platform/ports.ts';
import { REFUSED, type Server, SILENT, SLOW } from './network-server.ts';

export interface UploadTraits {
  /**
   * False for a platform that cannot send a body while it is made: it collects it, and nothing that
   * a server does meanwhile reaches the source.
   */
  readonly whileMade: boolean;
  /** Bytes between the source and the server's program: of one piece, and of a system's buffers. */
  readonly onTheWayBytesMax: number;
}

const URL_BASE = 'https://server.test/v1';
const PIECE_MAX = 16_384;
const PUT: NetworkRequest = {
  method: 'PUT',
  url: `${URL_BASE}/x`,
  headers: [['Content-Type', 'text/plain']],
  timeoutMs: 9_000,
  windowMs: 9_000,
  windowBytesMin: 1,
  longestMs: 9_000,
};

type Piece = string | Uint8Array;

interface Watched extends StreamedBody {
  /** Pieces that were asked for since the last `open`, and how often it was opened. */
  readonly asked: () => number;
  readonly opened: () => number;
}

/** A body that notices being asked for a piece while another is on its way out of it. */
function bodyOf(
  piece: (index: number) => Piece | null | Promise<Piece | null>,
  lengthBytes?: number,
): Watched {
  let asked = 0;
  let opened = 0;
  return {
    ...(lengthBytes !== undefined && { lengthBytes }),
    asked: () => asked,
    opened: () => opened,
    open(): BodySource {
      opened++;
      asked = 0;
      let isBusy = false;
      return {
        async next() {
          expect(isBusy).toBe(false);
          isBusy = true;
          const made = await piece(asked++);
          isBusy = false;
          return made;
        },
      };
    },
  };
}

const listed = (pieces: readonly Piece[], lengthBytes?: number): Watched =>
  bodyOf((index) => pieces[index] ?? null, lengthBytes);

const endless = (piece: Piece): Watched => bodyOf(() => piece);

/** Answers with how long the body was, and notes what it was. */
function recorder() {
  const seen: { bytes: Buffer; length: string | null }[] = [];
  const server: Server = async (request) => {
    const bytes = Buffer.from(await request.arrayBuffer());
    seen.push({ bytes, length: request.headers.get('content-length') });
    return new Response(`${bytes.length}`);
  };
  return { seen, server };
}

/** Reads a body as far as it is told to; `taken` are its bytes so far. */
function readerOf(request: Request) {
  const reader = request.body?.getReader();
  let bytes = 0;
  return {
    taken: () => bytes,
    async next(): Promise<boolean> {
      const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
      bytes += value?.length ?? 0;
      return !done;
    },
  };
}

const turns = async (count = 20): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await new Promise(setImmediate);
};

export function uploadContract(serve: (server: Server) => Promise<Network>, traits: UploadTraits) {
  describe('a body that is made while it goes up', () => {
    wholeBodies(serve);
    brokenBodies(serve);
    if (traits.whileMade) {
      announced(serve);
      earlyAnswers(serve);
      backPressure(serve, traits);
      limits(serve);
    }
  });
}

async function send(
  network: Network,
  body: StreamedBody,
  more: Partial<NetworkRequest> = {},
): Promise<NetworkResponse> {
  return network.request({ ...PUT, ...more, body });
}

async function textOf(response: NetworkResponse): Promise<string> {
  let text = '';
  for (let piece = await response.read(); piece !== null; piece = await response.read()) {
    text += piece;
  }
  return text;
}

function wholeBodies(serve: (server: Server) => Promise<Network>): void {
  it.each([
    ['no piece', [], 0],
    ['one byte', [Uint8Array.of(0xff)], 1],
    ['an empty piece among others', ['a', '', new Uint8Array(0), 'b'], 2],
    ['text and bytes', ['é€', Uint8Array.of(0x80, 0), '\u{1f9a6}'], 11],
    ['the longest pieces', ['x'.repeat(PIECE_MAX), new Uint8Array(PIECE_MAX)], 2 * PIECE_MAX],
  ] as const)('arrives whole: %s', async (_, pieces, lengthBytes) => {
    const { seen, server } = recorder();
    const network = await serve(server);
    const whole = Buffer.concat(pieces.map((piece) => Buffer.from(piece as Uint8Array)));
    for (const length of [undefined, lengthBytes]) {
      const response = await send(network, listed(pieces, length));
      expect(await textOf(response)).toBe(`${lengthBytes}`);
      expect(seen.pop()?.bytes).toEqual(whole);
    }
  });

  it('arrives in its order, however it is cut', async () => {
    const { seen, server } = recorder();
    const network = await serve(server);
    const unit = fc.constantFrom('a', 'é', '€', '\ud83e', '\udda6', '\u{1f9a6}', '\0');
    const piece = fc.oneof(fc.string({ unit, maxLength: 9 }), fc.uint8Array());
    const body = fc.array(piece, { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(body, fc.boolean(), async (pieces, isAnnounced) => {
        const whole = bytesOf(pieces);
        await textOf(await send(network, listed(pieces, isAnnounced ? whole.length : undefined)));
        expect(seen.pop()?.bytes).toEqual(whole);
      }),
      { numRuns: 40 },
    );
  });

  it.each([
    ['in two pieces', ['x\ud83e', '\udda6'], 'x\u{1f9a6}'],
    ['in two pieces of one unit', ['\ud83e', '\udda6', '\ud83e', '\udda6x'], '\u{1f9a6}\u{1f9a6}x'],
    ['with an empty piece between', ['\ud83e', '', new Uint8Array(0), '\udda6'], '\u{1f9a6}'],
    [
      'behind the longest piece',
      [`${'x'.repeat(16_383)}\ud83e`, `\udda6${'y'.repeat(16_383)}`],
      null,
    ],
    ['of which only the first half comes', ['a\ud83e', '\ud83e', 'b'], 'a\ufffd\ufffdb'],
    ['of which only the second half comes', ['a', '\udda6b'], 'a\ufffdb'],
    ['that the end cuts', ['a', '\ud83e'], 'a\ufffd'],
    ['that bytes cut', ['\ud83e', Uint8Array.of(0x61), '\udda6'], '\ufffda\ufffd'],
  ])('is well-formed, and has a pair whole: %s', async (_, pieces, text) => {
    const { seen, server } = recorder();
    const network = await serve(server);
    const whole = Buffer.from(text ?? pieces.join(''));
    for (const length of [undefined, whole.length]) {
      await textOf(await send(network, listed(pieces, length)));
      expect(seen.pop()?.bytes).toEqual(whole);
    }
  });

  it('is made anew for each request', async () => {
    const { seen, server } = recorder();
    const network = await serve(server);
    const body = listed(['a', 'b']);
    for (const _ of ['first', 'again']) await textOf(await send(network, body));
    expect(seen.map(({ bytes }) => `${bytes}`)).toEqual(['ab', 'ab']);
    expect(body.opened()).toBe(2);
  });

  it('goes up beside others, each to its own end', async () => {
    const network = await serve(async (request) => new Response(await request.text()));
    const texts = ['a', 'b', 'c'].map((letter) => letter.repeat(40_000));
    const responses = await Promise.all(
      texts.map((text) =>
        send(
          network,
          listed([0, 1, 2].map((at) => text.slice(at * PIECE_MAX).slice(0, PIECE_MAX))),
        ),
      ),
    );
    for (const [index, response] of responses.entries()) {
      expect(await textOf(response)).toBe(texts[index]);
    }
  });
}

/** All pieces behind each other: texts that follow each other are one text. */
function bytesOf(pieces: readonly Piece[]): Buffer {
  const parts: Piece[] = [];
  for (const piece of pieces.filter(({ length }) => length > 0)) {
    const last = parts.at(-1);
    if (typeof piece === 'string' && typeof last === 'string') parts.splice(-1, 1, last + piece);
    else parts.push(piece);
  }
  return Buffer.concat(parts.map((part) => Buffer.from(part as Uint8Array)));
}

function brokenBodies(serve: (server: Server) => Promise<Network>): void {
  /** A server that must never take a body for whole. */
  const wary = () => {
    const seen = { whole: 0 };
    const server: Server = async (request) => {
      await request.arrayBuffer();
      seen.whole++;
      return new Response('ok');
    };
    return { seen, server };
  };

  it.each([0, 1, 3])('ends with the error of its source, after %i pieces', async (at) => {
    const { seen, server } = wary();
    const mine = Object.assign(new Error('mine'), { code: 'aborted' });
    const body = bodyOf((index) => (index < at ? 'x'.repeat(500) : Promise.reject(mine)));
    const error = await send(await serve(server), body).catch((thrown: unknown) => thrown);
    expect(error).toBe(mine);
    await turns();
    expect([seen.whole, body.asked()]).toEqual([0, at + 1]);
  });

  it('ends with the error of a source that does not open', async () => {
    const { seen, server } = wary();
    const mine = new Error('mine');
    const open = () => {
      throw mine;
    };
    expect(await send(await serve(server), { open }).catch((thrown: unknown) => thrown)).toBe(mine);
    await turns();
    expect(seen.whole).toBe(0);
  });

  it.each([
    ['a text that is too long', ['a', 'x'.repeat(PIECE_MAX + 1)], undefined, `${PIECE_MAX}`],
    ['bytes that are too long', [new Uint8Array(PIECE_MAX + 1)], undefined, `${PIECE_MAX}`],
    ['more than was announced', ['ab', 'é'], 3, '3 bytes: it has 4'],
    ['less than was announced', ['ab', 'é'], 5, '5 bytes: it has 4'],
  ])('is refused for %s', async (_, pieces, lengthBytes, words) => {
    const { seen, server } = wary();
    const sent = send(await serve(server), listed(pieces, lengthBytes));
    await expect(sent).rejects.toThrow(TypeError);
    await expect(sent).rejects.toThrow(words);
    await turns();
    expect(seen.whole).toBe(0);
  });

  it.each([0, 1, 5])('is offline when the connection breaks after %i pieces', async (count) => {
    const network = await serve(async (request) => {
      const reader = readerOf(request);
      for (let at = 0; at < count; at++) await reader.next();
      throw new Error('the server is gone');
    });
    const body = bodyOf(async (index) => {
      if (index > 0) await new Promise((resolve) => setTimeout(resolve, 5));
      return index < 60 ? 'x'.repeat(1_000) : null;
    });
    await expect(send(network, body)).rejects.toMatchObject({ code: 'offline' });
    const asked = body.asked();
    await turns();
    expect(body.asked()).toBeLessThanOrEqual(asked + 1);
    expect(body.opened()).toBe(1);
  });

  it('is offline when no connection can be made', async () => {
    const network = await serve(() => new Response('never'));
    const url = URL_BASE + REFUSED;
    const body = listed(['a', 'b', 'c']);
    await expect(send(network, body, { url })).rejects.toMatchObject({ code: 'offline' });
    const asked = body.asked();
    await turns();
    expect(body.asked()).toBe(asked);
  });
}

function announced(serve: (server: Server) => Promise<Network>): void {
  it('is announced with its length where that is known', async () => {
    const { seen, server } = recorder();
    const network = await serve(server);
    await textOf(await send(network, listed(['abc', 'd'], 4)));
    expect(seen.pop()?.length).toBe('4');
  });
}

function earlyAnswers(serve: (server: Server) => Promise<Network>): void {
  it.each([401, 413])('is not gone on with after an early answer: %i', async (status) => {
    const network = await serve(async (request) => {
      await readerOf(request).next();
      return new Response('why', { status });
    });
    const body = endless('x'.repeat(1_000));
    const response = await send(network, body);
    const asked = body.asked();
    expect(response.status).toBe(status);
    expect(await textOf(response)).toBe('why');
    await turns();
    expect(body.asked()).toBeLessThanOrEqual(asked + 1);
    // Nothing of it disturbs the next one.
    expect((await send(network, listed(['a']))).status).toBe(status);
  });

  it('is not gone on with after an early answer that nobody reads', async () => {
    const network = await serve(() => new Response('why', { status: 413 }));
    const body = endless('x'.repeat(1_000));
    const response = await send(network, body);
    response.cancel();
    response.cancel();
    expect(await response.read()).toBeNull();
    const asked = body.asked();
    await turns();
    expect(body.asked()).toBeLessThanOrEqual(asked + 1);
  });

  it('never looks whole to a server that answers early and reads on', async () => {
    let isWhole = false;
    const readOn = async (request: Request): Promise<void> => {
      const reader = readerOf(request);
      while (await reader.next());
      isWhole = true;
    };
    const network = await serve((request) => {
      readOn(request).catch(() => undefined);
      return new Response('why', { status: 413 });
    });
    const response = await send(network, endless('x'.repeat(1_000)));
    expect(await textOf(response)).toBe('why');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(isWhole).toBe(false);
  });

  it('takes an answer as it is, whatever its source does afterwards', async () => {
    const network = await serve(() => new Response('why', { status: 413 }));
    let fail: (error: Error) => void = () => undefined;
    const body = bodyOf((index) =>
      index === 0
        ? 'x'
        : new Promise((_, reject) => {
            fail = reject;
          }),
    );
    const response = await send(network, body);
    fail(new Error('mine'));
    await turns();
    expect([response.status, await textOf(response)]).toEqual([413, 'why']);
  });
}

function backPressure(serve: (server: Server) => Promise<Network>, traits: UploadTraits): void {
  it('asks for a piece when the one before has left', async () => {
    let release: () => void = () => undefined;
    let taken: () => number = () => 0;
    const network = await serve(async (request) => {
      const reader = readerOf(request);
      taken = reader.taken;
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      while (await reader.next());
      return new Response(`${reader.taken()}`);
    });
    const count = 4 * Math.ceil(traits.onTheWayBytesMax / PIECE_MAX) + 8;
    let onTheWayBytes = 0;
    const piece = new Uint8Array(PIECE_MAX);
    const body = bodyOf((index) => {
      if (index === count) return null;
      onTheWayBytes = Math.max(onTheWayBytes, (index + 1) * PIECE_MAX - taken());
      return piece;
    });
    const sent = send(network, body);
    // While the server takes nothing, as much as fits on the way is asked for, and no more.
    for (let before = -1; before < body.asked(); ) {
      before = body.asked();
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
    expect(body.asked()).toBeLessThan(count);
    release();
    expect(await textOf(await sent)).toBe(`${count * PIECE_MAX}`);
    expect(onTheWayBytes).toBeLessThanOrEqual(traits.onTheWayBytesMax);
  });
}

function limits(serve: (server: Server) => Promise<Network>): void {
  /** Takes 100 bytes in half a second, also where the network does not see to it. */
  const slowly: Server = async (request) => {
    const reader = readerOf(request);
    while (await reader.next()) await new Promise((resolve) => setTimeout(resolve, 5));
    return new Response('ok');
  };
  const upload = async (
    body: StreamedBody,
    path: string,
    more: Partial<ExchangeLimits>,
  ): Promise<string> => {
    const network = await serve(slowly);
    return textOf(await send(network, body, { url: URL_BASE + path, ...more }));
  };
  const many = (count: number) => bodyOf((index) => (index < count ? 'x' : null));

  it('may go up as slowly as the lowest rate', async () => {
    const more = { windowMs: 1_000, windowBytesMin: 20, longestMs: 30_000 };
    expect(await upload(many(60), SLOW, more)).toBe('ok');
  });

  it('is given up below the lowest rate, although it never stands still', async () => {
    const more = { windowMs: 150, windowBytesMin: 500, longestMs: 30_000 };
    const body = many(9_000);
    await expect(upload(body, SLOW, more)).rejects.toMatchObject({ code: 'timeout' });
    const asked = body.asked();
    await turns();
    expect(body.asked()).toBeLessThanOrEqual(asked + 1);
  });

  it('is given up after the longest time, however fast it goes', async () => {
    const more = { windowMs: 9_000, windowBytesMin: 1, longestMs: 300 };
    await expect(upload(many(9_000), SLOW, more)).rejects.toMatchObject({ code: 'timeout' });
  });

  it('is waited for when it was sent, and no longer than that', async () => {
    const sent = upload(many(3), SILENT, { timeoutMs: 60 });
    await expect(sent).rejects.toMatchObject({ code: 'timeout' });
  });

  it('has no time counted in which its source makes a piece', async () => {
    const body = bodyOf(async (index) => {
      await new Promise((resolve) => setTimeout(resolve, 120));
      return index < 2 ? 'x' : null;
    });
    const more = { timeoutMs: 100, windowMs: 100, windowBytesMin: 1_000 };
    const network = await serve(async (request) => new Response(await request.text()));
    expect(await textOf(await send(network, body, more))).toBe('xx');
  });
}
