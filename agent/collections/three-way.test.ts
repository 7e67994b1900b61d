import { expect, test } from 'vitest';
import type { Body } from './collection.ts';
import { mergedMembers, type Sides, settledInside } from './three-way.ts';

const BASE = { a: 1, b: 1, c: 1 };

function merged(mine: Body, theirs: Body, base: Body = BASE): { is: Body; asked: unknown[] } {
  const asked: unknown[] = [];
  const is = mergedMembers(mine, base, theirs, (name, sides: Sides) => {
    asked.push([name, sides]);
    return undefined;
  });
  return { is, asked };
}

test('what one side has changed, added or taken out is so, and nobody is asked', () => {
  expect(merged({ a: 2, b: 1, c: 1, mine: 1 }, { a: 1, b: 2, their: 1 })).toEqual({
    is: { a: 2, b: 2, their: 1, mine: 1 },
    asked: [],
  });
});

test('what both have changed alike is so, what they changed apart is settled', () => {
  expect(merged({ ...BASE, a: 2, b: [2] }, { ...BASE, a: 3, b: [2] })).toEqual({
    is: { b: [2], c: 1 },
    asked: [['a', { mine: 2, base: 1, theirs: 3 }]],
  });
  expect(merged({ b: 1, c: 1 }, { ...BASE, a: 3 }).asked).toHaveLength(1);
});

test('members come in the order of theirs, also the one that an object cannot be assigned', () => {
  const theirs = JSON.parse('{"z":1,"__proto__":{"x":1},"a":1}');
  expect(JSON.stringify(merged({ ...BASE, m: 1 }, theirs, {}).is)).toBe(
    '{"z":1,"__proto__":{"x":1},"a":1,"b":1,"c":1,"m":1}',
  );
});

test('an object against none is one value, and of two the later is kept', () => {
  for (const isMine of [true, false]) {
    const settle = settledInside(isMine);
    const [mine, theirs] = [{ x: { a: 1 } }, { x: [1] }];
    expect(mergedMembers(mine, { x: 0 }, theirs, settle)).toEqual(isMine ? mine : theirs);
    const inside = mergedMembers({ x: { a: 1, b: 1 } }, { x: 0 }, { x: { a: 2, c: 1 } }, settle);
    expect(inside).toEqual({ x: { a: isMine ? 1 : 2, b: 1, c: 1 } });
  }
});
