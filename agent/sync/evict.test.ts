import { describe, expect, test } from 'vitest';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import {
  audit,
  listAll,
  localWith,
  mirrorWith,
  openTestStore,
  pageBody,
  putEntries,
  testPass,
} from '../../test/support/store.ts';
import type { Collection } from '../collections/collection.ts';
import { history } from '../collections/history.ts';
import { passwords } from '../collections/passwords.ts';
import { evict } from './evict.ts';

async function setUp(historyRecordsMax: number, collection: Collection = history) {
  const storage = new MemoryStorage();
  const store = await openTestStore(storage, collection);
  const pass = testPass(store);
  const limited = { ...pass, config: { ...pass.config, historyRecordsMax } };
  const titles = async () => (await listAll(store)).map(({ title }) => title);
  return { storage, store, pass: limited, titles };
}

const pages = (count: number) =>
  Object.fromEntries(
    Array.from({ length: count }, (_, n) => [`page${n}`, { mirror: mirrorWith(pageBody(n)) }]),
  );

describe('too much history', () => {
  test('leaves the device, the oldest first, until it fits', async () => {
    const { storage, store, pass, titles } = await setUp(3);
    await putEntries(store, pages(5));
    await evict(pass);
    expect(await titles()).toEqual(['4', '3', '2']);
    expect([store.state.held, pass.report.evicted]).toEqual([3, 2]);
    expect(await audit(storage, history)).toEqual([]);
  });

  test('leaves in batches, however much there is', async () => {
    const { storage, store, pass, titles } = await setUp(1);
    await putEntries(store, pages(130));
    const before = storage.commits;
    await evict(pass);
    expect(await titles()).toEqual(['129']);
    expect(storage.commits - before).toBe(3);
  });

  test('is no deletion: nothing of it goes up', async () => {
    const { store, pass } = await setUp(1);
    await putEntries(store, pages(3));
    await evict(pass);
    expect(store.state.pending).toBe(0);
    expect(await store.pendingIds(null, 9)).toEqual([]);
  });

  test('that fits costs nothing', async () => {
    const { storage, store, pass } = await setUp(3);
    await putEntries(store, pages(3));
    const before = storage.commits;
    await evict(pass);
    expect(storage.commits).toBe(before);
  });

  test('keeps what is not on the server yet, and comes to an end', async () => {
    const { store, pass, titles } = await setUp(1);
    const entries = pages(4);
    for (const n of [0, 1])
      entries[`page${n}`] = { ...entries[`page${n}`], local: localWith(pageBody(n)) } as never;
    await putEntries(store, entries);
    await evict(pass);
    expect(await titles()).toEqual(expect.arrayContaining(['0', '1']));
    expect(store.state.pending).toBe(2);
  });

  test('with a record that the flash has lost comes to an end, too', async () => {
    const { storage, store, pass, titles } = await setUp(2);
    await putEntries(store, pages(4));
    await storage.commit([[store.keys.record('page0'), null]]);
    const { commit } = storage;
    let patience = 4;
    storage.commit = (changes) => {
      if (--patience === 0) throw new Error('it goes on for ever');
      return commit.call(storage, changes);
    };
    await evict(pass);
    expect(await titles()).toEqual(['3', '2']);
  });

  test('remembers what is set aside', async () => {
    const { storage, store, pass } = await setUp(1);
    await putEntries(store, pages(2));
    const [page0] = await store.load(['page0']);
    const transaction = store.begin();
    transaction.quarantine('page0', page0 as never, 'badMac', 5);
    await transaction.commit();
    await evict(pass);
    expect((await store.load(['page0']))[0]).toMatchObject({ mirror: null, quarantined: true });
    expect(await audit(storage, history)).toEqual([]);
  });
});

test('logins never leave the device by themselves', async () => {
  const { store, pass } = await setUp(1, passwords);
  const login = { hostname: 'https://a', password: 'p' };
  await putEntries(store, { a: { mirror: mirrorWith(login) }, b: { mirror: mirrorWith(login) } });
  await evict(pass);
  expect(store.state.held).toBe(2);
});
