// What other devices ask of a collection here happens once, whatever the power does, and takes no
// edit that is made meanwhile.

import { describe, expect, test } from 'vitest';
import { MemoryStorage, type StorageCut } from '../../../platform/memory/storage.ts';
import {
  audit,
  localWith,
  mirrorWith,
  openTestStore,
  pageBody,
  putEntries,
} from '../../../test/support/store.ts';
import { history } from '../../collections/history.ts';
import { updateState } from '../../store/rewrite.ts';
import type { CollectionStore } from '../../store/store.ts';
import { finishWipe, type Request, resetOnce, wipeOnce } from './commands.ts';

const REQUEST: Request = [5_000, 1];
const COUNT = 120;

/** A collection that was read to its end: records, and one change of a record, and a new one. */
async function full(): Promise<MemoryStorage> {
  const storage = new MemoryStorage();
  const store = await openTestStore(storage, history);
  await putEntries(store, {
    ...Object.fromEntries(
      Array.from({ length: COUNT }, (_, n) => [`page${n}`, { mirror: mirrorWith(pageBody(n)) }]),
    ),
    changed: { mirror: mirrorWith(pageBody(900)), local: localWith(pageBody(901), 1) },
    fresh: { local: localWith(pageBody(902), 2) },
  });
  await updateState(store, () => ({ seq: 2, position: '9000 0 -1', origin: 'here' }));
  return storage;
}

const open = (storage: MemoryStorage): Promise<CollectionStore> => openTestStore(storage, history);

describe('a wipe', () => {
  test('drops all records and what waits for the server, and reads from the start', async () => {
    const storage = await full();
    const store = await open(storage);
    await wipeOnce(store, REQUEST);
    expect(store.state).toMatchObject({
      ...{ held: 0, pending: 0, position: '', resetting: false, applied: REQUEST },
      wipeUpTo: undefined,
    });
    expect(await audit(storage, history)).toEqual([]);
    expect(storage.snapshot().map(([key]) => key)).toEqual([store.keys.cursor]);
  });

  test('leaves an edit that was made after it was asked for', async () => {
    const store = await open(await full());
    await updateState(store, () => ({ wipeUpTo: 1 }));
    await finishWipe(store);
    const [fresh, changed] = await store.load(['fresh', 'changed']);
    expect([fresh?.local?.seq, changed?.local, changed?.mirror]).toEqual([2, null, null]);
  });

  test('may be cut at any commit: it goes on, and is not done twice', async () => {
    const storage = await full();
    let atCommit = 0;
    for (let isOver = false; !isOver; ) {
      atCommit++;
      for (const when of ['before', 'after'] as StorageCut['when'][]) {
        const cut = storage.fork({ atCommit, when });
        isOver = await wipeOnce(await open(cut), REQUEST).then(
          () => true,
          () => false,
        );
        const store = await open(cut.fork());
        await finishWipe(store);
        await wipeOnce(store, REQUEST);
        expect(store.state).toMatchObject({ held: 0, pending: 0, applied: REQUEST });
      }
    }
    expect(atCommit).toBeGreaterThan(3);
  });

  test('that is not under way has nothing to finish', async () => {
    const storage = await full();
    await finishWipe(await open(storage));
    expect(storage.commits).toBe((await full()).commits);
  });
});

describe('a reset', () => {
  test('keeps every record, and reads the collection from the start', async () => {
    const store = await open(await full());
    await resetOnce(store, REQUEST);
    expect(store.state).toMatchObject({
      ...{ held: COUNT + 2, pending: 2, position: '', resetting: true, epoch: 1 },
      ...{ origin: 'here', applied: REQUEST },
    });
  });
});

describe.each([
  ['a reset', resetOnce],
  ['a wipe', wipeOnce],
])('%s that was carried out', (_, carryOut) => {
  /** Whether a request is carried out after another one. */
  const isDone = async (after: Request, request: Request): Promise<boolean> => {
    const storage = await full();
    const store = await open(storage);
    await updateState(store, () => ({ applied: after }));
    const before = storage.commits;
    await carryOut(store, request);
    return storage.commits > before;
  };

  test('is not again, nor are those before it in its record', async () => {
    expect(await isDone(REQUEST, REQUEST)).toBe(false);
    expect(await isDone(REQUEST, [REQUEST[0], 0])).toBe(false);
  });

  test('does not stand in the way of the next one, or of another version’s', async () => {
    expect(await isDone(REQUEST, [REQUEST[0], 2])).toBe(true);
    expect(await isDone(REQUEST, [REQUEST[0] + 10, 0])).toBe(true);
    expect(await isDone(REQUEST, [REQUEST[0] - 10, 0])).toBe(true);
  });
});
