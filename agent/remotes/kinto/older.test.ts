// A listing that shows an older version than the one that is known.

import { expect, test } from 'vitest';
import { MemoryStorage } from '../../../platform/memory/storage.ts';
import { mirrorWith, openTestStore, putEntries } from '../../../test/support/store.ts';
import { generic } from '../../collections/generic.ts';
import type { Listed, Page } from '../remote.ts';
import { createDoubts } from './doubts.ts';
import { watchedPage } from './older.ts';
import { hasVanished, placeOf, positionOf, START } from './position.ts';

const AT = positionOf({ ...START, floorMs: 50, tagMs: 50, isWhole: true, comparedMs: 9 });
const listed = (id: string, version: string, payload: string | null = 'x'): Listed => ({
  ...{ ok: true, envelope: { id, version, modifiedMs: Number(version), payload }, chars: 9 },
});
const versionOf = (one: Listed): string => (one.ok ? one.envelope.version : one.code);

interface Given {
  readonly resetting?: boolean;
  readonly isTold?: boolean;
  readonly isWatched?: boolean;
  readonly isAlone?: boolean;
  readonly at?: string;
  readonly known?: string;
}

/** A device that knows `a` and `b`, at 40 if nothing is said, reads a page of these. */
async function read(all: readonly Listed[], given: Given = {}) {
  const { resetting = false, isTold = false, isWatched = true, at = AT, known = '40' } = given;
  const isOlder = given.isAlone
    ? undefined
    : (version: string, known: string) => Number(version) < Number(known);
  const store = await openTestStore(new MemoryStorage(), generic('things'));
  const mirror = { ...mirrorWith({ n: 1 }), version: known };
  await putEntries(store, { a: { mirror }, b: { mirror } });
  const transaction = store.begin();
  transaction.update({ resetting });
  await transaction.commit();
  const told: unknown[] = [];
  const doubts = createDoubts((event) => void told.push(event.kind));
  if (isWatched) doubts.watch('things');
  if (isTold) doubts.tell('things');
  const taken: string[] = [];
  const page: Page = {
    serverNowMs: 1,
    next: async (out) => out.push(...all) < 0,
    position(done) {
      taken.push(...done.map(versionOf));
      return 'behind it';
    },
    hasNext: () => false,
    cancel: () => undefined,
  };
  const checked = watchedPage(page, { store, at, doubts, isOlder });
  const out: Listed[] = [];
  await checked.next(out);
  const position = checked.position(out, true);
  const more = checked.hasNext();
  return {
    versions: out.map(versionOf),
    position,
    more,
    taken,
    told,
    takes: doubts.take('things'),
  };
}

test('what is as old, younger, unknown or deleted without a proof is listed as it is', async () => {
  const all = [listed('a', '40'), listed('b', '41'), listed('c', '1'), listed('a', '1', null)];
  const bad: Listed = { ok: false, id: 'b', code: 'tooLarge', chars: 9 };
  expect(await read([...all, bad])).toEqual({
    ...{ versions: ['40', '41', '1', '1', 'tooLarge'], position: 'behind it', more: false },
    ...{ taken: ['40', '41', '1', '1', 'tooLarge'], told: [], takes: false },
  });
});

test.each([false, true])(
  'an older one counts as the known one, and all is compared, after a reboot, too (alone: %s)',
  async (isAlone) => {
    const { position, ...rest } = await read([listed('a', '39'), listed('b', '41')], { isAlone });
    expect(rest).toEqual({
      ...{ versions: ['40', '41'], more: true, taken: ['39', '41'], told: [], takes: true },
    });
    expect(hasVanished(placeOf(position))).toBe(true);
  },
);

test('once that is told the position goes on, and it still takes no place', async () => {
  expect(await read([listed('a', '39')], { isTold: true })).toMatchObject({
    ...{ versions: ['40'], position: 'behind it', more: false, takes: false },
  });
});

test('where all is compared it is told, and listed to be merged', async () => {
  const all = [listed('a', '39'), listed('b', '1')];
  for (const isAlone of [false, true]) {
    expect(await read(all, { isAlone, resetting: true })).toMatchObject({
      ...{ versions: ['39', '1'], position: 'behind it', more: false, told: ['beganAnew'] },
    });
  }
});

test('a stamp that the listing did not ask for keeps nothing out', async () => {
  const at = positionOf({ ...START, floorMs: 90_000, tagMs: 99_039, isWhole: true, comparedMs: 9 });
  for (const [stamp, versions] of [
    ['39039', ['39039']],
    ['39040', ['50000']],
  ] as const) {
    const given = { isAlone: true, at, known: '50000' };
    expect(await read([listed('a', stamp)], given)).toMatchObject({ versions });
  }
});

test('what nobody asked for tells nothing: the rest of a listing', async () => {
  const asIs = { versions: ['39'], position: 'behind it', more: false, told: [], takes: false };
  const given = { isWatched: false, resetting: true };
  expect(await read([listed('a', '39')], given)).toMatchObject(asIs);
});
