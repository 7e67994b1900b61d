import { describe, expect, test } from 'vitest';
import { BODY_PIECE_MAX } from '../limits.ts';
import { type Make, streamedBody, written } from './body.ts';

type Part = string | Uint8Array;

const making = (parts: readonly Part[]) => (): Make => {
  let at = 0;
  return async () => parts[at++] ?? null;
};

async function piecesOf(parts: readonly Part[]): Promise<Part[]> {
  const source = streamedBody({ aborted: false }, making(parts)).open();
  const pieces: Part[] = [];
  for (let piece = await source.next(); piece !== null; piece = await source.next()) {
    pieces.push(piece);
  }
  return pieces;
}

describe('a body that is made while it goes up', () => {
  test('has what its maker gives, and nothing that is empty', async () => {
    expect(await piecesOf(['a', '', Uint8Array.of(1), new Uint8Array(0)])).toEqual([
      'a',
      Uint8Array.of(1),
    ]);
    expect(await piecesOf([])).toEqual([]);
  });

  test.each([
    ['text', 'x'.repeat(2 * BODY_PIECE_MAX + 1)],
    ['bytes', new Uint8Array(2 * BODY_PIECE_MAX + 1).fill(7)],
  ] as const)('comes in pieces that the device takes: %s', async (_, part) => {
    const pieces = await piecesOf([part]);
    expect(pieces.map(({ length }) => length)).toEqual([BODY_PIECE_MAX, BODY_PIECE_MAX, 1]);
    expect(Buffer.concat(pieces.map((piece) => Buffer.from(piece as Uint8Array)))).toEqual(
      Buffer.from(part as Uint8Array),
    );
  });

  test('is cut through no character', async () => {
    for (const before of ['', 'x']) {
      const text = before + '\u{1f9a6}'.repeat(BODY_PIECE_MAX);
      const pieces = await piecesOf([text]);
      expect(pieces.join('')).toBe(text);
      for (const piece of pieces) expect(piece).not.toMatch(/\p{Surrogate}/u);
    }
  });

  test('is announced where its length is known, and begins anew each time', async () => {
    const body = streamedBody({ aborted: false }, making(['abc', 'd']), 4);
    expect(body.lengthBytes).toBe(4);
    expect(await body.open().next()).toBe('abc');
    expect(await body.open().next()).toBe('abc');
    expect('lengthBytes' in streamedBody({ aborted: false }, making([]))).toBe(false);
  });

  test('ends with the pass, and asks its maker for nothing more', async () => {
    const abort = { aborted: false };
    let asked = 0;
    const source = streamedBody(abort, () => async () => `${asked++}`).open();
    expect(await source.next()).toBe('0');
    abort.aborted = true;
    await expect(source.next()).rejects.toMatchObject({ code: 'aborted' });
    expect(asked).toBe(1);
  });

  test('is progress: a pass whose pieces leave is not given up', async () => {
    const abort = { aborted: false, waitedMs: 60_000 };
    await streamedBody(abort, making(['a']))
      .open()
      .next();
    expect(abort.waitedMs).toBe(0);
  });
});

describe('a body that is written in straight code', () => {
  test('has its parts in order, and no part is made before it is asked for', async () => {
    const made: string[] = [];
    const make = written(async (give) => {
      for (const part of ['a', 'b']) {
        made.push(part);
        await give(part);
      }
    });
    expect(made).toEqual([]);
    expect(await make()).toBe('a');
    expect(made).toEqual(['a']);
    expect([await make(), await make()]).toEqual(['b', null]);
  });

  test('may have no part', async () => {
    expect(await written(async () => undefined)()).toBeNull();
  });

  test.each([0, 1])('fails as its writer does, after %i parts', async (count) => {
    const make = written(async (give) => {
      for (let at = 0; at < count; at++) await give('a');
      throw new Error('mine');
    });
    for (let at = 0; at < count; at++) expect(await make()).toBe('a');
    await expect(make()).rejects.toThrow('mine');
  });
});
