import { expect, test } from 'vitest';
import { GENESIS } from './scheme.ts';
import { isEmptyLog, tagIn, tagOf, tagText } from './tag.ts';

test.each([
  ['124-HASH2', 124, 'HASH2', false],
  ['"124-HASH2"', 124, 'HASH2', true],
  ['W/"124-HASH2"', 124, 'HASH2', true],
  ['124-a-b_c', 124, 'a-b_c', false],
  [`0-${GENESIS}`, 0, GENESIS, false],
])('%s is a tag', (text, seqnum, changeid, isQuoted) => {
  expect(tagOf(text)).toEqual({ seqnum, changeid, isQuoted });
});

test.each(['124', '-x', '124-', '12a-x', '+1-x', '', '*', '"1-x', '1-x"', '1-x y', null])(
  '%j is no tag',
  (text) => {
    expect(tagOf(text)).toBeNull();
  },
);

test('a number past 2^53 - 1 is never rounded', () => {
  const unsafe = expect.objectContaining({ detail: { reason: 'unsafeSeqnum' } });
  expect(() => tagOf('9007199254740993-x')).toThrowError(unsafe);
  expect(() => tagOf(`${'9'.repeat(40)}-x`)).toThrowError(unsafe);
  expect(tagOf(`${Number.MAX_SAFE_INTEGER}-x`)?.seqnum).toBe(Number.MAX_SAFE_INTEGER);
});

test('a tag is said as the server says its own, without a weak mark', () => {
  const tag = tagIn([['etag', 'W/"7-x"']]);
  expect(tag && tagText(tag, tag.isQuoted)).toBe('"7-x"');
  expect(tagText({ seqnum: 7, changeid: 'x' }, false)).toBe('7-x');
});

test('a log that begins with number 0 is not empty', () => {
  expect(isEmptyLog({ seqnum: 0, changeid: 'x' })).toBe(false);
  expect(isEmptyLog({ seqnum: 0, changeid: GENESIS })).toBe(true);
});
