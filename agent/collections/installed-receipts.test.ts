import { describe, expect, it } from 'vitest';
import { hasSameReceipts, receiptsOf, withReceipts } from './installed-receipts.ts';

const of = (install_data?: unknown) => (install_data === undefined ? {} : { install_data });
const united = (own: unknown, other: unknown) => withReceipts(of(own), of(other)).install_data;

describe('O29: the receipts of both', () => {
  it.each([
    ['lists', ['b', 'a'], ['d', 'a', 'c'], ['b', 'a', 'c', 'd']],
    [
      'members',
      { receipts: ['b'], x: 1 },
      { receipts: ['a'], y: 2 },
      { receipts: ['b', 'a'], x: 1 },
    ],
    ['one becomes two', { receipt: 'b', x: 1 }, { receipt: 'a' }, { receipts: ['b', 'a'], x: 1 }],
    ['one stays one', { receipt: 'b', x: 1 }, { receipt: 'b' }, { receipt: 'b', x: 1 }],
    ['two shapes', ['b'], { receipts: ['a'] }, ['b', 'a']],
    ['none and a list', undefined, ['b', 'a'], { receipts: ['a', 'b'] }],
    ['an object without', { x: 1 }, { receipt: 'a' }, { x: 1, receipts: ['a'] }],
    ['an empty list', [], ['a'], ['a']],
    ['twice the same', { receipts: [] }, ['a', 'a'], { receipts: ['a'] }],
    ['a list and none', ['b'], undefined, ['b']],
  ])('%s', (_, own, other, expected) => {
    expect(united(own, other)).toEqual(expected);
  });

  it.each([[null], ['text'], [7], [[1]], [{ receipts: 'x' }], [{ receipts: [1] }]])(
    'what is none stays as it is: %j',
    (odd) => {
      expect(united(odd, ['a'])).toBe(odd);
      expect(united(['a'], odd)).toEqual(['a']);
      expect(receiptsOf(of(odd))).toBeNull();
    },
  );

  it('leaves the rest of the entry alone', () => {
    const entry = JSON.parse('{"a":{"b":[1]},"install_data":["x"],"__proto__":{"c":1}}');
    const after = withReceipts(entry, of(['y']));
    expect(JSON.stringify(after)).toBe(
      '{"a":{"b":[1]},"install_data":["x","y"],"__proto__":{"c":1}}',
    );
    expect(withReceipts(entry, of(['x']))).toBe(entry);
  });
});

it('compares them as sets', () => {
  expect(hasSameReceipts(of(['a', 'b']), of({ receipts: ['b', 'a', 'a'] }))).toBe(true);
  expect(hasSameReceipts(of(['a']), of(['a', 'b']))).toBe(false);
  expect(hasSameReceipts(of(['a', 'b']), of(['a', 'c']))).toBe(false);
  expect(hasSameReceipts(of(), of([]))).toBe(true);
});
