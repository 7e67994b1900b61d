// What is kept of the servers' store, whatever happens to the process: seen by opening it again.

import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { MemoryStorage } from '../../../platform/memory/storage.ts';
import { killCommands, startCommand } from '../../../platform/node/cli/testing.ts';
import type { Storage } from '../../../platform/ports.ts';
import { StorageError } from '../../../platform/storage-rules.ts';
import { temporaryFolder } from '../../../test/support/commands.ts';
import { createRandom } from '../../device/random.ts';
import { accountClient } from '../account-client.ts';
import { serveOnLoopback } from '../serve.ts';
import type { Store, User } from '../store.ts';
import { dumpStore } from '../store-file.ts';
import { keyFingerprint } from '../sync-keys.ts';
import { emptyAccount, type Pass, storageClient, TEST_KB, TEST_NOW_MS } from '../testing.ts';
import { localStorage } from './local-storage.ts';
import { StoreDatabase } from './store-database.ts';

const IDS = ['a', ' ', '~', '~ ~', '{x}', 'a/b', '!', 'x'.repeat(64), '~'.repeat(64)];
const NAMES = ['history', 'history.x', 'a', 'a-b'];

const { kB: CORPUS_KEY } = JSON.parse(
  readFileSync(new URL('../../../test/fixtures/corpus-a.json', import.meta.url), 'utf8'),
) as { kB: string };

// A checkout builds the command first.
beforeAll(async () => void (await startCommand(['help']).ended));
afterEach(killCommands);

const opened = async (storage: Storage) => {
  const server = localStorage(storage, () => undefined);
  return (await StoreDatabase.open(server, emptyAccount(), TEST_NOW_MS)).database;
};

/** The order of records in a dump is that of their arrival. */
function contentOf(store: Store, nowMs: number): unknown {
  const { users } = dumpStore(store, nowMs);
  for (const { collections } of Object.values(users))
    for (const { bsos } of Object.values(collections))
      (bsos as unknown as { id: string }[]).sort((a, b) => (a.id < b.id ? -1 : 1));
  return users;
}

test('a store that is opened again is the same, after any sequence of changes', async () => {
  const random = createRandom(11, 'changes');
  const pick = <T>(values: readonly T[]): T => values[random.uint32() % values.length] as T;
  const storage = new MemoryStorage();
  let database = await opened(storage);
  const saving: Promise<void>[] = [];
  for (let step = 0; step < 400; step++) {
    const nowMs = TEST_NOW_MS + step * 1_000;
    const { store } = database.account;
    const user = pick([...store.users.values()]) as User;
    const name = pick(NAMES);
    const kind = random.uint32() % 20;
    if (kind === 0) store.addUser(`key-${step}`);
    else if (kind === 1) user.deleteAll(nowMs);
    else if (kind < 4) user.deleteCollection(name, nowMs);
    else if (kind < 8) user.deleteRecords(name, [pick(IDS), pick(IDS)], nowMs);
    else {
      const ttl = pick([undefined, null, 0, 5, 5_000]);
      const change = { payload: `ü${step}`, sortindex: pick([null, step]) };
      const ids = [...new Set([pick(IDS), pick(IDS)])];
      user.write(
        name,
        ids.map((id) => ({ id, ...change, ...(ttl === undefined ? {} : { ttl }) })),
        nowMs,
      );
    }
    // Several requests may be saved at once.
    saving.push(database.save(nowMs));
    if (random.uint32() % 3 === 0) continue;
    await Promise.all(saving.splice(0));
    const again = await opened(storage.fork());
    expect(contentOf(again.account.store, nowMs)).toEqual(contentOf(store, nowMs));
    if (random.uint32() % 9 === 0) database = await opened(storage);
  }
});

test('what could not be saved is not acknowledged, and is saved with the next one', async () => {
  const storage = new MemoryStorage();
  let isFull = false;
  const database = await opened({
    get: (keys) => storage.get(keys),
    scan: (range) => storage.scan(range),
    commit: (changes) =>
      isFull ? Promise.reject(new StorageError('full', 'no room')) : storage.commit(changes),
  });
  const serving = await serveOnLoopback({
    port: 0,
    account: database.account,
    save: () => database.save(Date.now()),
  });
  const put = await writerTo(serving.url, TEST_KB);
  isFull = true;
  expect(await put('a')).toBe(503);
  isFull = false;
  expect(await put('b')).toBe(200);
  await serving.close();
  const [user] = (await opened(storage.fork())).account.store.users.values();
  const ids = [...(user?.collections.get('col')?.inArrivalOrder(Date.now()) ?? [])];
  expect(ids.map(({ id }) => id)).toEqual(['a', 'b']);
});

test('of two saves at once the second one counts, where it is as it was before both', async () => {
  const storage = new MemoryStorage();
  const database = await opened(storage);
  await database.save(TEST_NOW_MS, 'nobody');
  const saves = ['somebody', 'nobody'].map((signIns) => database.save(TEST_NOW_MS, signIns));
  await Promise.all(saves);
  expect((await opened(storage.fork())).signIns).toBe('nobody');
});

/** Writes records over the network, as a device of the user. */
async function writerTo(url: string, kB: string) {
  const device = accountClient({
    fetch: (request) => fetch(request),
    baseUrl: `${url}/accounts`,
    credentials: { email: 'user@example.test', kB },
    nowMs: Date.now,
  });
  const { token, keysChangedAtMs } = await device.accessToken(false);
  const headers = {
    Authorization: `Bearer ${token}`,
    'X-KeyID': `${keysChangedAtMs}-${keyFingerprint(kB)}`,
  };
  const pass = await fetch(`${url}/token/1.0/sync/1.5`, { headers });
  const world = { fetch: (request: Request) => fetch(request) };
  const storage = storageClient(world, (await pass.json()) as Pass, Date.now);
  return async (id: string, method = 'PUT') =>
    (await storage(method, `storage/col/${id}`, method === 'PUT' ? { body: { payload: id } } : {}))
      .status;
}

async function startServers(...args: string[]) {
  const command = startCommand(['serve', ...args]);
  await Promise.race([command.saw('password'), command.ended]);
  const [, url = ''] = /^origin +(\S+)$/m.exec(command.printed()) ?? [];
  return { ...command, url };
}

test('a process that is killed while it writes has kept all that it acknowledged', async () => {
  const folder = join(temporaryFolder(), 'database');
  let written = 0;
  for (const times of [1, 2, 3]) {
    const servers = await startServers('--database', folder);
    expect(servers.complained()).toBe('');
    const put = await writerTo(servers.url, CORPUS_KEY);
    for (let index = 0; index < written; index++)
      expect([times, index, await put(`r${index}`, 'GET')]).toEqual([times, index, 200]);
    setTimeout(() => servers.child.kill('SIGKILL'), 400);
    while ((await put(`r${written}`).catch(() => 0)) === 200) written++;
    await servers.ended;
  }
  expect(written).toBeGreaterThan(10);

  const last = await startServers('--database', folder);
  const second = startCommand(['serve', '--database', folder]);
  expect([await second.ended, second.complained()]).toEqual([
    2,
    expect.stringMatching(/^kitsync: --database [^\n]*\n$/),
  ]);
  last.child.kill('SIGTERM');
  expect(await last.ended).toBe(0);
});

test('who was signed in is so after a restart', async () => {
  const folder = join(temporaryFolder(), 'database');
  const first = await startServers('--database', folder);
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
  first.child.kill('SIGKILL');
  await first.ended;
  await startServers('--database', folder, '--port', new URL(first.url).port);
  asked.length = 0;
  expect((await device.accessToken(true)).token).toMatch(/^ey/);
  expect(asked).not.toContain('/accounts/v1/account/login');
  expect(asked).toContain('/accounts/v1/oauth/token');
});

test('a folder that others can read, or whose account is another one, is refused', async () => {
  const folder = join(temporaryFolder(), 'database');
  const first = await startServers('--database', folder);
  first.child.kill('SIGTERM');
  expect(await first.ended).toBe(0);
  const account = new URL('../../../test/fixtures/corpus-a.json', import.meta.url).pathname;
  const complaintOf = async (...args: string[]) => {
    const command = startCommand(['serve', '--database', folder, ...args]);
    expect(await command.ended).toBe(2);
    return command.complained();
  };
  expect(await complaintOf('--account', account)).toContain('has an account already');
  chmodSync(folder, 0o755);
  expect(await complaintOf()).toContain(`chmod 700 ${folder}`);
});
