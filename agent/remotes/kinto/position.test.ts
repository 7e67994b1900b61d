// How far a collection was read: what is counted, what a page moves on, what no page can move.

import { describe, expect, test } from 'vitest';
import type { Listed } from '../remote.ts';
import { AHEAD_MS_MAX, COMPARE_MS, OVERLAP_MS } from './limits.ts';
import {
  createProgress,
  hasGrownBehind,
  isDue,
  type Place,
  placeOf,
  positionOf,
  START,
  sinceOf,
} from './position.ts';

const TAG = 10_000_000;
const NOW = TAG + 99;
const record = (stampMs: number, payload: string | null = 'x'): Listed => ({
  ok: true,
  envelope: { id: `r${stampMs}`, version: `${stampMs}`, modifiedMs: stampMs, payload },
  chars: 1,
});
/** What a poll has said, and what the device has written since then. */
const polledWith = (tagMs: number, total: number, all = 0, created = 0) => ({
  ...{ tagMs, total, young: 0 },
  written: { all, created },
});
const SPOILT: Listed = { ok: false, id: 'bad', code: 'badEnvelope', chars: 1 };
const progressFrom = (from: Place) =>
  createProgress(from, { tagMs: TAG, polled: polledWith(TAG, 7), serverNowMs: NOW });

describe('a position as text', () => {
  const place: Place = {
    ...{ floorMs: 5, tagMs: 9, total: 3, young: 2, unsure: 1, comparedMs: 4 },
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

  test.each(['', 'x', '1 2', '1 2 3 4 5 6 x', '1 2 3 -4 5 6 0', '1 2 3 4 5 9e99 0'])(
    'that is none, %j, begins anew',
    (text) => expect(placeOf(text)).toEqual(START),
  );
});

test('a listing begins before the newest stamp, and goes on at its own floor', () => {
  expect(sinceOf(START, NOW)).toBeNull();
  expect(sinceOf({ ...START, floorMs: 5 }, NOW)).toBe(5);
  expect(sinceOf({ ...START, floorMs: 5, tagMs: TAG, isWhole: true }, NOW)).toBe(TAG - OVERLAP_MS);
});

test('the end of a listing is the stamp that its first page said, with what is young', () => {
  const progress = progressFrom(START);
  const taken = [record(1), record(TAG - 5), record(TAG, null), SPOILT];
  expect(progress(taken, null, true, [record(TAG - 9)])).toEqual({
    ...{ floorMs: TAG, tagMs: TAG, total: 7, young: 3, unsure: 0, comparedMs: NOW },
    ...{ isWhole: true, token: null },
  });
});

test('within a page the last stamp is the place, and what was counted is kept', () => {
  const first = progressFrom(START)([record(1), record(TAG - 5)], null, false);
  expect(first).toMatchObject({ floorMs: TAG - 5, young: 1, isWhole: false, token: null });
  const later = createProgress(first, {
    ...{ tagMs: TAG + 9, polled: polledWith(TAG + 9, 8), serverNowMs: NOW },
  });
  expect(later([record(TAG)], null, true)).toMatchObject({ tagMs: TAG, young: 2, comparedMs: NOW });
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

test('what came after the poll is counted, so that the next poll finds what it expects', () => {
  const heard = { tagMs: TAG, polled: polledWith(TAG - 10, 7), serverNowMs: NOW };
  const progress = createProgress({ ...START, tagMs: TAG - 10, isWhole: true }, heard);
  const taken = [record(TAG - 10), record(TAG - 2), record(TAG, null)];
  expect(progress(taken, null, true, [record(TAG - 1)])).toMatchObject({
    total: 9,
    young: 3,
    unsure: 2,
  });
});

test('what the device has written itself since the poll is known to be new or old', () => {
  const from = { ...START, tagMs: TAG - 10, isWhole: true };
  const taken = [record(TAG - 3), record(TAG - 2), record(TAG)];
  const end = (all: number, created: number) =>
    createProgress(from, {
      ...{ tagMs: TAG, polled: polledWith(TAG - 10, 7, all, created), serverNowMs: NOW },
    })(taken, null, true);
  expect(end(3, 2)).toMatchObject({ total: 9, unsure: 0 });
  expect(end(2, 1)).toMatchObject({ total: 9, unsure: 1 });
});

test('what the device has created between two listings of a pass has not vanished', () => {
  const polled = polledWith(TAG - 10, 7);
  const from = { ...START, tagMs: TAG - 10, isWhole: true, total: 7, young: 0, comparedMs: NOW };
  const listed = (at: Place, tagMs: number, created: number): Place => {
    Object.assign(polled.written, { all: created, created });
    return createProgress(at, { tagMs, polled, serverNowMs: NOW })([record(tagMs)], null, true);
  };
  const first = listed(from, TAG, 5);
  expect(first).toMatchObject({ total: 12, comparedMs: NOW });
  const second = listed(first, TAG + 9, 8);
  expect(second).toMatchObject({ total: 15, comparedMs: NOW });
  // One that another device has deleted for good meanwhile is missed all the same.
  polled.total = 6;
  expect(listed(second, TAG + 19, 8)).toMatchObject({ comparedMs: -1 });
});

describe('a stamp in the future', () => {
  const AHEAD = NOW + 9 * AHEAD_MS_MAX;
  const whole = { ...START, floorMs: AHEAD, tagMs: AHEAD, isWhole: true };
  const heard = { tagMs: AHEAD, polled: polledWith(AHEAD, 7), serverNowMs: NOW };

  test('is nothing that a server is asked behind, unless its time is not known', () => {
    expect(sinceOf(whole, NOW)).toBe(NOW + AHEAD_MS_MAX);
    expect(sinceOf(whole, 0)).toBe(AHEAD - OVERLAP_MS);
  });

  test('makes no window that a poll could count', () => {
    const end = createProgress(whole, heard)([record(AHEAD)], null, true);
    expect(end).toMatchObject({ tagMs: AHEAD, young: -1, isWhole: true });
  });

  test('is no place to go on at: a page is left by its token', () => {
    const progress = createProgress({ ...START, floorMs: NOW, tagMs: AHEAD }, heard);
    expect(progress([record(AHEAD)], 'next', true)).toMatchObject({ floorMs: NOW, token: 'next' });
  });
});

describe('something appears behind the stamps', () => {
  const place = { ...START, tagMs: TAG, total: 7, young: 2, isWhole: true };
  const now = { tagMs: TAG, total: 7, young: 2 };

  test('where there are more old records than before', () => {
    expect(hasGrownBehind(place, { ...now, total: 8 })).toBe(true);
    expect(hasGrownBehind(place, now)).toBe(false);
    expect(hasGrownBehind(place, { ...now, total: 9, young: 4 })).toBe(false);
    expect(hasGrownBehind(place, { ...now, total: 8, young: 5 })).toBe(false);
  });

  test('and not where a count is missing, or a listing has not ended', () => {
    expect(hasGrownBehind(place, { ...now, total: -1 })).toBe(false);
    expect(hasGrownBehind(place, { ...now, total: 9, young: -1 })).toBe(false);
    expect(hasGrownBehind({ ...place, young: -1 }, { ...now, total: 9 })).toBe(false);
    expect(hasGrownBehind({ ...place, isWhole: false }, { ...now, total: 9 })).toBe(false);
    expect(hasGrownBehind(place, { ...now, total: 9, tagMs: place.tagMs - 1 })).toBe(false);
  });
});

test('fewer records than tombstones explain are a reason to compare', () => {
  const place = { ...START, ...{ tagMs: TAG, total: 7, young: 0, comparedMs: NOW, isWhole: true } };
  const end = (total: number, from: Place, ...taken: Listed[]) =>
    createProgress(from, { tagMs: TAG, polled: polledWith(TAG, total), serverNowMs: NOW })(
      taken,
      null,
      true,
    ).comparedMs;
  expect(end(6, place)).toBe(-1);
  expect(end(6, place, record(TAG, null))).toBe(NOW);
  expect(end(5, place, record(TAG, null))).toBe(-1);
  expect(end(6, { ...place, unsure: 1 })).toBe(NOW);
  expect(end(-1, place)).toBe(NOW);
});

test('a comparison is due a week after the last one', () => {
  const place = { ...START, comparedMs: NOW, isWhole: true };
  expect(isDue(place, NOW + COMPARE_MS)).toBe(false);
  expect(isDue(place, NOW + COMPARE_MS + 1)).toBe(true);
  expect(isDue({ ...place, isWhole: false }, NOW + COMPARE_MS + 1)).toBe(false);
  // The server has said a wrong time then, or says none now.
  expect(isDue({ ...place, comparedMs: NOW + COMPARE_MS + 1 }, NOW)).toBe(true);
  expect(isDue(place, 0)).toBe(false);
});
