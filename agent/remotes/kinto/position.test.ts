// How far a collection was read: what is counted, what a page moves on, what no page can move.

import { describe, expect, test } from 'vitest';
import type { Listed } from '../remote.ts';
import { OVERLAP_MS } from './limits.ts';
import { createProgress, type Place, placeOf, positionOf, START, sinceOf } from './position.ts';

const TAG = 10_000_000;
const record = (stampMs: number, payload: string | null = 'x'): Listed => ({
  ok: true,
  envelope: { id: `r${stampMs}`, version: `${stampMs}`, modifiedMs: stampMs, payload },
  chars: 1,
});
const SPOILT: Listed = { ok: false, id: 'bad', code: 'badEnvelope', chars: 1 };
const progressFrom = (from: Place) =>
  createProgress(from, { tagMs: TAG, total: 7, serverNowMs: 99 });

describe('a position as text', () => {
  const place: Place = {
    ...{ floorMs: 5, tagMs: 9, total: 3, young: 2, comparedMs: 4 },
    ...{ isWhole: false, token: 'a token==' },
  };

  test('is read as it was written', () => {
    expect(placeOf(positionOf(place))).toEqual(place);
    expect(placeOf(positionOf({ ...place, token: null, isWhole: true }))).toEqual({
      ...place,
      token: null,
      isWhole: true,
    });
  });

  test.each(['', 'x', '1 2', '1 2 3 4 5 x', '1 2 3 -4 5 0', '1 2 3 4 9e99 0'])(
    'that is none, %j, begins anew',
    (text) => expect(placeOf(text)).toEqual(START),
  );
});

test('a listing begins before the newest stamp, and goes on at its own floor', () => {
  expect(sinceOf(START)).toBeNull();
  expect(sinceOf({ ...START, floorMs: 5 })).toBe(5);
  expect(sinceOf({ ...START, floorMs: 5, tagMs: TAG, isWhole: true })).toBe(TAG - OVERLAP_MS);
});

test('the end of a listing is the stamp that its first page said, with what is young', () => {
  const progress = progressFrom(START);
  const taken = [record(1), record(TAG - 5), record(TAG, null), SPOILT];
  expect(progress(taken, null, true, 1)).toEqual({
    ...{ floorMs: TAG, tagMs: TAG, total: 7, young: 3, comparedMs: 99 },
    ...{ isWhole: true, token: null },
  });
});

test('within a page the last stamp is the place, and what was counted is kept', () => {
  const first = progressFrom(START)([record(1), record(TAG - 5)], null, false);
  expect(first).toMatchObject({ floorMs: TAG - 5, young: 1, isWhole: false, token: null });
  const later = createProgress(first, { tagMs: TAG + 9, total: 8, serverNowMs: 1 });
  expect(later([record(TAG)], null, true)).toMatchObject({ tagMs: TAG, young: 2, comparedMs: 99 });
});

test('a page whose records tell no place is left by its token', () => {
  expect(progressFrom(START)([SPOILT], 'next', true)).toMatchObject({ floorMs: -1, token: 'next' });
  expect(progressFrom(START)([record(3)], 'next', true)).toMatchObject({ floorMs: 3, token: null });
});

test('of a server that does not sort, no record moves the place', () => {
  const progress = progressFrom({ ...START, floorMs: 2 });
  expect(progress([record(9), record(4)], null, false)).toMatchObject({ floorMs: 2 });
  expect(progress([], 'next', true)).toMatchObject({ floorMs: 2, token: 'next' });
});
