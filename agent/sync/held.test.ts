// What an upload is told of a collection: everything that apps see, each record once.

import { expect, test } from 'vitest';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import {
  localWith,
  mirrorWith,
  openTestStore,
  pageBody,
  putEntries,
} from '../../test/support/store.ts';
import type { Body } from '../collections/collection.ts';
import { history } from '../collections/history.ts';
import type { Entry } from '../store/record.ts';
import { eachHeld } from './held.ts';

async function heldOf(entries: Readonly<Record<string, Partial<Entry>>>) {
  const store = await openTestStore(new MemoryStorage(), history);
  await putEntries(store, entries);
  const seen: [id: string, body: Body, version: string | null][] = [];
  await eachHeld(store, async (...one) => void seen.push(one));
  return { store, seen };
}

test('an agreed record comes with its version, a changed one as it is here', async () => {
  const { seen } = await heldOf({
    a: { mirror: mirrorWith(pageBody(1)) },
    b: { mirror: mirrorWith(pageBody(2)), local: localWith(pageBody(3)) },
    c: { local: localWith(pageBody(4)) },
  });
  expect(seen).toEqual([
    ['a', pageBody(1), '1000'],
    ['b', pageBody(3), null],
    ['c', pageBody(4), null],
  ]);
});

test('a deleted record does not come', async () => {
  const { seen } = await heldOf({
    a: { mirror: mirrorWith(pageBody(1)), local: localWith(null) },
    b: { local: localWith(null) },
  });
  expect(seen).toEqual([]);
});

test('of many records, each comes once', async () => {
  const entries = Object.fromEntries(
    Array.from({ length: 230 }, (_, n): [string, Partial<Entry>] => {
      const mirror = n % 2 === 0 ? mirrorWith(pageBody(n)) : null;
      return [
        `p${n}`,
        { mirror, local: n % 3 === 0 || mirror === null ? localWith(pageBody(n)) : null },
      ];
    }),
  );
  const { seen } = await heldOf(entries);
  expect(seen.map(([id]) => id).sort()).toEqual(Object.keys(entries).sort());
});
