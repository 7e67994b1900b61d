// Reading a list of records: each is judged by itself, and an answer that ends too early is no
// list.

import { describe, expect, test } from 'vitest';
import { SyncError } from '../errors.ts';
import { PIECE_CHARS_MAX, STAMP_MS_MAX } from '../limits.ts';
import type { Answer } from '../wire/http.ts';
import { createSplitter } from '../wire/records.ts';
import { envelopeOf, listingPage } from './listing.ts';
import type { Listed } from './remote.ts';

const RECORD_CHARS_MAX = 40_000;

const read = (value: unknown) => {
  const { id, modified: modifiedMs, payload } = (value ?? {}) as Record<string, unknown>;
  return { id, modifiedMs, payload };
};

/** The pieces of an answer as a page, and what was asked of the answer. */
function page(pieces: readonly string[], count?: number) {
  const left = [...pieces];
  const seen = { reads: 0, cancelled: false, turns: 0 };
  const answer: Answer = {
    ...{ status: 200, headers: [], serverNowMs: null },
    async read() {
      seen.reads++;
      return left.shift() ?? null;
    },
    cancel() {
      seen.cancelled = true;
    },
    async pause() {
      seen.turns++;
    },
  };
  const splitter = createSplitter({
    ...{ recordCharsMax: RECORD_CHARS_MAX, depthMax: 32, member: null },
  });
  return { seen, ...listingPage(answer, splitter, read, { stampMs: 7 }, count) };
}

async function all(pieces: readonly string[], count?: number): Promise<Listed[]> {
  const { next } = page(pieces, count);
  const out: Listed[] = [];
  while (await next(out));
  return out;
}

const record = (id: unknown, more: object = {}): string =>
  JSON.stringify({ id, modified: 5, payload: 'p', ...more });

test('a list comes as envelopes, wherever its pieces end', async () => {
  const text = `[${record('a')}, ${record('b')}]`;
  const whole = await all([text]);
  expect(whole).toEqual([
    { ok: true, envelope: { id: 'a', version: '5', modifiedMs: 5, payload: 'p' }, chars: 37 },
    { ok: true, envelope: { id: 'b', version: '5', modifiedMs: 5, payload: 'p' }, chars: 38 },
  ]);
  for (let at = 1; at < text.length; at++) {
    expect(await all([text.slice(0, at), text.slice(at)])).toEqual(whole);
  }
});

test('a long piece is read a little at a time, and the answer is not asked meanwhile', async () => {
  const { next, seen } = page([`[${record('a', { x: 'y'.repeat(3 * PIECE_CHARS_MAX) })}]`]);
  const out: Listed[] = [];
  await next(out);
  await next(out);
  expect([seen.reads, out]).toEqual([1, []]);
  while (await next(out));
  expect(out).toMatchObject([{ ok: true }]);
});

test('what the headers say stands beside, and the answer can be given up', () => {
  const { stampMs, cancel, seen } = page([]);
  cancel();
  expect([stampMs, seen.cancelled]).toEqual([7, true]);
});

describe('fewer records than were announced', () => {
  test('are an answer that was cut, though it ended well', async () => {
    await expect(all([`[${record('a')}]`], 2)).rejects.toMatchObject({
      code: 'truncated',
      message: '1 of 2 records did not arrive',
    });
  });

  test('are none where those that cannot be used are counted', async () => {
    expect(await all([`[${record('a')},1,${record('')}]`], 3)).toHaveLength(3);
  });

  test('or more are no reason to refuse them', async () => {
    expect(await all([`[${record('a')},${record('b')}]`], 1)).toHaveLength(2);
  });
});

describe('a record that cannot be used', () => {
  test('spoils no other', async () => {
    const list = await all([`[${record('a')},{"id":"b","x":01},${record('c')}]`]);
    expect(list).toMatchObject([
      { ok: true },
      { ok: false, id: 'b', code: 'badEnvelope' },
      { ok: true },
    ]);
  });

  test('for its length is known by its id, where that came first', async () => {
    const long = { payload: 'x'.repeat(RECORD_CHARS_MAX) };
    const last = `{"payload":"${long.payload}","id":"b"}`;
    const chars = last.length;
    expect(await all([`[${record('a', long)},${last},${record('c')}]`])).toMatchObject([
      { ok: false, id: 'a', code: 'tooLarge' },
      { ok: false, id: `tooLarge ${chars}`, code: 'tooLarge', chars },
      { ok: true },
    ]);
  });

  test.each([
    ['0', 0],
    ['a list', []],
    ['null', null],
    ['a text', 'x'],
    ['an object without members', {}],
  ])('is %s, and has a name that is nobody’s', async (_, value) => {
    const text = JSON.stringify(value);
    const [listed] = await all([`[${text}]`]);
    expect(listed).toEqual({
      ok: false,
      id: `badId ${text.length}`,
      code: 'badId',
      chars: text.length,
    });
  });

  test.each([-1, 1.5, '5', null, STAMP_MS_MAX + 1, undefined])('has the time %j', (modified) => {
    expect(envelopeOf({ id: 'a', modified, payload: 'p' }, 9, read)).toEqual({
      ...{ ok: false, id: 'a', code: 'badEnvelope', chars: 9 },
    });
  });

  test.each([0, STAMP_MS_MAX])('has not the time %j', (modified) => {
    expect(envelopeOf({ id: 'a', modified, payload: '' }, 9, read)).toMatchObject({
      ...{ ok: true, envelope: { version: `${modified}`, modifiedMs: modified } },
    });
  });

  test.each([1, null, {}, undefined])('has the payload %j', (payload) => {
    expect(envelopeOf({ id: 'a', modified: 1, payload }, 9, read)).toMatchObject({
      code: 'badEnvelope',
    });
  });

  test.each(['', '.', '..', 'x'.repeat(65), 'ä', 'a\n', '%'.repeat(64)])(
    'has the id %j: its name fits a storage key, and is the same each time',
    (id) => {
      const listed = envelopeOf({ id, modified: 1, payload: '' }, 9, read);
      expect(listed).toMatchObject({ ok: false, code: 'badId' });
      expect((listed as { id: string }).id).toMatch(/^badId [!-~]{0,64}$/);
      expect(envelopeOf({ id, modified: 1, payload: '' }, 9, read)).toEqual(listed);
    },
  );
});

test('what the device fails with is no verdict on a record', async () => {
  const { next } = page([`[${record('a')}]`]);
  const { parse } = JSON;
  JSON.parse = () => {
    throw new RangeError('out of memory');
  };
  try {
    await expect(next([])).rejects.toThrow('out of memory');
  } finally {
    JSON.parse = parse;
  }
});

test('an error of the answer is given on', async () => {
  const splitter = createSplitter({ recordCharsMax: 10, depthMax: 3, member: null });
  const answer: Answer = {
    ...{ status: 200, headers: [], serverNowMs: null },
    read: () => Promise.reject(new SyncError('timeout', 'slow')),
    cancel: () => undefined,
    pause: async () => undefined,
  };
  await expect(listingPage(answer, splitter, read, {}).next([])).rejects.toMatchObject({
    code: 'timeout',
  });
});
