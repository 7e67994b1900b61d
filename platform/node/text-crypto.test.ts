// The contract of texts on node:crypto, behind the port that a device gives to the agent.

import { textCrypto } from '../../crypto/texts.ts';
import { textContract } from '../../test/contract/texts.ts';
import { nodeDeviceCrypto } from './crypto.ts';

textContract("through the device's crypto", () =>
  textCrypto(nodeDeviceCrypto(), async () => undefined),
);
