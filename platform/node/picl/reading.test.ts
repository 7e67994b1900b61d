import { describe, expect, test } from 'vitest';
import { PICL_LIBERAL } from '../../../test/picl/fixtures.ts';
import { changesPage, headOfTag, Refused, recordsPage } from './reading.ts';

const pageOf = (of: string, text: string) => (of === 'records' ? recordsPage : changesPage)(text);
const { read, refused } = PICL_LIBERAL;
const isPage = ({ of }: { of: string }) => of === 'records' || of === 'changes';

describe('a reader takes', () => {
  test.each(read)('$of: $name', ({ of, text, means, next }) => {
    expect(pageOf(of, text)).toEqual({ items: means, next });
  });
});

describe('a reader refuses', () => {
  test.each(refused.filter(isPage))('$of: $name', ({ of, name, text }) => {
    const reason = name.includes('past 2^53') ? 'seqnum-unsafe' : 'malformed';
    expect(() => pageOf(of, text)).toThrowError(expect.objectContaining({ reason }));
  });

  test.each([
    ['a payload of other characters', 'payload', 'a b'],
    ['an id that is none', 'changeid', ''],
    ['a signature that is missing', 'signature', undefined],
  ])('%s, and names it', (_, member, value) => {
    const change = { seqnum: 1, changeid: 'a', signature: 'b', key: 'k', payload: 'p' };
    const text = JSON.stringify({ changes: [{ ...change, [member]: value }] });
    expect(() => changesPage(text)).toThrowError(`malformed: change 0, ${member}`);
  });
});

test('a payload that is longer than a server takes is one of the chain', () => {
  const change = {
    seqnum: 1,
    changeid: 'a',
    signature: 'b',
    key: 'k',
    payload: 'x'.repeat(262_145),
  };
  expect(changesPage(JSON.stringify({ changes: [change] })).items).toEqual([change]);
});

test.each([
  ['124-HASH2', 124, 'HASH2'],
  ['"124-HASH2"', 124, 'HASH2'],
  ['W/"124-HASH2"', 124, 'HASH2'],
  ['124-a-b_c', 124, 'a-b_c'],
  ['0-AAA', 0, 'AAA'],
])('an ETag %s', (text, seqnum, changeid) => {
  expect(headOfTag(text)).toEqual({ seqnum, changeid });
});

test.each(['124', '-x', '124-', '12a-x', '+1-x', '', '"1-x', null])('no ETag: %s', (text) => {
  expect(headOfTag(text)).toBeNull();
});

test('an ETag that JavaScript cannot count to is no ETag to go on with', () => {
  expect(() => headOfTag('9007199254740993-x')).toThrowError(Refused);
});
