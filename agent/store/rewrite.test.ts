// Changes of many records: one in memory at a time, commits of a bounded size, and whole records
// after a power cut.

import { describe, expect, test } from 'vitest';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import {
  audit,
  mirrorWith,
  openTestStore,
  pageBody,
  putEntries,
} from '../../test/support/store.ts';
import { history } from '../collections/history.ts';
import { SMALL_HEAP } from '../limits.ts';
import { NO_ENTRY } from './record.ts';
import { rewriteEach, setLocal } from './rewrite.ts';

const items = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ id: `page${`${n}`.padStart(8, '0')}` }));

/** A store of pages with titles of so many characters; what it asks of the storage from now on. */
async function withPages(count: number, titleChars: number) {
  const storage = new MemoryStorage();
  const store = await openTestStore(storage, history);
  for (const { id } of items(count)) {
    const body = { ...pageBody(1, `https://a.test/${id}`), title: 'x'.repeat(titleChars) };
    await putEntries(store, { [id]: { mirror: mirrorWith(body) } });
  }
  const commits: { changes: number; chars: number }[] = [];
  let loadedMax = 0;
  const { commit, get } = storage;
  storage.commit = async (changes) => {
    const chars = changes.reduce((sum, [, value]) => sum + (value?.length ?? 0), 0);
    commits.push({ changes: changes.length, chars });
    await commit.call(storage, changes);
  };
  storage.get = (keys) => {
    loadedMax = Math.max(loadedMax, keys.length);
    return get.call(storage, keys);
  };
  return { storage, store, commits, loaded: () => loadedMax };
}

type Pages = Awaited<ReturnType<typeof withPages>>;

const retitle = ({ store }: Pages, count: number, titleChars: number): Promise<void> =>
  rewriteEach(store, items(count), (transaction, before, { id }) => {
    const body = { ...before.mirror?.body, title: 'y'.repeat(titleChars) };
    transaction.set(id, before, { ...before, mirror: mirrorWith(body) });
  });

describe('many records are rewritten', () => {
  test('in commits of a bounded length, with one record loaded at a time', async () => {
    const pages = await withPages(10, 9_000);
    await retitle(pages, 10, 9_000);
    expect(pages.commits.length).toBeGreaterThan(2);
    for (const { chars } of pages.commits)
      expect(chars).toBeLessThan(SMALL_HEAP.commitCharsMax + 12_000);
    expect(pages.loaded()).toBeLessThanOrEqual(3);
    expect(await audit(pages.storage, history)).toEqual([]);
  });

  test('in few commits when they are short', async () => {
    const pages = await withPages(200, 5);
    await retitle(pages, 200, 6);
    expect(pages.commits.length).toBeLessThan(4);
    for (const { changes } of pages.commits)
      expect(changes).toBeLessThan(SMALL_HEAP.commitChangesMax + 10);
  });

  test('with what belongs to the end in the last commit, though it is all there is', async () => {
    const { store, storage } = await withPages(0, 0);
    await rewriteEach(
      store,
      [],
      () => undefined,
      (end) => end.update({ readOnlyAtMs: 7 }),
    );
    const again = await openTestStore(storage, history);
    expect(again.state.readOnlyAtMs).toBe(7);
  });

  test('and nothing is written when there is nothing to say', async () => {
    const pages = await withPages(3, 5);
    await rewriteEach(pages.store, items(3), () => undefined);
    expect(pages.commits).toEqual([]);
  });

  test('without being loaded again, where nothing else was committed since they were', async () => {
    const pages = await withPages(10, 9_000);
    const { store } = pages;
    const entries = await store.load(items(10).map(({ id }) => id));
    const { state } = store;
    const known = items(10).map(({ id }, at) => ({
      id,
      known: { entry: entries[at] ?? NO_ENTRY, state },
    }));
    let loads = 0;
    const { get } = pages.storage;
    pages.storage.get = (keys) => {
      loads++;
      return get.call(pages.storage, keys);
    };
    const title = (chars: number) =>
      rewriteEach(store, known, (transaction, before, { id }) => {
        const body = { ...before.mirror?.body, title: 'y'.repeat(chars) };
        transaction.set(id, before, { ...before, mirror: mirrorWith(body) });
      });
    await title(9_000);
    expect([loads, pages.commits.length > 2]).toEqual([0, true]);
    // They are not what they were any more.
    await title(8_000);
    expect(loads).toBe(10);
    expect(await audit(pages.storage, history)).toEqual([]);
  });

  test('as they are in their turn: one that was edited meanwhile keeps that', async () => {
    const pages = await withPages(10, 9_000);
    const { store } = pages;
    const entries = await store.load(items(10).map(({ id }) => id));
    const { state } = store;
    const known = items(10).map(({ id }, at) => ({
      id,
      known: { entry: entries[at] ?? NO_ENTRY, state },
    }));
    const { id: last = '' } = items(10)[9] ?? {};
    const edit = () =>
      store.lock.run(async () => {
        const [before = NO_ENTRY] = await store.load([last]);
        const transaction = store.begin();
        setLocal(transaction, last, before, pageBody(7, `https://a.test/${last}`), 7);
        await transaction.commit();
      });
    let edited: Promise<void> | undefined;
    let seen: number | undefined;
    await rewriteEach(store, known, (transaction, before, { id }) => {
      // It waits for the first commit, and is before the second one.
      edited ??= edit();
      if (id === last) seen = before.local?.changedAtMs;
      const body = { ...before.mirror?.body, title: 'y'.repeat(9_000) };
      transaction.set(id, before, { ...before, mirror: mirrorWith(body) });
    });
    await edited;
    const [entry] = await store.load([last]);
    expect([entry?.local?.changedAtMs, seen]).toEqual([7, 7]);
    expect(store.state.pending).toBe(1);
    expect(await audit(pages.storage, history)).toEqual([]);
  });
});
