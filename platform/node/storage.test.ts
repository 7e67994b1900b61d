import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type StorageUnderTest, storageContract } from '../../test/contract/storage.ts';
import { openNodeStorage } from './storage.ts';

const root = mkdtempSync(join(tmpdir(), 'kitsync-storage-'));
afterAll(() => rmSync(root, { recursive: true }));
let count = 0;
const newDirectory = () => join(root, `${++count}`);

storageContract('SQLite in a directory', () => inDirectory(newDirectory()));

async function inDirectory(directory: string): Promise<StorageUnderTest> {
  const storage = await openNodeStorage(directory);
  return {
    storage,
    async reopen() {
      storage.close();
      return inDirectory(directory);
    },
    close: async () => storage.close(),
    damaged: async (choose) => {
      const copy = newDirectory();
      mkdirSync(copy);
      for (const name of readdirSync(directory).filter((name) => name.startsWith('store'))) {
        copyFileSync(join(directory, name), join(copy, name));
      }
      // Half of them were closed before, and have no log.
      if (choose(2) === 0) {
        const closed = await openNodeStorage(copy);
        await closed.get(['k']);
        closed.close();
      }
      const names = readdirSync(copy).sort();
      const path = join(copy, names[choose(names.length)] ?? '');
      const bytes = readFileSync(path);
      const at = choose(bytes.length);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << choose(8));
      writeFileSync(path, bytes);
      return inDirectory(copy);
    },
  };
}

describe('SQLite in a directory', () => {
  it('refuses a directory that is in use, and lets it go when it is closed', async () => {
    const directory = newDirectory();
    const first = await openNodeStorage(directory);
    await expect(openNodeStorage(directory)).rejects.toMatchObject({ code: 'failed' });
    await first.commit([['k', 'v']]);
    first.close();
    const second = await openNodeStorage(directory);
    expect(await second.get(['k'])).toEqual(['v']);
    second.close();
    expect(readdirSync(directory)).toEqual(['store']);
  });

  it('takes over from a process that ended without closing', async () => {
    const directory = newDirectory();
    (await openNodeStorage(directory)).close();
    writeFileSync(join(directory, 'lock'), '999999999');
    const storage = await openNodeStorage(directory);
    expect(await storage.get(['k'])).toEqual([null]);
    storage.close();
  });

  it('takes over when the id of a process that ended is that of another one now', async () => {
    const directory = newDirectory();
    (await openNodeStorage(directory)).close();
    writeFileSync(join(directory, 'lock'), `${process.pid} of a boot long ago`);
    const storage = await openNodeStorage(directory);
    await expect(openNodeStorage(directory)).rejects.toMatchObject({ code: 'failed' });
    storage.close();
    expect(readdirSync(directory)).toEqual([]);
  });

  it('takes a file that is none of its own for a damaged one', async () => {
    const directory = newDirectory();
    (await openNodeStorage(directory)).close();
    writeFileSync(join(directory, 'store'), 'x'.repeat(8192));
    const storage = await openNodeStorage(directory);
    await expect(storage.get(['k'])).rejects.toMatchObject({ code: 'damaged' });
    expect(await storage.repair()).toBe(false);
    expect(await storage.get(['k'])).toEqual([null]);
    storage.close();
  });

  it('keeps to its quota', async () => {
    const storage = await openNodeStorage(newDirectory(), { quotaBytes: 1024 * 1024 });
    await storage.commit([['k', 'v']]);
    const much = storage.commit([['k', 'x'.repeat(2_000_000)]]);
    await expect(much).rejects.toMatchObject({ code: 'full' });
    expect(await storage.get(['k'])).toEqual(['v']);
    storage.close();
  });
});
