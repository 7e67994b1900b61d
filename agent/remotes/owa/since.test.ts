// How far a document was read, by the server's own word.

import { describe, expect, it, test } from 'vitest';
import { isBehind, positionIn, sinceOf } from './since.ts';

const headers = (said: Readonly<Record<string, string>>) => Object.entries(said);

describe('the position behind a document', () => {
  it.each([
    [{ 'x-last-modified': '1316560000.257' }, '1316560000.257'],
    [{ 'x-last-modified': '1316560000.2500' }, '1316560000.2500'],
    [{ 'x-last-modified': ' "1316560000.25" ' }, '1316560000.25'],
    [{ 'x-last-modified': '0' }, '0'],
    [{ 'x-timestamp': '1316560001.5' }, '1316560001.5'],
    [{ 'x-last-modified': 'yesterday', 'x-timestamp': '1316560001' }, '1316560001'],
    [{ 'x-last-modified': '1e9' }, '-'],
    [{ 'x-last-modified': '-5' }, '-'],
    [{ 'x-last-modified': '99999999999999' }, '-'],
    [{}, '-'],
    // In an hour.
    [{ 'x-last-modified': '1316563600', 'x-timestamp': '1316560000' }, '-'],
    [{ 'x-last-modified': '1316560030', 'x-timestamp': '1316560000' }, '1316560030'],
  ])('%j: %s', (said, position) => {
    expect(positionIn(headers(said))).toBe(position);
  });
});

test('a position is said as it was heard, and not where there was nothing to hear', () => {
  expect(['', '-', '1316560000.2500'].map(sinceOf)).toEqual([null, null, '1316560000.2500']);
});

test('a server whose last change was before has another document', () => {
  const behind = (said: string, at: string) => isBehind(headers({ 'x-last-modified': said }), at);
  expect(behind('1316559000', '1316560000.25')).toBe(true);
  expect(behind('1316560000', '1316560000.25')).toBe(false);
  expect(behind('1316560001', '1316560000.25')).toBe(false);
  expect(behind('x', '1316560000.25')).toBe(false);
  expect(behind('1', '-')).toBe(false);
});
