import { expect, test } from 'vitest';
import { receiptsOf, united } from './receipts.ts';

test.each<[unknown, readonly string[] | null, unknown]>([
  [undefined, [], undefined],
  [['a', 'b'], ['a', 'b'], undefined],
  [[], [], undefined],
  [{}, [], undefined],
  [{ receipts: ['a'] }, ['a'], undefined],
  [{ receipts: ['a'], receipt: 'b', x: 1 }, ['a'], { receipt: 'b', x: 1 }],
  [{ receipt: 'a', x: 1 }, ['a'], { x: 1 }],
  [{ receipt: 1 }, [], { receipt: 1 }],
  [{ receipts: 'a' }, null, { receipts: 'a' }],
  [{ receipts: [1], receipt: 'a' }, null, { receipts: [1], receipt: 'a' }],
  [['a', 1], null, ['a', 1]],
  [null, null, null],
  ['a', null, 'a'],
])('in %j there are %j', (data, list, without) => {
  expect(receiptsOf(data)).toMatchObject({ list, without });
});

test.each<[unknown, unknown, unknown]>([
  [['b'], ['a', 'b', 'c'], ['b', 'a', 'c']],
  [['b'], ['b'], null],
  [{ receipts: ['b'], x: 1 }, ['a'], { receipts: ['b', 'a'], x: 1 }],
  [{ receipt: 'b', x: 1 }, { receipt: 'a' }, { receipts: ['b', 'a'], x: 1 }],
  [{ receipt: 'b' }, { receipt: 'b' }, null],
  [{ receipts: ['b'], receipt: 'c' }, ['a'], { receipts: ['b', 'a'], receipt: 'c' }],
  [{}, ['a'], { receipts: ['a'] }],
  [undefined, ['a', 'a'], { receipts: ['a'] }],
  [undefined, undefined, null],
  [null, ['a'], null],
  [['a'], 7, null],
])('%j has with those of %j %j', (winner, loser, result) => {
  expect(united(winner, loser)).toEqual(result);
});
