// What every storage refuses, and how long values are.

import { describe, expect, test } from 'vitest';
import { checkKeys, isKey, lastChanges, StorageError, valueBytes } from './storage-rules.ts';

test.each<[string, boolean]>([
  ['a', true],
  ['!', true],
  ['~', true],
  ['x'.repeat(240), true],
  ['x'.repeat(241), false],
  ['', false],
  [' ', false],
  ['a b', false],
  ['a\n', false],
  ['\u007f', false],
  ['ä', false],
])('%j is a key: %j', (text, is) => {
  expect(isKey(text)).toBe(is);
});

test('one key that is none is named', () => {
  expect(() => checkKeys(['a', 'a b', 'c'])).toThrow(new RangeError('not a storage key: "a b"'));
  expect(() => checkKeys(['a', 'c'])).not.toThrow();
});

describe('the changes of a commit', () => {
  const limits = { changesMax: 3, valueBytesMax: 4 };

  test('are by key, the last one of each', () => {
    const changes = [
      ['a', '1'],
      ['b', null],
      ['a', '2'],
    ] as const;
    expect([...lastChanges(changes, limits)]).toEqual([
      ['a', '2'],
      ['b', null],
    ]);
  });

  test('are no more than the limit, those that are replaced counted too', () => {
    const same = Array.from({ length: 4 }, () => ['a', '1'] as const);
    expect(() => lastChanges(same, limits)).toThrow(new RangeError('4 changes in one commit'));
    expect(lastChanges(same.slice(1), limits).size).toBe(1);
  });

  test('have no value over the limit, in bytes', () => {
    const commit = (value: string | Uint8Array) => () => lastChanges([['a', value]], limits);
    for (const value of ['abcd', 'éé', '😀', new Uint8Array(4)])
      expect(commit(value)).not.toThrow();
    for (const value of ['abcde', 'ééé', '😀a', '日本', new Uint8Array(5)]) {
      expect(commit(value)).toThrow(new RangeError('the value of a is too long'));
    }
  });

  test('have no key that is none, deleted ones neither', () => {
    expect(() => lastChanges([['a b', null]], limits)).toThrow(RangeError);
  });

  test('of a device are 1,024 with 2 MiB each', () => {
    const many = (count: number) => Array.from({ length: count }, (_, n) => [`${n}`, ''] as const);
    expect(lastChanges(many(1_024)).size).toBe(1_024);
    expect(() => lastChanges(many(1_025))).toThrow(RangeError);
    const value = new Uint8Array(2 * 1024 * 1024);
    expect(lastChanges([['a', value]]).size).toBe(1);
    expect(() => lastChanges([['a', new Uint8Array(value.length + 1)]])).toThrow(RangeError);
  });
});

test('a text is as long as its UTF-8, half a pair of surrogates as its replacement', () => {
  for (const text of ['', 'a', '\u007f', '\u0080', '\u07ff', '\u0800', '日本', '😀', 'a😀ü日']) {
    expect(valueBytes(text)).toBe(Buffer.byteLength(text));
  }
  expect(valueBytes(new Uint8Array(3))).toBe(3);
});

test('an error of a storage says what failed, where and why', () => {
  const cause = new Error('why');
  const error = new StorageError('damaged', 'a page', cause, 'key');
  expect(error).toMatchObject({ name: 'StorageError', code: 'damaged', key: 'key', cause });
  expect(new StorageError('full', 'x').key).toBeUndefined();
});
