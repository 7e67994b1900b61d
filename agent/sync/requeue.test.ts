// What a whole listing has not shown: whose it is decides whether it goes up again, or goes.

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
import { history } from '../collections/history.ts';
import type { CollectionState } from '../store/collection-state.ts';
import type { Entry } from '../store/record.ts';
import { requeueUnseen } from './requeue.ts';

const EPOCH = 2;
const UNSEEN = mirrorWith(pageBody(1), 1_000, EPOCH - 1);
const SEEN = mirrorWith(pageBody(2), 1_000, EPOCH);

/** The end of a whole listing that has shown what is of this epoch. */
async function listed(
  entries: Readonly<Record<string, Partial<Entry>>>,
  state: Partial<CollectionState> = {},
  collection: Collection = history,
) {
  const storage = new MemoryStorage();
  const store = await openTestStore(storage, collection);
  await putEntries(store, entries);
  const transaction = store.begin();
  for (const [id, { quarantined }] of Object.entries(entries)) {
    if (quarantined) transaction.quarantine(id, (await store.load([id]))[0] as Entry, 'badMac', 9);
  }
  transaction.update({ epoch: EPOCH, resetting: true, seq: 10, damaged: 1, ...state });
  await transaction.commit();
  await requeueUnseen(testPass(store, { clientId: 'mine' }));
  expect(await audit(storage, collection)).toEqual([]);
  const load = async (id: string): Promise<Entry | undefined> => (await store.load([id]))[0];
  return { store, storage, load };
}

test('a record that was shown stays as it is', async () => {
  const { load, store } = await listed({ a: { mirror: SEEN } });
  expect(await load('a')).toMatchObject({ mirror: SEEN, local: null });
  expect(store.state).toMatchObject({ resetting: false, pending: 0 });
  expect(store.state.damaged).toBeUndefined();
});

test('a record that was not shown goes up again as it is', async () => {
  const { load } = await listed({ a: { mirror: UNSEEN } });
  expect(await load('a')).toMatchObject({
    mirror: null,
    local: { body: pageBody(1), seq: 11, tries: 0 },
  });
});

test('an edit of it goes up as it was made', async () => {
  const local = localWith(pageBody(7), 4);
  const { load } = await listed({ a: { mirror: UNSEEN, local } });
  expect(await load('a')).toMatchObject({ mirror: null, local });
});

test('a record that the server never had is none of them', async () => {
  const { load } = await listed({ a: { local: localWith(pageBody(7), 4) } });
  expect(await load('a')).toMatchObject({ mirror: null, local: { seq: 4 } });
});

test('one whose newest version this device cannot read is not replaced by ours', async () => {
  const { load } = await listed({ a: { mirror: UNSEEN, quarantined: true } });
  expect(await load('a')).toMatchObject({ mirror: UNSEEN, local: null, quarantined: true });
});

describe('where the listing says that what it lacks is gone', () => {
  test('it goes here, too', async () => {
    const { load, store } = await listed({ a: { mirror: UNSEEN } }, { gone: true });
    expect(await load('a')).toMatchObject({ mirror: null, local: null });
    expect(store.state.held).toBe(0);
    expect(store.state.gone).toBeUndefined();
  });

  test('an edit of it is kept, and makes it anew', async () => {
    const local = localWith(pageBody(7), 4);
    const { load } = await listed({ a: { mirror: UNSEEN, local } }, { gone: true });
    expect((await load('a'))?.mirror).toBeNull();
    expect((await load('a'))?.local?.body).toMatchObject({ title: '7' });
  });
});

describe('of a collection that the device may not write', () => {
  test('records go, with what was changed in them', async () => {
    const none: Collection = { ...history, writes: 'none' };
    const { load } = await listed(
      { a: { mirror: UNSEEN }, b: { mirror: UNSEEN, local: localWith(pageBody(7)) } },
      {},
      none,
    );
    expect([await load('a'), await load('b')]).toMatchObject([
      { mirror: null, local: null },
      { mirror: null, local: null },
    ]);
  });

  test('its own record stays, and goes up', async () => {
    const own: Collection = { ...history, writes: 'own' };
    const { load } = await listed({ mine: { mirror: UNSEEN }, other: { mirror: UNSEEN } }, {}, own);
    expect((await load('mine'))?.local?.body).toEqual(pageBody(1));
    expect(await load('other')).toMatchObject({ mirror: null, local: null });
  });
});

test('without such a listing nothing is looked at', async () => {
  const { load, store } = await listed({ a: { mirror: UNSEEN } }, { resetting: false });
  expect(await load('a')).toMatchObject({ mirror: UNSEEN, local: null });
  expect(store.state.damaged).toBe(1);
});

test('of many records, the listing has ended with the last one only', async () => {
  const count = 150;
  const ids = Array.from({ length: count }, (_, n) => `page${n}`);
  const storage = new MemoryStorage();
  const store = await openTestStore(storage, history);
  await putEntries(
    store,
    Object.fromEntries(ids.map((id, n) => [id, { mirror: mirrorWith(pageBody(n), 1_000, 1) }])),
  );
  const transaction = store.begin();
  transaction.update({ epoch: EPOCH, resetting: true });
  await transaction.commit();
  let cuts = 0;
  for (let isOver = false; !isOver; cuts++) {
    const cut = storage.fork({ atCommit: cuts + 1, when: 'after' });
    const first = await openTestStore(cut, history);
    isOver = await requeueUnseen(testPass(first)).then(
      () => true,
      () => false,
    );
    const again = await openTestStore(cut.fork(), history);
    await requeueUnseen(testPass(again));
    expect(again.state).toMatchObject({ pending: count, resetting: false });
  }
  expect(cuts).toBeGreaterThan(2);
});
