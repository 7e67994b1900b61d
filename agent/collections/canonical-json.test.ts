import fc from 'fast-check';
import { expect, it } from 'vitest';
import { canonicalJson, isShallow } from './canonical-json.ts';

it('is JSON of the same value', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
      const text = JSON.stringify(value);
      expect(JSON.parse(canonicalJson(JSON.parse(text)))).toEqual(JSON.parse(text));
    }),
    { seed: 1 },
  );
});

it('is the same in whatever order the members came', () => {
  const a = '{"b":[{"y":1,"x":null}],"a":"ü","__proto__":{"10":1,"9":2},"B":{}}';
  const b = '{"B":{},"__proto__":{"9":2,"10":1},"a":"ü","b":[{"x":null,"y":1}]}';
  const text = '{"B":{},"__proto__":{"10":1,"9":2},"a":"ü","b":[{"x":null,"y":1}]}';
  expect([a, b].map((json) => canonicalJson(JSON.parse(json)))).toEqual([text, text]);
});

it('keeps lists in their order', () => {
  expect(canonicalJson([3, [], 1, {}, 'x', 11, 2, 1, 0, 5, 6, 7])).toBe(
    '[3,[],1,{},"x",11,2,1,0,5,6,7]',
  );
});

it('takes what nests a million times', () => {
  let value: unknown = 0;
  for (let n = 0; n < 1_000_000; n++) value = [value];
  expect(canonicalJson(value)).toHaveLength(2_000_001);
  expect(isShallow(value, 30, 100)).toBe(false);
});

it('looks no deeper and no further than it may', () => {
  expect(isShallow([[1]], 2, 2)).toBe(true);
  expect(isShallow([[1]], 1, 2)).toBe(false);
  expect(isShallow([[1]], 2, 1)).toBe(false);
  const round: unknown[] = [];
  round.push(round, round);
  expect(isShallow(round, 30, 1_000)).toBe(false);
  expect(isShallow('x', 1, 1)).toBe(true);
});
