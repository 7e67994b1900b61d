import { expect, test } from 'vitest';
import type { CollectionStore } from '../store/store.ts';
import { generationOf, originOf, recordedIn } from './look.ts';

const A = 'https://a.example';
const MANIFEST = { name: 'a' };

test.each([
  ['unknown', null],
  ['live', { id: A, entry: { manifest: MANIFEST, last_modified: 5 } }],
  ['live', { id: A, entry: { manifest: MANIFEST }, after: 0 }],
  ['live', { id: 'h-1', name: A, entry: { manifest_url: `${A}/m`, last_modified: '5' } }],
  ['deleted', { id: A, entry: { deleted: true, last_modified: 5 } }],
  ['carried', { id: A, entry: { deleted: 'true' } }],
  ['carried', { id: A, entry: 7 }],
  ['carried', { id: A, entry: { manifest: MANIFEST } }],
  ['carried', { id: A, entry: { manifest: MANIFEST, last_modified: null } }],
  ['carried', { id: 'http://a.example:80', entry: { manifest: MANIFEST } }],
  ['carried', { id: 'file:///x', entry: { manifest: MANIFEST } }],
])('is %s: %j', (recorded, body) => {
  expect(recordedIn(body)).toEqual({ entry: body?.entry ?? null, recorded });
});

test('a record is of the app that it names, whatever its id is on the wire', () => {
  expect(originOf({ id: 'h-1', name: A })).toBe(A);
  expect(originOf({ id: A })).toBe(A);
  expect(originOf({ id: `${A}/` })).toBeNull();
  expect(originOf({ id: 7 })).toBeNull();
});

test('a generation is what the keys of a collection begin with', () => {
  const keys = { cursor: '1z.o.c' };
  expect(generationOf({ keys } as CollectionStore)).toBe('1z');
});
