// Which of two sets of a collection is live, also where its word on that is lost, and how a record
// of one stands for that of the other.

import { describe, expect, test } from 'vitest';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import type { Value } from '../../platform/ports.ts';
import { NEW_COLLECTION } from './collection-state.ts';
import { collectionKeys } from './layout.ts';
import { createSetStorage, kindOf, liveSet, type Mark, setKeys } from './set-keys.ts';
import { jsonStored } from './stored.ts';

const KEYS = collectionKeys('1', 'h');
const CURSORS = {
  none: null,
  damaged: 'what is this',
  live: jsonStored(NEW_COLLECTION),
  stage: jsonStored({ ...NEW_COLLECTION, staging: 'timed' }),
} satisfies Record<string, Value | null>;
type Kind = keyof typeof CURSORS;
const KINDS = Object.keys(CURSORS) as Kind[];

const storageWith = (entries: Readonly<Record<string, Value>>): MemoryStorage =>
  new MemoryStorage(Object.entries(entries));

/** Which set is live by these cursors, and what the storage has then. */
async function found(first: Kind, second: Kind, entries: Readonly<Record<string, Value>> = {}) {
  const storage = storageWith(entries);
  const live = await liveSet(storage, KEYS, [CURSORS[first], CURSORS[second]]);
  return { live, storage };
}

test.each(KINDS)('a cursor says of its set what it is: %s', (kind) => {
  expect(kindOf(CURSORS[kind])).toBe(kind);
});

describe('the places of a set', () => {
  const all = [
    KEYS.cursor,
    ...[KEYS.record, KEYS.outbox, KEYS.deletion, KEYS.quarantine].map((of) => of('an id')),
    KEYS.index('d0000', 'an id'),
  ];

  test.each<Mark>(['', '2'])('are in its range and no other, and lead back: %j', (mark) => {
    const own = setKeys(KEYS, mark);
    const other = setKeys(KEYS, mark === '' ? '2' : '');
    const isIn = (place: string, { range }: typeof own): boolean =>
      place >= range.from && place < range.to;
    for (const key of all) {
      const place = own.place(key);
      expect([isIn(place, own), isIn(place, other)], key).toEqual([true, false]);
      expect(own.keyAt(place)).toBe(key);
    }
  });

  test('are those that a collection always has, of the first set', () => {
    expect(all.map(setKeys(KEYS, '').place)).toEqual(all);
  });
});

describe('a record that is empty', () => {
  const [ours, theirs] = [KEYS.record('a'), setKeys(KEYS, '2').place(KEYS.record('a'))];

  test('is as the other set has it', async () => {
    const storage = storageWith({ [ours]: 'agreed', [theirs]: '' });
    expect(await createSetStorage(storage, KEYS).get('2', [KEYS.record('a')])).toEqual(['agreed']);
  });

  test('among others leaves those as they are', async () => {
    const other = setKeys(KEYS, '2').place(KEYS.record('b'));
    const storage = storageWith({ [ours]: 'agreed', [theirs]: '', [other]: 'new' });
    const wanted = ['b', 'none', 'a'].map((id) => KEYS.record(id));
    expect(await createSetStorage(storage, KEYS).get('2', wanted)).toEqual(['new', null, 'agreed']);
  });

  test('stays so where it stands for nothing', async () => {
    const storage = storageWith({ [theirs]: '' });
    expect(await createSetStorage(storage, KEYS).get('2', [KEYS.record('a')])).toEqual(['']);
  });

  test('is what the sweep has made of it meanwhile', async () => {
    const storage = storageWith({ [theirs]: '' });
    const get = storage.get.bind(storage);
    storage.get = async (keys) => {
      const values = await get(keys);
      if (keys[0] === theirs) await storage.commit([[theirs, 'filled']]);
      return values;
    };
    expect(await createSetStorage(storage, KEYS).get('2', [KEYS.record('a')])).toEqual(['filled']);
  });

  test('is none if it is no record: an index entry is empty by itself', async () => {
    const key = KEYS.index('d', 'a');
    const storage = storageWith({
      [key]: 'what the first set has',
      [setKeys(KEYS, '2').place(key)]: '',
    });
    expect(await createSetStorage(storage, KEYS).get('2', [key])).toEqual(['']);
  });
});

describe('the live set', () => {
  test.each<[Kind, Kind, Mark]>([
    ['none', 'none', ''],
    ['live', 'none', ''],
    ['live', 'stage', ''],
    ['live', 'damaged', ''],
    ['damaged', 'none', ''],
    ['damaged', 'stage', ''],
    ['none', 'stage', ''],
    ['none', 'live', '2'],
    ['stage', 'live', '2'],
    ['damaged', 'live', '2'],
    ['none', 'damaged', '2'],
    ['stage', 'damaged', '2'],
    ['stage', 'none', '2'],
    ['damaged', 'damaged', ''],
  ])('of cursors %s and %s is %j', async (first, second, mark) => {
    expect((await found(first, second)).live).toBe(mark);
  });

  const second = setKeys(KEYS, '2').place;

  test.each([KEYS.record('a'), KEYS.outbox('a')])(
    'is the second one where both cursors are lost and it has something: %s',
    async (key) => {
      expect((await found('damaged', 'damaged', { [second(key)]: 'x' })).live).toBe('2');
      expect((await found('none', 'none', { [second(key)]: 'x' })).live).toBe('2');
    },
  );

  test('found so takes the local changes of the first one along, but for its own', async () => {
    const { storage } = await found('damaged', 'damaged', {
      [second(KEYS.record('a'))]: 'x',
      [KEYS.outbox('both')]: 'older',
      [second(KEYS.outbox('both'))]: 'newer',
      [KEYS.outbox('first')]: 'unsent',
      [KEYS.deletion('first')]: '',
      [KEYS.record('first')]: 'can be read again',
    });
    const values = await storage.get(
      [KEYS.outbox('both'), KEYS.outbox('first'), KEYS.deletion('first'), KEYS.record('first')].map(
        second,
      ),
    );
    expect(values).toEqual(['newer', 'unsent', '', null]);
  });

  test('takes along more of them than one scan finds', async () => {
    const ids = Array.from({ length: 450 }, (_, n) => `id${n}`);
    const { storage } = await found('damaged', 'damaged', {
      [second(KEYS.record('a'))]: 'x',
      ...Object.fromEntries(ids.map((id) => [KEYS.outbox(id), id])),
    });
    expect(await storage.get(ids.map((id) => second(KEYS.outbox(id))))).toEqual(ids);
  });

  test('writes nothing where a cursor says which it is', async () => {
    const { storage } = await found('live', 'damaged', {
      [KEYS.outbox('first')]: 'unsent',
      [second(KEYS.record('a'))]: 'x',
    });
    expect(storage.commits).toBe(0);
  });
});
