// Two sets of a collection behind one view: what readers see while a stage is filled and takes the
// other's place, at any commit at which the power goes.

import { describe, expect, test } from 'vitest';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import type { Change, Value } from '../../platform/ports.ts';
import { StorageError } from '../../platform/storage-rules.ts';
import { type CollectionState, NEW_COLLECTION } from './collection-state.ts';
import { collectionKeys, rangeEnd } from './layout.ts';
import { setKeys } from './set-keys.ts';
import { jsonStored } from './stored.ts';
import { openTwoSets, type TwoSets } from './two-sets.ts';

const KEYS = collectionKeys('1', 'h');
const EPOCH = 3;
const listing: Partial<CollectionState> = { resetting: true, epoch: EPOCH };
const free = (): void => undefined;

const cursor = (state: Partial<CollectionState> = {}): Change => [
  KEYS.cursor,
  jsonStored({ ...NEW_COLLECTION, ...state }),
];
const record = (id: string, value: Value | null): Change => [KEYS.record(id), value];
const opened = (storage: MemoryStorage): Promise<TwoSets<void>> =>
  openTwoSets(storage, KEYS, async () => undefined);

async function recordsOf(sets: Pick<TwoSets<void>, 'get' | 'scan'>): Promise<string[]> {
  const from = KEYS.record();
  const keys = await sets.scan({ from, to: rangeEnd(from), limit: 1_000 });
  const values = await sets.get(keys);
  return keys.map((key, n) => `${key.slice(from.length)}: ${values[n]}`);
}

/** A collection of two records, of which a listing has staged one as it is, and another one. */
async function staged(storage = new MemoryStorage()) {
  const sets = await opened(storage);
  await sets.commit([cursor(listing), record('a', 'old a'), record('b', 'old b')]);
  sets.beginStage(EPOCH);
  const stage = sets.other(free);
  stage.same.add(KEYS.record('a'));
  await stage.commit([
    cursor({ ...listing, staging: 'timed' }),
    record('a', 'old a'),
    record('c', 'new c'),
  ]);
  return { storage, sets, stage };
}

const OLD = ['a: old a', 'b: old b'];
const NEW = ['a: old a', 'c: new c'];

describe('a stage', () => {
  test('is seen by nobody before it is whole', async () => {
    const { sets, stage } = await staged();
    expect(await recordsOf(sets)).toEqual(OLD);
    expect(await recordsOf(stage)).toEqual(NEW);
  });

  test('has an empty value for what is as it was, once', async () => {
    const { storage, stage } = await staged();
    const place = setKeys(KEYS, '2').place(KEYS.record('a'));
    expect(await storage.get([place])).toEqual(['']);
    await stage.commit([record('a', 'written anew')]);
    expect(await storage.get([place])).toEqual(['written anew']);
  });

  test('is gone on with after a reboot in the same listing', async () => {
    const { storage } = await staged();
    const again = await opened(storage.fork());
    expect(again.stagedEpoch).toBe(EPOCH);
    expect(await recordsOf(again)).toEqual(OLD);
    expect(await recordsOf(again.other(free))).toEqual(NEW);
  });

  test.each<[string, Partial<CollectionState>]>([
    ['another listing', { ...listing, epoch: EPOCH + 1 }],
    ['a listing that has ended', { ...listing, resetting: false }],
  ])('of %s is swept away at the next boot', async (_, state) => {
    const { storage, sets } = await staged();
    await sets.commit([cursor(state)]);
    const again = await opened(storage.fork());
    expect(again.stagedEpoch).toBeNull();
    expect(await recordsOf(again.other(free))).toEqual([]);
    expect(await recordsOf(again)).toEqual(OLD);
  });

  test('ends with the first change of a record that it stands on, in one commit', async () => {
    const { storage, sets } = await staged();
    const before = storage.commits;
    await sets.commit([record('a', 'edited'), cursor(listing)]);
    expect([sets.stagedEpoch, storage.commits]).toEqual([null, before + 1]);
    expect((await opened(storage.fork())).stagedEpoch).toBeNull();
  });

  test('outlives changes that are no record', async () => {
    const { sets } = await staged();
    await sets.commit([[KEYS.outbox('x'), 'unsent'], cursor(listing)]);
    expect(sets.stagedEpoch).toBe(EPOCH);
  });

  test('takes no commit that its owner forbids', async () => {
    const { sets } = await staged();
    const late = sets.other(() => {
      throw new Error('closed');
    });
    await expect(late.commit([record('d', 'late')])).rejects.toThrow('closed');
    expect(await recordsOf(sets.other(free))).toEqual(NEW);
  });
});

describe('a flip', () => {
  const flip = (sets: TwoSets<void>): Promise<void> =>
    sets.flip(() => sets.commit([cursor({ epoch: EPOCH })]));

  test('shows the new records instead of the old ones, in one commit', async () => {
    const { storage, sets } = await staged();
    const before = storage.commits;
    await flip(sets);
    expect(await recordsOf(sets)).toEqual(NEW);
    expect(sets).toMatchObject({ flips: 1, stagedEpoch: null });
    expect(storage.commits).toBe(before + 1);
  });

  test('that the storage refuses has changed nothing', async () => {
    const { storage, sets } = await staged();
    const { commit } = storage;
    storage.commit = async () => {
      throw new StorageError('full', 'full');
    };
    await expect(flip(sets)).rejects.toMatchObject({ code: 'full' });
    storage.commit = commit;
    expect(await recordsOf(sets)).toEqual(OLD);
    expect(sets).toMatchObject({ flips: 0, stagedEpoch: EPOCH });
    await sets.commit([record('b', 'edited')]);
    expect(await recordsOf(sets)).toEqual(['a: old a', 'b: edited']);
  });

  test('and the sweep behind it may be cut at any commit: all records are there', async () => {
    const { storage } = await staged();
    let cuts = 0;
    for (let isOver = false; !isOver; cuts++) {
      for (const when of ['before', 'after'] as const) {
        const fork = storage.fork({ atCommit: cuts + 1, when });
        const run = async (): Promise<void> => {
          const sets = await opened(fork);
          await flip(sets);
          await sets.sweep(free, async () => undefined);
        };
        isOver = await run().then(
          () => true,
          () => false,
        );
        const after = await opened(fork.fork());
        const isNew = isOver || cuts > 0 || when === 'after';
        expect(await recordsOf(after), `cut ${when} commit ${cuts + 1}`).toEqual(isNew ? NEW : OLD);
      }
    }
    expect(cuts).toBe(3);
  });

  test('can come again: the sets take turns', async () => {
    const { sets } = await staged();
    await flip(sets);
    await sets.sweep(free, async () => undefined);
    sets.beginStage(EPOCH + 1);
    await sets.other(free).commit([cursor({ staging: 'timed' }), record('d', 'newer')]);
    await flip(sets);
    expect(await recordsOf(sets)).toEqual(['d: newer']);
    expect(sets.flips).toBe(2);
  });
});

describe('a sweep', () => {
  /** The other set is void, and its live one stands on so many of its records. */
  async function flipped(count: number, chars: number) {
    const storage = new MemoryStorage();
    const sets = await opened(storage);
    const records = Array.from({ length: count }, (_, n) =>
      record(`id${`${n}`.padStart(4, '0')}`, `${n}`.padEnd(chars, '.')),
    );
    await sets.commit([cursor(listing), ...records]);
    sets.beginStage(EPOCH);
    const stage = sets.other(free);
    for (const [key] of records) stage.same.add(key);
    await stage.commit([cursor({ staging: 'timed' }), ...records]);
    await sets.flip(() => sets.commit([cursor()]));
    return { storage, sets, records };
  }

  test('hands each record that stands for another over, and leaves nothing', async () => {
    const { storage, sets, records } = await flipped(450, 10);
    let steps = 0;
    await sets.sweep(free, async () => void steps++);
    expect(await storage.scan({ ...setKeys(KEYS, '').range, limit: 10 })).toEqual([]);
    expect(await sets.get(records.map(([key]) => key))).toEqual(records.map(([, value]) => value));
    expect(steps).toBeGreaterThanOrEqual(3);
  });

  test('moves no more text in a step than a small heap has room for', async () => {
    const { storage, sets, records } = await flipped(40, 3_000);
    const { commit } = storage;
    const moved: number[] = [];
    storage.commit = (changes) => {
      moved.push(changes.reduce((sum, [, value]) => sum + (value?.length ?? 0), 0));
      return commit.call(storage, changes);
    };
    await sets.sweep(free, async () => undefined);
    expect(Math.max(...moved)).toBeLessThanOrEqual(24_000 + 3_000);
    expect(await sets.get(records.map(([key]) => key))).toEqual(records.map(([, value]) => value));
  });

  test('commits nothing that its owner forbids', async () => {
    const { storage, sets } = await flipped(3, 10);
    const { commits } = storage;
    const closed = (): void => {
      throw new Error('closed');
    };
    await expect(sets.sweep(closed, async () => undefined)).rejects.toThrow('closed');
    expect(storage.commits).toBe(commits);
  });

  test('on a full device is left for later: the collection opens', async () => {
    const { storage, records } = await flipped(3, 10);
    const full = storage.fork();
    full.commit = async () => {
      throw new StorageError('full', 'full');
    };
    const sets = await opened(full);
    expect(await sets.get(records.map(([key]) => key))).toEqual(records.map(([, value]) => value));
  });

  test('that fails for another reason is no opening', async () => {
    const { storage } = await flipped(3, 10);
    const broken = storage.fork();
    broken.commit = async () => {
      throw new StorageError('failed', 'broken');
    };
    await expect(opened(broken)).rejects.toMatchObject({ code: 'failed' });
  });
});
