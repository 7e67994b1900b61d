// The contract of OWA servers over HTTP, on SQLite in a folder; and what a device needs of one.

import { afterAll } from 'vitest';
import { openSqliteStorage } from '../../emulator/servers/storage/local-storage.ts';
import { owaServerContract } from '../contract/owa-server.ts';
import { remoteContract } from '../contract/remote.ts';
import { temporaryFolder } from '../support/folders.ts';
import { REAL_APPS, realAppsService } from '../support/owa/real-service.ts';
import { servedOwa } from '../support/served-owa.ts';
import { prefixed } from './worlds.ts';

const storage = await openSqliteStorage(temporaryFolder());
owaServerContract('an OWA server over HTTP on SQLite', servedOwa(storage));
let parts = 0;
const apps = () => realAppsService(() => prefixed(storage, `d${++parts}/`));
remoteContract('Open Web Apps on SQLite', apps, REAL_APPS, { rules: 0, kept: 0 });
afterAll(() => storage.close());
