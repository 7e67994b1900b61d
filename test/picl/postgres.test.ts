// The contract of PiCL servers over HTTP, on PostgreSQL.

import { afterAll, test } from 'vitest';
import { openPostgresStorage } from '../../emulator/servers/storage/postgres-storage.ts';
import { piclServerContract } from '../contract/picl-server.ts';
import { findPostgres, startPostgres } from '../support/postgres.ts';
import { servedPicl } from './served.ts';

const bin = findPostgres();
if (bin === null) test.skip('with PostgreSQL', () => undefined);
else {
  const postgres = await startPostgres(bin, ['fsync=off']);
  const storage = await openPostgresStorage(await postgres.newUrl());
  piclServerContract('a PiCL server over HTTP on PostgreSQL', servedPicl(storage));
  afterAll(async () => {
    await storage.close();
    await postgres.stop();
  });
}
