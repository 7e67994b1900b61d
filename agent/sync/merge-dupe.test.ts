// Local changes that are settled without a server: deletions of what it never had, and new records
// of a thing that it has under another id.

import { describe, expect, test } from 'vitest';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import {
  audit,
  localWith,
  mirrorWith,
  openTestStore,
  pageBody,
  putEntries,
  testPass,
} from '../../test/support/store.ts';
import type { Collection } from '../collections/collection.ts';
import { generic } from '../collections/generic.ts';
import { history } from '../collections/history.ts';
import { type Entry, type Known, type Local, NO_ENTRY } from '../store/record.ts';
import { updateState } from '../store/rewrite.ts';
import { settledAtHome } from './merge-dupe.ts';

const URL_OF_BOTH = 'https://example.com/both';
const [THEIRS, OURS] = ['AAAAAAAAAAAA', 'BBBBBBBBBBBB'];
const page = (n: number) => pageBody(n, URL_OF_BOTH);

/** A store with these records, after the change of ours was tried to be settled. */
async function settled(
  entries: Readonly<Record<string, Partial<Entry>>>,
  collection: Collection = history,
  asked?: Local,
  /** What was loaded before; by default a moment ago. */
  known?: Known,
) {
  const storage = new MemoryStorage();
  const store = await openTestStore(storage, collection);
  await putEntries(store, entries);
  await updateState(store, () => ({ seq: entries[OURS]?.local?.seq ?? 0 }));
  const before = storage.commits;
  const local = asked ?? entries[OURS]?.local;
  if (!local) throw new Error('ours has no change');
  const [entry = NO_ENTRY] = await store.load([OURS]);
  const { state } = store;
  const isSettled = await settledAtHome(testPass(store), OURS, local, known ?? { entry, state });
  const [ours, theirs] = await store.load([OURS, THEIRS]);
  expect(await audit(storage, collection)).toEqual([]);
  return { isSettled, ours, theirs, store, commits: storage.commits - before };
}

describe('the deletion of a record', () => {
  test('that the server never had needs no server', async () => {
    const { isSettled, ours, store } = await settled({ [OURS]: { local: localWith(null) } });
    expect([isSettled, ours?.local, store.state.pending]).toEqual([true, null, 0]);
  });

  test('that the server has got meanwhile is looked at again', async () => {
    const now = { mirror: mirrorWith(page(1)), local: localWith(null) };
    const known = { entry: { ...NO_ENTRY, local: localWith(null) }, state: {} };
    const { isSettled, ours } = await settled({ [OURS]: now }, history, undefined, known);
    expect([isSettled, ours?.local?.body]).toEqual([false, null]);
  });

  test('that the server has goes to it', async () => {
    const { isSettled, ours, commits } = await settled({
      [OURS]: { mirror: mirrorWith(page(1)), local: localWith(null) },
    });
    expect([isSettled, ours?.local?.body, commits]).toEqual([false, null, 0]);
  });
});

describe('a new record', () => {
  test('of a thing of its own goes to the server', async () => {
    const { isSettled, ours, commits } = await settled({
      [OURS]: { local: localWith(page(1)) },
      [THEIRS]: { mirror: mirrorWith(pageBody(2)) },
    });
    expect([isSettled, ours?.local?.body, commits]).toEqual([false, page(1), 0]);
  });

  test('of a page that the server has under another id becomes a change of that one', async () => {
    const { isSettled, ours, theirs, store } = await settled({
      [OURS]: { local: localWith(page(5)) },
      [THEIRS]: { mirror: mirrorWith(page(1)) },
    });
    expect(isSettled).toBe(true);
    expect(ours).toMatchObject({ mirror: null, local: null });
    expect(theirs?.local?.body?.visits).toHaveLength(2);
    expect(theirs?.mirror).toMatchObject({ version: '1000' });
    expect(theirs?.local).toMatchObject({ seq: 2, tries: 0 });
    expect(store.state).toMatchObject({ pending: 1, seq: 2, held: 1 });
  });

  test('that says no more than the server knows is dropped', async () => {
    const { isSettled, theirs, store } = await settled({
      [OURS]: { local: localWith(page(1)) },
      [THEIRS]: { mirror: mirrorWith(page(1)) },
    });
    expect(isSettled).toBe(true);
    expect([theirs?.local, store.state.pending]).toEqual([null, 0]);
  });

  test('has no twin in one that the server does not have, either', async () => {
    const { isSettled, ours, theirs } = await settled({
      [OURS]: { local: localWith(page(5), 2) },
      [THEIRS]: { local: localWith(page(1)) },
    });
    expect([isSettled, ours?.local?.seq, theirs?.local?.seq]).toEqual([false, 2, 1]);
  });

  test('keeps what was tried with it from counting against the other one', async () => {
    const { theirs } = await settled({
      [OURS]: { local: { ...localWith(page(5)), tries: 2 } },
      [THEIRS]: { mirror: mirrorWith(page(1)) },
    });
    expect(theirs?.local?.tries).toBe(0);
  });

  test('of a collection without things has no twin, whatever it says', async () => {
    const { isSettled, ours } = await settled(
      {
        [OURS]: { local: localWith({ id: OURS, text: 'same' }) },
        [THEIRS]: { mirror: mirrorWith({ id: THEIRS, text: 'same' }) },
      },
      generic('notes'),
    );
    expect([isSettled, ours?.local?.seq]).toEqual([false, 1]);
  });
});

test('an edit that was made since is not settled by the one before it', async () => {
  const { isSettled, ours, commits } = await settled(
    { [OURS]: { local: localWith(page(2), 2) } },
    history,
    localWith(null, 1),
  );
  expect([isSettled, ours?.local?.seq, commits]).toEqual([false, 2, 0]);
});
