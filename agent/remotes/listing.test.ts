import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createCircleGuard } from './listing.ts';

test('pages that go in a circle, however late and however large, end after three rounds', () => {
  const length = fc.integer({ min: 1, max: 200 });
  fc.assert(
    fc.property(length, length, (before, round) => {
      const guard = createCircleGuard();
      let pages = 0;
      const walk = (): void => {
        for (; pages < 10_000; pages++) {
          const isInside = pages >= before;
          guard(pages === 0, `${isInside ? before + ((pages - before) % round) : pages}`);
        }
      };
      expect(walk).toThrow('in circles');
      expect(pages).toBeLessThanOrEqual(3 * (before + round));
    }),
  );
});

test('pages that do not are let through, and another listing may use the same tokens', () => {
  const guard = createCircleGuard();
  for (let listing = 0; listing < 3; listing++) {
    for (let page = 0; page < 1_000; page++) expect(guard(page === 0, `${page}`)).toBe(`${page}`);
    expect(guard(false, null)).toBe(null);
  }
  expect(guard(true, null)).toBe(null);
  expect(guard(true, null)).toBe(null);
});
