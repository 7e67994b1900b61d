// A fleet in small: what is spread meets a server that takes it all, what is not spread runs it
// over.

import { expect, test } from 'vitest';
import { SPREAD_MS } from '../../agent/limits.ts';
import { runFleet } from './fleet.ts';

const DEVICES = 100_000;
/** A fifth more than the devices of the spread ask on average. */
const TAKEN = Math.ceil((1.2 * DEVICES) / (SPREAD_MS / 1_000));

test('devices that boot at once ask over the whole spread, and none is sent away', () => {
  const spread = runFleet({ devices: DEVICES, takenPerSecond: TAKEN * 1.3, isSpread: true });
  expect(spread.rejected).toBe(0);
  expect(spread.seconds99).toBeLessThan((SPREAD_MS + 30_000) / 1_000);
});

test('without that they ask within the time of a boot, are sent away, and take far longer', () => {
  const fleet = { devices: DEVICES, takenPerSecond: TAKEN };
  const spread = runFleet({ ...fleet, isSpread: true });
  const together = runFleet({ ...fleet, isSpread: false });
  expect(together.peakPerSecond).toBeGreaterThan(10 * spread.peakPerSecond);
  expect(together.rejected).toBeGreaterThan(DEVICES);
  expect(spread.rejected).toBeLessThan(DEVICES / 20);
  expect(together.seconds99 ?? Infinity).toBeGreaterThan(2 * (spread.seconds99 ?? Infinity));
});
