// The built firmware of three devices before a server of Open Web Apps.

import { beforeAll, describe, expect, test } from 'vitest';
import { isWhole } from '../test/sim/share.ts';
import { type Firmware, freshFirmware } from './firmware.ts';
import { type HouseholdResult, runHousehold } from './household.ts';
import { isLive } from './owa-side.ts';
import { loadProfile } from './profiles.ts';
import type { ScenarioResult } from './scenario.ts';

const TV = loadProfile('panasonic-cx700');

let firmware: Firmware;

const run = (records: number, change: object = {}): Promise<HouseholdResult> =>
  runHousehold({
    ...{ profile: TV, firmware, records, protocol: 'owa', auth: 'browserid' },
    ...{ collections: ['apps'], crypto: 'device', seed: 1 },
    ...change,
  });

const all = ({ first, others }: HouseholdResult): ScenarioResult[] => [first, ...others];

async function documentOf({ first }: HouseholdResult): Promise<[live: string[], dead: string[]]> {
  const document = [...((await first.setup.remotes[0].owa?.document()) ?? [])];
  const names = (wanted: boolean): string[] =>
    document.filter(([, entry]) => isLive(entry) === wanted).map(([name]) => name);
  return [names(true).sort(), names(false).sort()];
}

const originOf = (name: string): string => `https://${name}.example`;

// A firmware for itself takes long to build.
describe.runIf(isWhole)('the devices of a household', () => {
  beforeAll(async () => {
    firmware = await freshFirmware(TV.name, ['owa', 'installedApps']);
  }, 240_000);

  test('end with the same apps, also the one that was away for a year', async () => {
    const result = await run(5);
    expect(all(result).map(({ problems }) => problems)).toEqual([[], [], []]);
    const [live, dead] = await documentOf(result);
    const own = ['offline', 'second', 'television', 'third'];
    expect(live).toEqual(['app3', 'app4', ...own].map(originOf));
    expect(dead).toEqual(['app0', 'app1', 'app2'].map(originOf));
    expect(all(result).map(({ records }) => records.apps?.held)).toEqual([6, 6, 6]);
  }, 120_000);

  test('end with the same apps through power cuts', async () => {
    const result = await run(5, { cutsAt: [9, 21, 40] });
    expect(all(result).map(({ problems }) => problems)).toEqual([[], [], []]);
    expect(result.first.powerCuts).toBe(3);
  }, 240_000);
});
