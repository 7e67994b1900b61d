import { expect, test } from 'vitest';
import { incidentText, isIncident, merged, withIncident } from './incidents.ts';

const DAY_MS = 86_400_000;
const NOW_MS = 100 * DAY_MS;
const gone = (collection: string, id = 'a') =>
  ({ kind: 'unprovenDeletion', collection, id }) as const;
const anew = (collection: string) => ({ kind: 'beganAnew', collection }) as const;

test('records of one collection are counted, and other events are none of this', () => {
  const one = withIncident([], gone('notes'), NOW_MS);
  const two = withIncident(one, gone('notes', 'b'), NOW_MS + 1);
  expect(two).toEqual([
    { kind: 'unprovenDeletion', collection: 'notes', count: 2, lastMs: NOW_MS + 1 },
  ]);
  const all = withIncident(withIncident(two, gone('others'), NOW_MS), anew('notes'), NOW_MS);
  expect(all.map(({ kind, collection, count }) => [kind, collection, count])).toEqual([
    ['unprovenDeletion', 'notes', 2],
    ['unprovenDeletion', 'others', 1],
    ['beganAnew', 'notes', 1],
  ]);
  expect(withIncident(all, { kind: 'wiped', collection: 'notes' }, NOW_MS)).toBe(all);
});

test('what is older than a month goes, and there are never more than twenty', () => {
  const [old = null] = withIncident([], anew('a'), NOW_MS - 30 * DAY_MS);
  const young = withIncident([], anew('b'), NOW_MS - 30 * DAY_MS + 1);
  expect(merged(old ? [old, ...young] : [], [], NOW_MS)).toEqual(young);
  const many = Array.from({ length: 30 }, (_, n) => withIncident([], anew(`c${n}`), NOW_MS));
  expect(merged([], many.flat(), NOW_MS).map(({ collection }) => collection)).toEqual(
    Array.from({ length: 20 }, (_, n) => `c${n + 10}`),
  );
});

test('each is said in words, with what becomes of it', () => {
  const texts = [
    incidentText({ kind: 'beganAnew', collection: 'notes', count: 1 }),
    incidentText({ kind: 'unprovenDeletion', collection: 'notes', count: 1 }),
    incidentText({ kind: 'unprovenDeletion', collection: 'notes', count: 3 }),
  ];
  for (const text of texts) expect(text).toMatch(/^notes: (what )?the server .* up again$/);
  expect(texts[1]).toContain('1 record is gone');
  expect(texts[2]).toContain('3 records are gone');
});

test('what is in a file is one only as a whole', () => {
  const [one] = withIncident([], anew('a'), NOW_MS);
  expect(isIncident(one)).toBe(true);
  for (const wrong of [null, 3, {}, { ...one, kind: 'x' }, { ...one, count: '1' }]) {
    expect(isIncident(wrong)).toBe(false);
  }
});
