// How many records make a request, a slice, and what a server says of its batches.

import { describe, expect, test } from 'vitest';
import { SLICE_CHARS_MAX } from '../limits.ts';
import type { Answer, Http } from '../wire/http.ts';
import { batchEnd, batchMaxOf, groupLength } from './batches.ts';
import type { Envelope, Outgoing } from './remote.ts';

const outgoing = (...chars: readonly number[]): Outgoing[] =>
  chars.map((count, n) => ({ id: `r${n}`, payload: 'x'.repeat(count), base: null, beside: {} }));

test.each([
  [[3, 3, 3], 0, 3, 3],
  [[3, 3, 3], 0, 2, 2],
  [[5, 5, 5], 0, 3, 2],
  [[5, 5, 5], 1, 9, 3],
  [[6, 5, 5], 0, 3, 1],
  [[11, 1, 1], 0, 3, 1],
  [[1, 11, 1], 0, 3, 1],
  [[1, 11, 1], 1, 3, 2],
])(
  'of %j from %i on, at most to %i, a batch of 10 characters ends at %i',
  (chars, from, to, end) => {
    expect(batchEnd(outgoing(...chars), from, to, 10)).toBe(end);
  },
);

test('a slice has as many payloads as are worth it, and one at least', () => {
  const group = (...shares: readonly number[]) =>
    groupLength(
      shares.map((share): Envelope => {
        const payload = 'x'.repeat(share * SLICE_CHARS_MAX);
        return { id: 'r', version: '1', modifiedMs: 1, payload };
      }),
    );
  expect([group(), group(0.4, 0.4), group(0.6, 0.6), group(3, 0)]).toEqual([0, 2, 1, 1]);
  const gone: Envelope = { id: 'r', version: '1', modifiedMs: 1, payload: null };
  expect(groupLength([gone, gone])).toBe(2);
});

describe('what a server takes in a batch', () => {
  const said = (settings: unknown, status = 200) => {
    const pieces = [JSON.stringify({ settings })];
    const answer: Answer = {
      ...{ status, headers: [], serverNowMs: null },
      read: async () => pieces.shift() ?? null,
      cancel: () => undefined,
      pause: async () => undefined,
    };
    const http: Http = { send: async () => answer };
    return batchMaxOf(http, 'https://x.test/v1', ({ status }) => new Error(`status ${status}`));
  };

  test.each([
    [{ batch_max_requests: 7 }, 7],
    [{ 'kinto.batch_max_requests': 8 }, 8],
    [{ 'cliquet.batch_max_requests': 9 }, 9],
    [{ batch_max_requests: 0, 'kinto.batch_max_requests': 8 }, 8],
    [{ batch_max_requests: '7' }, 25],
    [null, 25],
  ])('is read in %j', async (settings, max) => expect(await said(settings)).toBe(max));

  test('is not known of one that says something else', async () => {
    await expect(said({}, 503)).rejects.toThrow('status 503');
  });
});
