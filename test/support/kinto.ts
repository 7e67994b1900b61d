// A real Kinto of the tests' own, on loopback: as it comes from PyPI, in its memory or in a
// PostgreSQL. What it says goes into a file of its folder.

import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './ports.ts';
import { pythonBefore, pythonWith } from './python.ts';

interface KintoSettings {
  /** A PostgreSQL database; null: in its memory, which one process has. */
  readonly database: string | null;
  /** Processes, each with two threads; a database only. */
  readonly workers?: number;
  /** Packages in the place of those that it is installed of: another version of it. */
  readonly instead?: readonly string[];
  /** The database is another Kinto's, too. */
  readonly isShared?: boolean;
  /** Lines of its configuration. */
  readonly settings?: readonly string[];
  /** Who may make buckets: whoever has an account, if it is not given. */
  readonly makers?: string;
}

/** By which another process finds it. */
export interface KintoPlace {
  /** Without the version. */
  readonly url: string;
  readonly pid: number;
  readonly ini: string;
  readonly log: string;
}

export interface RealKinto {
  readonly place: KintoPlace;
  /** Without the version. */
  readonly url: string;
  /** A new user, who may make buckets; with a password of the tests' own if none is said. */
  newUser(
    name: string,
    password?: string,
  ): Promise<{ readonly name: string; readonly password: string }>;
  /** Ends one of the processes that answer, or all of them; others take their place. */
  killWorker(all?: boolean): void;
  /** What an administrator does: a command of Kinto's own. */
  command(...args: readonly string[]): Promise<void>;
  /** Its log, for who looks for a reason. */
  said(): string;
  stop(): Promise<void>;
}

/** What a Kinto is installed of. */
export const PACKAGES: readonly string[] = packagesIn('requirements.txt');
const STARTED_MS_MAX = 20_000;

/** Of a list in test/kinto/. */
export function packagesIn(file: string): string[] {
  return readFileSync(new URL(`../kinto/${file}`, import.meta.url), 'utf8')
    .trim()
    .split('\n');
}

/** Rejects where there is no Python for it, or it does not start. */
export async function startKinto(wanted: KintoSettings): Promise<RealKinto> {
  const bin = await pythonWith(PACKAGES);
  const folder = mkdtempSync(join(tmpdir(), 'kitsync-kinto-'));
  const ini = join(folder, 'kinto.ini');
  const port = await freePort();
  const { instead = [] } = wanted;
  const before = instead.length > 0 ? await pythonBefore(bin, instead) : null;
  const env = { ...process.env, ...(before !== null && { PYTHONPATH: before }) };
  writeFileSync(ini, configuration(wanted, port));
  if (wanted.database !== null && wanted.isShared !== true) {
    // It may ask this process, as a provider of sign-ins.
    await promisify(execFile)(join(bin, 'kinto'), ['migrate', '--ini', ini], { env });
  }
  const log = join(folder, 'log');
  const out = openSync(log, 'a');
  const command: [string, string[]] =
    wanted.database === null
      ? ['kinto', ['start', '--ini', ini]]
      : ['gunicorn', gunicorn(ini, port, wanted.workers ?? 1)];
  const child = spawn(join(bin, command[0]), command[1], {
    cwd: folder,
    env,
    stdio: ['ignore', out, out],
  });
  const end = (): void => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', end);
  const url = `http://127.0.0.1:${port}`;
  const kinto = kintoAt({ url, pid: child.pid ?? 0, ini, log });
  await answers(`${url}/v1/__lbheartbeat__`, child, kinto.said);
  return {
    ...kinto,
    async stop() {
      child.kill('SIGTERM');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
      process.off('exit', end);
      end();
    },
  };
}

/** One that was started by another process, which stops it. */
export function kintoAt(place: KintoPlace): Omit<RealKinto, 'stop'> {
  const { url, pid, ini, log } = place;
  return {
    ...{ place, url },
    said: () => readFileSync(log, 'utf8'),
    async newUser(name, password = `password of ${name}`) {
      const response = await fetch(`${url}/v1/accounts/${name}`, {
        method: 'PUT',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ data: { password } }),
      });
      if (!response.ok) throw new Error(`accounts/${name}: ${response.status}`);
      return { name, password };
    },
    killWorker(all = false) {
      const found = spawnSync('ps', ['-o', 'pid=', '--ppid', `${pid}`], { encoding: 'utf8' });
      const pids = found.stdout.trim().split(/\s+/).filter(Boolean);
      for (const pid of all ? pids : pids.slice(0, 1)) process.kill(Number(pid), 'SIGKILL');
    },
    async command(...args) {
      const bin = await pythonWith(PACKAGES);
      await promisify(execFile)(join(bin, 'kinto'), [...args, '--ini', ini]);
    },
  };
}

/** As Kinto has the addresses of databases. */
function urlOf(database: string): string {
  return database.replace('postgres:', 'postgresql+psycopg2:');
}

/**
 * Accounts of names and passwords, that anybody may make; whoever has one may make buckets. Of two
 * lines for one setting the later holds.
 */
function configuration(
  { database, settings = [], makers = 'system.Authenticated' }: KintoSettings,
  port: number,
): string {
  const backend = database === null ? 'memory' : 'postgresql';
  const parts = ['storage', 'permission', 'cache'];
  const lines = [
    'kinto.includes = kinto.plugins.default_bucket kinto.plugins.accounts kinto.plugins.flush',
    'kinto.userid_hmac_secret = tests',
    'multiauth.policies = account',
    'multiauth.policy.account.use = kinto.plugins.accounts.AccountsPolicy',
    'kinto.account_create_principals = system.Everyone',
    // A password is looked at for a quarter of a second.
    'kinto.account_cache_ttl_seconds = 3600',
    `kinto.bucket_create_principals = ${makers}`,
    ...parts.map((part) => `kinto.${part}_backend = kinto.core.${part}.${backend}`),
    ...(database === null ? [] : parts.map((part) => `kinto.${part}_url = ${urlOf(database)}`)),
    ...settings,
  ];
  const last = new Map(lines.map((line) => [line.split(' = ')[0], line]));
  return [
    '[app:main]',
    'use = egg:kinto',
    ...last.values(),
    '[server:main]',
    'use = egg:waitress#main',
    'host = 127.0.0.1',
    `port = ${port}`,
    'threads = 4',
    LOGGING,
  ].join('\n');
}

const LOGGING = `
[loggers]
keys = root
[handlers]
keys = console
[formatters]
keys = plain
[logger_root]
level = WARN
handlers = console
[handler_console]
class = StreamHandler
args = (sys.stderr,)
level = NOTSET
formatter = plain
[formatter_plain]
format = %(asctime)s %(process)d %(levelname)s %(name)s %(message)s
`;

function gunicorn(ini: string, port: number, workers: number): string[] {
  const bind = `127.0.0.1:${port}`;
  // Its own 2 seconds are shorter than what a loaded machine may let a connection wait.
  const kind = ['--worker-class', 'gthread', '--threads', '2', '--keep-alive', '75'];
  return ['--paste', ini, '--bind', bind, '--workers', `${workers}`, ...kind];
}

async function answers(url: string, child: ChildProcess, said: () => string): Promise<void> {
  const fromMs = Date.now();
  while (Date.now() - fromMs < STARTED_MS_MAX && child.exitCode === null) {
    // One that is past its end answers, too.
    const isThere = await fetch(url).then(
      ({ status }) => status < 500,
      () => false,
    );
    if (isThere) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`kinto did not start: ${said().slice(-2_000)}`);
}
