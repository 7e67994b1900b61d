// The contract of remotes on a real Kinto, in its memory and on PostgreSQL. A page has five records
// there, as that of the one in memory.

import { afterAll, beforeAll, describe, inject } from 'vitest';
import { kintoLessons } from '../contract/kinto-lessons.ts';
import { remoteContract, type Tally } from '../contract/remote.ts';
import { strategyContract } from '../contract/strategies.ts';
import { type RealKinto, startKinto } from '../support/kinto.ts';
import { REAL_KINTO, realService } from '../support/kinto-real.ts';

/** Cuts and strategies of all kinds are tried there with `KITSYNC_KINTO=whole`. */
const isWhole = process.env.KITSYNC_KINTO === 'whole';
const settings = ['kinto.paginate_by = 5'];
const all: Tally = { rules: 0, kept: 0 };
const batched = (server: RealKinto) => realService(server, { packed: true });
afterAll(() => console.log(`real Kintos keep ${all.kept} of ${all.rules} rules`));

describe('in its memory', () => {
  let server: RealKinto;
  beforeAll(async () => {
    server = await startKinto({ database: null, settings });
  }, 120_000);
  afterAll(() => server?.stop());
  remoteContract('Kinto on memory', () => realService(server), REAL_KINTO, all);
  remoteContract('Kinto on memory, batched', () => batched(server), REAL_KINTO, all);
  strategyContract('Kinto on memory', () => realService(server), REAL_KINTO, !isWhole);
  kintoLessons('Kinto on memory', () => realService(server), 5, !isWhole);
});

const postgres = inject('postgres');

describe.runIf(postgres !== null)('on PostgreSQL', () => {
  let server: RealKinto;
  beforeAll(async () => {
    const database = postgres?.databases.contract ?? null;
    server = await startKinto({ database, workers: 2, settings });
  }, 120_000);
  afterAll(() => server?.stop());
  remoteContract('Kinto on PostgreSQL', () => realService(server), REAL_KINTO, all);
  remoteContract('Kinto on PostgreSQL, batched', () => batched(server), REAL_KINTO, all);
});
