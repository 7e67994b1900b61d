// The contract of OWA servers over HTTP, in memory.

import { memoryStorage } from '../../emulator/servers/storage/local-storage.ts';
import { servedOwa } from '../support/served-owa.ts';
import { owaServerContract } from './owa-server.ts';

owaServerContract('an OWA server over HTTP, in memory', servedOwa(memoryStorage()));
