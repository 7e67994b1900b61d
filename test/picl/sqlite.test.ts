// The contract of PiCL servers over HTTP, on SQLite in a folder.

import { afterAll } from 'vitest';
import { openSqliteStorage } from '../../emulator/servers/storage/local-storage.ts';
import { piclServerContract } from '../contract/picl-server.ts';
import { temporaryFolder } from '../support/folders.ts';
import { servedPicl } from './served.ts';

const storage = await openSqliteStorage(temporaryFolder());
piclServerContract('a PiCL server over HTTP on SQLite', servedPicl(storage));
afterAll(() => storage.close());
