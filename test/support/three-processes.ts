// Three processes of `kitsync serve` on one PostgreSQL database, behind one address. Which protocol
// they serve, and when one of them is killed, is up to the test.

import { afterAll, beforeAll } from 'vitest';
import { killCommands, startCommand } from '../../platform/node/cli/testing.ts';
import { type Balancer, balance } from './balancer.ts';
import { type Postgres, startPostgres } from './postgres.ts';
import { startServers } from './served.ts';

/**
 * Has a suite run before three processes. `bin`: where PostgreSQL's programs are; `what`: words of
 * the command, as `['picl']`. Returned is how its tests reach them.
 */
export function threeProcesses(bin: string, what: readonly string[]): () => ThreeProcesses {
  let servers: ThreeProcesses | undefined;
  beforeAll(async () => {
    servers = await ThreeProcesses.start(bin, what);
  });
  afterAll(() => servers?.stop());
  return () => {
    if (servers === undefined) throw new Error('asked for before the tests');
    return servers;
  };
}

class ThreeProcesses {
  /** Of the database that they share. */
  readonly database: string;
  readonly #postgres: Postgres;
  readonly #address: Balancer;
  readonly #servers: Awaited<ReturnType<typeof startServers>>[];

  private constructor(
    database: string,
    postgres: Postgres,
    address: Balancer,
    servers: Awaited<ReturnType<typeof startServers>>[],
  ) {
    this.database = database;
    this.#postgres = postgres;
    this.#address = address;
    this.#servers = servers;
  }

  static async start(bin: string, what: readonly string[]): Promise<ThreeProcesses> {
    // Whoever comes first builds the command.
    await startCommand(['help']).ended;
    const postgres = await startPostgres(bin);
    const address = await balance();
    const database = await postgres.newUrl();
    const args = ['--port', '0', '--test-accounts', '--database', database];
    const servers = await Promise.all(
      [0, 1, 2].map(() => startServers(...what, ...args, '--public-url', address.url)),
    );
    address.ports = servers.map(({ port }) => port);
    return new ThreeProcesses(database, postgres, address, servers);
  }

  /** The address of all that are alive. */
  get url(): string {
    return this.#address.url;
  }

  /** Where each of them listens, by itself. */
  get ports(): readonly number[] {
    return this.#servers.map(({ port }) => port);
  }

  /** How many of them answer at the address. */
  get alive(): number {
    return this.#address.ports.length;
  }

  /** What they said on their standard errors. */
  get complaints(): string[] {
    return this.#servers.map(({ complained }) => complained());
  }

  /** The first of them is killed, and the address leads to the others. */
  killOne(): void {
    this.#servers[0]?.child.kill('SIGKILL');
    this.#address.ports = this.#address.ports.slice(1);
  }

  async stop(): Promise<void> {
    killCommands();
    this.#address.close();
    await this.#postgres.stop();
  }
}
