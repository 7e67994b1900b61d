// The contract of OWA servers over HTTP, on SQLite in a folder.

import { afterAll } from 'vitest';
import { openSqliteStorage } from '../../emulator/servers/storage/local-storage.ts';
import { owaServerContract } from '../contract/owa-server.ts';
import { temporaryFolder } from '../support/folders.ts';
import { servedOwa } from '../support/served-owa.ts';

const storage = await openSqliteStorage(temporaryFolder());
owaServerContract('an OWA server over HTTP on SQLite', servedOwa(storage));
afterAll(() => storage.close());
