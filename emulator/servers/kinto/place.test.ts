// Stamps: each is given once, and what another writer has committed late lies behind.

import { expect, test } from 'vitest';
import { Place } from './place.ts';

const place = () => new Place(() => 100);

test('a place that was never written has a stamp, and goes on behind it', () => {
  const one = place();
  expect(one.stampMs).toBe(100);
  expect(one.put('a', {}).last_modified).toBe(101);
});

test('a deletion leaves a tombstone until the object comes again, or is purged', () => {
  const one = place();
  one.put('a', {});
  const gone = one.delete('a');
  expect([one.get('a'), one.tombstones()]).toEqual([null, [gone]]);
  one.put('a', {});
  expect([one.live().length, one.tombstones()]).toEqual([1, []]);
  one.delete('a');
  one.purge();
  expect([one.tombstones(), one.stampMs]).toEqual([[], 1]);
});

test('a stamp that was asked for counts if it is later, and moves on if it is taken', () => {
  const one = place();
  expect(one.put('a', { last_modified: 7 }).last_modified).toBe(7);
  expect(one.put('b', { last_modified: 7 }).last_modified).toBe(8);
  expect(one.put('a', { last_modified: 6 }).last_modified).toBe(100);
  expect(one.put('c', { last_modified: 200 }).last_modified).toBe(200);
  expect([one.stampMs, one.put('d', {}).last_modified]).toEqual([200, 201]);
});

test('what is committed late lies before the stamp of the place, which stays', () => {
  const one = place();
  one.put('a', {});
  one.put('b', {});
  expect([one.late('c', {}).last_modified, one.stampMs]).toEqual([99, 101]);
});
