// What an OWA server costs on SQLite and on PostgreSQL: requests a second over loopback for clients
// of one user, by the size of their document, and what memory the process has had at most.
// Everything stops by itself. PostgreSQL is left out where it is not installed.

import { readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { type OwaUser, signIn } from '../../emulator/servers/owa/testing.ts';
import { killCommands, startCommand } from '../../platform/node/cli/testing.ts';
import { deviceAt, realClock, startServers } from '../support/served.ts';
import { rateOf, row, send } from './measure.ts';
import { CORPUS_KEY, onEachPlace, type Place } from './servers.ts';

interface OwaLoad {
  readonly clients: number;
  /** Of a client that has it all: 204. */
  readonly idlePerSecond: number;
  /** Whole documents. */
  readonly getsPerSecond: number;
  /** Whole documents with one new app in each. */
  readonly postsPerSecond: number;
  /** Resident at most, so far. */
  readonly peakBytes: number;
}

const MANIFEST = { name: 'App', description: 'x'.repeat(900) };
const CLIENTS = [1, 10, 100];
const MIB = 2 ** 20;

/** Prints both sizes on each place. */
export async function owaServer(): Promise<void> {
  row('one document', 'apps', 'clients', 'idle/s', 'GET/s', 'POST/s', 'peak MiB');
  await onEachPlace(async (place) => {
    for (const apps of [20, 2_000])
      for (const load of await owaLoadOf(place, apps)) {
        const { clients, idlePerSecond, getsPerSecond, postsPerSecond, peakBytes } = load;
        const rates = [idlePerSecond, getsPerSecond, postsPerSecond].map((rate) => rate.toFixed(1));
        row(place.name, apps, clients, ...rates, Math.round(peakBytes / MIB));
      }
  });
}

async function owaLoadOf(place: Place, apps: number): Promise<OwaLoad[]> {
  // A checkout builds the command first, in the process that is started.
  await startCommand(['help']).ended;
  const servers = await startServers(
    'owa',
    '--test-accounts',
    '--database',
    await place.database(),
  );
  const agent = new Agent({ keepAlive: true, maxSockets: Math.max(...CLIENTS) });
  try {
    const ask = (request: Request) => send(agent, request);
    const urls = { owa: `${servers.url}/owa` };
    const device = deviceAt(servers.url, CORPUS_KEY, ask);
    const user = await signIn({ fetch: ask, urls, device, clock: realClock });
    await user.ask('POST', documentOf(apps));
    const since = { 'X-If-Modified-Since': '9999999999' };
    const loads: OwaLoad[] = [];
    for (const clients of CLIENTS) {
      loads.push({
        clients,
        idlePerSecond: await rateOf(clients, () => user.ask('GET', undefined, since)),
        getsPerSecond: await rateOf(clients, () => user.ask('GET')),
        postsPerSecond: await rateOf(clients, poster(user, apps)),
        peakBytes: peakOf(servers.child.pid ?? 0),
      });
    }
    return loads;
  } finally {
    agent.destroy();
    killCommands();
    await servers.ended;
  }
}

const app = (last_modified: number) => ({ last_modified, manifest: MANIFEST });
const name = (n: number) => `https://app${n}.example`;

function documentOf(apps: number): Record<string, object> {
  return Object.fromEntries(Array.from({ length: apps }, (_, n) => [name(n), app(1)]));
}

/** Each document has an app that is newer than all before. */
function poster(user: OwaUser, apps: number): (client: number) => ReturnType<OwaUser['ask']> {
  const text = JSON.stringify(documentOf(apps)).slice(0, -1);
  return (client) => {
    const changed = JSON.stringify({ [`https://c${client}.example`]: app(++newest) });
    return user.ask('POST', `${text},${changed.slice(1)}`);
  };
}

let newest = 1;

/** Where Linux says so. */
function peakOf(pid: number): number {
  const [, kB = 'NaN'] =
    /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kB) * 1_024;
}
