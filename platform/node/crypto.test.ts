// The crypto contract on node:crypto, behind the port that a device gives to the agent.

import { deviceCrypto } from '../../crypto/device.ts';
import { cryptoContract } from '../../test/contract/crypto.ts';
import { nodeDeviceCrypto } from './crypto.ts';

cryptoContract("through the device's crypto", (entropy) =>
  deviceCrypto(nodeDeviceCrypto(), entropy, async () => undefined),
);
