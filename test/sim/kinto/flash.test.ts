// The built firmware in the machine before a Kinto: the power goes at a write to the flash, in a
// first sync of 40 contacts, edits of apps and a pass that sends them; after the boot that follows
// all promises of the emulator's own verdict hold.

import { expect, test } from 'vitest';
import { freshFirmware } from '../../../emulator/firmware.ts';
import { loadProfile } from '../../../emulator/profiles.ts';
import { runScenario } from '../../../emulator/scenario.ts';
import { syntheticAccount } from '../../../emulator/servers/synthetic.ts';
import { every } from '../share.ts';

const TV = loadProfile('panasonic-cx700');
const EDITS = [1, 2, 3].map((n) => ({
  ...{ collection: 'contacts', op: 'put' as const },
  record: { id: `contact-of-mine-${n}`, card: { fn: [{ value: `Person ${n}` }] } },
}));

test('the power goes at a write to the flash: no promise is broken', {
  timeout: 600_000,
}, async () => {
  const firmware = await freshFirmware(TV.name, ['kinto', 'contacts', 'settings', 'readingList']);
  const account = () => {
    const own = new Map([['contacts', 40]]);
    return syntheticAccount({ records: 0, passwords: 0, seed: 1, own });
  };
  const run = (cutsAt: readonly number[]) =>
    runScenario({
      ...{ profile: TV, firmware, account: account(), protocol: 'kinto', auth: 'basic' },
      ...{ crypto: 'device', seed: 1, collections: ['contacts'], edits: EDITS, cutsAt },
    });
  const whole = await run([]);
  expect(whole.problems).toEqual([]);
  const writes = whole.setup.flash().events;
  const stride = every(Math.ceil(writes / 2), 3);
  let cuts = 0;
  for (let at = 1; at <= writes; at += stride) {
    const { problems, powerCuts, records } = await run([at]);
    expect([problems, powerCuts, records.contacts?.held], `write ${at}`).toEqual([[], 1, 43]);
    cuts++;
  }
  console.log(`${cuts} of ${writes} writes to the flash`);
});
