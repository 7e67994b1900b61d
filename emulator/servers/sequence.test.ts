import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { Stretch } from './bso-storage.ts';
import { listOf, sequenceOf } from './sequence.ts';
import type { Bso } from './store.ts';

const bso = (id: string, modifiedMs: number, sortindex: number | null = null): Bso => ({
  ...{ id, modifiedMs, sortindex, payload: '', expiresMs: null },
});
const WHOLE: Stretch = {
  ...{ order: 'oldest', newerMs: -1, olderMs: Number.POSITIVE_INFINITY, fromMs: null },
  ...{ behind: null, skip: 0, limit: 100 },
};
const RECORDS = [bso('d', 20), bso('a', 10, 5), bso('c', 20, 7), bso('b', 30, 5), bso('e', 40, -1)];

function list(more: Partial<Stretch> = {}, records: readonly Bso[] = RECORDS) {
  const listing = listOf(sequenceOf(records), { ...WHOLE, ...more });
  const items = listing.items as readonly Bso[];
  expect(listing.count).toBe(items.length);
  return { ...listing, ids: items.map(({ id }) => id).join('') };
}

describe('records in memory', () => {
  test.each<[Partial<Stretch>, string]>([
    [{}, 'acdbe'],
    [{ order: 'newest' }, 'ebdca'],
    [{ order: 'index' }, 'cabed'],
    [{ newerMs: 10 }, 'cdbe'],
    [{ newerMs: 9 }, 'acdbe'],
    [{ olderMs: 30 }, 'acd'],
    [{ olderMs: 31 }, 'acdb'],
    [{ newerMs: 10, olderMs: 30, order: 'newest' }, 'dc'],
    [{ newerMs: 40 }, ''],
    [{ newerMs: 30, olderMs: 20 }, ''],
    [{ skip: 2 }, 'dbe'],
    [{ skip: 9 }, ''],
    [{ fromMs: 20 }, 'cdbe'],
    [{ fromMs: 21 }, 'be'],
    [{ fromMs: 20, skip: 1 }, 'dbe'],
    [{ fromMs: 20, order: 'newest' }, 'dca'],
    [{ fromMs: 25, order: 'newest' }, 'dca'],
    [{ order: 'index', behind: { sortindex: 5, id: 'a' } }, 'bed'],
    // Nobody is there any more.
    [{ order: 'index', behind: { sortindex: 5, id: 'aa' } }, 'bed'],
    [{ order: 'index', behind: { sortindex: 6, id: 'x' } }, 'abed'],
    [{ order: 'index', behind: { sortindex: null, id: 'd' } }, ''],
    [{ order: 'index', behind: { sortindex: null, id: 'c' } }, 'd'],
  ])('%j are %s', (stretch, ids) => {
    expect(list(stretch).ids).toBe(ids);
  });

  it('say whether there are more, and where they end', () => {
    expect(list({ limit: 3 })).toMatchObject({
      ids: 'acd',
      hasMore: true,
      // The second of its stamp.
      end: { id: 'd', stampMs: 20, position: 2, sortindex: null },
    });
    expect(list({ limit: 2 }).end).toMatchObject({ id: 'c', position: 1 });
    expect(list({ limit: 5 })).toMatchObject({ hasMore: false, end: { id: 'e', position: 0 } });
    expect(list({ limit: 0 })).toMatchObject({ ids: '', hasMore: true, end: { id: '' } });
    expect(list({}, [])).toMatchObject({ ids: '', hasMore: false });
    const byIndex = list({ order: 'index', limit: 2 });
    expect(byIndex).toMatchObject({ ids: 'ca', end: { id: 'a', sortindex: 5, position: 0 } });
  });

  it('come once each in pages of any size, by the end of the page before', () => {
    const records = fc.uniqueArray(
      fc.record({
        id: fc.string({ unit: fc.constantFrom(...'abcdef'), minLength: 1, maxLength: 3 }),
        modifiedMs: fc.integer({ min: 1, max: 4 }).map((n) => n * 10),
        sortindex: fc.option(fc.integer({ min: -2, max: 2 })),
      }),
      { selector: ({ id }) => id, maxLength: 30 },
    );
    const order = fc.constantFrom<Stretch['order']>('oldest', 'newest', 'index');
    fc.assert(
      fc.property(records, order, fc.integer({ min: 1, max: 7 }), (some, by, limit) => {
        const all = some.map((one) => bso(one.id, one.modifiedMs, one.sortindex));
        const whole = listOf(sequenceOf(all), { ...WHOLE, order: by, limit: 1000 });
        const seen: Bso[] = [];
        let next: Partial<Stretch> = {};
        for (let pages = 0; pages <= all.length; pages++) {
          const page = listOf(sequenceOf(all), { ...WHOLE, order: by, limit, ...next });
          seen.push(...(page.items as readonly Bso[]));
          if (!page.hasMore) break;
          const { end } = page;
          next = by === 'index' ? { behind: end } : { fromMs: end.stampMs, skip: end.position };
        }
        expect(seen.map(({ id }) => id)).toEqual((whole.items as Bso[]).map(({ id }) => id));
      }),
      { numRuns: 60 },
    );
  });
});
