import { describe, expect, it } from 'vitest';
import { type StorageUnderTest, storageContract } from '../../test/contract/storage.ts';
import { MemoryStorage } from './storage.ts';

storageContract('memory', async () => underTest(new MemoryStorage()));

function underTest(storage: MemoryStorage): StorageUnderTest {
  return {
    storage,
    reopen: async () => underTest(storage.fork()),
    close: async () => {},
  };
}

describe('a memory storage that loses its power', () => {
  it.each([
    ['before', null],
    ['after', '2'],
  ] as const)('%s the second commit keeps a whole state', async (when, second) => {
    const storage = new MemoryStorage([], { atCommit: 2, when });
    await storage.commit([['a', '1']]);
    const cut = storage.commit([
      ['b', '2'],
      ['a', null],
    ]);
    await expect(cut).rejects.toMatchObject({ code: 'failed' });
    await expect(storage.get(['a'])).rejects.toMatchObject({ code: 'failed' });
    expect(storage.commits).toBe(2);
    const found = storage.fork();
    expect(await found.get(['a', 'b'])).toEqual([second === null ? '1' : null, second]);
  });

  it('gives copies that know nothing of each other', async () => {
    const storage = new MemoryStorage([['b', '1']]);
    const copy = storage.fork();
    await copy.commit([['a', '2']]);
    expect(storage.snapshot()).toEqual([['b', '1']]);
    expect(copy.snapshot()).toEqual([
      ['a', '2'],
      ['b', '1'],
    ]);
  });
});
