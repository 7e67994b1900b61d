// The contract of remotes on every protocol that the agent speaks.

import { SYNC15, SYNCTO, syncService } from '../support/sync-service.ts';
import { remoteContract } from './remote.ts';

remoteContract('Syncto', () => syncService('syncto'), SYNCTO);
remoteContract('Sync 1.5', () => syncService('sync15'), SYNC15);
