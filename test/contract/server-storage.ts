// What every ServerStorage does: one suite, run on each.

import { describe, expect, it } from 'vitest';
import {
  keysUnder,
  type ServerStorage,
  type Transaction,
} from '../../emulator/servers/storage/server-storage.ts';

const ALL = { from: '!', to: '~~', limit: 1_000 };

/** `open` opens what the last one left; the suite closes what it opens. */
export function serverStorageContract(name: string, open: () => Promise<ServerStorage>): void {
  describe(name, () => {
    const use = async <T>(work: (storage: ServerStorage) => Promise<T>): Promise<T> => {
      const storage = await open();
      try {
        await storage.transaction('all', async (tx) => {
          for (const [key] of await tx.scan(ALL)) tx.remove(key);
        });
        return await work(storage);
      } finally {
        await storage.close();
      }
    };
    const contents = (storage: ServerStorage) =>
      storage.transaction('look', (tx) => tx.scan(ALL)).then((rows) => Object.fromEntries(rows));
    const fill = (storage: ServerStorage, ...keys: string[]) =>
      storage.transaction('fill', async (tx) => {
        for (const key of keys) tx.put(key, `of ${key}`);
      });

    it('keeps all that a transaction changed', () =>
      use(async (storage) => {
        await fill(storage, 'b', 'a', 'c');
        const result = await storage.transaction('x', async (tx) => {
          tx.remove('a');
          tx.put('b', '');
          tx.put('d', 'ü \u0000 𝄞 ﻿');
          return 7;
        });
        expect(result).toBe(7);
        expect(await contents(storage)).toEqual({ b: '', c: 'of c', d: 'ü \u0000 𝄞 ﻿' });
      }));

    it('keeps nothing of a transaction that throws, and the lock is free again', () =>
      use(async (storage) => {
        await fill(storage, 'a');
        const failing = storage.transaction('fill', async (tx) => {
          tx.put('a', 'other');
          tx.put('b', 'new');
          throw new Error('changed its mind');
        });
        await expect(failing).rejects.toThrow('changed its mind');
        await fill(storage, 'c');
        expect(await contents(storage)).toEqual({ a: 'of a', c: 'of c' });
      }));

    it('shows a transaction its own changes, and nobody else before they are done', () =>
      use(async (storage) => {
        await fill(storage, 'a', 'b', 'c');
        await storage.transaction('x', async (tx) => {
          tx.remove('b');
          tx.put('bb', 'new');
          expect(await tx.get(['a', 'b', 'bb', 'none'])).toEqual(['of a', null, 'new', null]);
          expect(await keysOf(tx, ALL)).toEqual(['a', 'bb', 'c']);
          expect(Object.keys(await contents(storage))).toEqual(['a', 'b', 'c']);
        });
      }));

    it.each([
      [{}, ['b', 'b.1', 'b.2', 'c']],
      [{ limit: 2 }, ['b', 'b.1']],
      [{ reverse: true }, ['c', 'b.2', 'b.1', 'b']],
      [{ reverse: true, limit: 3 }, ['c', 'b.2', 'b.1']],
      [{ to: 'b.2' }, ['b', 'b.1']],
      [{ from: 'x', to: 'y' }, []],
      [keysUnder('b.', 9), ['b.1', 'b.2']],
    ])('reads %j in order', (range, keys) =>
      use(async (storage) => {
        await fill(storage, 'd', 'b.2', 'a', 'b', 'b.0');
        await storage.transaction('x', async (tx) => {
          for (const key of ['b.1', 'c']) tx.put(key, '');
          tx.remove('b.0');
          const asked = { from: 'b', to: 'd', limit: 9, ...range };
          expect(await keysOf(tx, asked)).toEqual(keys);
          expect(await tx.keys(asked)).toEqual(keys);
        });
      }),
    );

    it('lets one transaction at a time have a lock', () =>
      use(async (storage) => {
        const add = () =>
          storage.transaction('count', async (tx) => {
            const [count] = await tx.get(['n']);
            await new Promise((resolve) => setTimeout(resolve, 1));
            tx.put('n', `${Number(count ?? 0) + 1}`);
          });
        await Promise.all(Array.from({ length: 40 }, add));
        expect(await contents(storage)).toEqual({ n: '40' });
      }));

    it('reads what was committed before it was asked, and one state of it', () =>
      use(async (storage) => {
        await fill(storage, 'a', 'b');
        const both = (value: string) =>
          storage.transaction('both', async (tx) => {
            for (const key of ['a', 'b']) tx.put(key, value);
          });
        await both('0');
        const seen = await storage.read('both', async (reader) => {
          const [a] = await reader.get(['a']);
          const writing = both('1');
          // It may have to wait until this has been read.
          await Promise.race([writing, new Promise((resolve) => setTimeout(resolve, 500))]);
          const [, b] = await reader.scan({ from: 'a', to: 'c', limit: 9 });
          return { a, b, writing };
        });
        await seen.writing;
        expect([seen.a, seen.b]).toEqual(['0', ['b', '0']]);
        expect(await storage.read('both', (reader) => reader.get(['a', 'b']))).toEqual(['1', '1']);
      }));

    it('lets another lock be taken meanwhile', () =>
      use(async (storage) => {
        await storage.transaction('one', async (tx) => {
          await storage.transaction('two', async (inner) => inner.put('b', '2'));
          tx.put('a', '1');
        });
        expect(await contents(storage)).toEqual({ a: '1', b: '2' });
      }));

    it('holds a batch of 10,000 records and one of 15 MiB in one transaction', () =>
      use(async (storage) => {
        // No two parts of it are the same, so that none can be in another one's place.
        const parts = Array.from({ length: 1_966_080 }, (_, n) => String(n).padStart(8, '0'));
        const long = parts.join('');
        await storage.transaction('x', async (tx) => {
          for (let index = 0; index < 10_000; index++) tx.put(`r.${index}`, 'p');
          tx.put('long', long);
        });
        await storage.transaction('x', async (tx) => {
          expect((await tx.get(['long']))[0] === long).toBe(true);
          expect(await tx.scan(keysUnder('r.', 20_000))).toHaveLength(10_000);
          for (let index = 0; index < 10_000; index++) tx.remove(`r.${index}`);
        });
        expect(Object.keys(await contents(storage))).toEqual(['long']);
      }));

    it.each(['', 'with space', 'ü', 'x'.repeat(241)])('takes no key %j', (key) =>
      use(async (storage) => {
        await expect(fill(storage, 'a', key)).rejects.toThrow(RangeError);
        expect(await contents(storage)).toEqual({});
      }),
    );
  });
}

async function keysOf(tx: Transaction, range: Parameters<Transaction['scan']>[0]) {
  return (await tx.scan(range)).map(([key]) => key);
}
