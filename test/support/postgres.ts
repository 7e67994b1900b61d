// A PostgreSQL of the tests' own: made in a folder that goes with the process, reached by a socket
// in it and by nobody else. PostgreSQL does not run for root: it is run as another user there.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Postgres {
  /** By which programs find it. */
  readonly environment: { readonly PGHOST: string; readonly PGUSER: string };
  /** A new and empty database. */
  newUrl(): Promise<string>;
  /** Runs SQL there. */
  tell(url: string, sql: string): Promise<void>;
  /** Ends all connections at once, is away for some time, and is there again. */
  restart(awayMs: number): Promise<void>;
  stop(): Promise<void>;
}

/** Where `initdb` and `postgres` are; null: nowhere, and whoever asked is told so. */
export function findPostgres(): string | null {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => +b - +a) : [];
  const places = [
    ...(process.env.PATH ?? '').split(':'),
    ...versions.map((version) => `${debian}/${version}/bin`),
  ];
  const found = places.find((place) => PROGRAMS.every((name) => existsSync(join(place, name))));
  if (found === undefined) console.log('no PostgreSQL is installed here: its tests are left out');
  return found ?? null;
}

const PROGRAMS = ['initdb', 'postgres'];
const USER = 'kitsync';

/** `settings`: of `postgres -c`. */
export async function startPostgres(
  bin: string,
  settings: readonly string[] = [],
): Promise<Postgres> {
  const folder = mkdtempSync(join(tmpdir(), 'kitsync-pg-'));
  const as = anotherUser();
  if (as !== null) chownSync(folder, as.uid, as.gid);
  const data = join(folder, 'data');
  const made = ['-D', data, '-U', USER, '-A', 'trust', '-E', 'UTF8', '--locale=C', '-N'];
  execFileSync(join(bin, 'initdb'), made, { ...as, cwd: folder, stdio: 'pipe' });
  const all = ['listen_addresses=', `unix_socket_directories=${folder}`, ...settings];
  const args = ['-D', data, ...all.flatMap((setting) => ['-c', setting])];
  const start = () => spawn(join(bin, 'postgres'), args, { ...as, cwd: folder });
  let child = start();
  const end = (): void => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', end);
  await started(child);
  const urlOf = (database: string) => `postgres://${USER}@localhost/${database}?host=${folder}`;
  const { default: pg } = await import('pg');
  const tell = async (url: string, sql: string): Promise<void> => {
    const pool = new pg.Pool({ connectionString: url, max: 1 });
    const client = await pool.connect();
    await client.query(sql);
    client.release();
    await pool.end();
  };
  let databases = 0;
  return {
    environment: { PGHOST: folder, PGUSER: USER },
    async newUrl() {
      const name = `d${++databases}`;
      await tell(urlOf('postgres'), `CREATE DATABASE ${name}`);
      return urlOf(name);
    },
    tell,
    async restart(awayMs) {
      await ended(child);
      await new Promise((resolve) => setTimeout(resolve, awayMs));
      child = start();
      await started(child);
    },
    async stop() {
      await ended(child);
      process.off('exit', end);
      end();
    },
  };
}

/** At once: nobody waits for connections. */
async function ended(child: ChildProcess): Promise<void> {
  child.kill('SIGINT');
  if (child.exitCode === null) await once(child, 'close');
}

/** It says so on its standard error, with all else. */
async function started(child: ChildProcess): Promise<void> {
  let said = '';
  for await (const text of child.stderr ?? []) {
    said += text;
    if (said.includes('ready to accept connections')) return void child.stderr?.resume();
  }
  throw new Error(`postgres did not start: ${said}`);
}

/** Whom a process of root runs PostgreSQL as. */
function anotherUser(): { uid: number; gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const user = ['postgres', 'nobody'].flatMap((name) => users.filter(([one]) => one === name))[0];
  return { uid: Number(user?.[2] ?? 65_534), gid: Number(user?.[3] ?? 65_534) };
}
