// The built firmware in the emulator's machine before a real Kinto: a phone is lost, and what it
// had is on the next one, and on a computer of the same user.

import { writeFileSync } from 'node:fs';
import { expect, inject, test } from 'vitest';
import { type BackupResult, differencesOf, runBackup } from '../../emulator/backup.ts';
import { compareBodies } from '../../emulator/compare.ts';
import { freshFirmware } from '../../emulator/firmware.ts';
import { loadProfile } from '../../emulator/profiles.ts';
import { syntheticAccount } from '../../emulator/servers/synthetic.ts';
import { kintoAt } from '../support/kinto.ts';
import { computerOf } from '../support/served-kinto.ts';

const PHONE = loadProfile('firefox-os-phone-128mb');
const RECORDS = 12;
const SEED = 1;
const kintos = inject('kintos');

/** A first phone, then a second one, of the user whom the emulator has before this server. */
async function lost(backend: string, signIn: boolean): Promise<BackupResult> {
  const place = kintos[backend]?.place;
  if (place === undefined) throw new Error(`no Kinto on ${backend} was started`);
  const contents = ['kinto', 'contacts', ...(signIn ? ['recoverySignIn'] : [])];
  const firmware = await freshFirmware(PHONE.name, contents);
  const { kB } = syntheticAccount({ records: 0, passwords: 0, seed: SEED });
  await kintoAt(place).newUser('user@example.test', `password for ${kB.slice(0, 8)}`);
  const result = await runBackup({
    ...{ profile: PHONE, firmware, protocol: 'kinto', auth: 'basic', crypto: 'device' },
    ...{ seed: SEED, collections: ['contacts'], records: RECORDS, signIn, serverUrl: place.url },
  });
  const { first, second } = result;
  expect([first.problems, second?.problems, differencesOf(result)]).toEqual([[], [], []]);
  expect([first.records.contacts, second?.records.contacts]).toMatchObject([
    { held: RECORDS, pushed: RECORDS },
    { held: RECORDS, pushed: 0 },
  ]);
  expect(second?.peakBytes).toBeLessThan(PHONE.ramCapBytes);
  return result;
}

/** What comes to a computer of that user is what the second phone has. */
async function comesTo({ first, second }: BackupResult, kB: string): Promise<void> {
  const { url, user } = first.setup.remotes[0].kinto ?? {};
  const one = computerOf({ url: `${url}` }, user?.name);
  const { name = '', password = '' } = user ?? {};
  const signIn = { kinto: url, name, password, kB, email: name };
  writeFileSync(one.credentials, JSON.stringify(signIn), { mode: 0o600 });
  const collections = ['--collections', 'contacts'];
  expect(await one.sync(...collections)).toMatchObject({ code: 0, complaints: '' });
  const { out } = await one.on('list', 'contacts', '--limit', '1000', '--json');
  const held = second?.parts[0]?.others.contacts ?? [];
  expect(held).toHaveLength(RECORDS);
  expect(compareBodies('contacts', JSON.parse(out), held)).toEqual([]);
}

test.runIf(kintos.PostgreSQL)('a phone with the sign-in alone has all of a lost one', async () => {
  const result = await lost('PostgreSQL', false);
  const [remote] = result.first.setup.remotes;
  await comesTo(result, remote.account.kB);
});

test('a phone with the recovery code alone has all of a lost one', async () => {
  const result = await lost('memory', true);
  const code = result.second?.recoveryCode;
  expect(code).toBe(result.first.recoveryCode);
  const [{ kinto, account }] = result.first.setup.remotes;
  expect(kinto?.key()).not.toBe(account.kB);
  await comesTo(result, kinto?.key() ?? '');
});
