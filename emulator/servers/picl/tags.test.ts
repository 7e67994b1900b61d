import { describe, expect, test } from 'vitest';
import { conditionsOf, isMatch, isNamed } from './tags.ts';

const HEAD = { seqnum: 124, changeid: 'a-b_c' };

function both(text: string): [match: boolean, named: boolean] {
  const conditions = conditionsOf(new Headers({ 'If-Match': text, 'If-None-Match': text }));
  return [isMatch(conditions, HEAD), isNamed(conditions, HEAD)];
}

describe('a condition', () => {
  test.each<[string, boolean, boolean]>([
    ['124-a-b_c', true, true],
    ['"124-a-b_c"', true, true],
    ['0124-a-b_c', true, true],
    ['W/"124-a-b_c"', false, true],
    ['W/124-a-b_c', false, true],
    ['"1-x", "124-a-b_c"', true, true],
    ['1-x,2-y', false, false],
    ['124-a', false, false],
    ['9007199254740993-x', false, false],
    ['*', true, true],
  ])('%s', (text, match, named) => {
    expect(both(text)).toEqual([match, named]);
  });

  test.each(['124', '-x', '124-', '12a-x', '+1-x', '', '"124-x', '124-x"', '1-x,', '*, 1-x'])(
    '%j is none',
    (text) => {
      expect(() => both(text)).toThrow('HTTP 400');
    },
  );

  test('that is not there holds, and names nothing', () => {
    const conditions = conditionsOf(new Headers());
    expect([isMatch(conditions, HEAD), isNamed(conditions, HEAD)]).toEqual([true, false]);
  });
});
