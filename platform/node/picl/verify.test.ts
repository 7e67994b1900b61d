import { describe, expect, test } from 'vitest';
import { logOf, PICL_ROOT } from '../../../test/support/picl-log.ts';
import { type Change, keysOf } from './chain.ts';
import { type LiveRecord, Refused } from './reading.ts';
import type { Source } from './source.ts';
import { verify } from './verify.ts';

const keys = keysOf(PICL_ROOT, 'things');
const log = logOf('things', [
  ['a', 'one'],
  ['b', 'two'],
  ['a', null],
  ['c', 'three'],
]);
const [, two, , four] = log as [Change, LiveRecord, Change, LiveRecord];
const head = { seqnum: 4, changeid: four.changeid };
const OPTIONS = { keys, isOpaque: false, earlier: null };

interface Said {
  changes?: readonly Change[];
  head?: Source['head'] extends () => infer T ? T : never;
  records?: readonly LiveRecord[] | null;
  isCompacted?: boolean;
}

async function* each<T>(items: readonly T[]): AsyncIterable<T> {
  yield* items;
}

function sourceOf(said: Said = {}): Source {
  const { records = [two, four] } = said;
  return {
    changes: () => each(said.changes ?? log),
    isCompacted: () => said.isCompacted ?? false,
    head: () => said.head ?? null,
    records: () => records && each(records),
  };
}

test('a whole log is proven to its head, and what lives is what it ends with', async () => {
  const verdict = { violation: null, what: null, head, changes: 4, records: 2, isCompacted: false };
  expect(await verify(sourceOf(), OPTIONS)).toEqual(verdict);
  expect(await verify(sourceOf({ records: null }), OPTIONS)).toEqual({ ...verdict, records: null });
});

test('nothing is a log, too', async () => {
  const said = { changes: [], records: [] };
  expect(await verify(sourceOf(said), OPTIONS)).toMatchObject({ violation: null, changes: 0 });
});

describe('a violation is told:', () => {
  const broken: readonly [string, Said, object][] = [
    ['in the chain', { changes: [...log.slice(0, 1), two, four] }, { reason: 'gap', index: 2 }],
    ['at the end', { head: { seqnum: 5, changeid: 'x' } }, { reason: 'truncated', seqnum: 5 }],
    [
      'a record that is old',
      { records: [{ ...two, seqnum: 1 }, four] },
      { reason: 'stale-record' },
    ],
    [
      'a deleted record',
      { records: [log[0] as LiveRecord, two, four] },
      { reason: 'stale-record' },
    ],
    ['another payload', { records: [{ ...two, payload: 'x' }, four] }, { reason: 'stale-record' }],
    ['a record that is listed twice', { records: [two, two] }, { reason: 'malformed' }],
    ['a record that is not listed', { records: [two] }, { reason: 'missing-record' }],
  ];
  test.each(broken)('%s', async (_, said, violation) => {
    expect((await verify(sourceOf(said), OPTIONS)).violation).toMatchObject(violation);
  });

  test('an answer that cannot be read', async () => {
    async function* changes(): AsyncIterable<Change> {
      yield log[0] as Change;
      throw new Refused('malformed', 'next');
    }
    const verdict = await verify({ ...sourceOf(), changes }, OPTIONS);
    expect(verdict).toMatchObject({ violation: { index: 1, reason: 'malformed' }, what: 'next' });
  });
});

test('a compacted log begins where it begins, and what it lacks is no violation', async () => {
  const said = { changes: log.slice(2), isCompacted: true };
  expect(await verify(sourceOf(said), OPTIONS)).toMatchObject({
    ...{ violation: null, changes: 2, records: null, isCompacted: true },
  });
});

test('an earlier head has to be on the chain', async () => {
  const earlier = { seqnum: 2, changeid: two.changeid };
  expect((await verify(sourceOf(), { ...OPTIONS, earlier })).violation).toBeNull();
  const other = { ...earlier, changeid: four.changeid };
  const { violation } = await verify(sourceOf(), { ...OPTIONS, earlier: other });
  expect(violation?.reason).toBe('fork');
});

test('another user’s signature is none', async () => {
  const verdict = await verify(sourceOf(), { ...OPTIONS, keys: keysOf(PICL_ROOT, 'others') });
  expect(verdict).toMatchObject({
    violation: { index: 0, reason: 'bad-signature' },
    head: { seqnum: 0 },
  });
});
