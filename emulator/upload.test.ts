// Local changes on the device with the least memory: what waits for a network goes up within the cap.

import { expect, test } from 'vitest';
import { freshFirmware } from './firmware.ts';
import { loadProfile } from './profiles.ts';
import { runScenario } from './scenario.ts';
import { syntheticAccount } from './servers/synthetic.ts';

const CHANGES = 100;
const URL_CHARS = 1_000;

test('a hundred long addresses go up from a phone', async () => {
  const profile = loadProfile('firefox-os-phone-128mb');
  const edits = Array.from({ length: CHANGES }, (_, n) => ({
    collection: 'history' as const,
    op: 'put' as const,
    record: {
      url: `https://example.com/${n}?${'x'.repeat(URL_CHARS)}`,
      visits: [{ date: 1_795_330_000_000_000, type: 1 }],
    },
  }));
  const { killed, problems, records } = await runScenario({
    ...{ profile, firmware: await freshFirmware(profile.name), edits, seed: 1 },
    ...{ protocol: 'sync15', auth: 'bearer', crypto: 'software' },
    account: syntheticAccount({ records: 5, seed: 12 }),
  });
  expect({ killed, problems }).toEqual({ killed: null, problems: [] });
  expect(records.history).toMatchObject({ held: 5 + CHANGES, pushed: CHANGES });
});
