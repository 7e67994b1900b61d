// Outputs and folders that cannot be written: one line that names the place, no stack, exit code 1.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Serving } from '../../../emulator/servers/serve.ts';
import { credentialsOf, run, serveAccount } from '../../../test/support/commands.ts';
import { temporaryFolder } from '../../../test/support/folders.ts';
import { BIN } from './testing.ts';

const folder = temporaryFolder();
const data = join(folder, 'data');
let serving: Serving;
let sync: string[];

beforeAll(async () => {
  serving = await serveAccount(5);
  const credentials = await credentialsOf(serving, join(folder, 'credentials.json'));
  const server = ['--token-server', serving.world.urls.token];
  sync = ['sync', '--once', ...server, '--credentials', credentials, '--data'];
  expect((await run([...sync, data])).code).toBe(0);
});
afterAll(() => serving.close());

const hasFull = existsSync('/dev/full');

test
  .skipIf(!hasFull)
  .each([
    [['export', '--data', data]],
    [['list', 'history', '--json', '--data', data]],
    [['status', '--data', data]],
    [['profiles']],
    [['help']],
    [['sync', '--help']],
  ])('%j into a file that takes nothing', async (args) => {
  const file = openSync('/dev/full', 'w');
  const child = spawn(process.execPath, [BIN, ...args], { stdio: ['ignore', file, 'pipe'] });
  let complaints = '';
  child.stderr?.on('data', (bytes) => {
    complaints += bytes;
  });
  const [code] = await once(child, 'close');
  closeSync(file);
  const name = process.platform === 'linux' ? '/dev/full' : 'the output';
  expect([code, complaints]).toEqual([1, `kitsync: cannot write ${name}: the disk is full\n`]);
});

test.skipIf(!hasFull)('export --output names the file that takes nothing', async () => {
  const { code, complaints } = await run(['export', '--data', data, '--output', '/dev/full']);
  expect([code, complaints]).toEqual([1, 'kitsync: cannot write /dev/full: the disk is full\n']);
});

/** A small file system of its own, mounted for one process. */
const MOUNTED = ['unshare', '--mount', '--map-root-user', 'sh', '-c'];
const [unshare = '', ...unshared] = MOUNTED;
const canMount = spawnSync(unshare, [...unshared, `mount -t tmpfs tmpfs "${folder}"`]).status === 0;

describe.skipIf(!canMount)('a disk', () => {
  const disk = join(folder, 'disk');
  const there = join(disk, 'data');

  async function syncOn(prepare: string, directory: string) {
    mkdirSync(disk, { recursive: true });
    const script = `mount -t tmpfs -o size=100k tmpfs "${disk}" &&
      mkdir -m 700 "${there}" && ${prepare}
      exec "$@"`;
    const args = [...unshared, script, 'sh', process.execPath, BIN, ...sync, directory];
    const child = spawn(unshare, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let complaints = '';
    child.stderr.on('data', (bytes) => {
      complaints += bytes;
    });
    const [code] = await once(child, 'close');
    return { code, complaints };
  }

  test.each([
    ['that is full', `cat /dev/zero > "${disk}/fill" 2>/dev/null;`, 'the disk is full'],
    ['that is read-only', `mount -o remount,ro "${disk}" &&`, 'the file system is read-only'],
  ])('%s is named, with the folder that cannot be there', async (_, prepare, reason) => {
    for (const directory of [there, join(disk, 'new')]) {
      const { code, complaints } = await syncOn(prepare, directory);
      expect([code, complaints]).toEqual([
        1,
        expect.stringMatching(`^kitsync: cannot use ${directory}(/\\w+)?: ${reason}\n$`),
      ]);
    }
  });
});
