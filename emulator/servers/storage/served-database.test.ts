// What is kept of the servers, whatever happens to the process: seen by starting them again.

import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { MemoryStorage } from '../../../platform/memory/storage.ts';
import { killCommands, startCommand } from '../../../platform/node/cli/testing.ts';
import { StorageError } from '../../../platform/storage-rules.ts';
import { temporaryFolder } from '../../../test/support/folders.ts';
import { startServers, writerTo } from '../../../test/support/served.ts';
import { accountClient } from '../account-client.ts';
import { serveOnLoopback } from '../serve.ts';
import { emptyAccount, TEST_KB } from '../testing.ts';
import { addUsers, KeptBsos } from './kept-bsos.ts';
import { addPlaces, keptPlaces } from './kept-places.ts';
import { localStorage } from './local-storage.ts';

const CORPUS = new URL('../../../test/fixtures/corpus-a.json', import.meta.url);
const { kB: CORPUS_KEY } = JSON.parse(readFileSync(CORPUS, 'utf8')) as { kB: string };

// A checkout builds the command first.
beforeAll(async () => void (await startCommand(['help']).ended));
afterEach(killCommands);

test('what cannot be kept is answered with 503, and is not there', async () => {
  const below = new MemoryStorage();
  let isFull = false;
  const storage = localStorage(
    {
      get: (keys) => below.get(keys),
      scan: (range) => below.scan(range),
      commit: (changes) =>
        isFull ? Promise.reject(new StorageError('full', 'no room')) : below.commit(changes),
    },
    () => undefined,
  );
  const account = emptyAccount();
  await storage.transaction('account', async (tx) => {
    await addUsers(tx, account.store, 0);
    addPlaces(tx, account.store);
  });
  const bsos = new KeptBsos(storage);
  const world = { account, storage: { bsos, places: keptPlaces(storage) } };
  const serving = await serveOnLoopback({ port: 0, ...world });
  const ask = await writerTo(serving.url, TEST_KB);
  isFull = true;
  expect(await ask('PUT', 'a')).toBe(503);
  isFull = false;
  expect(await ask('PUT', 'b')).toBe(200);
  expect([await ask('GET', 'a'), await ask('GET', 'b')]).toEqual([404, 200]);
  await serving.close();
});

test('a process that is killed while it writes has kept all that it acknowledged', async () => {
  const folder = join(temporaryFolder(), 'database');
  let written = 0;
  for (const times of [1, 2, 3]) {
    const servers = await startServers('--test-accounts', '--database', folder);
    expect(servers.complained()).toBe('');
    const ask = await writerTo(servers.url, CORPUS_KEY);
    for (let index = 0; index < written; index++)
      expect([times, index, await ask('GET', `r${index}`)]).toEqual([times, index, 200]);
    setTimeout(() => servers.child.kill('SIGKILL'), 400);
    while ((await ask('PUT', `r${written}`).catch(() => 0)) === 200) written++;
    await servers.ended;
  }
  expect(written).toBeGreaterThan(10);

  const last = await startServers('--test-accounts', '--database', folder);
  const second = startCommand(['serve', '--test-accounts', '--database', folder]);
  expect([await second.ended, second.complained()]).toEqual([
    2,
    expect.stringMatching(/^kitsync: --database [^\n]*\n$/),
  ]);
  last.child.kill('SIGTERM');
  expect(await last.ended).toBe(0);
});

test('who was signed in is so after a restart, with the pass to the storage', async () => {
  const folder = join(temporaryFolder(), 'database');
  const first = await startServers('--test-accounts', '--database', folder);
  const asked: string[] = [];
  const device = accountClient({
    fetch: (request) => {
      asked.push(new URL(request.url).pathname);
      return fetch(request);
    },
    baseUrl: `${first.url}/accounts`,
    credentials: { email: 'user@example.test', kB: CORPUS_KEY },
    nowMs: Date.now,
  });
  await device.accessToken(false);
  const ask = await writerTo(first.url, CORPUS_KEY);
  expect(await ask('PUT', 'a')).toBe(200);
  first.child.kill('SIGKILL');
  await first.ended;
  await startServers('--test-accounts', '--database', folder, '--port', new URL(first.url).port);
  asked.length = 0;
  expect((await device.accessToken(true)).token).toMatch(/^ey/);
  expect(asked).not.toContain('/accounts/v1/account/login');
  expect(asked).toContain('/accounts/v1/oauth/token');
  expect(await ask('GET', 'a')).toBe(200);
});

test('a folder that others can read, or whose account is another one, is refused', async () => {
  const folder = join(temporaryFolder(), 'database');
  const first = await startServers('--test-accounts', '--database', folder);
  first.child.kill('SIGTERM');
  expect(await first.ended).toBe(0);
  const complaintOf = async (...args: string[]) => {
    const command = startCommand(['serve', '--test-accounts', '--database', folder, ...args]);
    expect(await command.ended).toBe(2);
    return command.complained();
  };
  expect(await complaintOf('--account', CORPUS.pathname)).toContain('has an account already');
  chmodSync(folder, 0o755);
  expect(await complaintOf()).toContain(`chmod 700 ${folder}`);
});

test('a database that is not there is refused, and its password is not shown', async () => {
  const url = 'postgres://user:the-password@127.0.0.1:1/none?connect_timeout=1';
  const command = startCommand(['serve', '--test-accounts', '--database', url]);
  expect(await command.ended).toBe(2);
  expect(command.complained()).toMatch(
    /^kitsync: --database postgres:\/\/user@127\.0\.0\.1:1\/none: /,
  );
  expect(command.complained()).not.toContain('the-password');
});
