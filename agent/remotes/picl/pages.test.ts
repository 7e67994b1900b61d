import { expect, test } from 'vitest';
import { listedOf, pageOf, seqnumOf, versionOf } from './pages.ts';
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
  expect(listedOf(change(7), 'change-6 change-7').envelope.isOwn).toBe(true);
  expect(listedOf(change(7), 'change-6').envelope.isOwn).toBe(false);
});

test('a page has a position behind each of its records, and one at its end', async () => {
  const listed = [1, 2].map((seqnum) => listedOf(change(seqnum), ''));
  const end = { ...START, epoch: 9 };
  const page = pageOf(listed, end, true, (version) => ({ ...START, epoch: seqnumOf(version) }));
  const out: object[] = [];
  expect(await page.next(out as never)).toBe(false);
  expect(out).toHaveLength(2);
  expect(placeOf(page.position(listed.slice(0, 1), false)).epoch).toBe(1);
  expect(placeOf(page.position(listed, true)).epoch).toBe(9);
  expect(placeOf(page.position([], false)).epoch).toBe(9);
});
