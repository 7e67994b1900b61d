// The checklist of the storage node and the token server, and the suite of kept records, on SQLite
// in a folder.

import { afterAll } from 'vitest';
import { openSqliteStorage } from '../../emulator/servers/storage/local-storage.ts';
import { keepWorldsIn } from '../../emulator/servers/testing.ts';
import { bsoStorageContract } from '../contract/bso-storage.ts';
import { temporaryFolder } from '../support/folders.ts';
import { worldsIn } from './worlds.ts';

const storage = await openSqliteStorage(temporaryFolder());
afterAll(() => storage.close());
keepWorldsIn(worldsIn(() => storage));
await import('./checklist.ts');
bsoStorageContract('records on SQLite', () => openSqliteStorage(temporaryFolder()));
