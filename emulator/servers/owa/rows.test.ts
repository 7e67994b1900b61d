import { expect, test } from 'vitest';
import { entryKey, entryRange, readClients, readHead } from './rows.ts';

test('a name of any length and of any characters has a key of its own', () => {
  const names = ['', 'a', 'x'.repeat(2_048), '\ud800', '\udc00', 'ü', '__proto__'];
  const keys = names.map((name) => entryKey('user', name));
  expect(new Set(keys).size).toBe(names.length);
  for (const key of keys) expect(key).toMatch(/^oe\/user\/[\w-]{43}$/);
  const { from, to } = entryRange('user', null, 1);
  expect(keys.every((key) => key >= from && key < to)).toBe(true);
  expect(entryRange('user', keys[0] ?? '', 1).from > (keys[0] ?? '')).toBe(true);
});

test('a row that holds something else is a fault, which says where', () => {
  expect(readHead('user', null)).toEqual({ modifiedMs: 0, entries: 0, bytes: 2 });
  for (const text of ['', '[]', '{"modifiedMs":1,"entries":1}'])
    expect(() => readHead('user', text)).toThrow('the database holds something else at od/user');
  expect(() => readClients('user', '[]')).toThrow('something else at oc/user');
});
