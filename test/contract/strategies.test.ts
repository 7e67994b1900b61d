// Strategies for conflicts, on every protocol that the agent speaks, and on the made-up ones; two
// that decide nothing otherwise than these four in `npm run test:sim` only.

import { isWhole } from '../sim/share.ts';
import { KINTO, kintoService } from '../support/kinto-service.ts';
import {
  DOCUMENT,
  documentService,
  LOG,
  logService,
  RECORDS,
  recordsService,
} from '../support/made-up/services.ts';
import { SYNC15, SYNCTO, syncService } from '../support/sync-service.ts';
import { strategyContract } from './strategies.ts';

strategyContract('Sync 1.5', () => syncService('sync15'), SYNC15);
strategyContract('Kinto', kintoService, KINTO);
strategyContract('a log', logService, LOG);
strategyContract('a document', documentService, DOCUMENT);
if (isWhole) {
  strategyContract('Syncto', () => syncService('syncto'), SYNCTO);
  strategyContract('records', recordsService, RECORDS);
}
