// A device of two remotes: Syncto for history and passwords, Sync 1.5 of another account for an
// app's own notes. Each has promises of its own, and what becomes of one is nothing to the other.

import { beforeAll, describe, expect, test } from 'vitest';
import { type Firmware, freshFirmware } from './firmware.ts';
import { loadProfile } from './profiles.ts';
import { makeReport } from './report.ts';
import { runScenario, type ScenarioOptions, type ScenarioResult } from './scenario.ts';
import { syntheticAccount } from './servers/synthetic.ts';

const TV = loadProfile('panasonic-cx700');
const DATE_US = 1_795_323_276_914_594;
const REPLAY = {
  ...{ version: '0', firmware: '', seed: 1, cut: null, edits: null, account: null, command: '' },
};

let firmware: Firmware;
beforeAll(async () => {
  const contents = ['history', 'passwords', 'clients', 'generic(notes)', 'several'];
  firmware = await freshFirmware(TV.name, contents);
});

const EDITS = [
  {
    collection: 'history',
    op: 'put',
    record: { url: 'https://put.example/', visits: [{ date: DATE_US, type: 1 }] },
  },
  { collection: 'notes', op: 'put', record: { title: 'here', in: { a: [1, null] } } },
] as const;

function run(change: Partial<ScenarioOptions> = {}): Promise<ScenarioResult> {
  return runScenario({
    profile: TV,
    firmware,
    account: syntheticAccount({ records: 6, passwords: 3, seed: 1 }),
    auth: 'browserid',
    crypto: 'device',
    seed: 1,
    edits: EDITS,
    others: [
      {
        ...{ name: 'notes', protocol: 'sync15', auth: 'bearer', serverUrl: null },
        collections: ['notes'],
        account: syntheticAccount({
          ...{ records: 0, passwords: 0, seed: 2, own: new Map([['notes', 5]]) },
        }),
      },
    ],
    ...change,
  });
}

/** As `--json` has them. */
function remotesOf(result: ScenarioResult) {
  const { remotes } = makeReport(result, {
    ...{ profile: TV, protocol: 'syncto', auth: 'browserid', crypto: 'device', seed: 1 },
    ...{ bundleBytes: firmware.bytes, replay: REPLAY },
  });
  const { first, notes } = remotes ?? {};
  if (first === undefined || notes === undefined) throw new Error('a remote is not in the report');
  return { first, notes };
}

test('syncs each with its own account, and the report has the figures of both', async () => {
  const result = await run();
  expect(result.problems).toEqual([]);
  expect(result.compared).toEqual([
    'first: what the server holds in the end: 0 differences',
    'notes: what the server holds in the end: 0 differences',
  ]);
  const { first, notes } = remotesOf(result);
  expect(first).toMatchObject({
    ...{ ok: true, protocol: 'syncto', state: 'enabled', error: null, passes: 3, failedPasses: 0 },
    records: { history: { held: 7, pushed: 1 }, passwords: { held: 3, pushed: 0 } },
    device: { others: 0, pushed: 1 },
  });
  expect(notes).toMatchObject({
    ...{ ok: true, protocol: 'sync15', state: 'enabled', error: null, passes: 3, failedPasses: 0 },
    records: { notes: { held: 6, quarantined: 0, pushed: 1 } },
    device: { pushed: 1 },
  });
  expect(Object.keys(first.records).concat(Object.keys(notes.records))).toHaveLength(3);
  const { network } = result.total;
  expect(first.network.requests + notes.network.requests).toBe(network.requests);
  expect(first.network.bytesIn + notes.network.bytesIn).toBe(network.bytesIn);
});

test('the poll of each stays one request, and little work', async () => {
  const { passes } = await run();
  const last = passes.slice(-2);
  expect(last.map(({ remote }) => remote).sort()).toEqual(['first', 'notes']);
  for (const pass of last) {
    expect(pass).toMatchObject({ network: { requests: 1 }, flash: { pagesWritten: 0 } });
  }
  // What both show, whichever of them has changed, counts for the one whose answer comes last.
  const costs = last.map(({ cpu }) => cpu.instructions).sort((a, b) => a - b);
  expect(costs[0]).toBeLessThanOrEqual(4_300_000);
  expect(costs[1]).toBeLessThanOrEqual(6_400_000);
});

describe.each([
  ['first', 'notes'],
  ['notes', 'first'],
] as const)('while nobody answers for %s', (down, up) => {
  test(`${up} goes on, and what was changed goes up when it is back`, async () => {
    const result = await run({ off: [{ name: down, rounds: [2] }] });
    expect(result.problems).toEqual([]);
    const passesOf = (name: string) => result.passes.filter(({ remote }) => remote === name);
    expect(passesOf(down).map(({ error }) => error?.code ?? null)).toEqual([null, 'offline', null]);
    expect(passesOf(up).map(({ error }) => error)).toEqual([null, null, null]);
    const remotes = remotesOf(result);
    const changed = down === 'first' ? 'history' : 'notes';
    expect(remotes[down].records[changed]).toMatchObject({ pushed: 1 });
    expect(remotes[up].failedPasses).toBe(0);
  });

  test(`${up} signs in and syncs`, async () => {
    const result = await run({ off: [{ name: down, rounds: [1, 2, 3] }] });
    expect(result.problems).toEqual([]);
    const remotes = remotesOf(result);
    expect(remotes[down]).toMatchObject({ state: 'errored', error: 'offline' });
    expect(remotes[down].compared).toEqual(['nothing: it was switched off']);
    expect(remotes[up]).toMatchObject({ state: 'enabled', error: null, failedPasses: 0 });
    expect(remotes[up].compared).toEqual(['what the server holds in the end: 0 differences']);
  });

  test(`signing out of ${down} leaves ${up} whole`, async () => {
    const result = await run({ signOut: [down], off: [{ name: down, rounds: [3] }] });
    expect(result.problems).toEqual([]);
    expect(remotesOf(result)[up]).toMatchObject({ state: 'enabled', failedPasses: 0 });
  });
});

test.each(['first', 'notes'] as const)(
  'after signing out of %s nothing of it is left',
  async (of) => {
    const result = await run({ signOut: [of] });
    expect(result.problems).toEqual([]);
    const remotes = remotesOf(result);
    const other = of === 'first' ? 'notes' : 'first';
    expect(remotes[of].state).toBe('signed out');
    for (const { held } of Object.values(remotes[of].records)) expect(held).toBe(0);
    expect(remotes[other]).toMatchObject({ state: 'enabled', error: null });
    for (const { held } of Object.values(remotes[other].records)) expect(held).toBeGreaterThan(0);
  },
);

test('a record of a remote that the device does not take is found out', async () => {
  const result = await run({
    edits: [],
    elsewhere({ remotes: [, notes], nowMs }) {
      const [user] = notes?.account.store.users.values() ?? [];
      user?.write('notes', [{ id: 'broken', payload: '{}' }], nowMs());
    },
  });
  expect(remotesOf(result).notes.quarantine).toMatchObject([
    { collection: 'notes', id: 'broken', code: expect.any(String) },
  ]);
  expect(result.problems).toEqual([]);
});

test('power cuts end neither, at whatever write', async () => {
  for (const at of [3, 20, 35, 50, 65]) {
    const result = await run({ cutsAt: [at] });
    expect([at, result.powerCuts, result.problems]).toEqual([at, 1, []]);
  }
});
