import { chownSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/support/folders.ts';
import { lockDirectory } from '../lock.ts';
import { emptiness, eraseData, removeLeftovers } from './folder.ts';

const DRAFT = `.${'A'.repeat(16)}.draft`;
const LEFTOVERS = [
  `notes.json${DRAFT}`,
  `device.key${DRAFT}`,
  ...['device.key.77', 'notes.json.77', 'lock.77', 'lock.left.77'],
];
const OURS = [
  ...['store', 'store-wal', 'store-journal', 'store-draft', 'store-next', 'store.old'],
  ...['socket', 'notes.json', 'device.key'],
];
const OTHERS = ['photo.jpg', 'device.key.copy', 'notes.json.bak', 'storeroom', 'sockets', 'key'];

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});
const fill = (...lists: (readonly string[])[]) => {
  for (const name of lists.flat()) writeFileSync(join(folder, name), '');
};
const left = () => readdirSync(folder).sort();

it('loses what killed processes have left, and nothing else', () => {
  fill(OURS, LEFTOVERS, OTHERS);
  removeLeftovers(folder);
  expect(left()).toEqual([...OURS, ...OTHERS].sort());
});

it.skipIf(process.geteuid?.() !== 0)('keeps what another user has put there', () => {
  fill(LEFTOVERS);
  const theirs = LEFTOVERS[0] ?? '';
  chownSync(join(folder, theirs), 1, 1);
  removeLeftovers(folder);
  expect(left()).toEqual([theirs]);
});

it('loses all that is of Kitsync when it is erased, and says what is not', async () => {
  fill(OURS, LEFTOVERS, OTHERS);
  expect((await eraseData(folder)).sort()).toEqual([...OTHERS].sort());
  expect(left().filter((name) => !name.startsWith('lock'))).toEqual([...OTHERS].sort());
});

it('is not erased while a sync has it', async () => {
  fill(OURS);
  const lock = await lockDirectory(folder);
  await expect(eraseData(folder)).rejects.toMatchObject({ code: 'failed' });
  expect(left()).toEqual(expect.arrayContaining(OURS));
  lock.release();
  expect(await eraseData(folder)).toEqual([]);
});

it('is told as empty, or with what is left', () => {
  expect(emptiness('/d', [])).toBe('no data is left in /d');
  expect(emptiness('/d', ['a', 'b'])).toBe('nothing of Kitsync is left in /d; not removed: a, b');
});
