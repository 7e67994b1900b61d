// Ids of a long listing.

import { expect, test } from 'vitest';
import { createIdSet } from './id-set.ts';

test('what was added is there, and nothing else', () => {
  const set = createIdSet();
  const idOf = (n: number): string => `https://app${n}.test`;
  for (let n = 0; n < 5_000; n++) {
    set.add(idOf(n));
    set.add(idOf(n));
  }
  for (let n = 0; n < 5_000; n++) {
    expect(set.has(idOf(n))).toBe(true);
    expect(set.has(idOf(n + 5_000))).toBe(false);
  }
  expect(set.has('')).toBe(false);
});
