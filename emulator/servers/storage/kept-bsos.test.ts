// The suite of kept records, in memory; and that nothing is left of what was deleted.

import { expect, test } from 'vitest';
import { MemoryStorage } from '../../../platform/memory/storage.ts';
import { bsoStorageContract } from '../../../test/contract/bso-storage.ts';
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
