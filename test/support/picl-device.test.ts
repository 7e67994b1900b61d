import { expect, test } from 'vitest';
import { nodeDeviceCrypto } from '../../platform/node/crypto.ts';
import { pageCosts } from './picl-device.ts';

// What `npm run bench -- picl-device` prints, held where it is.
test('a change of 1 KB is verified and opened at no more than it costs now', async () => {
  for (const [crypto, mostInstructions] of [
    [nodeDeviceCrypto(), 1_250_000],
    [null, 28_500_000],
  ] as const) {
    const costs = await pageCosts(crypto, 10, 1_024);
    const all = Object.values(costs).reduce((sum, one) => sum + one, 0);
    expect(all).toBeLessThanOrEqual(mostInstructions);
    expect(costs.open).toBeGreaterThan(0);
  }
});
