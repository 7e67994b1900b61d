import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PAGES_MAX } from '../limits.ts';
import { createPagingGuard } from './paging.ts';

test('pages that go in a circle, however late and however large, end after three rounds', () => {
  const length = fc.integer({ min: 1, max: 200 });
  fc.assert(
    fc.property(length, length, (before, round) => {
      const isEndless = createPagingGuard();
      let pages = 0;
      for (; pages < 10_000; pages++) {
        const isInside = pages >= before;
        const at = `${isInside ? before + ((pages - before) % round) : pages}`;
        if (isEndless(at, false)) break;
      }
      expect(pages).toBeLessThanOrEqual(3 * (before + round));
    }),
  );
});

test('pages that do not are let through', () => {
  const isEndless = createPagingGuard();
  for (let page = 0; page < 1_000; page++) expect(isEndless(`${page}`, false)).toBe(false);
});

test('a page with nothing on it is no page that another one follows', () => {
  expect(createPagingGuard()('1', true)).toBe(true);
});

test('more pages than any collection has are too many', () => {
  const isEndless = createPagingGuard();
  let page = 0;
  while (!isEndless(`${page}`, false)) page++;
  expect(page + 1).toBe(PAGES_MAX);
});
