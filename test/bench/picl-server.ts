// What a PiCL storage costs on SQLite and on PostgreSQL: appends and reads a second over loopback,
// and how one request grows with the history. Everything stops by itself. PostgreSQL is left out
// where it is not installed.

import { Agent } from 'node:http';
import { GENESIS } from '../../emulator/servers/picl/changes.ts';
import { compact } from '../../emulator/servers/picl/compaction.ts';
import { keptLogs, type LogReader } from '../../emulator/servers/picl/log.ts';
import { Pen, signIn } from '../../emulator/servers/picl/testing.ts';
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

interface PiclGrowth {
  readonly appendMs: number;
  /** Of 100 changes from the middle on. */
  readonly changesMs: number;
  /** Of 100 records. */
  readonly recordsMs: number;
  readonly headMs: number;
  /** To end all of the history but its last change. */
  readonly compactMs: number;
}

const PAYLOAD = 'x'.repeat(300);
const PAGE = { items: 100, chars: 1_048_576 };
const WRITTEN_AT_ONCE = 1_000;
/** Of each record, so many changes are in the history. */
const CHANGES_EACH = 10;
const FAR = { changes: 1, ageMs: 0 };
const TAKEN = 412;
/** Who is second again and again pauses for as long as so many of its requests take, at most. */
const PAUSE_REQUESTS_MAX = 64;

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
  row(
    ...['a collection', 'changes', 'append ms', '100 changes ms', '100 records ms', 'head ms'],
    'compaction ms',
  );
  const sizes = [1_000, 10_000, 100_000, 1_000_000].filter((changes) => changes <= changesMax);
  await onEachPlace(async (place) => {
    for (const changes of sizes) {
      const grown = await piclGrowthOf(place, changes);
      const { appendMs, changesMs, recordsMs, headMs, compactMs } = grown;
      const asked = [appendMs, changesMs, recordsMs, headMs].map((ms) => ms.toFixed(1));
      row(place.name, changes, ...asked, Math.round(compactMs));
    }
  });
}

/** Of so many clients of one user, for some seconds each. */
async function piclLoadOf(place: Place, clients: readonly number[]): Promise<PiclLoad[]> {
  // A checkout builds the command first, in the process that is started.
  await startCommand(['help']).ended;
  const most = Math.max(...clients);
  const names = ['shared', ...Array.from({ length: most }, (_, client) => `c${client}`)];
  const args = ['--test-accounts', '--database', await place.database()];
  const collections = names.flatMap((name) => ['--collection', name]);
  const servers = await startServers('picl', ...args, ...collections);
  const agent = new Agent({ keepAlive: true, maxSockets: most });
  try {
    const ask = (request: Request) => send(agent, request);
    const device = deviceAt(servers.url, CORPUS_KEY, ask);
    const urls = { picl: `${servers.url}/picl` };
    const user = await signIn({ fetch: ask, urls, device, clock: realClock });
    const own = names.slice(1).map((name) => appender(user.at(name)));
    const shared = names.slice(1).map(() => appender(user.at('shared')));
    const page = (client: number) => user.at(`c${client}`)('GET', 'changes?since=1&limit=10');
    const loads: PiclLoad[] = [];
    for (const count of clients) {
      loads.push({
        clients: count,
        appendsPerSecond: await rateOf(count, async (client) => own[client]?.() ?? NONE),
        sharedPerSecond: await rateOf(count, async (client) => shared[client]?.() ?? NONE, [TAKEN]),
        pagesPerSecond: await rateOf(count, page),
      });
    }
    return loads;
  } finally {
    agent.destroy();
    killCommands();
    await servers.ended;
  }
}

const NONE = { status: 0 };

/** Appends a change to a collection, on the head that it knows. */
function appender(ask: StorageClient): () => Promise<{ readonly status: number }> {
  let pen = new Pen();
  let count = 0;
  let tries = 0;
  return async () => {
    const isFirst = pen.changeid === GENESIS;
    const headers: Record<string, string> = isFirst
      ? { 'If-None-Match': '*' }
      : { 'If-Match': pen.tag };
    const body = { changes: [pen.write(`k${count++ % 100}`, PAYLOAD)] };
    const startMs = performance.now();
    // A client signs what it sends: what nobody signs costs one more write.
    const answer = await ask('POST', 'records', { headers, body, hashOf: JSON.stringify(body) });
    tries = answer.status === TAKEN ? tries + 1 : 0;
    if (answer.status === TAKEN) {
      const [, seqnum = '', changeid = ''] =
        /^(\d+)-(.*)$/.exec(answer.headers.get('etag') ?? '') ?? [];
      pen = new Pen(Number(seqnum), changeid);
      // Those who were refused together would come again together.
      const requests = Math.min(PAUSE_REQUESTS_MAX, 2 ** tries);
      await after(Math.random() * requests * (performance.now() - startMs));
    }
    return answer;
  };
}

function after(timeMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, timeMs));
}

/** What one request costs where a collection has had so many changes. */
async function piclGrowthOf(place: Place, changes: number): Promise<PiclGrowth> {
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
