// A folder's children: in its order, then those that only say themselves that they lie in it, a
// portion at a time.

import { describe, expect, test } from 'vitest';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { localWith, mirrorWith, openTestStore, putEntries } from '../../test/support/store.ts';
import type { Body } from '../collections/collection.ts';
import { forms } from '../collections/forms.ts';
import { LIST_CHARS_MAX } from '../limits.ts';
import type { Entry } from '../store/record.ts';
import { bookmarks, hasFolders } from './folders.ts';

const mark = (id: string, parentid: string, more: object = {}): Body => ({
  ...{ id, type: 'bookmark', parentid, bmkUri: `https://a/${id}`, title: id },
  ...more,
});

/** A menu that names these children, and these records. */
async function menu(children: readonly string[], records: readonly Body[]) {
  const store = await openTestStore(new MemoryStorage(), bookmarks);
  const folder = { id: 'menu', type: 'folder', parentid: 'places', children };
  const all = [folder, ...records].map((body): [string, Partial<Entry>] => [
    `${body.id}`,
    { mirror: mirrorWith(body) },
  ]);
  await putEntries(store, Object.fromEntries(all));
  return {
    store,
    list: (limit: number, after: string | null = null, parent = 'menu') =>
      bookmarks.listFolder(store, parent, limit, after),
    /** All of them, and how many calls it took. */
    async all(limit: number): Promise<{ ids: unknown[]; calls: number }> {
      const ids: unknown[] = [];
      let calls = 0;
      let after: string | null = null;
      do {
        const page: { records: Body[]; next: string | null } = await this.list(limit, after);
        ids.push(...page.records.map(({ guid }) => guid));
        after = page.next;
        calls++;
      } while (after !== null);
      return { ids, calls };
    },
  };
}

describe('a folder shows', () => {
  const CHILDREN = ['c', 'a', 'gone', 'b', 'elsewhere'];
  const RECORDS = [
    ...['a', 'b', 'c', 'z', 'y'].map((id) => mark(id, 'menu')),
    mark('elsewhere', 'toolbar'),
    mark('other', 'toolbar'),
  ];
  const SHOWN = ['c', 'a', 'b', 'y', 'z'];

  test.each([1, 2, 3, 4, 100])(
    'what it names in its order, then the rest, each once, %i at a time',
    async (limit) => {
      const it = await menu(CHILDREN, RECORDS);
      expect((await it.all(limit)).ids).toEqual(SHOWN);
    },
  );

  test('a child where it says that it is, and nowhere else', async () => {
    const { list } = await menu(['elsewhere'], [mark('elsewhere', 'toolbar')]);
    expect((await list(10)).records).toEqual([]);
    expect((await list(10, null, 'toolbar')).records).toMatchObject([{ guid: 'elsewhere' }]);
  });

  test('no child that was deleted here', async () => {
    const { list, store } = await menu(['a', 'b'], [mark('a', 'menu'), mark('b', 'menu')]);
    const [before] = await store.load(['a']);
    await putEntries(store, { a: { mirror: before?.mirror ?? null, local: localWith(null) } });
    expect((await list(10)).records.map(({ guid }) => guid)).toEqual(['b']);
  });

  test('children that are no ids of records to nobody, and goes on behind them', async () => {
    const it = await menu(['', 'ä', '..', 'a'], [mark('a', 'menu')]);
    expect((await it.all(1)).ids).toEqual(['a']);
  });

  test('what lies in it although it is not here itself', async () => {
    const { list } = await menu([], [mark('a', 'missing')]);
    expect((await list(10, null, 'missing')).records).toMatchObject([{ guid: 'a' }]);
  });

  test('fewer where they are long, one at least', async () => {
    const long = { title: 'x'.repeat(Math.ceil(LIST_CHARS_MAX * 0.6)) };
    const ids = ['a', 'b', 'c'];
    const it = await menu(
      ids,
      ids.map((id) => mark(id, 'menu', long)),
    );
    expect((await it.list(10)).records).toHaveLength(1);
    expect(await it.all(10)).toMatchObject({ ids, calls: expect.any(Number) });
  });
});

test.each(['x', '-1', '1.5', '1'.repeat(10), '1.b.x.dmenu', ' '])(
  'a place that is none of the list is refused: %j',
  async (after) => {
    const { list } = await menu(['a'], [mark('a', 'menu')]);
    await expect(list(10, after)).rejects.toMatchObject({ code: 'badInput' });
  },
);

test('a collection without folders has none', () => {
  expect([hasFolders(bookmarks), hasFolders(forms)]).toEqual([true, false]);
});
