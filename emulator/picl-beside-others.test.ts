// One television with all three: history on Firefox Sync, contacts on a Kinto, settings on a PiCL
// storage. One process and one report; what fails at one of them is nothing to the others.

import { beforeAll, describe, expect, test } from 'vitest';
import { isWhole } from '../test/sim/share.ts';
import { type Firmware, freshFirmware } from './firmware.ts';
import { loadProfile } from './profiles.ts';
import { runScenario, type ScenarioOptions } from './scenario.ts';
import { syntheticAccount } from './servers/synthetic.ts';

const TV = loadProfile('panasonic-cx700');
const accountWith = (name: string, seed: number) =>
  syntheticAccount({ records: 0, passwords: 0, seed, own: new Map([[name, 4]]) });
const EDITS = [
  { collection: 'contacts', op: 'put', record: { card: { fn: [{ value: 'Grace Hopper' }] } } },
  { collection: 'settings', op: 'put', record: { name: 'theme', value: 'dark' } },
] as const;

let firmware: Firmware;
beforeAll(async () => {
  if (!isWhole) return;
  const data = ['history', 'passwords', 'clients', 'contacts', 'settings'];
  firmware = await freshFirmware(TV.name, ['sync15', 'kinto', 'picl', ...data, 'several']);
}, 120_000);

const run = (change: Partial<ScenarioOptions> = {}) =>
  runScenario({
    ...{ profile: TV, firmware, protocol: 'sync15', auth: 'bearer', crypto: 'device', seed: 1 },
    account: syntheticAccount({ records: 4, passwords: 2, seed: 1 }),
    others: [
      {
        ...{ name: 'cloud', protocol: 'kinto', auth: 'basic', collections: ['contacts'] },
        ...{ account: accountWith('contacts', 2), serverUrl: null },
      },
      {
        ...{ name: 'log', protocol: 'picl', auth: 'bearer', collections: ['settings'] },
        ...{ account: accountWith('settings', 3), serverUrl: null },
      },
    ],
    ...change,
  });

describe.runIf(isWhole)('a television with Firefox Sync, a Kinto and a PiCL storage', () => {
  test('has of each what is there, in one report', async () => {
    const { problems, records, parts } = await run({ edits: EDITS });
    expect(problems).toEqual([]);
    expect([records.history, records.contacts, records.settings]).toMatchObject([
      ...[{ held: 4 }, { held: 5, pushed: 1 }, { held: 5, pushed: 1 }],
    ]);
    expect(parts.map(({ remote, state }) => [remote.protocol, state])).toEqual([
      ...[
        ['sync15', 'enabled'],
        ['kinto', 'enabled'],
        ['picl', 'enabled'],
      ],
    ]);
  });

  test.each(['first', 'cloud', 'log'])('where %s is off, the others go on', async (name) => {
    const { problems } = await run({ edits: EDITS, off: [{ name, rounds: [2] }] });
    expect(problems).toEqual([]);
  });
});
