import { describe, expect, it } from 'vitest';
import type { Stretch, UserWriter } from './bso-storage.ts';
import { memoryBsos, memoryUser } from './memory-bsos.ts';
import { Store } from './store.ts';

const NOW_MS = 1_000_000;
const ALL: Stretch = {
  ...{ order: 'oldest', newerMs: -1, olderMs: Number.POSITIVE_INFINITY, fromMs: null },
  ...{ behind: null, skip: 0, limit: 100 },
};

/** A user whose storage is asked at `nowMs`. */
function started() {
  const store = new Store();
  const user = store.addUser(null);
  const bsos = memoryBsos(store);
  const use = <T>(work: (user: UserWriter) => Promise<T>, nowMs = NOW_MS) =>
    bsos.write(user.uid, nowMs, work);
  return { store, user, bsos, use };
}

describe('the records of a store in memory', () => {
  it('are nobody else’s: a user that is not there has none', async () => {
    const { bsos } = started();
    expect(await bsos.read(99, NOW_MS, async () => 'asked')).toBeUndefined();
  });

  it('are read as they were written, and as the store has them', async () => {
    const { use, user } = started();
    const stampMs = await use((is) => is.write('col', [{ id: 'a', payload: 'é' }, { id: 'b' }]));
    expect(user.collections.get('col')?.get('a', NOW_MS)?.payload).toBe('é');
    await use(async (is) => {
      expect([is.modifiedMs, await is.stampOf('col'), await is.stampOf('none')]).toEqual([
        stampMs,
        stampMs,
        null,
      ]);
      expect([...(await is.stamps())]).toEqual([['col', stampMs]]);
      expect([...(await is.counts())]).toEqual([['col', 2]]);
      expect([...(await is.usage())]).toEqual([['col', 2]]);
      expect((await is.get('col', ['b', 'none', 'a'])).map(({ id }) => id)).toEqual(['b', 'a']);
      expect(await is.get('none', ['a'])).toEqual([]);
      expect((await is.listIds('col', ALL)).items).toEqual(['a', 'b']);
      expect((await is.list('none', ALL)).items).toEqual([]);
    });
    const reader = memoryUser(user, NOW_MS);
    expect((await reader.listIds('col', { ...ALL, limit: 1 })).hasMore).toBe(true);
  });

  it('are deleted by id, by collection, or all of them', async () => {
    const { use } = started();
    await use(async (is) => {
      await is.write('col', [{ id: 'a' }, { id: 'b' }]);
      await is.deleteRecords('col', ['a']);
      expect((await is.listIds('col', ALL)).items).toEqual(['b']);
      await is.deleteCollection('col');
      expect(await is.stampOf('col')).toBeNull();
      await is.write('other', [{ id: 'a' }]);
      await is.deleteAll();
      expect([...(await is.stamps())]).toEqual([]);
    });
  });

  it('are for one request after the other', async () => {
    const { use } = started();
    const order: string[] = [];
    await Promise.all([
      use(async () => {
        order.push('first begins');
        await new Promise((resolve) => setTimeout(resolve, 5));
        order.push('first ends');
      }),
      use(async () => order.push('second')),
    ]);
    expect(order).toEqual(['first begins', 'first ends', 'second']);
  });
});

describe('a batch', () => {
  const state = { openedMs: NOW_MS, records: 1, bytes: 1 };

  it('gathers changes in their order until it is closed', async () => {
    const { use } = started();
    await use((is) => is.extendBatch('col', 'x', [{ id: 'a' }], state));
    await use((is) => is.extendBatch('col', 'x', [{ id: 'b' }], { ...state, records: 2 }));
    await use(async (is) => {
      expect((await is.batch('col', 'x'))?.records).toBe(2);
      expect([await is.batch('col', 'y'), await is.batch('other', 'x')]).toEqual([null, null]);
      expect(await is.closeBatch('col', 'x')).toEqual([{ id: 'a' }, { id: 'b' }]);
      expect([await is.batch('col', 'x'), await is.closeBatch('col', 'x')]).toEqual([null, []]);
    });
  });

  it('goes with its collection, or with everything, and with no other one', async () => {
    const { use } = started();
    await use(async (is) => {
      for (const name of ['col', 'column']) await is.extendBatch(name, 'x', [], state);
      await is.deleteCollection('col');
      expect([await is.batch('col', 'x'), await is.batch('column', 'x')]).toEqual([null, state]);
      await is.deleteAll();
      expect(await is.batch('column', 'x')).toBeNull();
    });
  });
});

describe('a request that changes something', () => {
  it('is taken once, until it would be too old anyway', async () => {
    const { use } = started();
    const isFirst = (mac: string, nowMs: number) =>
      use((is) => is.isFirst(mac, nowMs + 1_000), nowMs);
    expect(await isFirst('m', NOW_MS)).toBe(true);
    expect(await isFirst('m', NOW_MS + 999)).toBe(false);
    expect(await isFirst('other', NOW_MS)).toBe(true);
    expect(await isFirst('m', NOW_MS + 1_000)).toBe(true);
    expect(await isFirst('m', NOW_MS + 1_001)).toBe(false);
  });

  it('may come again when it failed: it has changed nothing', async () => {
    const { use } = started();
    const failing = use(async (is) => {
      expect(await is.isFirst('m', NOW_MS + 1_000)).toBe(true);
      throw new Error('412');
    });
    await expect(failing).rejects.toThrow('412');
    expect(await use((is) => is.isFirst('m', NOW_MS + 1_000))).toBe(true);
    // One that was refused as a second one takes nothing back.
    const second = use(async (is) => {
      expect(await is.isFirst('m', NOW_MS + 1_000)).toBe(false);
      throw new Error('401');
    });
    await expect(second).rejects.toThrow('401');
    expect(await use((is) => is.isFirst('m', NOW_MS + 1_000))).toBe(false);
  });
});
