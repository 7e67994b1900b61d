// The contract of remotes on every protocol that the agent speaks, and on three made-up ones of
// other shapes.

import {
  DOCUMENT,
  documentService,
  LOG,
  logService,
  RECORDS,
  recordsService,
} from '../support/made-up/services.ts';
import { SYNC15, SYNCTO, syncService } from '../support/sync-service.ts';
import { remoteContract } from './remote.ts';

remoteContract('Syncto', () => syncService('syncto'), SYNCTO);
remoteContract('Sync 1.5', () => syncService('sync15'), SYNC15);
remoteContract('records', recordsService, RECORDS);
remoteContract('a log', logService, LOG);
remoteContract('a document', documentService, DOCUMENT);
