import { expect, test } from 'vitest';
import { nodeDeviceCrypto } from '../../platform/node/crypto.ts';
import { pageCosts } from './picl-device.ts';

// What `npm run bench -- picl-device` prints is held where it must be.
test('a change of 1 KB is proven and opened in 1.6 M instructions, or 25 M by itself', async () => {
  for (const [crypto, mostInstructions] of [
    [nodeDeviceCrypto(), 1_600_000],
    [null, 25_000_000],
  ] as const) {
    const costs = await pageCosts(crypto, 20, 1_024);
    const all = Object.values(costs).reduce((sum, one) => sum + one, 0);
    expect(all).toBeLessThanOrEqual(mostInstructions);
    expect(costs.open).toBeGreaterThan(0);
  }
});
