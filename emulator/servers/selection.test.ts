import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { selectPage } from './selection.ts';
import { type Bso, Collection, type LazyRecords, User } from './store.ts';
import { startWorld } from './testing.ts';

const NOW_MS = 1_000_000;

function bso(id: string, modifiedMs: number, sortindex: number | null = null): Bso {
  return { id, modifiedMs, payload: id, sortindex, expiresMs: null };
}

function collectionOf(records: readonly Bso[]): Collection {
  const collection = new Collection();
  for (const record of records) collection.set(record);
  return collection;
}

/** All ids, page by page, and how many records were looked at for the dearest page. */
function pull(collection: Collection, query: Record<string, string>): string[] {
  const ids: string[] = [];
  let offset: string | null = null;
  do {
    const next: Record<string, string> = offset === null ? {} : { offset };
    const page = selectPage(collection, new URLSearchParams({ ...query, ...next }), NOW_MS);
    ids.push(...page.records.map(({ id }) => id));
    offset = page.nextOffset;
  } while (offset !== null);
  return ids;
}

describe('paging', () => {
  const record = fc.record({
    id: fc.string({ minLength: 1, maxLength: 3 }),
    stamp: fc.integer({ min: 1, max: 5 }),
    sortindex: fc.option(fc.integer({ min: -3, max: 3 })),
  });

  test('every record comes once, in order, in pages of any size, however stamps are shared', () => {
    const records = fc.uniqueArray(record, { selector: ({ id }) => id, maxLength: 30 });
    const sort = fc.constantFrom('newest', 'oldest', 'index');
    fc.assert(
      fc.property(records, sort, fc.integer({ min: 1, max: 8 }), (drawn, order, limit) => {
        const all = drawn.map(({ id, stamp, sortindex }) => bso(id, stamp * 10, sortindex));
        const collection = collectionOf(all);
        const ids = pull(collection, { sort: order, limit: String(limit) });
        expect([...ids].sort()).toEqual(all.map(({ id }) => id).sort());
        expect(ids).toEqual(pull(collection, { sort: order }));
        const of = (id: string) => collection.get(id, NOW_MS) as Bso;
        const key = (id: string) =>
          order === 'index'
            ? -(of(id).sortindex ?? Number.NEGATIVE_INFINITY)
            : of(id).modifiedMs * (order === 'oldest' ? 1 : -1);
        const keys = ids.map(key);
        expect(keys).toEqual([...keys].sort((a, b) => (a === b ? 0 : a - b)));
      }),
    );
  });

  test('an offset holds when records of other stamps come', () => {
    const collection = collectionOf(['a', 'b', 'c'].map((id) => bso(id, 10)));
    collection.set(bso('z', 5));
    const first = selectPage(collection, new URLSearchParams('sort=oldest&limit=2'), NOW_MS);
    collection.delete('z');
    collection.set(bso('new', 20));
    const rest = new URLSearchParams({ sort: 'oldest', offset: first.nextOffset ?? '' });
    const ids = [...first.records, ...selectPage(collection, rest, NOW_MS).records].map(
      (r) => r.id,
    );
    expect(ids).toEqual(['z', 'a', 'b', 'c', 'new']);
  });

  test('one page of a lazy collection looks at that page, not at the collection', () => {
    let looks = 0;
    const lazy: LazyRecords = {
      count: 1_000_000,
      at: (index) => {
        looks++;
        return bso(`r${index}`, (1 + Math.floor(index / 100)) * 10);
      },
      indexOf: () => -1,
    };
    const query = new URLSearchParams('sort=oldest&newer=50&limit=100');
    const page = selectPage(new Collection(lazy), query, NOW_MS);
    expect(page.records[0]?.id).toBe('r500000');
    const next = new URLSearchParams({
      sort: 'oldest',
      limit: '100',
      offset: page.nextOffset ?? '',
    });
    expect(selectPage(new Collection(lazy), next, NOW_MS).records[0]?.id).toBe('r500100');
    expect(looks).toBeLessThan(400);
  });
});

describe('selecting', () => {
  const collection = collectionOf([bso('a', 10), bso('b', 20), bso('c', 30), bso('d', 30)]);
  const ids = (query: string) =>
    selectPage(collection, new URLSearchParams(query), NOW_MS).records.map(({ id }) => id);

  test.each([
    ['newer=0.02', ['d', 'c']],
    ['older=0.02', ['a']],
    ['newer=0.01&older=0.03', ['b']],
    ['newer=0.03', []],
    ['ids=c,x,a,a', ['c', 'a']],
    ['ids=a,b,c&newer=0.01&sort=oldest&limit=1', ['b']],
    ['limit=0', []],
    ['unknown=1&limit=1', ['d']],
  ])('%s gives %j', (query, expected) => {
    expect(ids(query)).toEqual(expected);
  });

  test.each([
    'newer=x',
    'older=-1',
    'limit=-1',
    'limit=1.5',
    'sort=random',
    'offset=x',
    'offset=1&sort=oldest',
    'offset=10:1&newer=0.02&sort=oldest',
    'offset=10:1&sort=index',
    `ids=${Array.from({ length: 101 }, (_, index) => index).join()}`,
    'ids=%C3%A9',
  ])('%s is refused', (query) => {
    expect(() => ids(query)).toThrow('HTTP 400');
  });

  test('a query over HTTP finds a record by its escaped id and by two-digit stamps', async () => {
    const storage = await startWorld().signIn();
    for (const id of ['a', 'b~c']) await storage('POST', 'storage/col', { body: [{ id }] });
    expect((await storage('GET', 'storage/col?ids=b%7Ec')).json).toEqual(['b~c']);
    expect((await storage('GET', 'storage/col?newer=1795323280.00')).json).toEqual(['b~c']);
    expect((await storage('GET', 'storage/col?older=1795323280.01')).json).toEqual(['a']);
    const page = await storage('GET', 'storage/col?limit=1');
    expect(page.headers.get('x-weave-records')).toBe('1');
    const offset = encodeURIComponent(page.headers.get('x-weave-next-offset') ?? '');
    const last = await storage('GET', `storage/col?limit=1&offset=${offset}`);
    expect([last.json, last.headers.get('x-weave-next-offset')]).toEqual([['a'], null]);
  });
});

describe('a lazy base under later writes', () => {
  const base = Array.from({ length: 5 }, (_, index) => bso(`r${index}`, 10 + index * 10));
  const lazyUser = () => {
    const user = new User(1, null);
    const collection = new Collection({
      count: base.length,
      at: (index) => base[index] as Bso,
      indexOf: (id) => base.findIndex((record) => record.id === id),
    });
    user.collections.set('col', collection);
    user.modifiedMs = 50;
    return { user, collection };
  };

  test('replaced records move to the end, deleted ones go, others stay', () => {
    const { user, collection } = lazyUser();
    user.write('col', [{ id: 'r1', payload: 'new' }], NOW_MS);
    user.deleteRecords('col', ['r3', 'absent'], NOW_MS);
    expect(pull(collection, { sort: 'oldest', limit: '2' })).toEqual(['r0', 'r2', 'r4', 'r1']);
    expect(collection.get('r1', NOW_MS)?.payload).toBe('new');
    expect(collection.get('r3', NOW_MS)).toBeUndefined();
    user.write('col', [{ id: 'r3', payload: 'again' }], NOW_MS);
    expect(pull(collection, { sort: 'newest' })).toEqual(['r3', 'r1', 'r4', 'r2', 'r0']);
    expect(collection.count(NOW_MS)).toBe(5);
  });

  test('a new time to live alone leaves a lazy record as it is', () => {
    const { user, collection } = lazyUser();
    user.write('col', [{ id: 'r1', ttl: 1 }], NOW_MS);
    expect(collection.get('r1', NOW_MS + 5_000)).toEqual(base[1]);
  });
});
