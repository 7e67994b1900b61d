import { expect, test } from 'vitest';
import { RING_MAX } from './limits.ts';
import { advanced, placeOf, positionOf, START, wasHead } from './place.ts';

const changes = (from: number, count: number) =>
  Array.from({ length: count }, (_, at) => ({
    seqnum: from + at,
    changeid: `id${from + at}-xxxxx`,
  }));

test('a position says all of a place', () => {
  const place = advanced(START, changes(1, 5));
  const refetch = { of: { seqnum: 9, changeid: 'x' }, start: 'key' };
  const theirs = { seqnum: 5, changeid: 'other' };
  const verdict = { reason: 'fork' as const, theirs, looks: 2, atMs: 1_000 };
  for (const one of [
    ...[START, place, { ...place, epoch: 3 }],
    ...[
      { ...place, refetch },
      { ...place, refetch: { ...refetch, start: '' } },
    ],
    ...[
      { ...place, verdict },
      { ...place, refetch, verdict },
    ],
  ]) {
    expect(placeOf(positionOf(one))).toEqual(one);
  }
});

test.each(['', 'x', '1 2 3', `${'9'.repeat(20)} a 1 b c 0 -1 . .`])(
  'a position that is none of ours begins anew: %j',
  (position) => {
    expect(placeOf(position)).toEqual(START);
  },
);

test('of the last heads it is known whether they were', () => {
  const place = advanced(advanced(START, changes(1, 250)), changes(251, 50));
  expect(place.head).toMatchObject({ seqnum: 300 });
  const id = (seqnum: number) => ({ seqnum, changeid: `id${seqnum}-xxxxx` });
  for (const seqnum of [300, 299, 300 - RING_MAX + 1]) {
    expect(wasHead(place, id(seqnum))).toBe(true);
    expect(wasHead(place, { seqnum, changeid: 'another' })).toBe(false);
  }
  expect(wasHead(place, id(300 - RING_MAX))).toBeNull();
  expect(wasHead(place, id(301))).toBe(false);
  // Every log begins with it.
  expect(wasHead(place, START.head)).toBe(true);
});
