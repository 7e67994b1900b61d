// The contract of OWA servers over HTTP, on PostgreSQL; and what a device needs of one.

import { afterAll, test } from 'vitest';
import { openPostgresStorage } from '../../emulator/servers/storage/postgres-storage.ts';
import { owaServerContract } from '../contract/owa-server.ts';
import { remoteContract } from '../contract/remote.ts';
import { REAL_APPS, realAppsService } from '../support/owa/real-service.ts';
import { findPostgres, startPostgres } from '../support/postgres.ts';
import { servedOwa } from '../support/served-owa.ts';
import { prefixed } from './worlds.ts';

const bin = findPostgres();
if (bin === null) test.skip('with PostgreSQL', () => undefined);
else {
  const postgres = await startPostgres(bin, ['fsync=off']);
  const storage = await openPostgresStorage(await postgres.newUrl());
  owaServerContract('an OWA server over HTTP on PostgreSQL', servedOwa(storage));
  let parts = 0;
  const apps = () => realAppsService(() => prefixed(storage, `d${++parts}/`));
  remoteContract('Open Web Apps on PostgreSQL', apps, REAL_APPS, { rules: 0, kept: 0 });
  afterAll(async () => {
    await storage.close();
    await postgres.stop();
  });
}
