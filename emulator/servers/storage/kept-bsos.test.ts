// The suite of kept records, in memory; and that nothing is left of what was deleted.

import { expect, test } from 'vitest';
import { MemoryStorage } from '../../../platform/memory/storage.ts';
import { bsoStorageContract } from '../../../test/contract/bso-storage.ts';
import { selectPage } from '../selection.ts';
import { TEST_NOW_MS } from '../testing.ts';
import { addUser, KeptBsos } from './kept-bsos.ts';
import { localStorage, memoryStorage } from './local-storage.ts';

bsoStorageContract('records in memory', async () => memoryStorage());

test('of a deleted collection nothing stays, and one of its name begins anew', async () => {
  const below = new MemoryStorage();
  const bsos = new KeptBsos(localStorage(below, () => undefined));
  await localStorage(below, () => undefined).transaction('one', async (tx) => addUser(tx, 1));
  const write = (id: string) =>
    bsos.write(1, TEST_NOW_MS, (user) => user.write('col', [{ id, payload: id, sortindex: 1 }]));
  for (let index = 0; index < 30; index++) await write(`r${index}`);
  const all = below.snapshot().length;
  const deleteAll = () => bsos.write(1, TEST_NOW_MS, (user) => user.deleteCollection('col'));
  await deleteAll();
  await expect.poll(() => below.snapshot().length).toBe(1);
  for (let index = 0; index < 30; index++) await write(`r${index}`);
  expect(below.snapshot()).toHaveLength(all);
  await deleteAll();
  // What a process that has ended leaves, the next one takes away.
  await bsos.close();
  await write('new');
  const again = new KeptBsos(localStorage(below, () => undefined));
  again.sweep();
  await expect.poll(() => below.snapshot().length).toBe(5);
  await again.close();
  expect(await again.read(1, TEST_NOW_MS, (user) => user.counts())).toEqual(new Map([['col', 1]]));
});

test('what was deleted is not looked through again for each portion of it', async () => {
  const below = new MemoryStorage([], undefined, { changesMax: 9_000, valueBytesMax: 9_000 });
  const froms: string[] = [];
  const watched = {
    get: (keys: readonly string[]) => below.get(keys),
    commit: (changes: Parameters<MemoryStorage['commit']>[0]) => below.commit(changes),
    scan(range: Parameters<MemoryStorage['scan']>[0]) {
      if (/^[rst]\/1\.1\//.test(range.from)) froms.push(range.from);
      return below.scan(range);
    },
  };
  const storage = localStorage(watched, () => undefined);
  const bsos = new KeptBsos(storage);
  await storage.transaction('one', async (tx) => addUser(tx, 1));
  for (let from = 0; from < 4_000; from += 250) {
    const changes = Array.from({ length: 250 }, (_, n) => ({ id: `r${from + n}` }));
    await bsos.write(1, TEST_NOW_MS, (user) => user.write('col', changes));
  }
  await bsos.write(1, TEST_NOW_MS, (user) => user.deleteCollection('col'));
  await expect.poll(() => below.snapshot().length).toBe(1);
  expect(froms.length).toBeGreaterThan(4);
  expect([...froms].sort()).toEqual(froms);
  expect(new Set(froms).size).toBe(froms.length);
  await bsos.close();
});

test('what expires is taken away as an older version wrote it, too', async () => {
  const storage = memoryStorage();
  const bsos = new KeptBsos(storage);
  await storage.transaction('one', async (tx) => addUser(tx, 1));
  const changes = Array.from({ length: 250 }, (_, n) => ({ id: `r${n}`, payload: 'p', ttl: 60 }));
  await bsos.write(1, TEST_NOW_MS, (user) => user.write('col', [{ id: 'stays' }, ...changes]));
  await storage.transaction('user/1', async (tx) => {
    const entries = await tx.scan({ from: 'x/', to: 'x0', limit: 1_000 });
    expect(entries).toHaveLength(250);
    for (const [index, [key]] of entries.entries()) if (index % 7 !== 0) tx.put(key, 'col');
  });
  const read = await bsos.read(1, TEST_NOW_MS + 60_000, async (user) => [
    ...[await user.counts(), await user.usage()],
  ]);
  expect(read).toEqual([new Map([['col', 1]]), new Map([['col', 0]])]);
  const left = await storage.read('user/1', (reader) =>
    reader.keys({ from: '!', to: '~', limit: 1_000 }),
  );
  expect(left).toHaveLength(5);
  await bsos.close();
});

test('where very much has expired, who asks is told to come back, and it goes', async () => {
  const below = new MemoryStorage([], undefined, { changesMax: 90_000, valueBytesMax: 9_000 });
  const storage = localStorage(below, () => undefined);
  const bsos = new KeptBsos(storage);
  await storage.transaction('one', async (tx) => addUser(tx, 1));
  for (let from = 0; from < 8_000; from += 2_000) {
    const changes = Array.from({ length: 2_000 }, (_, n) => ({ id: `r${from + n}`, ttl: 60 }));
    await bsos.write(1, TEST_NOW_MS, (user) => user.write('col', changes));
  }
  const laterMs = TEST_NOW_MS + 120_000;
  const count = () => bsos.read(1, laterMs, (user) => user.counts());
  await expect(count()).rejects.toMatchObject({ name: 'StorageError', code: 'failed' });
  await expect.poll(() => below.snapshot().length).toBe(2);
  expect(await count()).toEqual(new Map([['col', 0]]));
  await bsos.close();
});

test('the page behind any other one looks at a page of keys', async () => {
  const below = new MemoryStorage();
  let seen = 0;
  const counted = {
    get: (keys: readonly string[]) => below.get(keys),
    commit: (changes: Parameters<MemoryStorage['commit']>[0]) => below.commit(changes),
    async scan(range: Parameters<MemoryStorage['scan']>[0]) {
      const keys = await below.scan(range);
      seen += keys.length;
      return keys;
    },
  };
  const storage = localStorage(counted, () => undefined);
  const bsos = new KeptBsos(storage);
  await storage.transaction('one', async (tx) => addUser(tx, 1));
  const changes = Array.from({ length: 300 }, (_, n) => ({ id: `r${n}`, sortindex: n % 7 }));
  await bsos.write(1, TEST_NOW_MS, (user) => user.write('col', changes));
  for (const order of ['oldest', 'newest', 'index']) {
    const query = new URLSearchParams({ sort: order, limit: '10' });
    const found = new Set<unknown>();
    for (let page = 0; page < 30; page++) {
      seen = 0;
      const { items, nextOffset } = (await bsos.read(1, TEST_NOW_MS + page, (user) =>
        selectPage(user, 'col', query),
      )) ?? { items: [], nextOffset: null };
      for (const id of items as readonly unknown[]) found.add(id);
      if (nextOffset !== null) query.set('offset', nextOffset);
      // All of one stamp: there the page begins with the first of them.
      if (order === 'index')
        expect([order, page, seen]).toEqual([order, page, page < 29 ? 11 : 10]);
    }
    expect([order, found.size]).toEqual([order, 300]);
  }
  await bsos.close();
});
