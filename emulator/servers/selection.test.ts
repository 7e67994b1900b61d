import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { memoryUser } from './memory-bsos.ts';
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

async function pageOf(collection: Collection, query: URLSearchParams | string) {
  const user = new User(1, null);
  user.collections.set('col', collection);
  const reader = memoryUser(user, NOW_MS);
  const { items, nextOffset } = await selectPage(reader, 'col', new URLSearchParams(query));
  return { ids: items as readonly string[], nextOffset };
}

/** All ids, page by page. */
async function pull(collection: Collection, query: Record<string, string>): Promise<string[]> {
  const ids: string[] = [];
  let offset: string | null = null;
  do {
    const next: Record<string, string> = offset === null ? {} : { offset };
    const page = await pageOf(collection, new URLSearchParams({ ...query, ...next }));
    ids.push(...page.ids);
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

  test('every record comes once, in order, in pages of any size, of shared stamps', async () => {
    const records = fc.uniqueArray(record, { selector: ({ id }) => id, maxLength: 30 });
    const sort = fc.constantFrom('newest', 'oldest', 'index');
    await fc.assert(
      fc.asyncProperty(
        records,
        sort,
        fc.integer({ min: 1, max: 8 }),
        async (drawn, order, limit) => {
          const all = drawn.map(({ id, stamp, sortindex }) => bso(id, stamp * 10, sortindex));
          const collection = collectionOf(all);
          const ids = await pull(collection, { sort: order, limit: String(limit) });
          expect([...ids].sort()).toEqual(all.map(({ id }) => id).sort());
          expect(ids).toEqual(await pull(collection, { sort: order }));
          const of = (id: string) => collection.get(id, NOW_MS) as Bso;
          const key = (id: string) =>
            order === 'index'
              ? -(of(id).sortindex ?? Number.NEGATIVE_INFINITY)
              : of(id).modifiedMs * (order === 'oldest' ? 1 : -1);
          const keys = ids.map(key);
          expect(keys).toEqual([...keys].sort((a, b) => (a === b ? 0 : a - b)));
        },
      ),
    );
  });

  test('an offset holds when records of other stamps come', async () => {
    const collection = collectionOf(['a', 'b', 'c'].map((id) => bso(id, 10)));
    collection.set(bso('z', 5));
    const first = await pageOf(collection, 'sort=oldest&limit=2');
    collection.delete('z');
    collection.set(bso('new', 20));
    const rest = new URLSearchParams({ sort: 'oldest', offset: first.nextOffset ?? '' });
    const ids = [...first.ids, ...(await pageOf(collection, rest)).ids];
    expect(ids).toEqual(['z', 'a', 'b', 'c', 'new']);
  });

  test('an offset by index holds when records come before it, and goes itself', async () => {
    const collection = collectionOf([bso('a', 10, 9), bso('b', 20, -3), bso('c', 30), bso('d', 1)]);
    const first = await pageOf(collection, 'sort=index&limit=2');
    expect(first.ids).toEqual(['a', 'b']);
    collection.set(bso('new', 40, 100));
    collection.delete('b');
    const rest = new URLSearchParams({ sort: 'index', offset: first.nextOffset ?? '' });
    expect((await pageOf(collection, rest)).ids).toEqual(['c', 'd']);
  });

  test('one page of a lazy collection looks at that page, not at the collection', async () => {
    let looks = 0;
    const lazy: LazyRecords = {
      count: 1_000_000,
      at: (index) => {
        looks++;
        return bso(`r${index}`, (1 + Math.floor(index / 100)) * 10);
      },
      indexOf: () => -1,
    };
    const page = await pageOf(new Collection(lazy), 'sort=oldest&newer=50&limit=100');
    expect(page.ids[0]).toBe('r500000');
    const next = new URLSearchParams({
      sort: 'oldest',
      limit: '100',
      offset: page.nextOffset ?? '',
    });
    expect((await pageOf(new Collection(lazy), next)).ids[0]).toBe('r500100');
    expect(looks).toBeLessThan(400);
  });
});

describe('selecting', () => {
  const collection = collectionOf([bso('a', 10), bso('b', 20), bso('c', 30), bso('d', 30)]);
  const ids = async (query: string) => (await pageOf(collection, query)).ids;

  test.each([
    ['newer=0.02', ['d', 'c']],
    ['older=0.02', ['a']],
    ['newer=0.01&older=0.03', ['b']],
    ['newer=0.03', []],
    ['ids=c,x,a,a', ['c', 'a']],
    ['ids=a,b,c&newer=0.01&sort=oldest&limit=1', ['b']],
    ['limit=0', []],
    ['unknown=1&limit=1', ['d']],
    ['offset=1&sort=oldest', ['b', 'c', 'd']],
    ['offset=3&limit=2', ['a']],
    ['offset=1&newer=0.01&sort=oldest&limit=1', ['c']],
    ['offset=9', []],
  ])('%s gives %j', async (query, expected) => {
    expect(await ids(query)).toEqual(expected);
  });

  test.each([
    'newer=x',
    'older=-1',
    'limit=-1',
    'limit=1.5',
    'sort=random',
    'offset=x',
    'offset=1:x&sort=oldest',
    'offset=10:1&newer=0.02&sort=oldest',
    'offset=10:1&sort=index',
    'offset=10:&sort=index',
    'offset=10:YQ==&sort=index',
    'offset=1.5:YQ&sort=index',
    'offset=10:CQ&sort=index',
    'offset=10:YQ&sort=oldest',
    `ids=${Array.from({ length: 101 }, (_, index) => index).join()}`,
    'ids=%C3%A9',
  ])('%s is refused', async (query) => {
    await expect(ids(query)).rejects.toThrow('HTTP 400');
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
