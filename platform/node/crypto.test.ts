// The crypto contracts on node:crypto, behind the port that a device gives to the agent.

import { bulkCrypto } from '../../crypto/bulk.ts';
import { deviceCrypto } from '../../crypto/device.ts';
import { bulkContract } from '../../test/contract/bulk.ts';
import { cryptoContract } from '../../test/contract/crypto.ts';
import { nodeDeviceCrypto } from './crypto.ts';

cryptoContract("through the device's crypto", (entropy) =>
  deviceCrypto(nodeDeviceCrypto(), entropy, async () => undefined),
);

bulkContract("through the device's crypto", () =>
  bulkCrypto(nodeDeviceCrypto(), async () => undefined),
);
