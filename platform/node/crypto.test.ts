// The crypto contracts on node:crypto, behind the port that a device gives to the agent.

import { expect, test } from 'vitest';
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

test('seals each text under the key that it is given, whatever was sealed before', async () => {
  const crypto = nodeDeviceCrypto();
  const iv = new Uint8Array(16);
  for (const byte of [1, 2, 1]) {
    const key = new Uint8Array(32).fill(byte);
    const sealed = await crypto.seal(key, key, [`text ${byte}`], [iv]);
    expect(await crypto.open(key, key, sealed)).toEqual([{ text: `text ${byte}` }]);
  }
});
