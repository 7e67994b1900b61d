import fc from 'fast-check';
import { expect, test } from 'vitest';

test('two runs look at the same cases', () => {
  const cases = () => {
    const seen: number[] = [];
    fc.assert(fc.property(fc.integer(), (n) => void seen.push(n)));
    return seen;
  };
  const first = cases();
  expect(first).toHaveLength(100);
  expect(cases()).toEqual(first);
});
