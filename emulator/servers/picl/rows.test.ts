import { expect, test } from 'vitest';
import { Keys, readChangeRow, readCollectionRow, readSeqnum } from './rows.ts';

const KEYS = new Keys('user', 'name');

test('keys are in the order of seqnums and of records, and say what they are of', () => {
  const seqnums = [0, 9, 10, 99, 2 ** 53 - 1];
  const changes = seqnums.map((seqnum) => KEYS.change(seqnum));
  expect([...changes].sort()).toEqual(changes);
  expect(changes.map(Keys.seqnumOf)).toEqual(seqnums);
  const records = ['-', '0', 'A', '_', '__proto__', 'a'].map((key) => KEYS.record(key));
  expect([...records].sort()).toEqual(records);
  expect(Keys.recordOf(KEYS.record('__proto__'))).toBe('__proto__');
  expect(Keys.ownerOf(KEYS.head)).toEqual({ user: 'user', name: 'name' });
  const longest = new Keys('u'.repeat(22), 'n'.repeat(64)).record('k'.repeat(64));
  expect(longest.length).toBeLessThan(240);
});

test.each<[string, string | null, string | null, boolean]>([
  ['key2', 'key2', 'key3', true],
  ['key3', 'key2', 'key3', true],
  ['key30', 'key2', 'key3', false],
  ['key3-', 'key2', 'key3', false],
  ['key20', 'key2', 'key3', true],
  ['key1z', 'key2', 'key3', false],
  ['-', null, null, true],
  ['z'.repeat(64), null, null, true],
])('%s is between %s and %s: %s', (key, start, end, isIn) => {
  const { from, to } = KEYS.records(start, end, 1);
  const at = KEYS.record(key);
  expect(at >= from && at < to).toBe(isIn);
});

test('what is no row is damage', () => {
  for (const text of ['', '{}', '[]', '{"seqnum":1}'])
    expect(() => readCollectionRow('ph/x', text)).toThrow('something else at ph/x');
  const change = { key: 'a', changeid: 'b', signature: 'c', chars: null, atMs: 1 };
  expect(readChangeRow('pl/x', JSON.stringify(change))).toEqual(change);
  for (const member of ['key', 'changeid', 'signature', 'atMs'])
    expect(() => readChangeRow('pl/x', JSON.stringify({ ...change, [member]: undefined }))).toThrow(
      'something else at pl/x',
    );
  expect(() => readSeqnum('pr/x', '1x')).toThrow('something else at pr/x');
});
