// Records that do not prove themselves, among a thousand that do, on the emulated television: each
// kind is set aside, all others arrive, and a later good version takes its place.

import { beforeAll, describe, expect, test } from 'vitest';
import { withForeignRecords } from '../test/support/foreign.ts';
import { type Firmware, freshFirmware } from './firmware.ts';
import { loadProfile } from './profiles.ts';
import { quarantineProblems, readQuarantine } from './quarantine.ts';
import { runScenario } from './scenario.ts';
import type { Bso, User } from './servers/store.ts';
import { syntheticAccount } from './servers/synthetic.ts';

const RECORDS = 1_000;
const TV = loadProfile('panasonic-cx700');

type Spoil = (payload: string, other: string) => string;
const SPOILS: readonly Spoil[] = [
  (payload) => payload.replace(/"hmac":"...../, '"hmac":"00000'),
  (payload) => payload.replace(/"IV":"./, '"IV":"*'),
  (_payload, other) => other,
  () => 'no JSON',
  () => 'x'.repeat(500_000),
];

let firmware: Firmware;
beforeAll(async () => {
  firmware = await freshFirmware(TV.name);
});

test('one of each kind is set aside; the others arrive, and what is written anew', async () => {
  const account = syntheticAccount({ records: RECORDS, seed: 12, bodyBytes: 300 });
  const [user] = account.store.users.values();
  const good = spoil(user);
  const { passes, records, problems } = await runScenario({
    ...{ profile: TV, firmware, account, seed: 1 },
    ...{ protocol: 'sync15', auth: 'bearer', crypto: 'software' },
    elsewhere: ({ nowMs }) => void user?.write('history', good, nowMs()),
  });
  const [first, last] = passes;
  const bad = SPOILS.length;
  expect(first).toMatchObject({ ok: true, collections: { history: { quarantined: bad } } });
  expect(first?.collections.history?.pulled).toBe(RECORDS - bad);
  expect(last?.collections.history).toMatchObject({ pulled: bad, quarantined: 0 });
  expect(records.history).toMatchObject({ held: RECORDS, quarantined: 0 });
  expect(problems).toEqual([]);
});

test.each([
  ['syncto', 'browserid'],
  ['sync15', 'bearer'],
] as const)(
  'over %s, a hundred under a key of nobody are set aside, and an edit goes up',
  async (protocol, auth) => {
    const own = 20;
    const foreign = 100;
    const account = withForeignRecords(
      syntheticAccount({ records: foreign + own, seed: 13, bodyBytes: 300 }),
      foreign,
    );
    const record = {
      url: 'https://mine.example/',
      visits: [{ date: 1_795_330_000_000_000, type: 1 }],
    };
    const { passes, records, killed } = await runScenario({
      ...{ profile: TV, firmware, account, seed: 1, protocol, auth, crypto: 'software' },
      edits: [{ collection: 'history', op: 'put', record }],
    });
    expect([killed, passes.map(({ ok }) => ok)]).toEqual([null, [true, true, true]]);
    expect(records).toMatchObject({
      history: { held: own + 1, quarantined: foreign, pushed: 1 },
      passwords: { held: 12, quarantined: 0 },
    });
  },
);

test.each([
  ['syncto', 'browserid'],
  ['sync15', 'bearer'],
] as const)(
  'over %s, ids that no device can take are counted and named, after a boot too',
  async (...by) => {
    const [protocol, auth] = by;
    const account = syntheticAccount({ records: 20, seed: 14, bodyBytes: 300 });
    const [user] = account.store.users.values();
    const [some] = user?.collections.get('history')?.inArrivalOrder(0) ?? [];
    const ids = ['\u0001ctl\u0002', '\u0001ctl\u0003', 'é', 'x'.repeat(65), '..'];
    const odd = ids.map((id) => ({ id, payload: some?.payload ?? '' }));
    const names = ['history', 'passwords', 'clients'];
    for (const name of names) user?.write(name, odd, user.modifiedMs);
    const { records, quarantine, problems, compared, setup } = await runScenario({
      ...{ profile: TV, firmware, account, seed: 1, protocol, auth, crypto: 'device' },
    });
    const aside = [
      'badId %1ctl%2',
      'badId %1ctl%3',
      'badId %e9',
      'badId ..',
      `badId ${'x'.repeat(64)}`,
    ];
    expect(quarantine).toEqual(
      names.flatMap((collection) => aside.sort().map((id) => ({ collection, id, code: 'badId' }))),
    );
    expect(records).toMatchObject({
      history: { held: 20, quarantined: ids.length },
      passwords: { held: 12, quarantined: ids.length },
    });
    expect(problems).toEqual([]);
    expect(compared).toEqual(['what the server holds in the end: 0 differences']);
    setup.losePower();
    await setup.device.boot();
    expect(await readQuarantine(setup.device.stored())).toEqual(quarantine);
  },
);

test('past what a device remembers, the names come from its reports', async () => {
  const foreign = 1_003;
  const account = withForeignRecords(
    syntheticAccount({ records: foreign + 2, seed: 16, bodyBytes: 300 }),
    foreign,
  );
  const { records, quarantine, problems } = await runScenario({
    ...{ profile: TV, firmware, account, seed: 1, protocol: 'sync15', auth: 'bearer' },
    crypto: 'device',
  });
  expect(records.history).toMatchObject({ held: 2, quarantined: 1_000 });
  expect(new Set(quarantine.map(({ id }) => id)).size).toBe(foreign);
  expect(problems).toEqual([]);
});

describe('what a device has set aside is judged by the account itself', () => {
  const account = withForeignRecords(syntheticAccount({ records: 4, seed: 15 }), 1);
  const [user] = account.store.users.values();
  const records = user?.collections.get('history')?.inArrivalOrder(0) ?? [];
  const ids = [...records].map(({ id }) => id);
  const judge = (aside: readonly (readonly [id: string | undefined, code: string])[]) =>
    quarantineProblems(
      account,
      ['history'],
      aside.map(([id = '', code]) => ({ collection: 'history', id, code })),
      0,
      {},
    );

  test('rightly', () => expect(judge([[ids[0], 'badMac']])).toEqual([]));

  test('one that proves itself', () => {
    expect(
      judge([
        [ids[0], 'badMac'],
        [ids[1], 'badMac'],
      ]),
    ).toEqual([`history ${ids[1]}: set aside (badMac), although it proves itself`]);
  });

  test('one that is short, for its length', () => {
    expect(
      judge([
        [ids[0], 'badMac'],
        [ids[1], 'tooLarge'],
      ]),
    ).toEqual([`history ${ids[1]}: set aside (tooLarge), although it proves itself`]);
  });

  test('one that is neither there nor set aside', () => {
    expect(judge([])).toEqual([
      `history ${ids[0]}: the server has it, the device neither took it nor set it aside`,
    ]);
  });
});

/** Writes a bad version of some records; returns the good ones. */
function spoil(user: User | undefined): Pick<Bso, 'id' | 'payload'>[] {
  const all = [...(user?.collections.get('history')?.inArrivalOrder(0) ?? [])];
  const good = all.slice(500, 500 + SPOILS.length).map(({ id, payload }) => ({ id, payload }));
  const other = all[0]?.payload ?? '';
  const bad = good.map(({ id, payload }, at) => ({
    id,
    payload: SPOILS[at]?.(payload, other) ?? '',
  }));
  user?.write('history', bad, user.modifiedMs);
  return good;
}
