import { spawnSync } from 'node:child_process';
import {
  lchownSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/support/folders.ts';
import { readPrivate, writePrivate } from './private-files.ts';

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

it.skipIf(process.geteuid?.() !== 0)('follows no link of another user', async () => {
  const link = join(folder, 'their-link');
  const target = join(folder, 'target');
  writeFileSync(target, 'mine');
  symlinkSync(target, link);
  lchownSync(link, 1, 1);
  await expect(writePrivate(link, ['theirs'])).rejects.toThrow('belongs to another user');
  expect(readFileSync(target, 'utf8')).toBe('mine');
});

it('reads no folder and no pipe, and waits for none', () => {
  expect(() => readPrivate(folder)).toThrow(`cannot read ${folder}: it is not a file`);
  const pipe = join(folder, 'pipe');
  spawnSync('mkfifo', ['-m', '600', pipe]);
  expect(() => readPrivate(pipe)).toThrow(`cannot read ${pipe}: it is not a file`);
});
