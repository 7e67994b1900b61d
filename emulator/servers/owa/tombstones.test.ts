// Which deletions a document forgets: the oldest above a number, in however many portions they are
// read, and however they are spelt.

import { expect, test } from 'vitest';
import { memoryStorage } from '../storage/local-storage.ts';
import { Documents } from './document.ts';
import { lockOf } from './rows.ts';
import { surplusTombstones } from './tombstones.ts';

const YEAR_S = 365 * 86_400;
const nameOf = (n: number): string => `https://a${1_000 + n}.example`;

/** Names, in order, of what goes at that time from a document of these entries. */
async function surplusOf(entries: readonly string[], max: number, nowS: number) {
  const storage = memoryStorage();
  const documents = new Documents({ storage, nowMs: () => 0 });
  const pieces = async function* () {
    yield `{${entries.map((entry, n) => `"${nameOf(n)}":${entry}`).join()}}`;
  };
  await documents.post('user', pieces(), () => undefined);
  const rows = await storage.transaction(lockOf('user'), (tx) =>
    surplusTombstones(tx, 'user', max, nowS * 1_000),
  );
  return rows.map(([, row]) => /a1(\d+)/.exec(row)?.[1]).map(Number);
}

const gone = (seconds: number): string => `{"deleted":true,"last_modified":${seconds}}`;

test('the oldest ones above the number, of a hundred', async () => {
  const times = Array.from({ length: 100 }, (_, n) => gone(1 + ((n * 37) % 100)));
  const oldest = Array.from({ length: 90 }, (_, n) => (n * 73) % 100);
  expect(await surplusOf(times, 10, YEAR_S + 200)).toEqual(oldest);
  expect(await surplusOf(times, 100, YEAR_S + 200)).toEqual([]);
});

test('none before its year is over, to the second', async () => {
  const three = [gone(5), gone(6), gone(7)];
  expect(await surplusOf(three, 0, YEAR_S + 4)).toEqual([]);
  expect(await surplusOf(three, 0, YEAR_S + 6)).toEqual([0, 1]);
});

test('a deletion in another spelling is one; apps and what is no entry stay', async () => {
  const others = [
    '{"del\\u0065ted":true,"last_modified":1}',
    '{"deleted":false,"last_modified":1,"manifest_url":"https://m.example"}',
    '{"deleted":true}',
    '{"note":"deleted","last_modified":1,"manifest_url":"https://m.example"}',
    '["deleted"]',
  ];
  expect(await surplusOf(others, 0, 2 * YEAR_S)).toEqual([0]);
});
