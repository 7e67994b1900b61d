// The contract of remotes on every protocol that the agent speaks, and on three made-up ones of
// other shapes.

import { afterAll } from 'vitest';
import { aPageAhead } from '../support/ahead.ts';
import { KINTO_PLAIN, kintoPlainService } from '../support/kinto-plain-service.ts';
import { KINTO, kintoService } from '../support/kinto-service.ts';
import {
  DOCUMENT,
  documentService,
  LOG,
  logService,
  RECORDS,
  recordsService,
} from '../support/made-up/services.ts';
import { OWA, owaService } from '../support/owa/service.ts';
import { PICL, piclService } from '../support/picl-service.ts';
import { SYNC15, SYNCTO, syncService } from '../support/sync-service.ts';
import { remoteContract, type Tally } from './remote.ts';

const all: Tally = { rules: 0, kept: 0 };
afterAll(() => console.log(`ten remotes keep ${all.kept} of ${all.rules} rules`));

remoteContract('Syncto', () => syncService('syncto'), SYNCTO, all);
remoteContract('Sync 1.5', () => syncService('sync15'), SYNC15, all);
remoteContract('Kinto', kintoService, KINTO, all);
remoteContract('Kinto, a page ahead', () => aPageAhead(kintoService()), KINTO, all);
remoteContract('Kinto, batched', () => kintoService({ packed: true }), KINTO, all);
remoteContract('Kinto, unencrypted', kintoPlainService, KINTO_PLAIN, all);
remoteContract('PiCL', () => piclService(), PICL, all);
remoteContract('Open Web Apps', owaService, OWA, all);
remoteContract('records', recordsService, RECORDS, all);
remoteContract('a log', logService, LOG, all);
remoteContract('a document', documentService, DOCUMENT, all);
