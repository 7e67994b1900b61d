// What a pass begins with: whether a collection has moved, and whether it is there.

import { describe, expect, test } from 'vitest';
import { answer, serverOf } from '../../../test/support/kinto-batch.ts';
import { STAMP_MS_MAX } from '../../limits.ts';
import type { Wanted } from '../remote.ts';
import type { PartAnswer } from './batch.ts';
import { make, poll } from './polls.ts';

const wanted = [{ store: { collection: { name: 'c' }, state: { position: '' } } }] as Wanted[];
const polled = async (...answers: PartAnswer[]) => poll(serverOf(answers).kinto, wanted);

describe('a poll', () => {
  const tag = { ETag: '"70"' };

  test('tells the stamp and both counts, by either name', async () => {
    const all = answer(200, { ...tag, 'Total-Objects': '5' });
    expect(await polled(all, answer(200, { 'total-records': '2' }))).toEqual([
      { kind: 'there', signature: { tagMs: 70, total: 5, young: 2 } },
    ]);
    expect(await polled(answer(200, { ...tag, 'Total-Objects': 'many' }), answer(500))).toEqual([
      { kind: 'there', signature: { tagMs: 70, total: -1, young: -1 } },
    ]);
    // No position can hold a later one.
    expect(await polled(answer(200, { ETag: '"999999999999999"' }))).toMatchObject([
      { signature: { tagMs: STAMP_MS_MAX } },
    ]);
    expect(await polled(answer(200, { ETag: 'W/x' }))).toMatchObject([{ signature: { tagMs: 0 } }]);
  });

  test.each([
    [403, 'refused'],
    [404, 'missing'],
    [503, 'unknown'],
  ])('%i is %s', async (status, kind) => {
    expect(await polled(answer(status), answer(status))).toEqual([{ kind }]);
  });

  test('of a server that takes no batch tells nothing', async () => {
    expect(await poll(serverOf('readOnly').kinto, wanted)).toEqual([{ kind: 'unknown' }]);
  });
});

test('what is made is there, made by whomever; what may not be made is not', async () => {
  const answers = [answer(412), answer(201), answer(412), answer(403)];
  expect(await make(serverOf(answers).kinto, ['a', 'b', 'c'])).toEqual([true, true, false]);
  expect(await make(serverOf('readOnly').kinto, ['a'])).toEqual([false]);
});
