// What every device's network must do with a body that is made while it goes up: part of the
// network suite (network.ts), which says where its servers are. It counts what the source is asked
// for and what the server has taken; how a network works inside is not its business.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Network } from '../../platform/ports.ts';
import { REFUSED, type Server } from './network-server.ts';
import { announced, backPressure, earlyAnswers, limits } from './upload-answers.ts';
import {
  bodyOf,
  listed,
  PIECE_MAX,
  type Piece,
  readerOf,
  recorder,
  send,
  textOf,
  turns,
  type UploadTraits,
  URL_BASE,
} from './upload-bodies.ts';

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
