// A lost phone: what its apps made is on the next one, which has the user's sign-in alone, or the
// recovery code alone.

import { beforeAll, describe, expect, test } from 'vitest';
import { isWhole } from '../test/sim/share.ts';
import { type BackupOptions, differencesOf, runBackup } from './backup.ts';
import { type Firmware, freshFirmware } from './firmware.ts';
import { loadProfile } from './profiles.ts';

const PHONE = loadProfile('firefox-os-phone-128mb');
const CONTENTS = ['kinto', 'contacts', 'settings'];

let firmware: Firmware;
beforeAll(async () => {
  firmware = await freshFirmware(PHONE.name, CONTENTS);
}, 120_000);

const run = (change: Partial<BackupOptions> = {}) =>
  runBackup({
    ...{ profile: PHONE, firmware, protocol: 'kinto', auth: 'basic', crypto: 'device' },
    ...{ seed: 1, collections: ['contacts'], records: 10 },
    ...change,
  });

const heldBy = (of: Awaited<ReturnType<typeof run>>['first'] | null) =>
  Object.values(of?.records ?? {}).map(({ held, pushed }) => [held, pushed]);

describe('a second phone', () => {
  test('restores what the first has backed up, with the sign-in alone', async () => {
    const result = await run({ collections: ['contacts', 'settings'] });
    const { first, second } = result;
    expect([first.problems, second?.problems, differencesOf(result)]).toEqual([[], [], []]);
    expect([first, second].map(heldBy)).toEqual([
      [
        [10, 10],
        [10, 10],
      ],
      [
        [10, 0],
        [10, 0],
      ],
    ]);
    expect([first.recoveryCode, second?.recoveryCode]).toEqual([null, null]);
    const [missing, ...rest] = second?.parts[0]?.others.contacts ?? [];
    if (second?.parts[0]) second.parts[0].others.contacts = rest;
    expect(differencesOf(result)).toEqual([
      `contacts record ${missing?.guid}: the first device has it, the device does not`,
    ]);
    for (const peakBytes of [first.peakBytes, second?.peakBytes ?? 0]) {
      expect(peakBytes).toBeGreaterThan(0);
      expect(peakBytes).toBeLessThan(PHONE.ramCapBytes);
    }
  });

  test.runIf(isWhole)('restores it with the recovery code that the first has shown', async () => {
    const own = await freshFirmware(PHONE.name, ['kinto', 'contacts', 'recoverySignIn']);
    const result = await run({ firmware: own, signIn: true, records: 4 });
    const { first, second } = result;
    expect([first.problems, second?.problems, differencesOf(result)]).toEqual([[], [], []]);
    expect(heldBy(second)).toEqual([[4, 0]]);
    expect(first.recoveryCode).toMatch(/^([a-z]{5}-){8}[a-z]{5}$/);
    expect(second?.recoveryCode).toBe(first.recoveryCode);
    const [{ kinto, account }] = first.setup.remotes;
    expect(kinto?.key()).not.toBe(account.kB);
  });

  test('has nothing to restore from one that could not keep it', async () => {
    const poor = { ...PHONE, ramCapBytes: 300_000 };
    const { first, second } = await run({ profile: poor, records: 1 });
    expect(first.killed).not.toBe(null);
    expect(second).toBe(null);
  });
});
