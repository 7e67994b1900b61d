import { describe, expect, it, test } from 'vitest';
import { bodyReader, PIECE_BYTES_MAX } from './network-body.ts';

type Options = Parameters<typeof bodyReader>[1];

function reading(body: ConstructorParameters<typeof Response>[0], more: Partial<Options> = {}) {
  return ofResponse(new Response(body), more);
}

function ofResponse(response: Response, more: Partial<Options> = {}) {
  return bodyReader(response, {
    cutAfterBytes: Number.POSITIVE_INFINITY,
    countRecords: false,
    pieceBytes: PIECE_BYTES_MAX,
    readyNs: 5,
    causeOf: (error) => (error === undefined ? 'too early' : `${(error as Error).message}`),
    ...more,
  });
}

/** Each chunk when it is asked for; then an error, if there is one. */
function chunks(parts: readonly Uint8Array[], error?: Error) {
  const seen = { taken: 0, isCancelled: false };
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const chunk = parts[seen.taken++];
        if (chunk !== undefined) controller.enqueue(chunk);
        else if (error !== undefined) controller.error(error);
        else controller.close();
      },
      cancel() {
        seen.isCancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  return { seen, body };
}

async function all(reader: ReturnType<typeof bodyReader>) {
  const pieces: string[] = [];
  for (;;) {
    const piece = await reader.next();
    if (piece === null || 'error' in piece) return { pieces, end: piece };
    pieces.push(piece.text);
  }
}

describe('a body', () => {
  it('comes in pieces of at most so many bytes, whatever its chunks were', async () => {
    const { pieces, end } = await all(reading('x'.repeat(40_000)));
    expect([pieces.map(({ length }) => length), end]).toEqual([[16_384, 16_384, 7_232], null]);
    const small = await all(reading('abcdefg', { pieceBytes: 3 }));
    expect(small.pieces).toEqual(['abc', 'def', 'g']);
    const { body } = chunks([Buffer.from('ab'), new Uint8Array(0), Buffer.from('cd')]);
    expect((await all(reading(body))).pieces).toEqual(['ab', 'cd']);
  });

  it('has whole characters, also where a piece is the start of one and no more', async () => {
    const { pieces } = await all(reading('a€😀b', { pieceBytes: 1 }));
    expect(pieces).toEqual(['a', '€', '😀', 'b']);
    expect((await all(reading('\ufeffa'))).pieces).toEqual(['\ufeffa']);
  });

  it.each([
    ['in its middle', [0x61, 0xff, 0x62], []],
    ['at its end', [0x61, 0xe2, 0x82], ['a']],
  ])('is refused where it is not UTF-8 %s, and is over', async (_, bytes, pieces) => {
    const reader = reading(Buffer.from(bytes));
    expect(await all(reader)).toEqual({ pieces, end: { error: 'encoding' } });
    expect(await reader.next()).toBeNull();
  });

  it('may be empty, or not there at all', async () => {
    expect(await all(reading(''))).toEqual({ pieces: [], end: null });
    const none = ofResponse(new Response(null, { status: 304 }));
    expect(await all(none)).toEqual({ pieces: [], end: null });
  });

  it('is not taken from the server before it is asked for, nor when cancelled', async () => {
    const { body, seen } = chunks([Buffer.from('a'), Buffer.from('b')]);
    const reader = reading(body);
    expect(seen.taken).toBe(0);
    expect(await reader.next()).toEqual({ text: 'a' });
    expect([seen.taken, reader.bytes, reader.readyNs]).toEqual([1, 1, 5]);
    reader.cancel();
    expect([await reader.next(), seen.isCancelled, seen.taken]).toEqual([null, true, 1]);
  });
});

describe('a body of an announced length', () => {
  const announced = (text: string, length: number) =>
    ofResponse(new Response(text, { headers: { 'content-length': `${length}` } }));

  it('is truncated when it is shorter, and ends there when it is longer', async () => {
    const short = { error: 'truncated', text: 'too early' };
    expect(await all(announced('abc', 4))).toEqual({ pieces: ['abc'], end: short });
    expect(await all(announced('abc', 3))).toEqual({ pieces: ['abc'], end: null });
    expect(await all(announced('abcd', 3))).toEqual({ pieces: ['abc'], end: null });
    expect(await all(announced('', 0))).toEqual({ pieces: [], end: null });
  });
});

describe('a body that breaks', () => {
  it('is truncated, with the words for why', async () => {
    const { body } = chunks([Buffer.from('ab')], new Error('ECONNRESET'));
    const end = { error: 'truncated', text: 'ECONNRESET' };
    expect(await all(reading(body))).toEqual({ pieces: ['ab'], end });
  });

  test.each([0, 1, 2, 3])('is cut behind %i bytes, which arrive', async (cutAfterBytes) => {
    const { pieces, end } = await all(reading('abc', { cutAfterBytes }));
    expect(pieces.join('')).toBe('abc'.slice(0, cutAfterBytes));
    const cut = { error: 'truncated', text: 'too early' };
    expect(end).toEqual(cutAfterBytes < 3 ? cut : null);
  });
});

it('counts the bytes of records where it is told to', async () => {
  const json = '[{"id":"a","payload":"x"},{"id":"b","payload":"y"}]';
  const response = () => new Response(json, { headers: { 'content-type': 'application/json' } });
  const counted = ofResponse(response(), { countRecords: true });
  await all(counted);
  expect(counted.recordBytes).toBeGreaterThan(30);
  expect(counted.bytes).toBe(json.length);
  const other = ofResponse(response());
  await all(other);
  expect(other.recordBytes).toBe(0);
});
