// Local changes on the device with the least memory: what waits for a network goes up within the
// cap.

import { expect, test } from 'vitest';
import { freshFirmware } from './firmware.ts';
import { loadProfile } from './profiles.ts';
import { runScenario } from './scenario.ts';
import { syntheticAccount } from './servers/synthetic.ts';

const VISITS = [{ date: 1_795_330_000_000_000, type: 1 }];

test.each([
  ['a hundred addresses of 1,000 characters', 'firefox-os-phone-128mb', 100, 1_000],
  ['one of 44,000, about the longest that it takes', 'firefox-os-phone-128mb', 1, 44_000],
  ['forty of 10,000', 'panasonic-cx700', 40, 10_000],
])('%s go up from %s', async (_what, name, count, chars) => {
  const profile = loadProfile(name);
  const edits = Array.from({ length: count }, (_, n) => ({
    collection: 'history' as const,
    op: 'put' as const,
    record: { url: `https://example.com/${n}?${'x'.repeat(chars)}`, visits: VISITS },
  }));
  const { killed, problems, records } = await runScenario({
    ...{ profile, firmware: await freshFirmware(profile.name), edits, seed: 1 },
    ...{ protocol: 'sync15', auth: 'bearer', crypto: 'device' },
    account: syntheticAccount({ records: 5, seed: 12 }),
  });
  expect({ killed, problems }).toEqual({ killed: null, problems: [] });
  expect(records.history).toMatchObject({ held: 5 + count, pushed: count });
});
