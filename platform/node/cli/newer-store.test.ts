// A folder that a newer version has written: every command says so, and none of them writes
// anything into it.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Serving } from '../../../emulator/servers/serve.ts';
import { credentialsOf, run, serveAccount } from '../../../test/support/commands.ts';
import { temporaryFolder } from '../../../test/support/folders.ts';
import { openNodeStorage } from '../storage.ts';

const folder = temporaryFolder();
const data = join(folder, 'data');
const credentials = join(folder, 'credentials.json');
let serving: Serving;
let sync: string[];

beforeAll(async () => {
  serving = await serveAccount(5);
  await credentialsOf(serving, credentials);
  const server = ['--token-server', serving.world.urls.token, '--credentials', credentials];
  sync = ['sync', '--once', ...server];
  expect(await run([...sync, '--data', data])).toMatchObject({ code: 0 });
  const storage = await openNodeStorage(data);
  await storage.commit([['s', 'e{"state":{"of":"another kind"}}']]);
  storage.close();
});
afterAll(() => serving.close());

test.each([
  ['status'],
  ['list', 'history'],
  ['export'],
  ['devices'],
  ['put', 'history', '{"url":"https://a.example/"}'],
  ['delete', 'history', 'aaaaaaaaaaaa'],
  ['sync'],
])('%s refuses it', async (...words) => {
  const before = readFileSync(join(data, 'store'));
  const args = words[0] === 'sync' ? sync : words;
  const { code, complaints } = await run([...args, '--data', data]);
  expect(code).toBe(1);
  expect(complaints).toMatch(/the store is of format 5, at most 4 is known/);
  expect(complaints).not.toMatch(/^\s+at /m);
  expect(readFileSync(join(data, 'store')).equals(before)).toBe(true);
});
