import { beforeEach, describe, expect, it, test } from 'vitest';
import { Overlay } from './overlay.ts';
import type { KeyRange, Reader } from './server-storage.ts';

let stored: Map<string, string>;
let asked: string[];
let overlay: Overlay;

/** What is stored, and what of it was asked for. */
const reader: Reader = {
  async get(keys) {
    asked.push(`get ${keys}`);
    return keys.map((key) => stored.get(key) ?? null);
  },
  async keys({ from, to, limit, reverse = false }) {
    asked.push(`keys ${limit}`);
    const keys = [...stored.keys()].filter((key) => key >= from && key < to).sort();
    return (reverse ? keys.reverse() : keys).slice(0, limit);
  },
  async scan(range) {
    asked.push('scan');
    const keys = await reader.keys(range);
    return keys.map((key) => [key, stored.get(key) ?? '']);
  },
};

beforeEach(() => {
  stored = new Map(['a', 'b', 'c', 'd', 'e'].map((key) => [key, `stored ${key}`]));
  asked = [];
  overlay = new Overlay(reader);
});

describe('a transaction', () => {
  it('sees what it has changed, and of the rest what is stored', async () => {
    overlay.put('b', 'new');
    overlay.remove('c');
    overlay.put('x', '');
    const values = await overlay.get(['a', 'b', 'c', 'x', 'none', 'a']);
    expect(values).toEqual(['stored a', 'new', null, '', null, 'stored a']);
    expect(asked).toEqual(['get a,none,a']);
    // Nobody is asked for what is known.
    await overlay.get(['b', 'c']);
    expect(asked).toHaveLength(1);
    expect(await overlay.get([])).toEqual([]);
  });

  it('changes nothing of what is stored, and tells what it has changed', () => {
    overlay.put('b', '1');
    overlay.put('b', '2');
    overlay.remove('b');
    overlay.put('y', '3');
    expect([...overlay.changes]).toEqual([
      ['b', null],
      ['y', '3'],
    ]);
    expect([stored.get('b'), stored.has('y')]).toEqual(['stored b', false]);
  });

  test.each<[Partial<KeyRange>, string]>([
    [{}, 'abdexy'],
    [{ reverse: true }, 'yxedba'],
    [{ limit: 3 }, 'abd'],
    [{ limit: 3, reverse: true }, 'yxe'],
    [{ from: 'b', to: 'x' }, 'bde'],
    [{ limit: 0 }, ''],
    [{ from: 'c', to: 'd' }, ''],
  ])('walks through %j with what was put, and without what was removed', async (more, keys) => {
    overlay.remove('c');
    overlay.put('x', 'new');
    overlay.put('y', 'new');
    overlay.put('b', 'other');
    const range = { from: 'a', to: 'z', limit: 10, ...more };
    expect((await overlay.keys(range)).join('')).toBe(keys);
    const entries = await overlay.scan(range);
    expect(entries.map(([key]) => key).join('')).toBe(keys);
    for (const [key, value] of entries) {
      const changed = new Map([
        ['x', 'new'],
        ['y', 'new'],
        ['b', 'other'],
      ] as const);
      expect(value).toBe(changed.get(key as 'x') ?? `stored ${key}`);
    }
  });

  it('finds as many as were asked for, however many at the front were removed', async () => {
    for (const key of ['a', 'b', 'c']) overlay.remove(key);
    expect(await overlay.keys({ from: 'a', to: 'z', limit: 2 })).toEqual(['d', 'e']);
    expect(asked).toEqual(['keys 5']);
  });

  it('asks as it was asked where it has changed nothing of the range', async () => {
    overlay.put('x', '');
    const range = { from: 'a', to: 'c', limit: 2 };
    expect(await overlay.keys(range)).toEqual(['a', 'b']);
    expect((await overlay.scan(range)).map(([key]) => key)).toEqual(['a', 'b']);
    expect(asked).toEqual(['keys 2', 'scan', 'keys 2']);
  });
});
