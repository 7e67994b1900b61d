// The checklist of the storage node and the token server, on PostgreSQL.

import { afterAll, test } from 'vitest';
import { openPostgresStorage } from '../../emulator/servers/storage/postgres-storage.ts';
import { keepWorldsIn } from '../../emulator/servers/testing.ts';
import { findPostgres, startPostgres } from '../support/postgres.ts';
import { worldsIn } from './worlds.ts';

const bin = findPostgres();
if (bin === null) test.skip('with PostgreSQL', () => undefined);
else {
  const postgres = await startPostgres(bin, ['fsync=off']);
  const storage = await openPostgresStorage(await postgres.newUrl());
  afterAll(async () => {
    await storage.close();
    await postgres.stop();
  });
  keepWorldsIn(worldsIn(() => storage));
  await import('./checklist.ts');
}
