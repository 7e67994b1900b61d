import { expect, test } from 'vitest';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { behindRow, isSameRow, NEW_ROW, openRows, originOfRow, ROWS_END, type Row } from './row.ts';

const A = 'https://a.example';
const ROW: Row = {
  generation: '3',
  sync: false,
  tag: 'tag',
  agreed: 'x.y.9',
  intent: 'i',
  refused: 'r',
  time: 1_316_550_000.25,
  promoted: true,
  hidden: true,
};

test('a row is read as it was written, with the next boot, too', async () => {
  const storage = new MemoryStorage();
  await openRows(storage).write(A, ROW);
  expect(await openRows(storage.fork()).read([A, 'https://b.example'])).toEqual([ROW, null]);
});

test('what was noted is seen at once, and written with the next one in one commit', async () => {
  const storage = new MemoryStorage();
  const rows = openRows(storage);
  await rows.note(A, ROW);
  expect(await rows.read([A])).toEqual([ROW]);
  expect(storage.commits).toBe(0);
  await rows.write('https://b.example', NEW_ROW);
  expect(storage.commits).toBe(1);
  await rows.note(A, null);
  expect(await rows.read([A])).toEqual([null]);
  await rows.write();
  await rows.write();
  expect(storage.commits).toBe(2);
  expect(storage.snapshot().map(([key]) => originOfRow(key))).toEqual(['https://b.example']);
});

test('rows that are noted are written by the hundred, so that no commit is too large', async () => {
  const storage = new MemoryStorage();
  const rows = openRows(storage);
  for (let n = 0; n < 250; n++) await rows.note(`https://n${n}.example`, ROW);
  expect(storage.commits).toBe(2);
  await rows.write();
  expect(storage.snapshot()).toHaveLength(250);
});

test('an origin of any length has a row, behind those of the system’s apps', async () => {
  const storage = new MemoryStorage();
  const long = `https://${'x'.repeat(2_000)}.example`;
  await openRows(storage).write(long, ROW);
  expect(await openRows(storage).read([long, `${long}:1`])).toEqual([ROW, null]);
  expect(await storage.scan({ from: behindRow(''), to: ROWS_END, limit: 9 })).toEqual([]);
});

test('what could not be written is tried with the next one', async () => {
  const storage = new MemoryStorage([], { atCommit: 1, when: 'before' });
  const rows = openRows(storage);
  await expect(rows.write(A, ROW)).rejects.toMatchObject({ code: 'storageFailed' });
});

test.each([['', 'd', 'dx', 'd[]', 'd7'], ['x']])(
  'a value that is no row is none: %j',
  async (...values) => {
    for (const value of values) {
      const rows = openRows(new MemoryStorage([[behindRow(A).slice(0, -1), value]]));
      expect(await rows.read([A])).toEqual([null]);
    }
  },
);

test('members that are missing or something else are as in a new row', async () => {
  const value = 'd{"generation":7,"sync":1,"tag":null,"time":"5","promoted":"x"}';
  const rows = openRows(new MemoryStorage([[behindRow(A).slice(0, -1), value]]));
  expect(await rows.read([A])).toEqual([{ ...NEW_ROW, sync: false }]);
});

test('rows lie in the order of their origins, behind no generation', () => {
  expect(behindRow('') < behindRow(A)).toBe(true);
  expect(behindRow(A) < behindRow('https://a.example.x')).toBe(true);
  expect(/^[0-9a-z]+\./.test(behindRow(A))).toBe(false);
  expect([isSameRow(ROW, { ...ROW }), isSameRow(ROW, null), isSameRow(null, null)]).toEqual([
    true,
    false,
    true,
  ]);
});
