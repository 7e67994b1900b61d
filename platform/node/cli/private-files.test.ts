import {
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/support/commands.ts';
import { writePrivate } from './private-files.ts';

const folder = temporaryFolder();
const path = join(folder, 'file');

it('replaces a file as a whole, for its owner only', async () => {
  writeFileSync(path, 'the old one', { mode: 0o644 });
  await writePrivate(path, ['the ', 'new one']);
  expect(readFileSync(path, 'utf8')).toBe('the new one');
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

it('leaves the old file, and nothing else, when what is written ends in an error', async () => {
  writeFileSync(path, 'the old one');
  async function* broken() {
    yield 'half of ';
    throw new Error('there is no more');
  }
  await expect(writePrivate(path, broken())).rejects.toThrow('there is no more');
  expect(readFileSync(path, 'utf8')).toBe('the old one');
  expect(readdirSync(folder)).toEqual(['file']);
});

it('goes where a link leads to, and says where a file cannot be', async () => {
  const link = join(folder, 'link');
  symlinkSync(path, link);
  await writePrivate(link, ['through the link']);
  expect(lstatSync(link).isSymbolicLink()).toBe(true);
  expect(readFileSync(path, 'utf8')).toBe('through the link');
  const nowhere = join(folder, 'none', 'file');
  await expect(writePrivate(nowhere, [''])).rejects.toThrow(
    `cannot write ${nowhere}: there is no such file or folder`,
  );
});
