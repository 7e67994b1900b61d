// Firefox's bookmarks on a device that only reads them: the same tree in the same order, whatever
// the user does to it.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Household, startHousehold } from './household.ts';
import { lastWrites } from './storage.ts';

/** `type` is a number of nsINavBookmarksService. */
const FOLDER = 2;
const SEPARATOR = 3;
const TREE = [
  {
    guid: 'bookmark____',
    title: 'Größe 日本',
    url: 'https://example.com/ü?q=größe',
    tags: ['a tag', '旅行'],
  },
  { guid: 'separator___', type: SEPARATOR },
  {
    guid: 'folder______',
    type: FOLDER,
    title: 'folder',
    children: [
      { guid: 'second______', title: 'last first', url: 'https://example.com/2' },
      {
        guid: 'within______',
        type: FOLDER,
        title: 'folder within',
        children: [{ guid: 'third_______', title: '', url: 'https://example.com/3' }],
      },
      { title: 'query', url: 'place:sort=8&maxResults=10' },
      { type: SEPARATOR },
      { title: 'first last', url: 'https://example.com/1', keyword: 'word' },
    ],
  },
  { type: FOLDER, title: 'empty' },
];
const ROOTS = ['toolbar', 'menu', 'unfiled', 'mobile'];

interface Item {
  readonly guid: string;
  readonly type: string;
  readonly title: string;
  readonly url: string;
  readonly keyword: string;
  readonly tags: readonly string[];
  readonly children: readonly Item[];
}

let home: Household;
beforeAll(async () => {
  home = await startHousehold(async ({ call }) => {
    await call('bookmarks', 'addTree', 'toolbar', TREE);
    await call('bookmarks', 'addTree', 'unfiled', [{ title: 'other', url: 'ftp://example.com/' }]);
  });
});
afterAll(() => home?.close());

const inside = (name: string, ...args: unknown[]) => home.firefox.call('bookmarks', name, ...args);

/** What Firefox shows under each root, after both have checked that the device shows the same. */
async function agreedTree(): Promise<Item[][]> {
  await home.firefox.sync();
  const written = await lastWrites(home.serving, ['bookmarks']);
  expect((await home.computer.sync()).bookmarks).toMatchObject({ pushed: 0 });
  expect(await lastWrites(home.serving, ['bookmarks'])).toEqual(written);
  const trees: Item[][] = [];
  for (const root of ROOTS) {
    const tree = (await inside('listTree', root)) as Item[];
    expect(await listTree(root)).toEqual(tree);
    trees.push(tree);
  }
  return trees;
}

/** As an app of the device reads it. */
async function listTree(folder: string): Promise<Item[]> {
  const items: Item[] = [];
  let after: string | null = null;
  do {
    const query = { parent: folder, limit: 3, after };
    const { records, next } = await home.computer.agent.list('bookmarks', query);
    for (const record of records) items.push(await toItem(record as Partial<Item>));
    after = next;
  } while (after !== null);
  return items;
}

/** With what a record leaves out. */
async function toItem(record: Partial<Item>): Promise<Item> {
  const { guid = '', type = '', title = '', url = '', keyword = '', tags = [] } = record;
  const children = type === 'folder' ? await listTree(guid) : [];
  return { guid, type, title, url, keyword, tags: [...tags].sort(), children };
}

test('the device shows the tree that Firefox shows', async () => {
  const [toolbar = [], , unfiled = []] = await agreedTree();
  const [bookmark, separator, folder, empty] = toolbar.slice(-4);
  expect(bookmark).toMatchObject({ type: 'bookmark', tags: ['a tag', '旅行'] });
  expect(separator?.type).toBe('separator');
  expect(folder?.children.map(({ type }) => type)).toEqual([
    'bookmark',
    'folder',
    'query',
    'separator',
    'bookmark',
  ]);
  expect(folder?.children[4]?.keyword).toBe('word');
  expect(empty).toMatchObject({ title: 'empty', children: [] });
  expect(unfiled.map(({ title }) => title)).toEqual(['other']);
});

test('what Firefox moves, renames and deletes is the same on the device', async () => {
  await inside('moveItem', 'second______', 'within______', 0);
  await inside('moveItem', 'separator___', 'mobile', 0);
  await inside('renameItem', 'bookmark____', 'another title');
  await inside('removeItem', 'third_______');
  await agreedTree();
  await inside('removeItem', 'folder______');
  await agreedTree();
  for (const guid of ['folder______', 'second______', 'within______', 'third_______']) {
    expect(await home.computer.agent.get('bookmarks', guid)).toBeNull();
  }
});

test('the device changes none of them', async () => {
  const { agent } = home.computer;
  const record = { type: 'bookmark', title: 'new', bmkUri: 'https://example.com/new' };
  await expect(agent.put('bookmarks', record)).rejects.toThrow('read-only');
  await expect(agent.delete('bookmarks', 'bookmark____')).rejects.toThrow('read-only');
});
