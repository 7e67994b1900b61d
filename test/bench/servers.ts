// What the storage costs on SQLite and on PostgreSQL: requests a second over loopback for clients
// of one user, and how one request grows with what the user has and with how many users there are.
// Everything stops by itself. PostgreSQL is left out where it is not installed.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Stretch } from '../../emulator/servers/bso-storage.ts';
import { addUser, KeptBsos } from '../../emulator/servers/storage/kept-bsos.ts';
import { openSqliteStorage } from '../../emulator/servers/storage/local-storage.ts';
import { openPostgresStorage } from '../../emulator/servers/storage/postgres-storage.ts';
import { keysUnder, type ServerStorage } from '../../emulator/servers/storage/server-storage.ts';
import { clientState } from '../../emulator/servers/sync-keys.ts';
import { killCommands, startCommand } from '../../platform/node/cli/testing.ts';
import { findPostgres, startPostgres } from '../support/postgres.ts';
import { proofAt, startServers, storageAt } from '../support/served.ts';
import { medianOf, rateOf, send, timeOf } from './measure.ts';

/** Where records are kept, anew each time it is asked. */
export interface Place {
  readonly name: string;
  /** For `--database`. */
  database(): Promise<string>;
  open(): Promise<ServerStorage>;
}

interface Load {
  readonly place: string;
  readonly clients: number;
  readonly putsPerSecond: number;
  readonly pagesPerSecond: number;
  /** The same pages through a gateway. */
  readonly throughGateway: number;
}

interface Growth {
  readonly place: string;
  readonly users: number;
  /** Of each user. */
  readonly records: number;
  readonly putMs: number;
  readonly pageMs: number;
  /** A page that begins in the middle, by stamp and by index. */
  readonly middleMs: number;
  readonly indexMs: number;
  /** All stamps, and what the quota is counted from. */
  readonly infoMs: number;
  /** To read all records of one user. */
  readonly wholeMs: number;
  /** Resident at most, while that is done. */
  readonly peakBytes: number;
  /** Until a tenth of the records, who are of another collection, has expired and gone. */
  readonly expiryMs: number;
  /** Of the requests that ask meanwhile, whether they are answered or told to come back. */
  readonly longestMs: number;
  /** To delete them all, and until nothing of them is left. */
  readonly deleteMs: number;
  readonly sweptMs: number;
}

const PAYLOAD = 'x'.repeat(300);
const PAGE = 100;
const WRITTEN_AT_ONCE = 1_000;
const USERS_AT_ONCE = 200;
const FILLED_AT_ONCE = 10;

/** On each place in turn, or on `KITSYNC_BENCH_PLACE` alone; `work` gets its results out. */
export async function onEachPlace(work: (place: Place) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'kitsync-bench-'));
  const bin = findPostgres();
  const postgres = bin === null ? null : await startPostgres(bin);
  let count = 0;
  const newFolder = async () => join(folder, `${count++}`);
  const places: Place[] = [
    {
      ...{ name: 'SQLite', database: newFolder },
      open: async () => openSqliteStorage(await newFolder()),
    },
  ];
  if (postgres !== null)
    places.push({
      ...{ name: 'PostgreSQL', database: () => postgres.newUrl() },
      open: async () => openPostgresStorage(await postgres.newUrl()),
    });
  const only = process.env.KITSYNC_BENCH_PLACE;
  try {
    for (const place of places) if ((only ?? place.name) === place.name) await work(place);
  } finally {
    await postgres?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Requests a second of so many clients of one user, over loopback, for some seconds each. */
export async function loadOf(place: Place, clients: readonly number[]): Promise<Load[]> {
  // A checkout builds the command first, in the process that is started.
  await startCommand(['help']).ended;
  const servers = await startServers('--test-accounts', '--database', await place.database());
  try {
    const agent = new Agent({ keepAlive: true, maxSockets: Math.max(...clients) });
    const storage = await storageAt(servers.url, CORPUS_KEY, (request) => send(agent, request));
    const put = (client: number) =>
      storage('PUT', `storage/history/c${client}`, { body: { payload: PAYLOAD } });
    const page = () => storage('GET', 'storage/history?full=1&sort=oldest&limit=10');
    const direct: number[][] = [];
    for (const count of clients) direct.push([await rateOf(count, put), await rateOf(count, page)]);
    // The servers take 128 connections.
    agent.destroy();
    const through = await throughGateway(servers.url);
    const loads: Load[] = [];
    for (const [index, count] of clients.entries()) {
      const [putsPerSecond = 0, pagesPerSecond = 0] = direct[index] ?? [];
      const rates = { putsPerSecond, pagesPerSecond, throughGateway: await rateOf(count, through) };
      loads.push({ place: place.name, clients: count, ...rates });
    }
    return loads;
  } finally {
    killCommands();
    await servers.ended;
  }
}

/** Asks a gateway process before the servers for the same page. */
async function throughGateway(url: string): Promise<() => Promise<Response>> {
  const gateway = startCommand(['gateway', '--token-server', `${url}/token`]);
  await Promise.race([gateway.saw('"listening"'), gateway.ended]);
  const [, port] = /"port":(\d+)/.exec(gateway.printed()) ?? [];
  const headers = await proofAt(url, CORPUS_KEY);
  const path = `/v1/buckets/${clientState(CORPUS_KEY)}/collections/history/records?_limit=10`;
  return async () => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers });
    await response.arrayBuffer();
    return response;
  };
}

const CORPUS = new URL('../fixtures/corpus-a.json', import.meta.url);
export const CORPUS_KEY = (JSON.parse(readFileSync(CORPUS, 'utf8')) as { kB: string }).kB;

/** What requests of one user cost, of users who have so many records each. */
export async function growthOf(place: Place, users: number, records: number): Promise<Growth> {
  const storage = await place.open();
  const bsos = new KeptBsos(storage);
  try {
    for (let from = 1; from <= users; from += USERS_AT_ONCE)
      await storage.transaction('users', async (tx) => {
        for (let uid = from; uid < from + USERS_AT_ONCE && uid <= users; uid++) addUser(tx, uid);
      });
    for (let from = 1; from <= users; from += FILLED_AT_ONCE)
      await Promise.all(
        Array.from({ length: Math.min(FILLED_AT_ONCE, users - from + 1) }, (_, index) =>
          fill(bsos, from + index, { records }),
        ),
      );
    const grown = await growthIn(bsos, storage, Math.ceil(users / 2), records);
    return { place: place.name, users, records, ...grown };
  } finally {
    await bsos.close();
    await storage.close();
  }
}

type Grown = Omit<Growth, 'place' | 'users' | 'records'>;

async function growthIn(
  bsos: KeptBsos,
  storage: ServerStorage,
  uid: number,
  records: number,
): Promise<Grown> {
  const nowMs = Date.now();
  const put = () =>
    bsos.write(uid, nowMs, (user) => user.write('col', [{ id: 'r0', payload: PAYLOAD }]));
  const page = (change: Partial<Stretch> = {}) =>
    bsos.read(uid, nowMs, (user) => user.list('col', { ...ALL, limit: PAGE, ...change }));
  const times = {
    putMs: await medianOf(put),
    pageMs: await medianOf(() => page()),
    middleMs: await medianOf(() => page({ fromMs: STAMPS.at(STAMPS.length / 2) ?? null })),
    indexMs: await medianOf(() => page({ order: 'index', behind: MIDDLE })),
    infoMs: await medianOf(() =>
      bsos.read(uid, nowMs, async (user) => [await user.stamps(), await user.usage()]),
    ),
  };
  const wholeFromMs = performance.now();
  const peakBytes = await readAll(bsos, uid);
  const wholeMs = performance.now() - wholeFromMs;
  await fill(bsos, uid, { records: Math.ceil(records / 10), name: 'old', ttl: TTL_SECONDS });
  const laterMs = Date.now() + TTL_SECONDS * 1_000;
  const { expiryMs, longestMs } = await expiryIn(() =>
    bsos.read(uid, laterMs, (user) => user.stamps()),
  );
  const deleteMs = await timeOf(() =>
    bsos.write(uid, laterMs, (user) => user.deleteCollection('col')),
  );
  const isSwept = async () =>
    (await storage.read('garbage', (reader) => reader.keys(keysUnder('g/', 1)))).length === 0;
  const sweptMs = await timeOf(async () => {
    while (!(await isSwept())) await new Promise((resolve) => setTimeout(resolve, 5));
  });
  return { ...times, wholeMs, peakBytes, expiryMs, longestMs, deleteMs, sweptMs };
}

/** `ask` is refused as long as too much is left. */
async function expiryIn(ask: () => Promise<unknown>) {
  let longestMs = 0;
  const expiryMs = await timeOf(async () => {
    for (let isOver = false; !isOver; ) {
      const askedMs = await timeOf(async () => {
        isOver = await ask().then(
          () => true,
          () => false,
        );
      });
      longestMs = Math.max(longestMs, askedMs);
    }
  });
  return { expiryMs, longestMs };
}

const ALL: Stretch = {
  ...{ order: 'oldest', fromMs: null, behind: null, skip: 0, limit: Number.POSITIVE_INFINITY },
  ...{ newerMs: Number.NEGATIVE_INFINITY, olderMs: Number.POSITIVE_INFINITY },
};

/** Of the last user who was filled, one each time it was written to. */
const STAMPS: number[] = [];
const TTL_SECONDS = 3_600;
const MIDDLE = { sortindex: WRITTEN_AT_ONCE / 2, id: 'r' };

interface Filling {
  readonly records: number;
  readonly name?: string;
  readonly ttl?: number;
}

async function fill(
  bsos: KeptBsos,
  uid: number,
  { records, name = 'col', ttl }: Filling,
): Promise<void> {
  STAMPS.length = 0;
  for (let at = 0; at < records; at += WRITTEN_AT_ONCE) {
    const changes = Array.from({ length: Math.min(WRITTEN_AT_ONCE, records - at) }, (_, index) => ({
      ...{ id: `r${at + index}`, payload: PAYLOAD, sortindex: index },
      ...(ttl === undefined ? {} : { ttl }),
    }));
    STAMPS.push((await bsos.write(uid, Date.now(), (user) => user.write(name, changes))) ?? 0);
  }
}

/** The most memory that the process has meanwhile. */
async function readAll(bsos: KeptBsos, uid: number): Promise<number> {
  const listing = await bsos.read(uid, Date.now(), (user) => user.list('col', ALL));
  let peakBytes = process.memoryUsage.rss();
  for await (const _portion of (listing?.items ?? []) as AsyncIterable<unknown>)
    peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
  return peakBytes;
}
