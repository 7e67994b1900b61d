import { expect, test } from 'vitest';
import { digestOf, entryOf } from './entry.ts';

const NAME = 'https://a.example';
const live = (last_modified: unknown, more: object = {}) => ({
  ...{ last_modified, manifest_url: 'https://a.example/m' },
  ...more,
});

test.each<[string, object, string]>([
  ['no time', live(undefined), NAME],
  ['a time of 0', live(0), NAME],
  ['a negative time', live(-1), NAME],
  ['a time that is no number', live('soon'), NAME],
  ['a time that is infinite', live('1e999'), NAME],
  ['a deletion that is a text', live(2, { deleted: 'true' }), NAME],
  ['no manifest', { last_modified: 2 }, NAME],
  ['a manifest that is a list', live(2, { manifest: [] }), NAME],
  ['a URL that is a number', live(2, { manifest_url: 2 }), NAME],
  ['a name that is no origin', live(2), 'file://'],
  ['a name that is not normalised', live(2), 'https://A.example'],
])('%s makes none that is well-formed', (_, value, name) => {
  expect(entryOf(name, JSON.stringify(value)).isWellFormed).toBe(false);
});

test('a manifest may be a text that holds an object', () => {
  const value = live(2, { manifest: '{"name":"A"}', deleted: false });
  expect(entryOf(NAME, JSON.stringify(value)).isWellFormed).toBe(true);
});

test('a digest is of all members in order, without receipts and what is of one device', () => {
  const digest = (value: object) => digestOf(entryOf(NAME, JSON.stringify(value)));
  const one = live(1, { b: [{ y: 1, x: 2 }], install_data: { receipts: ['r'] }, sync: true });
  const same = { b: [{ x: 2, y: 1 }], ...live(1), install_data: {} };
  expect(digest(one)).toBe(digest(same));
  for (const other of [live(1), live(2, { b: [{ y: 1, x: 2 }] }), { ...same, install_data: 1 }])
    expect(digest(other)).not.toBe(digest(same));
});
