// A few of the cuts of `npm run test:long`, so that its story stays playable.

import { expect, test } from 'vitest';
import { freshFirmware } from '../../emulator/firmware.ts';
import { cutEverywhere, PROFILE } from './cuts.ts';

test.each(['syncto', 'sync15'] as const)(
  'after some power cuts in a story told by %s, it ends as if none had been',
  async (protocol) => {
    const firmware = await freshFirmware(PROFILE.name);
    const cuts = { firmware, protocol, stride: 120 };
    const { writes, points, ...found } = await cutEverywhere(cuts);
    expect(writes).toBeGreaterThan(80);
    expect(points).toBe(3);
    expect(found).toEqual({ lost: 0, doubled: 0, complaints: [] });
  },
);
