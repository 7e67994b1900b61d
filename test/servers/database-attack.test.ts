// What may happen to a `kitsync serve --database` and to its database while people use it: a
// process is killed while accounts are made and batches are committed, PostgreSQL is restarted.
// Who was told that it was done finds it done; nobody finds half of it, and nobody is told 500.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { killCommands, startCommand } from '../../platform/node/cli/testing.ts';
import { authPW } from '../support/accounts.ts';
import { temporaryFolder } from '../support/folders.ts';
import { findPostgres, type Postgres, startPostgres } from '../support/postgres.ts';
import { startServers, storageAt } from '../support/served.ts';

const { kB } = JSON.parse(
  readFileSync(new URL('../fixtures/corpus-a.json', import.meta.url), 'utf8'),
) as { kB: string };

beforeAll(async () => void (await startCommand(['help']).ended));
afterEach(killCommands);

const bin = findPostgres();
const WORK_MS = 4_000;
const SEED = ['--test-accounts', '--port', '0', '--database'];

interface Made {
  readonly email: string;
  readonly uid: unknown;
}

/** Who asks an accounts server; null: nobody answered. */
async function account(url: string, path: string, email: string) {
  const body = JSON.stringify({ email, authPW: authPW(email, email) });
  const headers = { 'Content-Type': 'application/json' };
  const at = `${url}/accounts/v1/account/${path}?keys=true`;
  const response = await fetch(at, { method: 'POST', headers, body }).catch(() => null);
  const json = (await response?.json().catch(() => null)) as { uid?: unknown } | null;
  return response === null ? null : { status: response.status, uid: json?.uid };
}

/** Makes accounts at the servers in turn until then; those that were acknowledged. */
async function signUpUntil(urls: readonly string[], name: string, endMs: number): Promise<Made[]> {
  const made: Made[] = [];
  for (let count = 0; Date.now() < endMs; count++) {
    const email = `${name}${count}@example.test`;
    const answer = await account(urls[count % urls.length] ?? '', 'create', email);
    expect([null, 200]).toContain(answer?.status ?? null);
    if (answer?.status === 200) made.push({ email, uid: answer.uid });
  }
  return made;
}

async function signInAll(url: string, made: readonly Made[]): Promise<void> {
  for (const { email, uid } of made)
    expect([email, await account(url, 'login', email)]).toEqual([email, { status: 200, uid }]);
}

test('on a folder, a process that is killed has kept all accounts and commits', async () => {
  const folder = join(temporaryFolder(), 'database');
  const made: Made[] = [];
  let committed = -1;
  for (const round of [0, 1]) {
    const servers = await startServers('--sign-up', ...SEED, folder);
    const storage = await storageAt(servers.url, kB);
    const endMs = Date.now() + WORK_MS;
    setTimeout(() => servers.child.kill('SIGKILL'), 1_500 + round * 300);
    const [signedUp, last] = await Promise.all([
      signUpUntil([servers.url], `r${round}.`, endMs - 1_000),
      commitUntil(storage, committed + 1, endMs),
    ]);
    made.push(...signedUp);
    await servers.ended;
    const again = await startServers('--sign-up', ...SEED, folder);
    committed = await checkBatch(await storageAt(again.url, kB), last);
    await signInAll(again.url, made);
    again.child.kill('SIGTERM');
    await again.ended;
  }
  console.log(`${made.length} accounts, ${committed + 1} commits`);
  expect(made.length).toBeGreaterThan(0);
}, 120_000);

type Storage = Awaited<ReturnType<typeof storageAt>>;
/** As many as two requests may bring. */
const RECORDS = 200;

/** Writes the same records in batches until nobody answers; the last version that was committed. */
async function commitUntil(storage: Storage, from: number, endMs: number): Promise<number> {
  let committed = from - 1;
  for (let version = from; Date.now() < endMs; version++) {
    const body = Array.from({ length: RECORDS }, (_, n) => ({
      id: `b${n}`,
      payload: `${version}`,
    }));
    const half = RECORDS / 2;
    const ask = (query: string, some: object[]) =>
      storage('POST', `storage/col?${query}`, { body: some }).catch(() => null);
    const begun = await ask('batch=true', body.slice(0, half));
    expect([null, 202, 503]).toContain(begun?.status ?? null);
    if (begun?.status !== 202) continue;
    const done = await ask(`batch=${begun.json.batch}&commit=true`, body.slice(half));
    expect([null, 200, 503]).toContain(done?.status ?? null);
    if (done?.status === 503) expect(done.headers.get('retry-after')).toBe('30');
    if (done?.status === 200) committed = version;
  }
  return committed;
}

/** All records are of one version, the last that was committed or a later one. */
async function checkBatch(storage: Storage, committed: number): Promise<number> {
  const { json } = await storage('GET', 'storage/col?full=1');
  const versions = new Set(json.map(({ payload }: { payload: string }) => Number(payload)));
  expect(versions.size).toBeLessThanOrEqual(1);
  const [version = -1] = versions as Set<number>;
  expect(json).toHaveLength(version < 0 ? 0 : RECORDS);
  expect(version).toBeGreaterThanOrEqual(committed);
  return version;
}

describe.skipIf(bin === null)('on PostgreSQL', () => {
  let postgres: Postgres;
  beforeAll(async () => {
    postgres = await startPostgres(bin ?? '');
  });
  afterAll(() => postgres?.stop());

  test('of two processes one is killed under sign-ups, and no account is lost', async () => {
    const url = await postgres.newUrl();
    const start = () => startServers('--sign-up', ...SEED, url);
    const [victim, other] = await Promise.all([start(), start()]);
    const endMs = Date.now() + WORK_MS;
    setTimeout(() => victim.child.kill('SIGKILL'), WORK_MS / 2);
    const made = await Promise.all(
      ['a', 'b', 'c'].map((name) => signUpUntil([victim.url, other.url], name, endMs)),
    );
    await victim.ended;
    const third = await start();
    const twice = await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        account(n % 2 === 0 ? other.url : third.url, 'create', 'same@example.test'),
      ),
    );
    expect(twice.map((one) => one?.status).sort()).toEqual([200, ...Array(7).fill(400)]);
    await signInAll(third.url, made.flat());
    console.log(`${made.flat().length} accounts`);
    expect(made.flat().length).toBeGreaterThan(0);
  }, 120_000);

  test('a restart under load is 503 with a time to wait, and over when it is there', async () => {
    const url = await postgres.newUrl();
    const servers = await startServers(...SEED, url);
    const storage = await storageAt(servers.url, kB);
    const statuses = new Map<number, number>();
    let isOver = false;
    const read = async (): Promise<void> => {
      while (!isOver) {
        const { status, headers } = await storage('GET', 'info/collections');
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        expect([200, 503]).toContain(status);
        if (status === 503) expect(headers.get('retry-after')).toBe('30');
      }
    };
    const reading = Promise.all([read(), read(), read()]);
    const committing = commitUntil(storage, 0, Date.now() + 6_000);
    for (const awayMs of [0, 800]) {
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      await postgres.restart(awayMs);
    }
    const committed = await committing;
    isOver = true;
    await reading;
    expect(statuses.get(503)).toBeGreaterThan(0);
    expect((await storage('GET', 'info/collections')).status).toBe(200);
    await checkBatch(storage, committed);
    expect(committed).toBeGreaterThan(0);
    console.log(JSON.stringify([...statuses]), `${committed + 1} commits`);
    expect(servers.complained()).not.toContain('a fault of the servers');
  }, 120_000);
});
