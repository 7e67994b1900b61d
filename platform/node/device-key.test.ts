import {
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/support/folders.ts';
import { DEVICE_KEY_FILE, deviceKeyOf } from './device-key.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = temporaryFolder();
  path = join(folder, DEVICE_KEY_FILE);
});

it('is made once, of 32 bytes and for its owner only, and is the same for ever', async () => {
  const key = await deviceKeyOf(folder, false);
  expect([key.length, statSync(path).mode & 0o777]).toEqual([32, 0o600]);
  expect(await deviceKeyOf(folder, false)).toEqual(key);
  expect(await deviceKeyOf(folder, true)).toEqual(key);
  const other = temporaryFolder();
  expect(await deviceKeyOf(other, false)).not.toEqual(key);
});

it('is an error where data needs it and it is not there, and not a new beginning', async () => {
  const missing = { code: 'failed', message: `${path} is missing: the data needs it` };
  await expect(deviceKeyOf(folder, true)).rejects.toMatchObject(missing);
  expect(readdirSync(folder)).toEqual([]);
});

it.each([0, 31, 33])('is an error with %i bytes, and stays as it is', async (length) => {
  writeFileSync(path, Buffer.alloc(length));
  for (const hasData of [true, false]) {
    const wrong = { code: 'failed', message: `${path} has ${length} bytes, not 32` };
    await expect(deviceKeyOf(folder, hasData)).rejects.toMatchObject(wrong);
  }
  expect(readFileSync(path)).toHaveLength(length);
});

it('is an error where something else is in its place', async () => {
  mkdirSync(path);
  const folderThere = { code: 'failed', message: `${path}: it is not a file` };
  await expect(deviceKeyOf(folder, false)).rejects.toMatchObject(folderThere);
  const none = join(folder, 'none');
  await expect(deviceKeyOf(none, false)).rejects.toMatchObject({ code: 'ENOENT' });
  writeFileSync(none, '');
  await expect(deviceKeyOf(none, false)).rejects.toMatchObject({ code: 'ENOTDIR' });
});

it.skipIf(process.geteuid?.() !== 0)('is no file of somebody else', async () => {
  writeFileSync(path, Buffer.alloc(32));
  chownSync(path, 1, 1);
  // Not for the administrator, who may use anybody's.
  process.seteuid?.(2);
  try {
    await expect(deviceKeyOf(folder, true)).rejects.toMatchObject({ code: expect.anything() });
  } finally {
    process.seteuid?.(0);
  }
  expect(await deviceKeyOf(folder, true)).toHaveLength(32);
});

it('takes away what a killed process has left of it, and uses none of it', async () => {
  const draft = `${path}.${'A'.repeat(16)}.draft`;
  writeFileSync(draft, 'half a key');
  await deviceKeyOf(folder, false);
  expect(readdirSync(folder)).toEqual([DEVICE_KEY_FILE]);
  rmSync(path);
});
