import { expect, test } from 'vitest';
import { logOf, PICL_ROOT } from '../../../test/support/picl-log.ts';
import { type Change, keysOf } from './chain.ts';
import { entryOf, lineOf } from './log.ts';

const DEVICE = '01234567-89ab-4def-8123-456789abcdef';
const keys = keysOf(PICL_ROOT, 'things');
const entryFor = (text: string | null, change: Partial<Change> = {}) => {
  const [written] = logOf('things', [['a', text]]);
  return entryOf({ ...(written as Change), ...change }, 'things', keys);
};

test('a change with a payload has an author and a body', () => {
  const entry = entryFor(`${DEVICE}\n{"id":"https://a.example/","title":"ü"}`);
  expect(entry).toEqual({
    ...{ seqnum: 1, key: 'a', action: 'set', id: 'https://a.example/', device: DEVICE },
    ...{ body: { id: 'https://a.example/', title: 'ü' }, problem: null },
  });
  expect(lineOf(entry)).toBe(`1 ${DEVICE} a {"id":"https://a.example/","title":"ü"}\n`);
});

test('nobody knows whose deletion it is', () => {
  expect(entryFor(null)).toMatchObject({ action: 'delete', device: null, body: null });
  expect(lineOf(entryFor(null))).toBe('1 unknown a deleted\n');
});

test('a body without an author is shown, too', () => {
  expect(entryFor('{"id":1}')).toMatchObject({ device: null, id: null, body: { id: 1 } });
});

test.each([
  ['of another key', { key: 'b' }, 'does not open'],
  ['of another number', { seqnum: 2 }, 'does not open'],
  ['that is none', { payload: 'x' }, 'does not open'],
])('a payload %s is named', (_, change, problem) => {
  expect(entryFor('{}', change)).toMatchObject({ action: 'set', body: null, problem });
});

test('what is sealed and no JSON is named, with its author', () => {
  expect(entryFor(`${DEVICE}\n{`)).toMatchObject({ device: DEVICE, problem: 'is no JSON' });
  expect(lineOf(entryFor('{'))).toBe('1 unknown a is no JSON\n');
});

test('a terminal obeys nothing that a record says', () => {
  const line = lineOf(entryFor(JSON.stringify({ title: 'a\u009b31m\u202eb\u2028c' })));
  expect(line).toBe('1 unknown a {"title":"a\\u009b31m\\u202eb\\u2028c"}\n');
});
