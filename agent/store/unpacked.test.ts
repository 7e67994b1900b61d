// A stored value is read back with its text in memory once, and a long one in turns.

import { describe, expect, test } from 'vitest';
import { longJsonUnits } from '../../crypto/json.ts';
import type { Value } from '../../platform/ports.ts';
import { testVault } from '../../test/support/store.ts';
import { unpacked } from './unpacked.ts';

const KEY = '1.h.r.a';
const vault = testVault();
const jsonOf = (chars: number): string => JSON.stringify({ text: 'x'.repeat(chars) });

/** What a value is, and how many turns the device got meanwhile. */
async function read(...values: (Value | null)[]) {
  let turns = 0;
  const packed = await unpacked(vault, KEY, values, 0, async () => void turns++);
  return { packed, turns, left: values };
}

test('a text is divided at its first line end, and taken from the list', async () => {
  const { packed, left, turns } = await read('c1 2\n{"a":\n1}', 'next');
  expect(packed).toEqual({ head: 'c1 2', text: '{"a":\n1}' });
  expect([left, turns]).toEqual([[null, 'next'], 0]);
});

test('bytes are what the vault says of them', async () => {
  const sealed = await vault.seal(KEY, 'c1 2', '{"a":1}');
  expect((await read(sealed)).packed).toEqual({ head: 'c1 2', text: '{"a":1}' });
});

test('bytes of another key do not open', async () => {
  const sealed = await vault.seal('1.h.r.b', 'c1 2', '{"a":1}');
  expect((await read(sealed)).packed).toBeNull();
});

test('where nothing is, nothing is read', async () => {
  expect((await read(null)).packed).toBeNull();
});

describe('a long text', () => {
  const long = jsonOf(longJsonUnits);

  test('is read in turns, and only what it says is kept', async () => {
    const { packed, turns } = await read(`c1 2\n${long}`);
    expect(packed).toEqual({ head: 'c1 2', text: '', body: JSON.parse(long) });
    expect(turns).toBeGreaterThan(4);
  });

  test('is long from one character on', async () => {
    const just = jsonOf(longJsonUnits - jsonOf(0).length);
    expect(just).toHaveLength(longJsonUnits);
    expect((await read(`c\n${just}`)).packed?.text).toBe(just);
    expect((await read(`c\n${just} `)).packed?.text).toBe('');
  });

  test('that nests too deep for turns is left as it is', async () => {
    const deep = `{"a":${'['.repeat(40)}"${'x'.repeat(longJsonUnits)}"${']'.repeat(40)}}`;
    expect((await read(`c\n${deep}`)).packed).toEqual({ head: 'c', text: deep });
  });

  test('that is no JSON is left to who knows what it should be', async () => {
    const cut = long.slice(0, -1);
    expect((await read(`c\n${cut}`)).packed).toEqual({ head: 'c', text: cut });
  });

  test('does not swallow what the device fails with meanwhile', async () => {
    const fails = async (): Promise<void> => {
      throw new RangeError('out of memory');
    };
    await expect(unpacked(vault, KEY, [`c\n${long}`], 0, fails)).rejects.toThrow('out of memory');
  });
});
