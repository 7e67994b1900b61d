// The built firmware in the machine before a Kinto: what the user has there is on the device, and
// what the device has goes there.

import { beforeAll, describe, expect, test } from 'vitest';
import { type Firmware, freshFirmware } from './firmware.ts';
import { loadProfile } from './profiles.ts';
import { runScenario, type ScenarioOptions } from './scenario.ts';
import { serverBodies } from './server-records.ts';
import { syntheticAccount } from './servers/synthetic.ts';

const TV = loadProfile('panasonic-cx700');
const COLLECTIONS = ['contacts', 'settings', 'reading-list'];
const own = new Map(COLLECTIONS.map((name) => [name, 4]));
const account = () => syntheticAccount({ records: 0, passwords: 0, seed: 1, own });

let firmware: Firmware;
beforeAll(async () => {
  const contents = ['kinto', 'contacts', 'settings', 'readingList'];
  firmware = await freshFirmware(TV.name, contents);
}, 120_000);

const run = (change: Partial<ScenarioOptions> = {}) =>
  runScenario({
    ...{ profile: TV, firmware, account: account(), protocol: 'kinto', auth: 'basic' },
    ...{ crypto: 'device', seed: 1, collections: COLLECTIONS },
    ...change,
  });

const EDITS = [
  {
    collection: 'contacts',
    op: 'put',
    record: { id: 'new-contact', card: { fn: [{ value: 'Grace Hopper' }] } },
  },
  { collection: 'settings', op: 'put', record: { name: 'theme', value: { dark: true } } },
  { collection: 'contacts', op: 'delete', record: { id: '' } },
] as const;

describe('a device before a Kinto', () => {
  test.each(['basic', 'bearer'] as const)('holds what its user has there: %s', async (auth) => {
    const { problems, records, setup } = await run({ auth });
    expect(problems).toEqual([]);
    expect(Object.values(records).map(({ held }) => held)).toEqual([4, 4, 4]);
    expect(setup.remotes[0].config).toMatchObject({ protocol: 'kinto', auth });
  });

  test('puts there what apps change, and deletes what they delete', async () => {
    const [gone] = serverBodies(account(), 'contacts', 0).map(({ id }) => id);
    const edits = [...EDITS.slice(0, 2), { ...EDITS[2], record: { id: `${gone}` } }];
    const { problems, records, setup } = await run({ edits });
    expect(problems).toEqual([]);
    expect(records.contacts).toMatchObject({ held: 4, pushed: 2 });
    const names = serverBodies(await setup.remotes[0].view(), 'contacts', setup.nowMs());
    expect(names.map(({ id }) => id)).toContain('new-contact');
    expect(names.map(({ id }) => id)).not.toContain(gone);
  });

  test('loses nothing where the power goes in the middle of that', async () => {
    const { problems, powerCuts } = await run({ edits: EDITS.slice(0, 2), cutsAt: [20, 35, 50] });
    expect([problems, powerCuts]).toEqual([[], 3]);
  });

  test('says what it cannot reach while the Kinto is off, and gets it later', async () => {
    const { problems, passes } = await run({ off: [{ name: 'first', rounds: [1] }] });
    expect(problems).toEqual([]);
    expect(passes.map(({ error }) => error?.code ?? 'ok').slice(-1)).toEqual(['ok']);
    expect(passes[0]?.error?.code).toBe('offline');
  });

  test('asks once for three collections, and works little, where nothing has changed', async () => {
    const { passes, problems } = await run();
    expect(problems).toEqual([]);
    expect(passes.at(-1)).toMatchObject({
      network: { requests: 1, payloadBytesIn: 0 },
      flash: { pagesWritten: 0 },
    });
    expect(passes.at(-1)?.cpu.instructions).toBeLessThanOrEqual(6_500_000);
  });

  test('sets aside what does not prove itself, and breaks no promise by it', async () => {
    const spoiled = account();
    const [user] = spoiled.store.users.values();
    const [first] = user?.collections.get('contacts')?.inArrivalOrder(0) ?? [];
    user?.write('contacts', [{ id: `${first?.id}`, payload: '{}' }], Date.UTC(2026, 10, 1));
    const { problems, quarantine } = await run({ account: spoiled });
    expect(problems).toEqual([]);
    expect(quarantine).toEqual([expect.objectContaining({ collection: 'contacts' })]);
  });
});
