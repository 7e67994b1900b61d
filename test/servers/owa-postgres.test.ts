// The contract of OWA servers over HTTP, on PostgreSQL.

import { afterAll, test } from 'vitest';
import { openPostgresStorage } from '../../emulator/servers/storage/postgres-storage.ts';
import { owaServerContract } from '../contract/owa-server.ts';
import { findPostgres, startPostgres } from '../support/postgres.ts';
import { servedOwa } from '../support/served-owa.ts';

const bin = findPostgres();
if (bin === null) test.skip('with PostgreSQL', () => undefined);
else {
  const postgres = await startPostgres(bin, ['fsync=off']);
  const storage = await openPostgresStorage(await postgres.newUrl());
  owaServerContract('an OWA server over HTTP on PostgreSQL', servedOwa(storage));
  afterAll(async () => {
    await storage.close();
    await postgres.stop();
  });
}
