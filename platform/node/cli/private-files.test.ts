import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/support/commands.ts';
import { deviceKeyOf } from '../device-key.ts';
import { removeDrafts } from '../whole-files.ts';
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

/**
 * What other users can make beforehand: a name that could be guessed, and a second name to read by.
 */
function planted(name: string): () => string {
  const spy = join(folder, `spy${++spies}`);
  writeFileSync(name, 'bait', { mode: 0o666 });
  linkSync(name, spy);
  return () => readFileSync(spy, 'utf8');
}
let spies = 0;

it('writes into no file that somebody else has made for it', async () => {
  const secret = join(folder, 'secret');
  const spy = planted(`${secret}.${process.pid}`);
  await writePrivate(secret, ['the secret']);
  expect([readFileSync(secret, 'utf8'), spy()]).toEqual(['the secret', 'bait']);
  const keys = join(folder, 'keys');
  mkdirSync(keys);
  const keySpy = planted(join(keys, `device.key.${process.pid}`));
  const key = await deviceKeyOf(keys, false);
  expect([key.length, keySpy()]).toEqual([32, 'bait']);
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

it('takes away what a killed process was writing, and nothing else', async () => {
  const place = join(folder, 'place');
  mkdirSync(place);
  const file = join(place, 'file');
  const slow = join(folder, 'slow.mjs');
  const source = new URL('../whole-files.ts', import.meta.url).href;
  writeFileSync(
    slow,
    `import { replaceWhole } from '${source}';
     async function* pieces() {
       yield 'secret';
       console.log('begun');
       await new Promise((r) => setTimeout(r, 60_000));
     }
     await replaceWhole('${file}', pieces());`,
  );
  const tsx = import.meta.resolve('tsx');
  const child = spawn(process.execPath, ['--import', tsx, slow]);
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'close');
  const [draft = ''] = readdirSync(place);
  expect(readFileSync(join(place, draft), 'utf8')).toBe('secret');
  expect(statSync(join(place, draft)).mode & 0o777).toBe(0o600);
  for (const name of ['file.draft', 'other.json', 'file.1']) writeFileSync(join(place, name), '');
  removeDrafts(join(place, 'other'));
  expect(readdirSync(place)).toContain(draft);
  removeDrafts(file);
  expect(readdirSync(place).sort()).toEqual(['file.1', 'file.draft', 'other.json']);
});
