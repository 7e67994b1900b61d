// How far a collection was read by a clock of 10 ms steps: nothing that may still come is ever
// counted as read.

import { describe, expect, test } from 'vitest';
import type { Listed } from '../remote.ts';
import {
  behind,
  type Cursor,
  createProgress,
  cursorOf,
  isUnfinished,
  positionOf,
  resumed,
  START,
} from './cursor.ts';

const at = (change: Partial<Cursor>): Cursor => ({ ...START, ...change });
const good = (modifiedMs: number): Listed => ({
  ok: true,
  envelope: { id: 'a', version: `${modifiedMs}`, modifiedMs, payload: '' },
  chars: 1,
});
const bad: Listed = { ok: false, id: 'a', code: 'badId', chars: 1 };

describe('a position', () => {
  test.each([START, at({ sinceMs: 0 }), at({ sinceMs: 5, page: 'p', stampMs: 7, floorMs: 6 })])(
    'is read as it was written: %j',
    (cursor) => {
      expect(cursorOf(positionOf(cursor))).toEqual(cursor);
    },
  );

  test('keeps the name of a page as the server gave it, with blanks or empty', () => {
    for (const page of ['a  b c', ' ', '', '-1']) {
      expect(cursorOf(positionOf(at({ page }))).page).toBe(page);
    }
  });

  test.each(['', 'x', '1 2', '1 2 y', '1.5 2 3', 'NaN 0 0', 'seq:12'])(
    'of another protocol begins anew: %j',
    (position) => {
      expect(cursorOf(position)).toEqual(START);
    },
  );
});

describe('a listing that was interrupted', () => {
  test('goes on with its page', () => {
    const cursor = at({ sinceMs: 5, page: 'p', stampMs: 90, floorMs: 60 });
    expect(resumed(cursor)).toBe(cursor);
  });

  test('begins behind all that has surely arrived, where it has none', () => {
    expect(resumed(at({ sinceMs: 5, stampMs: 90, floorMs: 60 }))).toEqual(at({ sinceMs: 60 }));
    expect(behind(at({ sinceMs: 70, page: 'p', floorMs: 60 }))).toEqual(at({ sinceMs: 70 }));
  });

  test.each<[Partial<Cursor>, boolean]>([
    [{}, true],
    [{ sinceMs: 5 }, false],
    [{ sinceMs: 5, floorMs: 5 }, false],
    [{ sinceMs: 5, floorMs: 6 }, true],
    [{ sinceMs: 5, page: 'p' }, true],
  ])('is known by its cursor: %j, %j', (change, is) => {
    expect(isUnfinished(at(change))).toBe(is);
  });
});

describe('the progress of a page', () => {
  test('is a step before the newest record: others may have the same stamp', () => {
    const taken = createProgress(at({ sinceMs: 0 }), 9_000);
    expect(taken([good(1_000), good(2_000)], null, false)).toMatchObject({
      sinceMs: 0,
      floorMs: 1_990,
      stampMs: 9_000,
    });
  });

  test('goes on over all that was taken of the page before', () => {
    const taken = createProgress(at({ sinceMs: 0 }), 9_000);
    taken([good(2_000)], null, false);
    expect(taken([good(3_000)], null, false).floorMs).toBe(2_990);
  });

  test('is none from where the server does not sort by time', () => {
    const taken = createProgress(at({ sinceMs: 0 }), 9_000);
    taken([good(3_000)], null, false);
    expect(taken([good(2_000)], null, false).floorMs).toBe(-1);
    expect(taken([good(8_000)], null, false).floorMs).toBe(-1);
  });

  test('never passes the version of the collection that the listing shows', () => {
    const taken = createProgress(at({ sinceMs: 0 }), 5_000);
    expect(taken([good(8_000)], null, false).floorMs).toBe(4_990);
  });

  test('is by the newest record where the server says no version', () => {
    const taken = createProgress(at({ sinceMs: 0 }), 0);
    expect(taken([good(8_000)], null, false).floorMs).toBe(7_990);
  });

  test('does not count records that cannot be used', () => {
    const taken = createProgress(at({ sinceMs: 0 }), 9_000);
    expect(taken([good(2_000), bad, good(3_000)], null, false).floorMs).toBe(2_990);
  });

  test('is less than nothing never: a floor stays', () => {
    const taken = createProgress(at({ sinceMs: 0, floorMs: 5_000 }), 9_000);
    expect(taken([good(2_000)], null, false).floorMs).toBe(5_000);
  });

  test('gives the page up once it is further than where the page began', () => {
    const begun = at({ sinceMs: 0, page: 'p', stampMs: 9_000, floorMs: 1_000 });
    expect(createProgress(begun, 9_000)([good(2_000)], null, false).page).toBeNull();
    // With one stamp for all of a page there would be no way past it.
    expect(createProgress(begun, 9_000)([good(1_010)], null, false).page).toBe('p');
  });

  test('keeps the version of the listing that began, whatever later pages say', () => {
    const begun = at({ sinceMs: 0, page: 'p', stampMs: 5_000 });
    expect(createProgress(begun, 9_000)([], null, true)).toEqual(at({ sinceMs: 5_000 }));
  });
});

describe('the end of a page', () => {
  test('with another behind it goes on there', () => {
    const taken = createProgress(at({ sinceMs: 0 }), 9_000);
    expect(taken([good(2_000)], 'next', true)).toEqual(
      at({ sinceMs: 0, page: 'next', stampMs: 9_000, floorMs: 1_990 }),
    );
  });

  test('that is the last one reads the collection up to its version', () => {
    const taken = createProgress(at({ sinceMs: 0 }), 9_000);
    expect(taken([good(2_000)], null, true)).toEqual(at({ sinceMs: 9_000 }));
  });

  test('of a server without versions reads it up to what has surely arrived', () => {
    expect(createProgress(START, 0)([good(2_000)], null, true)).toEqual(at({ sinceMs: 1_990 }));
    expect(createProgress(START, 0)([], null, true)).toEqual(at({ sinceMs: 0 }));
  });
});
