import { expect, test } from 'vitest';
import type { Listed } from '../remote.ts';
import { envelopeOf, pageOf, rowOf, seqnumOf, versionOf } from './pages.ts';
import { placeOf, START } from './place.ts';

const change = (seqnum: number) => ({
  ...{ key: `k${seqnum}`, payload: 'p', seqnum, changeid: `change-${seqnum}`, signature: 's' },
  previous: null,
});

test('a version has the number and how the id begins: a number alone may come again', () => {
  expect(versionOf(change(7))).toBe('7-change-7');
  expect(versionOf({ seqnum: 7, changeid: 'another-7' })).not.toBe(versionOf(change(7)));
  expect([seqnumOf('7-change-7'), seqnumOf('x'), seqnumOf(undefined)]).toEqual([7, -1, -1]);
  expect(seqnumOf(`${'9'.repeat(16)}-x`)).toBe(-1);
});

test('what a plan names is this device’s own', () => {
  expect(envelopeOf(change(7), 'change-6 change-7')?.isOwn).toBe(true);
  expect(envelopeOf(change(7), 'change-6')?.isOwn).toBe(false);
});

test('a page has a position behind each of its records, and one at its end', async () => {
  const long = { ...change(2), payload: { sha256: 'x' } };
  const rows = [change(1), long, change(3)].map((one) => rowOf(one, ''));
  const end = { ...START, epoch: 9 };
  const page = () => pageOf(rows, end, true, ({ seqnum }) => ({ ...START, epoch: seqnum }));
  const out: Listed[] = [];
  expect(await page().next(out)).toBe(false);
  expect(out.map(({ ok }) => ok)).toEqual([true, false, true]);
  const inTurn = page();
  for (const [at, one] of out.entries()) {
    expect(placeOf(inTurn.position([one], false)).epoch).toBe(at + 1);
  }
  expect(placeOf(page().position(out.slice(0, 2), false)).epoch).toBe(2);
  expect(placeOf(page().position(out, true)).epoch).toBe(9);
  expect(placeOf(page().position([], false)).epoch).toBe(9);
});
