// The packs that are in memory: each is asked for once, and only the last ones are kept.

import { describe, expect, test } from 'vitest';
import type { Part, PartAnswer } from '../batch.ts';
import type { Kinto } from '../http.ts';
import { FILLED_MAX, PACKS_KEPT, UNMADE_MAX } from './limits.ts';
import { createOwnPacks } from './own.ts';
import { ALONE, DELETED, LIVE, type Pack, type PackEntry } from './pack.ts';
import { openShelf } from './shelf.ts';
import { piecesOf } from './texts.ts';

const PACK: Pack = { isFull: true, entries: new Map() };

function setUp(answer: (id: string) => PartAnswer | 'readOnly') {
  const asked: string[][] = [];
  const kinto = {
    recordPath: (name: string, id: string) => `/${name}/${id}`,
    async ask(parts: readonly Part[]) {
      const ids = parts.map(({ path }) => path.slice('/things/'.length));
      asked.push(ids);
      const answers = ids.map(answer);
      return answers.includes('readOnly') ? 'readOnly' : answers;
    },
  };
  const seal = {
    seal: async () => [],
    open: async (_: string, payload: string) => (payload === 'good' ? PACK : null),
  };
  const own = createOwnPacks();
  return { asked, own, shelf: openShelf(kinto as unknown as Kinto, 'things', seal, own) };
}

const found = (payload: string) => (id: string) => ({
  ...{ status: 200, headers: null, body: { data: { id, last_modified: 7, payload } } },
});
const status = (code: number) => () => ({ status: code, headers: null, body: {} });

test('a pack is asked for once, together with the others', async () => {
  const { shelf, asked } = setUp(found('good'));
  const first = await shelf.load(['p-', 'p-1']);
  expect(first).toEqual(['p-', 'p-1'].map((id) => ({ id, stamp: '7', pack: PACK, isOwn: false })));
  await shelf.load(['p-1', 'p-2', 'p-']);
  expect(asked).toEqual([['p-', 'p-1'], ['p-2']]);
  shelf.drop('p-1');
  await shelf.load(['p-1']);
  expect(asked[2]).toEqual(['p-1']);
});

test('one that is not there is empty, and has no stamp', async () => {
  const { shelf } = setUp(status(404));
  expect(await shelf.load(['p-'])).toEqual([
    { id: 'p-', stamp: null, pack: { isFull: false, entries: new Map() }, isOwn: true },
  ]);
});

test('one that does not open keeps its stamp: who replaces it does so under that', async () => {
  const { shelf } = setUp(found('bad'));
  expect(await shelf.load(['p-'])).toMatchObject([{ id: 'p-', stamp: '7', pack: null }]);
});

test('what a write has found in its way is in its place', async () => {
  const { shelf, asked } = setUp(found('good'));
  await shelf.put({ id: 'p-', version: '9', modifiedMs: 9, payload: 'good' });
  expect(await shelf.load(['p-'])).toMatchObject([{ id: 'p-', stamp: '9', pack: PACK }]);
  expect(asked).toEqual([]);
  await shelf.put({ id: 'p-', version: '10', modifiedMs: 10, payload: null });
  expect(await shelf.load(['p-'])).toMatchObject([{ stamp: null, pack: { isFull: false } }]);
});

test('only the last ones are kept', async () => {
  const { shelf, asked } = setUp(found('good'));
  const all = Array.from({ length: PACKS_KEPT + 1 }, (_, n) => `p-${n % 4}${n >> 2}`);
  for (const id of all) await shelf.load([id]);
  await shelf.load([all[1] ?? '']);
  expect(asked).toHaveLength(PACKS_KEPT + 1);
  await shelf.load([all[0] ?? '']);
  expect(asked).toHaveLength(PACKS_KEPT + 2);
});

test('a server that takes no batch takes no packs', async () => {
  expect(await setUp(() => 'readOnly').shelf.load(['p-'])).toBeNull();
});

test.each([
  ['an outage', status(503)],
  ['another record', () => found('good')('p-9')],
  ['no record', () => ({ status: 200, headers: null, body: { data: 5 } })],
])('%s is no pack', async (_, answer) => {
  await expect(setUp(answer).shelf.load(['p-'])).rejects.toMatchObject({ code: 'unavailable' });
});

test('of many that are most likely not there the last ones are not asked for', async () => {
  const { shelf, asked } = setUp(found('good'));
  const ids = Array.from({ length: UNMADE_MAX + 1 }, (_, n) => `p-${n.toString(4)}`);
  shelf.expectNone(ids);
  const [first = '', second = ''] = ids;
  await shelf.load([first, second, ids.at(-1) ?? '']);
  expect(asked).toEqual([[first]]);
});

test('one that is most likely not there is not asked for, until it is dropped', async () => {
  const { shelf, asked } = setUp(found('good'));
  shelf.expectNone(['p-1', 'p-2']);
  expect(await shelf.load(['p-1', 'p-3'])).toMatchObject([{ stamp: null }, { stamp: '7' }]);
  expect(asked).toEqual([['p-3']]);
  // It was there after all: a write has found out.
  shelf.drop('p-1');
  expect(await shelf.load(['p-1'])).toMatchObject([{ stamp: '7' }]);
});

test('one that this device has made is its own until somebody else changes it', async () => {
  const { shelf, own } = setUp((id) => (id === 'p-0' ? found('good') : status(404))(id));
  const [made, theirs] = (await shelf.load(['p-', 'p-0'])) ?? [];
  if (made === undefined || theirs === undefined) throw new Error('they were asked for');
  shelf.stored(made, '8');
  shelf.stored(theirs, '9');
  expect([made.stamp, theirs.stamp]).toEqual(['8', '9']);
  expect([own.has('8'), own.has('9')]).toEqual([true, false]);
  // It was away from here, and is as it was.
  const again = { id: 'p-', version: '8', modifiedMs: 8, payload: 'good' };
  shelf.stored(await shelf.put(again), '10');
  expect([own.has('8'), own.has('10')]).toEqual([false, true]);
  shelf.stored(await shelf.put({ ...again, version: '11' }), '12');
  expect(own.has('12')).toBe(false);
});

describe('a pack that this device has filled', () => {
  const entryOf = (kind: PackEntry['kind']): PackEntry => ({
    ...{ writtenMs: 5, salt: 1, kind, ...piecesOf(kind === LIVE ? '{}' : '') },
  });
  const stored = async (
    kinds: PackEntry['kind'][],
    isFull: boolean,
    answer: Parameters<typeof setUp>[0] = status(404),
  ) => {
    const { shelf } = setUp(answer);
    const [made] = (await shelf.load(['p-1'])) ?? [];
    if (made === undefined) throw new Error('it was asked for');
    made.pack = { isFull, entries: new Map(kinds.map((kind, n) => [`${n}`, entryOf(kind)])) };
    shelf.stored(made, '8');
    return { shelf, made };
  };

  test('has no new record, and may have none', async () => {
    const { shelf, made } = await stored([LIVE, LIVE], true);
    expect([shelf.isFilled('p-1'), shelf.isFilled('p-')]).toEqual([true, false]);
    made.pack?.entries.set('0', entryOf(DELETED));
    shelf.stored(made, '9');
    // What is deleted may come back, to where it was.
    expect(shelf.isFilled('p-1')).toBe(false);
  });

  test.each([
    ['has room', [LIVE], false],
    ['has a deleted record', [LIVE, DELETED], true],
    ['tells of one that lies alone', [LIVE, ALONE], true],
  ] as const)('is none where it %s', async (_, kinds, isFull) => {
    expect((await stored([...kinds], isFull)).shelf.isFilled('p-1')).toBe(false);
  });

  test('is none where others may have records in it', async () => {
    const { shelf } = await stored([LIVE], true, found('good'));
    expect(shelf.isFilled('p-1')).toBe(false);
  });

  test('is remembered as long as it is asked for', async () => {
    const { shelf, made } = await stored([LIVE], true);
    for (let n = 0; n < FILLED_MAX; n++) {
      const id = `p-2${n.toString(4)}`;
      shelf.stored({ ...made, id, stamp: null }, `${20 + n}`);
      expect(shelf.isFilled('p-1')).toBe(true);
    }
    expect(shelf.isFilled('p-20')).toBe(false);
  });
});
