import { expect, test } from 'vitest';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { type StorageUnderTest, storageContract } from '../../test/contract/storage.ts';
import { prefixed, prefixOf } from './prefixed.ts';

/** What the others have in the same storage. */
const OTHERS = ['!', '1.h.c', ':a:s', ':home-:s', ':home0:s', ':work-2:s', ':zz:x', 's', '~'];
const sharing = { prefixes: [], lost: () => undefined };

function partOf(whole: MemoryStorage, prefix: string): StorageUnderTest {
  return {
    storage: prefixed(whole, prefix, sharing),
    reopen: async () => partOf(whole.fork(), prefix),
    async close() {
      const found = new Map(whole.snapshot());
      const theirs = OTHERS.filter((key) => key.startsWith(':') || prefix !== '');
      for (const key of theirs) expect(found.get(key)).toBe(`= ${key}`);
    },
  };
}

for (const [what, name] of [
  ['the part of a named remote', 'work'],
  ['the part of the first remote', null],
] as const) {
  const prefix = prefixOf(name);
  const others = OTHERS.filter((key) => key.startsWith(':') || name !== null);
  storageContract(
    what,
    async () => partOf(new MemoryStorage(others.map((key) => [key, `= ${key}`])), prefix),
    240 - prefix.length,
  );
}

test('a repair that has lost something leaves its note with all, and tells', async () => {
  const notes: unknown[] = [];
  let isWhole = true;
  let losses = 0;
  const whole = Object.assign(new MemoryStorage(), {
    async repair(ifLost: unknown) {
      notes.push(ifLost);
      return isWhole;
    },
  });
  const { repair } = prefixed(whole, ':work:', {
    prefixes: ['', ':work:'],
    lost: () => void losses++,
  });
  expect(await repair?.([['t', '']])).toBe(true);
  expect(losses).toBe(0);
  isWhole = false;
  expect(await repair?.([['t', '']])).toBe(false);
  expect(losses).toBe(1);
  const all = [
    ['t', ''],
    [':work:t', ''],
  ];
  expect(notes).toEqual([all, all]);
  expect(prefixed(new MemoryStorage(), '', sharing).repair).toBeUndefined();
});
