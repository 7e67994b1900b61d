// One user in one transaction: what a write makes of records, orders, counts, batches and requests
// that may not come again.

import { describe, expect, test } from 'vitest';
import { BATCH_LIFE_MS } from '../batch.ts';
import { batchKey, readUserRow, userKey } from './bso-keys.ts';
import { addUser } from './kept-bsos.ts';
import { KeptWriter } from './kept-user.ts';
import { memoryStorage } from './local-storage.ts';

const UID = 7;
const NOW_MS = 1_000_000;
const BATCH = 'AAAAAAAAAAAAAAAAAAAAAA';

function user() {
  const storage = memoryStorage();
  const made = storage.transaction('user', async (tx) => addUser(tx, UID));
  return {
    storage,
    /** Runs `work` on the user as it is, in a transaction of its own. */
    async on<T>(work: (writer: KeptWriter) => Promise<T>, nowMs = NOW_MS): Promise<T> {
      await made;
      return storage.transaction('user', async (tx) => {
        const [text] = await tx.get([userKey(UID)]);
        const row = readUserRow(userKey(UID), text ?? '');
        return work(
          new KeptWriter(UID, tx, row, (reading) => storage.read('user', reading), nowMs),
        );
      });
    },
    /** Every key that there is, but for the user's and its collections' own. */
    keys: () =>
      storage.read('user', async (reader) => {
        const all = await reader.keys({ from: '', to: '~', limit: 10_000 });
        return all.filter((key) => !/^[uc]\//.test(key));
      }),
  };
}

describe('a write', () => {
  test('counts what it adds, replaces and takes away', async () => {
    const { on, keys } = user();
    await on((one) =>
      one.write('col', [
        { id: 'a', payload: 'ü' },
        { id: 'b', payload: 'xyz' },
      ]),
    );
    expect(await on((one) => one.usage())).toEqual(new Map([['col', 5]]));
    await on((one) => one.write('col', [{ id: 'a', payload: 'x' }]));
    expect(await on((one) => one.usage())).toEqual(new Map([['col', 4]]));
    await on((one) => one.deleteRecords('col', ['a', 'a', 'nobody']));
    expect(await on((one) => one.counts())).toEqual(new Map([['col', 1]]));
    expect((await keys()).filter((key) => key.includes('/a'))).toEqual([]);
  });

  test('of one record twice leaves the later one, in its orders once', async () => {
    const { on, keys } = user();
    await on((one) =>
      one.write('col', [
        { id: 'a', sortindex: 5 },
        { id: 'a', payload: 'x' },
      ]),
    );
    expect(await on((one) => one.get('col', ['a']))).toMatchObject([
      { payload: 'x', sortindex: 5 },
    ]);
    expect((await keys()).map((key) => key[0]).sort()).toEqual(['r', 's', 't']);
    expect(await on((one) => one.counts())).toEqual(new Map([['col', 1]]));
  });

  test('takes a record that is past its life for none: nothing of it stays', async () => {
    const { on } = user();
    await on((one) => one.write('col', [{ id: 'a', payload: 'old', sortindex: 5, ttl: 1 }]));
    await on((one) => one.write('col', [{ id: 'a', payload: 'new' }]), NOW_MS + 2_000);
    const [bso] = await on((one) => one.get('col', ['a']), NOW_MS + 2_000);
    expect(bso).toMatchObject({ payload: 'new', sortindex: null, expiresMs: null });
  });

  test('remembers when the first record expires', async () => {
    const { on, storage } = user();
    const next = async () => {
      const [text] = await storage.read('user', (reader) => reader.get([userKey(UID)]));
      return readUserRow(userKey(UID), text ?? '').nextExpiryMs;
    };
    await on((one) => one.write('col', [{ id: 'a', ttl: 50 }]));
    const stampMs = await on((one) => one.write('col', [{ id: 'b', ttl: 20 }, { id: 'c' }]));
    await on((one) => one.write('col', [{ id: 'd', ttl: 90 }]));
    expect(await next()).toBe(stampMs + 20_000);
  });

  test('has a later stamp than every one before it, whatever the clock says', async () => {
    const { on } = user();
    const stamps: number[] = [];
    for (const nowMs of [NOW_MS, NOW_MS, NOW_MS - 5_000]) {
      stamps.push(await on((one) => one.write('col', [{ id: 'a' }]), nowMs));
    }
    expect(new Set(stamps).size).toBe(3);
    expect([...stamps].sort((a, b) => a - b)).toEqual(stamps);
  });
});

describe('a deletion', () => {
  test('of a collection that is not there changes nothing, and has no new stamp', async () => {
    const { on } = user();
    const stampMs = await on((one) => one.write('col', [{ id: 'a' }]));
    expect(await on((one) => one.deleteCollection('other'))).toBe(stampMs);
    expect(await on((one) => one.deleteCollection('col'))).toBeGreaterThan(stampMs);
    expect(await on((one) => one.stampOf('col'))).toBeNull();
  });

  test('leaves the place to be swept, and a new one of the name has another', async () => {
    const { on, keys } = user();
    await on((one) => one.write('col', [{ id: 'a' }]));
    expect(await on(async (one) => [await one.deleteAll(), one.hasLeft][1])).toBe(true);
    await on((one) => one.write('col', [{ id: 'b' }]));
    const places = (await keys()).filter((key) => key.startsWith('r/'));
    expect(places).toEqual([`r/${UID}.1/a`, `r/${UID}.2/b`]);
    expect(await keys()).toContain(`g/${UID}.1`);
  });

  test('of what is not there is one all the same: of records in no collection', async () => {
    const { on } = user();
    const stampMs = await on((one) => one.deleteRecords('col', ['a']));
    expect(stampMs).toBeGreaterThan(0);
    expect(await on((one) => one.counts())).toEqual(new Map());
  });
});

describe('a batch', () => {
  const state = (openedMs: number) => ({ openedMs, records: 1, bytes: 1 });

  test('gives back what was added, in its order, and is gone then', async () => {
    const { on, keys } = user();
    for (let n = 0; n < 12; n++) {
      await on((one) => one.extendBatch('col', BATCH, [{ id: `r${n}` }], state(NOW_MS)));
    }
    expect(await on((one) => one.batch('col', BATCH))).toEqual(state(NOW_MS));
    const changes = await on((one) => one.closeBatch('col', BATCH));
    expect(changes.map(({ id }) => id)).toEqual(Array.from({ length: 12 }, (_, n) => `r${n}`));
    expect([await on((one) => one.batch('col', BATCH)), await keys()]).toEqual([null, []]);
  });

  test('that nobody has ended goes with one that is opened after its life', async () => {
    const { on, keys } = user();
    await on((one) => one.extendBatch('col', BATCH, [{ id: 'a' }], state(NOW_MS)));
    const laterMs = NOW_MS + BATCH_LIFE_MS;
    const other = BATCH.replaceAll('A', 'B');
    await on((one) => one.extendBatch('col', other, [], state(laterMs)), laterMs);
    expect((await keys()).length).toBe(4);
    const third = BATCH.replaceAll('A', 'C');
    await on((one) => one.extendBatch('col', third, [], state(laterMs + 1)), laterMs + 1);
    expect((await keys()).filter((key) => key.includes(BATCH))).toEqual([]);
  });

  test('goes with its collection', async () => {
    const { on, keys } = user();
    await on((one) => one.extendBatch('col', BATCH, [{ id: 'a' }], state(NOW_MS)));
    await on((one) => one.extendBatch('kept', BATCH, [], state(NOW_MS)));
    await on((one) => one.deleteCollection('col'));
    expect((await keys()).filter((key) => key.startsWith(`b/${UID}/col/`))).toEqual([]);
    expect(await on((one) => one.batch('kept', BATCH))).not.toBeNull();
    await on((one) => one.deleteAll());
    expect(await keys()).toEqual([]);
  });

  test('of a name that is none is none, and a damaged one is told by its key', async () => {
    const { on, storage } = user();
    expect(await on((one) => one.batch('col', '../x'))).toBeNull();
    const key = batchKey(UID, 'col', BATCH);
    await storage.transaction('user', async (tx) => tx.put(key, '{"openedMs":1}'));
    await expect(on((one) => one.batch('col', BATCH))).rejects.toThrow(key);
  });
});

test('a request is first once, and what has expired is forgotten a few at a time', async () => {
  const { on, keys } = user();
  const mac = (n: number): string => Buffer.from(`mac ${n}`).toString('base64');
  for (let n = 0; n < 9; n++) {
    expect(await on((one) => one.isFirst(mac(n), NOW_MS + 10))).toBe(true);
  }
  expect(await on((one) => one.isFirst(mac(0), NOW_MS + 10))).toBe(false);
  expect(await on((one) => one.isFirst(mac(99), NOW_MS + 99), NOW_MS + 50)).toBe(true);
  expect(await keys()).toHaveLength(9 - 4 + 1);
});

test('a list shows nothing that is written after it has begun', async () => {
  const { on } = user();
  await on((one) => one.write('col', [{ id: 'a' }]));
  const stretch = {
    ...({ order: 'oldest', newerMs: -1, olderMs: 1e14, fromMs: null, behind: null } as const),
    ...{ skip: 0, limit: 10 },
  };
  expect(await on((one) => one.listIds('col', stretch))).toMatchObject({ items: ['a'] });
  expect(await on((one) => one.list('col', stretch))).toMatchObject({ count: 1 });
  expect(await on((one) => one.list('none', stretch))).toMatchObject({ count: 0, items: [] });
});
