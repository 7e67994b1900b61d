// A streamed body, whatever its source gives: pairs put together, lengths kept, and no mistake of a
// source becomes a body that looks whole.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openPieces } from './body-pieces.ts';

type Piece = string | Uint8Array;

/** All that a body of these pieces gives. */
async function pieces(all: readonly Piece[], lengthBytes?: number): Promise<Piece[]> {
  let at = 0;
  const source = { next: async () => all[at++] ?? null };
  const { next } = openPieces({
    ...(lengthBytes !== undefined && { lengthBytes }),
    open: () => source,
  });
  const out: Piece[] = [];
  for (let piece = await next(); piece !== null; piece = await next()) out.push(piece);
  return out;
}

const bytesOf = (all: readonly Piece[]): Buffer =>
  Buffer.concat(all.map((one) => Buffer.from(one)));

test('pieces come as they are, empty ones do not', async () => {
  const bytes = Uint8Array.of(1, 2);
  expect(await pieces(['', 'a', new Uint8Array(0), bytes, '', 'b'])).toEqual(['a', bytes, 'b']);
});

describe('a pair of surrogates', () => {
  test('that lies in two pieces is put together', async () => {
    expect((await pieces(['a\ud83d', '\ude00b'])).join('')).toBe('a😀b');
    expect((await pieces(['\ud83d', '', '\ude00'])).join('')).toBe('😀');
  });

  test.each<[Piece[], string]>([
    [['a\ud83d'], 'a\ufffd'],
    [['a\ud83d', 'b'], 'a\ufffdb'],
    [['\ude00a'], '\ufffda'],
    [['\ud83d', '\ud83d', '\ude00'], '\ufffd😀'],
    [['a\ud83db'], 'a\ufffdb'],
  ])('of which there is half is a replacement: %j', async (all, text) => {
    expect((await pieces(all)).join('')).toBe(text);
  });

  test('is none over bytes between', async () => {
    const bytes = Uint8Array.of(1);
    expect(await pieces(['\ud83d', bytes, '\ude00'])).toEqual(['\ufffd', bytes, '\ufffd']);
  });

  test('comes as the whole text would, wherever the pieces end', async () => {
    const unit = fc.constantFrom('a', 'é', '日', '\ud83d', '\ude00');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(unit, { maxLength: 4 }), { maxLength: 6 }),
        async (all) => {
          const texts = all.map((units) => units.join(''));
          expect(bytesOf(await pieces(texts))).toEqual(Buffer.from(texts.join('')));
        },
      ),
    );
  });
});

describe('a body that says how long it is', () => {
  test('is as long, in bytes of UTF-8', async () => {
    const all = ['aé', '日\ud83d', '\ude00', Uint8Array.of(1, 2)];
    expect(bytesOf(await pieces(all, 12))).toHaveLength(12);
  });

  test.each([11, 13])('and is not is an error: %i', async (lengthBytes) => {
    const all = ['aé', '日\ud83d', '\ude00', Uint8Array.of(1, 2)];
    await expect(pieces(all, lengthBytes)).rejects.toThrow(
      new RegExp(`was to have ${lengthBytes} bytes: it has 12`),
    );
  });

  test('is an error as soon as it is longer', async () => {
    await expect(pieces(['abc', 'never asked'], 2)).rejects.toThrow('it has 3');
  });
});

test('a piece is 16,384 long at most', async () => {
  expect(await pieces(['x'.repeat(16_384), new Uint8Array(16_384)])).toHaveLength(2);
  for (const piece of ['x'.repeat(16_385), new Uint8Array(16_385)]) {
    await expect(pieces([piece])).rejects.toThrow("a body's piece is 16385 long: at most 16384");
  }
});

test('an error of the source is the body’s', async () => {
  const next = (): Promise<never> => Promise.reject(new Error('the disk'));
  await expect(openPieces({ open: () => ({ next }) }).next()).rejects.toThrow('the disk');
});
