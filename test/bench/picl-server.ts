// What a PiCL storage costs on SQLite and on PostgreSQL: appends and reads a second over loopback,
// and how one request grows with the history, over loopback and at the storage's door. Everything
// stops by itself. PostgreSQL is left out where it is not installed.

import { Agent } from 'node:http';
import { GENESIS } from '../../emulator/servers/picl/changes.ts';
import { compact } from '../../emulator/servers/picl/compaction.ts';
import { keptLogs, type LogReader } from '../../emulator/servers/picl/log.ts';
import { Pen, type PiclUser, signIn } from '../../emulator/servers/picl/testing.ts';
import type { StorageClient } from '../../emulator/servers/testing.ts';
import { killCommands, startCommand } from '../../platform/node/cli/testing.ts';
import { deviceAt, realClock, startServers } from '../support/served.ts';
import { medianOf, rateOf, row, send, timeOf } from './measure.ts';
import { CORPUS_KEY, onEachPlace, type Place } from './servers.ts';

interface PiclLoad {
  readonly clients: number;
  /** Of one change, each client to a collection of its own. */
  readonly appendsPerSecond: number;
  /** All to one collection: whoever was second goes on from the head, a moment later. */
  readonly sharedPerSecond: number;
  /** Pages of 10 changes. */
  readonly pagesPerSecond: number;
}

/** Of one request. */
interface PiclGrowth {
  /** Of one change. */
  readonly appendMs: number;
  /** Of 100 changes from the middle on. */
  readonly changesMs: number;
  /** Of 100 records. */
  readonly recordsMs: number;
  /** `HEAD`, over HTTP. */
  readonly headMs: number;
}

interface PiclKept extends PiclGrowth {
  /** To end all of the history but its last change. */
  readonly compactMs: number;
}

const PAYLOAD = 'x'.repeat(300);
const PAGE = { items: 100, chars: 1_048_576 };
const WRITTEN_AT_ONCE = 1_000;
/** The most that a POST takes, and what a page has. */
const POSTED = 100;
/** Of each record, so many changes are in the history. */
const CHANGES_EACH = 10;
const FAR = { changes: 1, ageMs: 0 };
const TAKEN = 412;
/** Longer than it takes until those who began together come one after the other. */
const SHARED = { letPass: [TAKEN], forMs: 6_000 };
/** Who is second again and again pauses ever longer, up to twice the last. */
const PAUSE_MS_FIRST = 100;
const PAUSE_MS_LAST = 6_400;

/** Prints both; up to `KITSYNC_BENCH_RECORDS` changes (1,000,000 at most) instead of 100,000. */
export async function piclServer(): Promise<void> {
  const changesMax = Number(process.env.KITSYNC_BENCH_RECORDS ?? 100_000);
  row('one user', 'clients', 'appends/s', 'to one collection', 'pages of 10/s');
  await onEachPlace(async (place) => {
    for (const { clients, ...rates } of await piclLoadOf(place, [1, 10, 100])) {
      const { appendsPerSecond, sharedPerSecond, pagesPerSecond } = rates;
      const each = [appendsPerSecond, sharedPerSecond, pagesPerSecond];
      row(place.name, clients, ...each.map(Math.round));
    }
  });
  const columns = ['changes', 'append ms', '100 changes ms', '100 records ms', 'head ms'];
  const timesOf = ({ appendMs, changesMs, recordsMs, headMs }: PiclGrowth) =>
    [appendMs, changesMs, recordsMs, headMs].map((ms) => ms.toFixed(1));
  const sizes = [1_000, 10_000, 100_000, 1_000_000].filter((changes) => changes <= changesMax);
  row('over HTTP', ...columns);
  await onEachPlace((place) =>
    grownOverHttp(place, sizes, (changes, grown) => row(place.name, changes, ...timesOf(grown))),
  );
  row('at the storage', ...columns, 'compaction ms');
  await onEachPlace(async (place) => {
    for (const changes of sizes) {
      const kept = await piclGrowthOf(place, changes);
      row(place.name, changes, ...timesOf(kept), Math.round(kept.compactMs));
    }
  });
}

/** Of so many clients of one user, for some seconds each. */
async function piclLoadOf(place: Place, clients: readonly number[]): Promise<PiclLoad[]> {
  const most = Math.max(...clients);
  const names = ['shared', ...Array.from({ length: most }, (_, client) => `c${client}`)];
  return withUser(place, names, most, async (user) => {
    const own = names.slice(1).map((name) => appender(user.at(name)));
    const shared = names.slice(1).map(() => appender(user.at('shared')));
    const page = (client: number) => user.at(`c${client}`)('GET', 'changes?since=1&limit=10');
    const loads: PiclLoad[] = [];
    for (const count of clients) {
      loads.push({
        clients: count,
        appendsPerSecond: await rateOf(count, async (client) => own[client]?.() ?? NONE),
        sharedPerSecond: await rateOf(count, async (client) => shared[client]?.() ?? NONE, SHARED),
        pagesPerSecond: await rateOf(count, page),
      });
    }
    return loads;
  });
}

/** A user of a server that is a process of its own. */
async function withUser<T>(
  place: Place,
  names: readonly string[],
  connections: number,
  work: (user: PiclUser) => Promise<T>,
): Promise<T> {
  // A checkout builds the command first, in the process that is started.
  await startCommand(['help']).ended;
  const args = ['--test-accounts', '--database', await place.database()];
  const collections = names.flatMap((name) => ['--collection', name]);
  const servers = await startServers('picl', ...args, ...collections);
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  try {
    const ask = (request: Request) => send(agent, request);
    const device = deviceAt(servers.url, CORPUS_KEY, ask);
    const urls = { picl: `${servers.url}/picl` };
    return await work(await signIn({ fetch: ask, urls, device, clock: realClock }));
  } finally {
    agent.destroy();
    killCommands();
    await servers.ended;
  }
}

/** What one request costs over loopback, whenever a collection has come to one of these sizes. */
async function grownOverHttp(
  place: Place,
  sizes: readonly number[],
  tell: (changes: number, grown: PiclGrowth) => void,
): Promise<void> {
  await withUser(place, ['name'], 1, async (user) => {
    const at = user.at('name');
    const ask = async (...asked: Parameters<StorageClient>): Promise<void> => {
      const { status } = await at(...asked);
      if (status !== 200 && status !== 204) throw new Error(`an answer was ${status}`);
    };
    const pen = new Pen();
    const append = (count: number, records: number): Promise<void> => {
      const headers: Record<string, string> =
        pen.changeid === GENESIS ? { 'If-None-Match': '*' } : { 'If-Match': pen.tag };
      const next = () => pen.write(`k${pen.seqnum % records}`, PAYLOAD);
      const body = { changes: Array.from({ length: count }, next) };
      return ask('POST', 'records', { headers, body, hashOf: JSON.stringify(body) });
    };
    for (const changes of sizes) {
      const records = Math.ceil(changes / CHANGES_EACH);
      while (pen.seqnum < changes) await append(Math.min(POSTED, changes - pen.seqnum), records);
      const middle = Math.ceil(changes / 2);
      tell(changes, {
        appendMs: await medianOf(() => append(1, records)),
        changesMs: await medianOf(() => ask('GET', `changes?since=${middle}&limit=${POSTED}`)),
        recordsMs: await medianOf(() => ask('GET', `records?limit=${POSTED}`)),
        headMs: await medianOf(() => ask('HEAD', '')),
      });
    }
  });
}

const NONE = { status: 0 };

/**
 * Appends a change to a collection, on the head that it knows. Who is second looks, behind a pause,
 * and writes at once on what it has seen, as a device does: a head that was told before the pause
 * is over when it ends.
 */
function appender(ask: StorageClient): () => Promise<{ readonly status: number }> {
  let pen = new Pen();
  let count = 0;
  let tries = 0;
  return async () => {
    if (tries > 0) {
      await after(pauseMs(tries));
      const { json } = await ask('GET', '');
      pen = new Pen(json.seqnum, json.changeid);
    }
    const isFirst = pen.changeid === GENESIS;
    const headers: Record<string, string> = isFirst
      ? { 'If-None-Match': '*' }
      : { 'If-Match': pen.tag };
    const body = { changes: [pen.write(`k${count++ % 100}`, PAYLOAD)] };
    // A client signs what it sends: what nobody signs costs one more write.
    const answer = await ask('POST', 'records', { headers, body, hashOf: JSON.stringify(body) });
    tries = answer.status === TAKEN ? tries + 1 : 0;
    return answer;
  };
}

/** Those who were refused together would come again together. */
function pauseMs(tries: number): number {
  return Math.min(PAUSE_MS_FIRST * 2 ** (tries - 1), PAUSE_MS_LAST) * (1 + Math.random());
}

function after(timeMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, timeMs));
}

/** What one request costs where a collection has had so many changes. */
async function piclGrowthOf(place: Place, changes: number): Promise<PiclKept> {
  const storage = await place.open();
  try {
    const logs = keptLogs(storage);
    const pen = new Pen();
    const records = Math.ceil(changes / CHANGES_EACH);
    const next = (n: number) => pen.write(`k${n % records}`, PAYLOAD);
    const append = (from: number, count: number) => {
      const list = Array.from({ length: count }, (_, index) => next(from + index));
      return logs.write('user', 'name', (log) => log.append(list, 0));
    };
    for (let at = 0; at < changes; at += WRITTEN_AT_ONCE)
      await append(at, Math.min(WRITTEN_AT_ONCE, changes - at));
    let at = changes;
    const read = (work: (log: LogReader) => Promise<unknown>) => () =>
      logs.read('user', 'name', work);
    return {
      appendMs: await medianOf(() => append(at++, 1)),
      changesMs: await medianOf(read((log) => log.changes(Math.ceil(changes / 2), PAGE))),
      recordsMs: await medianOf(read((log) => log.records({ start: null, end: null }, PAGE))),
      headMs: await medianOf(read(async (log) => log.head)),
      compactMs: await timeOf(() => compact(storage, FAR, 0)),
    };
  } finally {
    await storage.close();
  }
}
