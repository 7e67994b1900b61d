// `kitsync compact`, and what a server compacts by itself.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { temporaryFolder } from '../test/support/folders.ts';
import { compactHourly, compactOnce } from './compact.ts';
import { serve } from './serve.ts';
import { keptLogs } from './servers/picl/log.ts';
import { Pen } from './servers/picl/testing.ts';
import { memoryStorage, openSqliteStorage } from './servers/storage/local-storage.ts';
import type { ServerStorage } from './servers/storage/server-storage.ts';

const { write } = process.stdout;
let out = '';
beforeEach(() => {
  out = '';
  process.stdout.write = (text) => {
    out += text;
    return true;
  };
});
afterEach(() => {
  process.stdout.write = write;
});

async function fill(storage: ServerStorage): Promise<void> {
  const pen = new Pen();
  const changes = Array.from({ length: 5 }, (_, n) => pen.write('a', `v${n}`));
  await keptLogs(storage).write('user', 'name', (log) => log.append(changes, 0));
}

test('compacts the database of a server that is not running', async () => {
  const folder = join(temporaryFolder(), 'data');
  mkdirSync(folder, { mode: 0o700 });
  expect(await serve(['picl', '--database', folder, '--sign-up', '--seconds', '1'])).toBe(0);
  const storage = await openSqliteStorage(folder);
  await fill(storage);
  await storage.close();
  out = '';
  expect(await compactOnce(['--database', folder, '--keep-changes', '2'])).toBe(0);
  expect(out).toBe('3 changes of 1 collections are history no more\n');
});

test('is no way to make a database', async () => {
  const folder = temporaryFolder();
  for (const [database, why] of [
    [join(folder, 'none'), 'there is no such folder'],
    [folder, '`kitsync serve` has not made it'],
  ] as const)
    await expect(compactOnce(['--database', database])).rejects.toThrow(why);
});

test('happens at once in a server that was told what to keep, and ends with it', async () => {
  const storage = memoryStorage();
  await fill(storage);
  const stop = compactHourly(storage, { changes: 1, ageMs: 0 });
  await stop();
  const oldest = keptLogs(storage).read('user', 'name', async ({ row }) => row?.oldest);
  expect(await oldest).toBe(5);
});
