import { describe, expect, test } from 'vitest';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { GENERATION, IDS, mirrorOf, openTestStore, page } from '../../test/support/store.ts';
import { history } from '../collections/history.ts';
import { SyncError } from '../errors.ts';
import { NO_ENTRY } from './record.ts';

describe('a store', () => {
  test('begins empty, with nothing listed', async () => {
    const store = await openTestStore(new MemoryStorage(), history);
    expect(store.state).toMatchObject({ position: '', held: 0, pending: 0, quarantined: 0 });
    expect(await store.load(['a'])).toEqual([NO_ENTRY]);
    expect(await store.load([])).toEqual([]);
  });

  test('lists the outbox and the mirrors in key order, portion by portion', async () => {
    const store = await openTestStore(new MemoryStorage(), history);
    const transaction = store.begin();
    const body = page('https://a/', 1);
    for (const id of IDS) {
      const local = { body, changedAtMs: 1, seq: 1, tries: 0 };
      transaction.set(id, NO_ENTRY, { mirror: mirrorOf(body), local, quarantined: false });
    }
    await transaction.commit();
    const [pending, mirrors]: string[][] = [[], []];
    let after: string | null = null;
    for (;;) {
      const ids: string[] = await store.pendingIds(after, 2);
      if (ids.length === 0) break;
      pending?.push(...ids);
      after = ids.at(-1) ?? null;
    }
    for (let place: string | null = null; ; ) {
      const { ids, next }: { ids: string[]; next: string | null } = await store.mirrorIds(place, 3);
      mirrors?.push(...ids);
      if (next === null) break;
      place = next;
    }
    expect(new Set(pending)).toEqual(new Set(IDS));
    expect(pending).toHaveLength(IDS.length);
    expect(mirrors).toEqual(pending);
  });

  test('finds by index forwards and backwards, from place to place', async () => {
    const store = await openTestStore(new MemoryStorage(), history);
    const transaction = store.begin();
    for (const [at, id] of IDS.entries()) {
      const mirror = mirrorOf(page(`https://a/${at}`, 1, at));
      transaction.set(id, NO_ENTRY, { ...NO_ENTRY, mirror });
    }
    await transaction.commit();
    const walk = async (prefix: string, reverse: boolean): Promise<string[]> => {
      const found: string[] = [];
      for (let after: string | null = null; ; ) {
        const query = { prefix, limit: 2, after, reverse };
        const page: { ids: string[]; next: string | null } = await store.indexed(query);
        found.push(...page.ids);
        if (page.next === null) return found;
        after = page.next;
      }
    };
    expect(await walk('d', false)).toEqual([...IDS].reverse());
    expect(await walk('d', true)).toEqual(IDS);
    expect(await walk(history.addressPrefix('https://a/'), false)).toEqual(IDS);
    expect(await walk(history.addressPrefix('https://b/'), false)).toEqual([]);
  });

  test.each([
    'b{"held":1}',
    '{"cursor":{"sinceMs":"x"}}',
    'b[]',
    'null',
    'c{}',
    '',
    Uint8Array.of(1),
  ])('whose state was damaged (%j) is to be mended', async (value) => {
    const storage = new MemoryStorage();
    await storage.commit([[`${GENERATION}.h.c`, value]]);
    expect((await openTestStore(storage, history)).state).toMatchObject({ mending: 0 });
  });

  test('that was closed commits nothing any more', async () => {
    const storage = new MemoryStorage();
    const store = await openTestStore(storage, history);
    const transaction = store.begin();
    transaction.set('a', NO_ENTRY, { ...NO_ENTRY, mirror: mirrorOf(page('https://a/', 1)) });
    store.close(new SyncError('disabled', 'the account has left'));
    await expect(transaction.commit()).rejects.toMatchObject({ code: 'disabled' });
    expect(storage.snapshot()).toEqual([]);
  });
});

describe('a task under the lock that ends', () => {
  const outOfMemory = Object.assign(new Error('out of memory'), { name: 'InternalError' });

  test.each([
    ['as the engine fails: what it has begun commits nothing later', outOfMemory, true],
    ['with an error of its own: others go on', new SyncError('badInput', 'record: none'), false],
  ])('%s', async (_what, failure, isStale) => {
    const storage = new MemoryStorage();
    const store = await openTestStore(storage, history);
    let late = (): Promise<void> => Promise.resolve();
    const task = store.lock.run(async () => {
      const transaction = store.begin();
      transaction.set('a', NO_ENTRY, { ...NO_ENTRY, mirror: mirrorOf(page('https://a/', 1)) });
      late = () => transaction.commit();
      throw failure;
    });
    await expect(task).rejects.toBe(failure);
    if (isStale) await expect(late()).rejects.toMatchObject({ code: 'outOfMemory' });
    else await late();
    expect(storage.snapshot().length > 0).toBe(!isStale);
  });
});

describe('a commit that ends', () => {
  const outOfMemory = Object.assign(new Error('out of memory'), { name: 'InternalError' });
  const full = Object.assign(new Error('full'), { code: 'full' });

  test.each([
    ['without a word of the storage: nothing more is committed', outOfMemory, true],
    ['with a refusal of the storage: it can be tried again', full, false],
  ])('%s', async (_what, failure, isStale) => {
    const storage = new MemoryStorage();
    const store = await openTestStore(storage, history);
    const write = storage.commit.bind(storage);
    const commitOne = (): Promise<void> => {
      const transaction = store.begin();
      transaction.set('a', NO_ENTRY, { ...NO_ENTRY, mirror: mirrorOf(page('https://a/', 1)) });
      return transaction.commit();
    };
    storage.commit = () => Promise.reject(failure);
    await expect(commitOne()).rejects.toMatchObject({
      code: isStale ? 'outOfMemory' : 'storageFull',
    });
    storage.commit = write;
    const again = commitOne();
    if (isStale) await expect(again).rejects.toMatchObject({ code: 'outOfMemory' });
    else await again;
    expect(store.closed !== null).toBe(isStale);
  });
});
