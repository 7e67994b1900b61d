// The servers of a fleet as processes: three of `kitsync serve` on one PostgreSQL database, three
// of `kitsync gateway` before them, all behind one address. Two of the gateways find each other's
// credentials in a Redis, where there is one; all have one secret. Any may be killed, and another
// one comes in its place.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dumpStore, type SeedAccount } from '../../emulator/servers/store-file.ts';
import { killCommands, startCommand } from '../../platform/node/cli/testing.ts';
import { temporaryFolder } from '../support/folders.ts';
import { type Front, startFront } from '../support/front.ts';
import { startPostgres } from '../support/postgres.ts';
import { hasRedis, startRedis } from '../support/redis.ts';
import { startServers } from '../support/served.ts';

interface Process {
  readonly name: string;
  readonly kind: 'serve' | 'gateway' | 'redis';
  pid: number;
  /** Kills it, and resolves when another one takes requests in its place. */
  kill(): Promise<void>;
}

export interface Cluster {
  readonly front: Front;
  readonly database: string;
  readonly processes: readonly Process[];
  close(): Promise<void>;
}

const COUNT = 3;
const WITH_REDIS = 2;
/** A device's collections, and one to measure with. */
const WRITABLE = ['history', 'passwords', 'clients', 'probe'];

export async function startCluster(bin: string, account: SeedAccount): Promise<Cluster> {
  // A checkout builds the command first: once, and not for every process.
  await startCommand(['help']).ended;
  const postgres = await startPostgres(bin);
  const front = await startFront();
  const folder = temporaryFolder();
  const database = await postgres.newUrl();
  const file = join(folder, 'account.json');
  writeFileSync(
    file,
    JSON.stringify({ kB: account.kB, store: dumpStore(account.store, Date.now()) }),
  );
  const processes: Process[] = [];
  const serve =
    (...args: string[]) =>
    () =>
      startServe(front, database, args);
  // The first one makes the account.
  const first = await startServe(front, database, ['--account', file]);
  processes.push(await slot('serve 1', 'serve', front.servers, serve(), first));
  for (let n = 2; n <= COUNT; n++)
    processes.push(await slot(`serve ${n}`, 'serve', front.servers, serve()));
  const redis = hasRedis ? await redisSlot(folder) : null;
  if (redis !== null) processes.push(redis.process);
  for (let n = 1; n <= COUNT; n++) {
    const shared = redis !== null && n <= WITH_REDIS ? ['--redis', redis.url] : [];
    const start = () => startGateway(front, folder, shared);
    const name = `gateway ${n}${shared.length > 0 ? ' (Redis)' : ''}`;
    processes.push(await slot(name, 'gateway', front.gateways, start));
  }
  return {
    ...{ front, database, processes },
    async close() {
      killCommands();
      redis?.end();
      await front.close();
      await postgres.stop();
    },
  };
}

interface Started {
  readonly port: number;
  readonly child: { readonly pid?: number | undefined; kill(signal: 'SIGKILL'): unknown };
}

/** `ports`: where the front looks for one that lives. */
async function slot(
  name: string,
  kind: Process['kind'],
  ports: number[],
  start: () => Promise<Started>,
  begun?: Started,
): Promise<Process> {
  let now = begun ?? (await start());
  ports.push(now.port);
  const process: Process = {
    ...{ name, kind, pid: now.child.pid ?? 0 },
    async kill() {
      const gone = now.port;
      now.child.kill('SIGKILL');
      now = await start();
      // Until now the front found out by itself that nobody is there.
      ports.splice(ports.indexOf(gone), 1, now.port);
      process.pid = now.child.pid ?? 0;
    },
  };
  return process;
}

async function startServe(front: Front, database: string, more: string[]): Promise<Started> {
  const args = ['--port', '0', '--database', database, '--public-url', front.url, ...more];
  const started = await startServers(...args);
  if (started.port === 0) throw new Error(`serve did not start: ${started.complained()}`);
  return started;
}

async function startGateway(front: Front, folder: string, more: string[]): Promise<Started> {
  const secret = join(folder, 'secret');
  writeFileSync(secret, 'ab'.repeat(32), { mode: 0o600 });
  const command = startCommand([
    ...['gateway', '--token-server', `${front.url}/token`, '--public-url', `${front.url}/syncto`],
    ...['--secret-file', secret, ...WRITABLE.flatMap((name) => ['--write', name]), ...more],
  ]);
  await Promise.race([command.saw('"listening"'), command.ended]);
  const [, port] = /"port":(\d+)/.exec(command.printed()) ?? [];
  if (port === undefined) throw new Error(`a gateway did not start: ${command.complained()}`);
  return { child: command.child, port: Number(port) };
}

async function redisSlot(folder: string) {
  let redis = await startRedis(folder);
  const { port, url } = redis;
  const process: Process = {
    ...{ name: 'redis', kind: 'redis', pid: redis.child.pid ?? 0 },
    async kill() {
      redis.child.kill('SIGKILL');
      redis = await startRedis(folder, port);
      process.pid = redis.child.pid ?? 0;
    },
  };
  return { url, process, end: () => redis.child.kill('SIGKILL') };
}

/** Resident memory of a process now, or at most so far; null: it is gone. */
export function memoryOf(pid: number, what: 'VmRSS' | 'VmHWM' = 'VmRSS'): number | null {
  try {
    const text = readFileSync(`/proc/${pid}/status`, 'utf8');
    const [, kib] = new RegExp(`${what}:\\s+(\\d+) kB`).exec(text) ?? [];
    return kib === undefined ? null : Number(kib) * 1_024;
  } catch {
    return null;
  }
}
