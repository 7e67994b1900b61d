// The built firmware in the machine before a PiCL storage: what the user has there is verified and
// on the device, and what the device has goes there.

import { beforeAll, describe, expect, test } from 'vitest';
import { isWhole } from '../test/sim/share.ts';
import { type Firmware, freshFirmware } from './firmware.ts';
import { loadProfile } from './profiles.ts';
import { runScenario, type ScenarioOptions } from './scenario.ts';
import { serverBodies } from './server-records.ts';
import type { SeedAccount } from './servers/store-file.ts';
import { syntheticAccount } from './servers/synthetic.ts';
import { createView } from './view.ts';

const TV = loadProfile('panasonic-cx700');
const COLLECTIONS = ['settings', 'reading-list'];
const own = new Map(COLLECTIONS.map((name) => [name, 4]));
const account = () => syntheticAccount({ records: 0, passwords: 0, seed: 1, own });

let firmware: Firmware;

const run = (change: Partial<ScenarioOptions> = {}) =>
  runScenario({
    ...{ profile: TV, firmware, account: account(), protocol: 'picl', auth: 'bearer' },
    ...{ crypto: 'device', seed: 1, collections: COLLECTIONS },
    ...change,
  });

/** 400 settings, and between them as many long ones, with values of so many characters. */
function accountWith(long: readonly number[]): SeedAccount {
  const own = new Map([['settings', 400]]);
  const short = syntheticAccount({ records: 0, passwords: 0, seed: 1, own });
  const { account, collection } = createView(short.kB);
  const put = collection('settings');
  for (const [at, body] of serverBodies(short, 'settings', 0).entries()) {
    const chars = long[(at - 50) / 100];
    const id = `LongLong${at}`;
    if (chars !== undefined) put(id, 0, { id, name: id, value: 'x'.repeat(chars) });
    put(`${body.id}`, 0, body);
  }
  return account;
}

const EDITS = [
  { collection: 'settings', op: 'put', record: { name: 'theme', value: { dark: true } } },
  { collection: 'reading-list', op: 'delete', record: { id: '' } },
] as const;

// A firmware for itself takes long to build.
describe.runIf(isWhole)('a device before a PiCL storage', () => {
  beforeAll(async () => {
    firmware = await freshFirmware(TV.name, ['picl', 'settings', 'readingList']);
  }, 120_000);

  test.each(['browserid', 'bearer'] as const)('holds what its user has there: %s', async (auth) => {
    const { problems, records, setup } = await run({ auth });
    expect(problems).toEqual([]);
    expect(Object.values(records).map(({ held }) => held)).toEqual([4, 4]);
    expect(setup.remotes[0].config).toMatchObject({ protocol: 'picl', auth });
  });

  test('reads records where the history has ended, in as much memory however many', async () => {
    const runs = [];
    let pages = 0;
    const intercept = (_: string, { url }: Request): null => {
      if (url.includes('/records?')) pages++;
      return null;
    };
    // Fewer fill no page, and so less memory.
    for (const count of [400, 1_600]) {
      const account = syntheticAccount({
        ...{ records: 0, passwords: 0, seed: 1, own: new Map([['settings', count]]) },
      });
      const result = await run({
        ...{ account, isCompacted: true, collections: ['settings'], servers: { intercept } },
      });
      expect([result.problems, result.records.settings?.held]).toEqual([[], count]);
      runs.push(result.peakBytes);
    }
    expect(pages).toBeGreaterThan(5);
    const [few = 0, many = 0] = runs;
    expect(many).toBeLessThanOrEqual(few * 1.05);
  });

  test.each([
    ['its history', false],
    ['its records, where the history has ended', true],
  ])(
    'sets aside what is too long for it, and holds no more of it than a piece: %s',
    async (_, isCompacted) => {
      const runs = [];
      const peaks: number[] = [];
      // Payloads of some 212,000 and of 253,000 characters: the device takes 213,000.
      for (const long of [[159_000], [190_000], [190_000, 190_000, 190_000]]) {
        const account = accountWith(long);
        const { problems, records, quarantine, peakBytes } = await run({
          ...{ account, isCompacted, collections: ['settings'] },
        });
        expect(problems).toEqual([]);
        runs.push({ held: records.settings?.held, codes: quarantine.map(({ code }) => code) });
        peaks.push(peakBytes);
      }
      expect(runs).toEqual([
        { held: 401, codes: [] },
        { held: 400, codes: ['tooLarge'] },
        { held: 400, codes: ['tooLarge', 'tooLarge', 'tooLarge'] },
      ]);
      // It is hashed while it arrives: beside the longest that is taken, a piece at most, whose
      // buffer may wait for the collection of garbage; and the third takes what the first one took.
      const [taken = 0, one = 0, three = 0] = peaks;
      expect(one - taken).toBeLessThanOrEqual(65_536);
      expect(three - one).toBeLessThan(1_024);
    },
  );

  test('puts there what apps change, and deletes what they delete', async () => {
    const [gone] = serverBodies(account(), 'reading-list', 0).map(({ id }) => id);
    const edits = [EDITS[0], { ...EDITS[1], record: { id: `${gone}` } }];
    const { problems, setup } = await run({ edits });
    expect(problems).toEqual([]);
    const left = serverBodies(await setup.remotes[0].view(), 'reading-list', setup.nowMs());
    expect(left.map(({ id }) => id)).not.toContain(gone);
  });

  test('loses nothing where the power goes in the middle of that', async () => {
    const { problems, powerCuts } = await run({ edits: EDITS.slice(0, 1), cutsAt: [12, 18, 24] });
    expect([problems, powerCuts]).toEqual([[], 3]);
  });

  test('asks one thing of each collection where nothing has changed', async () => {
    const { passes, problems } = await run();
    expect(problems).toEqual([]);
    expect(passes.at(-1)).toMatchObject({
      network: { requests: 2, payloadBytesIn: 0 },
      flash: { pagesWritten: 0 },
    });
    expect(passes.at(-1)?.cpu.instructions).toBeLessThanOrEqual(6_500_000);
  });
});
