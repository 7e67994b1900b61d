// Before all files of tests: the Kintos that they have together, one for each backend, and a
// PostgreSQL, which take seconds to start. Each test has users of its own there.

import type { TestProject } from 'vitest/node';
import { type RealKinto, startKinto } from '../support/kinto.ts';
import { findPostgres, type Postgres, startPostgres } from '../support/postgres.ts';
import type { Shared } from './world.ts';

interface PostgresPlace extends Pick<Postgres, 'environment'> {
  /** Empty ones, each for one file. */
  readonly databases: { readonly contract: string; readonly quotas: string };
}

declare module 'vitest' {
  export interface ProvidedContext {
    readonly kintos: Shared;
    /** Null: there is none. */
    readonly postgres: PostgresPlace | null;
  }
}

let cluster: Postgres | null = null;
const started: RealKinto[] = [];

export async function setup({ provide }: TestProject): Promise<void> {
  const bin = findPostgres();
  cluster = bin === null ? null : await startPostgres(bin, ['fsync=off']);
  const memory = await start(null);
  const onPostgres = cluster && { PostgreSQL: await start(await cluster.newUrl()) };
  provide('kintos', { memory, ...onPostgres });
  provide('postgres', cluster && (await placeOf(cluster)));
}

export async function teardown(): Promise<void> {
  await Promise.all(started.map((server) => server.stop()));
  await cluster?.stop();
}

async function start(database: string | null): Promise<Shared[string]> {
  const server = await startKinto({ database, workers: 2 });
  started.push(server);
  return { place: server.place, database };
}

async function placeOf({ environment, newUrl }: Postgres): Promise<PostgresPlace> {
  return { environment, databases: { contract: await newUrl(), quotas: await newUrl() } };
}
