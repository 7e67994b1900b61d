// Records that are replaced all at once, on every protocol that the agent speaks, and on the
// made-up ones.

import { kintoService } from '../support/kinto-service.ts';
import { documentService, logService, recordsService } from '../support/made-up/services.ts';
import { owaService } from '../support/owa/service.ts';
import { piclService } from '../support/picl-service.ts';
import { syncService } from '../support/sync-service.ts';
import { atomicContract } from './atomic.ts';

atomicContract('Syncto', () => syncService('syncto'));
atomicContract('Sync 1.5', () => syncService('sync15'));
atomicContract('Kinto', kintoService);
atomicContract('PiCL', () => piclService());
atomicContract('Open Web Apps', owaService);
atomicContract('records', recordsService);
atomicContract('a log', logService);
atomicContract('a document', documentService);
