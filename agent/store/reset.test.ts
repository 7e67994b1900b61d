import { describe, expect, test } from 'vitest';
import { MemoryStorage, type StorageCut } from '../../platform/memory/storage.ts';
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
import { history } from '../collections/history.ts';
import { SMALL_HEAP } from '../limits.ts';
import { requeueUnseen } from '../sync/requeue.ts';
import type { Entry } from './record.ts';
import { resetCollection } from './reset.ts';

const SYNCED = '5000 0 -1';

/** A collection that was synced before; `count` records of it are held. */
async function synced(count: number, collection: Collection = history) {
  const storage = new MemoryStorage();
  const store = await openTestStore(storage, collection);
  await resetCollection(store, 'first');
  const entries = Array.from({ length: count }, (_, n): [string, Partial<Entry>] => [
    `page${n}`,
    { mirror: mirrorWith(pageBody(n)) },
  ]);
  await putEntries(store, Object.fromEntries(entries));
  const transaction = store.begin();
  transaction.update({ position: SYNCED });
  await transaction.commit();
  return { storage, store };
}

/** The new listing shows these records. */
async function show(store: Awaited<ReturnType<typeof synced>>['store'], ns: readonly number[]) {
  const entries = ns.map((n): [string, Partial<Entry>] => [
    `page${n}`,
    { mirror: mirrorWith(pageBody(n), 9_000, store.state.epoch) },
  ]);
  await putEntries(store, Object.fromEntries(entries));
}

describe('a reset', () => {
  test('of a collection that was never listed is none: there is nothing to compare', async () => {
    const store = await openTestStore(new MemoryStorage(), history);
    await resetCollection(store, 'first');
    expect(store.state).toMatchObject({ origin: 'first', epoch: 0, resetting: false });
  });

  test('forgets how far the collection was synced, and keeps every record', async () => {
    const { storage, store } = await synced(3);
    await resetCollection(store, 'second', { readOnlyAtMs: 7 });
    expect(store.state).toMatchObject({
      position: '',
      origin: 'second',
      epoch: 1,
      resetting: true,
      held: 3,
      readOnlyAtMs: 7,
    });
    expect(await audit(storage, history)).toEqual([]);
  });

  test('on top of a reset counts on', async () => {
    const { store } = await synced(1);
    await resetCollection(store, 'second');
    await resetCollection(store, 'third');
    expect(store.state).toMatchObject({ epoch: 2, resetting: true });
  });
});

describe('at the end of the listing after a reset', () => {
  test('what it did not show goes up, what it showed does not', async () => {
    const { storage, store } = await synced(4);
    await resetCollection(store, 'second');
    await show(store, [0, 2]);
    await requeueUnseen(testPass(store));
    expect(await store.pendingIds(null, 9)).toEqual(['page1', 'page3']);
    const [seen, unseen] = await store.load(['page0', 'page1']);
    expect(seen).toMatchObject({ local: null });
    expect(unseen).toMatchObject({ mirror: null, local: { body: pageBody(1), tries: 0 } });
    expect(store.state).toMatchObject({ resetting: false, held: 4, pending: 2 });
    expect(await audit(storage, history)).toEqual([]);
  });

  test('every record that goes up is a change of its own', async () => {
    const { store } = await synced(3);
    await resetCollection(store, 'second');
    await requeueUnseen(testPass(store));
    const entries = await store.load(['page0', 'page1', 'page2']);
    expect(new Set(entries.map(({ local }) => local?.seq)).size).toBe(3);
    expect(store.state.seq).toBe(Math.max(...entries.map(({ local }) => local?.seq ?? 0)));
  });

  test('an edit goes up as the edit that it is, a deletion stays one', async () => {
    const { store } = await synced(2);
    await resetCollection(store, 'second');
    const [mirror0, mirror1] = [mirrorWith(pageBody(0)), mirrorWith(pageBody(1))];
    const [edit, deletion] = [localWith(pageBody(9), 4), localWith(null, 5)];
    await putEntries(store, {
      page0: { mirror: mirror0, local: edit },
      page1: { mirror: mirror1, local: deletion },
    });
    await requeueUnseen(testPass(store));
    expect(await store.load(['page0', 'page1'])).toMatchObject([
      { mirror: null, local: edit },
      { mirror: null, local: deletion },
    ]);
  });

  test('a record that was listed but could not be read is not replaced by ours', async () => {
    const { store } = await synced(1);
    await resetCollection(store, 'second');
    const [before] = await store.load(['page0']);
    const transaction = store.begin();
    transaction.quarantine('page0', before as Entry, 'tooLarge', 9_000);
    await transaction.commit();
    await requeueUnseen(testPass(store));
    expect(store.state).toMatchObject({ pending: 0, resetting: false, held: 1 });
  });

  test('what is not the device’s to write goes, but for its own record', async () => {
    const { storage, store } = await synced(3, { ...history, writes: 'own' });
    await resetCollection(store, 'second');
    await requeueUnseen(testPass(store, { clientId: 'page1' }));
    expect(await store.pendingIds(null, 9)).toEqual(['page1']);
    expect(store.state.held).toBe(1);
    expect(await audit(storage, history)).toEqual([]);
  });

  test('without a reset nothing is looked at', async () => {
    const { storage, store } = await synced(2);
    const before = storage.commits;
    await requeueUnseen(testPass(store));
    expect(storage.commits).toBe(before);
  });
});

test('the power may go at any commit: what was not shown goes up once', async () => {
  const count = 2 * SMALL_HEAP.batchRecordsMax + 10;
  const { storage, store } = await synced(count);
  await resetCollection(store, 'second');
  await show(store, [1, 3, 5]);
  const unseen = count - 3;
  for (const when of ['before', 'after'] as const) {
    for (let atCommit = 1; ; atCommit++) {
      const cut: StorageCut = { atCommit, when };
      const disk = storage.fork(cut);
      const first = requeueUnseen(testPass(await openTestStore(disk, history)));
      const isOver = await first.then(
        () => true,
        () => false,
      );
      const found = disk.fork();
      const again = await openTestStore(found, history);
      await requeueUnseen(testPass(again));
      expect(again.state).toMatchObject({ pending: unseen, held: count, resetting: false });
      expect(await audit(found, history)).toEqual([]);
      if (isOver) {
        expect(atCommit).toBeGreaterThan(3);
        break;
      }
    }
  }
});
