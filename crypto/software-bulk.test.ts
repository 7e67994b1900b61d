// Bytes to bytes in JavaScript alone: the whole contract.

import { bulkContract } from '../test/contract/bulk.ts';
import { bulkCrypto } from './bulk.ts';

bulkContract('in JavaScript alone', () => bulkCrypto(undefined, async () => {}));
