// The packs that are in memory: each is asked for once, and only the last ones are kept.

import { expect, test } from 'vitest';
import type { Part, PartAnswer } from '../batch.ts';
import type { Kinto } from '../http.ts';
import { PACKS_KEPT, UNMADE_MAX } from './limits.ts';
import type { Pack } from './pack.ts';
import { openShelf } from './shelf.ts';

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
  return { asked, shelf: openShelf(kinto as unknown as Kinto, 'things', seal) };
}

const found = (payload: string) => (id: string) => ({
  ...{ status: 200, headers: null, body: { data: { id, last_modified: 7, payload } } },
});
const status = (code: number) => () => ({ status: code, headers: null, body: {} });

test('a pack is asked for once, together with the others', async () => {
  const { shelf, asked } = setUp(found('good'));
  const first = await shelf.load(['p-', 'p-1']);
  expect(first).toEqual(['p-', 'p-1'].map((id) => ({ id, stamp: '7', pack: PACK })));
  await shelf.load(['p-1', 'p-2', 'p-']);
  expect(asked).toEqual([['p-', 'p-1'], ['p-2']]);
  shelf.drop('p-1');
  await shelf.load(['p-1']);
  expect(asked[2]).toEqual(['p-1']);
});

test('one that is not there is empty, and has no stamp', async () => {
  const { shelf } = setUp(status(404));
  expect(await shelf.load(['p-'])).toEqual([
    { id: 'p-', stamp: null, pack: { isFull: false, entries: new Map() } },
  ]);
});

test('one that does not open keeps its stamp: who replaces it does so under that', async () => {
  const { shelf } = setUp(found('bad'));
  expect(await shelf.load(['p-'])).toEqual([{ id: 'p-', stamp: '7', pack: null }]);
});

test('what a write has found in its way is in its place', async () => {
  const { shelf, asked } = setUp(found('good'));
  await shelf.put({ id: 'p-', version: '9', modifiedMs: 9, payload: 'good' });
  expect(await shelf.load(['p-'])).toEqual([{ id: 'p-', stamp: '9', pack: PACK }]);
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
