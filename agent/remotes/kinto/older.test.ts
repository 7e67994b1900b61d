// A listing that shows an older version than the one that is known.

import { expect, test } from 'vitest';
import { MemoryStorage } from '../../../platform/memory/storage.ts';
import { openTestStore } from '../../../test/support/store.ts';
import { generic } from '../../collections/generic.ts';
import type { Page, Position } from '../remote.ts';
import { createDoubts } from './doubts.ts';
import { watchedPage } from './older.ts';
import { hasVanished, placeOf, positionOf, START } from './position.ts';

const AT = positionOf({ ...START, floorMs: 50, tagMs: 50, isWhole: true, comparedMs: 9 });

interface Given {
  readonly resetting?: boolean;
  readonly gone?: boolean;
  readonly isTold?: boolean;
  readonly isWatched?: boolean;
  readonly isAlone?: boolean;
  readonly at?: string;
  readonly known?: string;
}

/** A listing shows these versions of a record that is known at 40, if nothing is said. */
async function read(versions: readonly string[], given: Given = {}) {
  const {
    resetting = false,
    gone = false,
    isTold = false,
    isWatched = true,
    at = AT,
    known = '40',
  } = given;
  const isOlder = given.isAlone
    ? undefined
    : (version: string, known: string) => Number(version) < Number(known);
  const store = await openTestStore(new MemoryStorage(), generic('things'));
  const transaction = store.begin();
  transaction.update({ resetting, gone });
  await transaction.commit();
  const told: unknown[] = [];
  const doubts = createDoubts((event) => void told.push(event.kind));
  if (isWatched) doubts.watch('things');
  if (isTold) doubts.tell('things');
  const page: Page = {
    serverNowMs: 1,
    next: async () => false,
    position: () => 'behind it',
    hasNext: () => false,
    cancel: () => undefined,
  };
  const checked = watchedPage(page, { store, at, doubts, isOlder });
  const passedOver: string[] = [];
  let stored: Position = checked.position([], false);
  for (const version of versions) {
    const instead = checked.older?.(version, known, 'behind it') ?? null;
    if (instead === null) continue;
    passedOver.push(version);
    stored = instead;
  }
  return {
    passedOver,
    ...{ stored, position: checked.position([], true), more: checked.hasNext() },
    ...{ told, takes: doubts.take('things') },
  };
}

test('what is as old or younger is news', async () => {
  expect(await read(['40', '41'])).toEqual({
    ...{ passedOver: [], stored: 'behind it', position: 'behind it', more: false },
    ...{ told: [], takes: false },
  });
});

test.each([false, true])(
  'an older one is passed over, and all is compared, after a reboot, too (alone: %s)',
  async (isAlone) => {
    const { stored, position, ...rest } = await read(['41', '39', '42'], { isAlone });
    expect(rest).toEqual({ passedOver: ['39'], more: true, told: [], takes: true });
    for (const one of [stored, position]) expect(hasVanished(placeOf(one))).toBe(true);
  },
);

test('once that is told the position goes on, and it still takes no place', async () => {
  expect(await read(['39'], { isTold: true })).toMatchObject({
    ...{ passedOver: ['39'], stored: 'behind it', position: 'behind it', more: false },
    takes: false,
  });
});

test('where all is compared it is told, and listed to be merged', async () => {
  for (const isAlone of [false, true]) {
    expect(await read(['39', '1'], { isAlone, resetting: true })).toMatchObject({
      ...{ passedOver: [], position: 'behind it', more: false, told: ['beganAnew'] },
    });
  }
});

test('where what is not there would be gone all is compared once more', async () => {
  const given = { resetting: true, gone: true };
  const { stored, ...rest } = await read(['39'], given);
  expect(rest).toMatchObject({ passedOver: ['39'], more: true, told: [], takes: true });
  expect(hasVanished(placeOf(stored))).toBe(true);
  expect(await read(['39'], { ...given, isTold: true })).toMatchObject({
    ...{ passedOver: [], position: 'behind it', more: false, takes: false },
  });
});

test('a stamp that the listing did not ask for keeps nothing out', async () => {
  const at = positionOf({ ...START, floorMs: 90_000, tagMs: 99_039, isWhole: true, comparedMs: 9 });
  const given = { isAlone: true, at, known: '50000' };
  expect(await read(['39039'], given)).toMatchObject({ passedOver: [] });
  expect(await read(['39040'], given)).toMatchObject({ passedOver: ['39040'] });
});

test('what nobody asked for tells nothing: the rest of a listing', async () => {
  expect(await read(['39'], { isWatched: false, resetting: true })).toMatchObject({
    ...{ passedOver: [], position: 'behind it', more: false, told: [], takes: false },
  });
});
