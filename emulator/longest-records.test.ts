// The longest record of each kind of data on devices with little memory: it arrives, is listed,
// changed and sent, within the cap; one character more is set aside by name, and the others never
// notice.

import { expect, test } from 'vitest';
import { every, isWhole } from '../test/sim/share.ts';
import { type Firmware, freshFirmware } from './firmware.ts';
import { loadProfile } from './profiles.ts';
import {
  accountOf,
  envelopeChars,
  type Json,
  KINDS,
  LONG_ID,
  longest,
  OTHERS,
  type RecordKind,
} from './record-kinds.ts';
import { createSetup, type Setup } from './setup.ts';

const PHONE = 'firefox-os-phone-128mb';
const TV = 'panasonic-cx700';
/** What an edit adds to a record, and what a device reserves for the envelope. */
const EDIT_CHARS = 400;

interface Story {
  readonly setup: Setup;
  readonly pass: { readonly ok: boolean };
  status(): Promise<{ held: number; quarantined: number; pending: number }>;
}

const CONTENTS: ReadonlyMap<string, string> = new Map([['extension-storage', 'extensionStorage']]);

function firmwareWith(data: string): Promise<Firmware> {
  return freshFirmware(TV, ['sync15', ...new Set(['history', 'passwords', data]), 'clients']);
}

async function started(
  profileName: string,
  { collection }: RecordKind,
  body: Json,
): Promise<Story> {
  const data = CONTENTS.get(collection) ?? collection;
  const profile = loadProfile(profileName);
  const setup = createSetup({
    profile,
    firmware: await firmwareWith(data),
    account: accountOf([...OTHERS, { collection, body }]),
    protocol: 'sync15',
    auth: 'bearer',
    crypto: 'device',
    seed: 1,
    collections: [...new Set(['history', collection])],
  });
  await setup.device.boot();
  const pass = (await setup.device.command('enable', {})) as Story['pass'];
  return {
    setup,
    pass,
    async status() {
      const { collections } = (await setup.device.command('status', {})) as {
        collections: Record<string, { held: number; quarantined: number; pending: number }>;
      };
      return collections[collection] ?? { held: 0, quarantined: 0, pending: 0 };
    },
  };
}

/** Records of a kind beside the long one. */
function othersOf({ collection }: RecordKind): number {
  return OTHERS.filter((other) => other.collection === collection).length;
}

const cases = [
  ...[...KINDS.keys()].map((name) => [name, PHONE] as const),
  ...['the visits of a page', 'a password', 'a folder of bookmarks'].map(
    (name) => [name, TV] as const,
  ),
];

test.each(cases.filter((_, at) => at % every(13) === 0))(
  '%s, as long as it may be, is held by %s',
  async (name, profile) => {
    const kind = KINDS.get(name) as RecordKind;
    const { recordCharsMax } = loadProfile(profile).agent;
    const { setup, pass, status } = await started(
      profile,
      kind,
      longest(kind, recordCharsMax - EDIT_CHARS),
    );
    const { device } = setup;
    const { collection, edit } = kind;
    expect(pass).toMatchObject({ ok: true });
    expect(await status()).toMatchObject({ held: othersOf(kind) + 1, quarantined: 0 });
    await device.command('list', { collection, limit: 20 });
    expect(await device.command('get', { collection, id: LONG_ID })).not.toEqual({ record: null });
    if (edit === null) return;
    await device.command('put', { collection, record: edit });
    expect(await device.command('sync', {})).toMatchObject({ ok: true });
    expect(await status()).toMatchObject({ quarantined: 0, pending: 0 });
  },
);

test('what is a little longer is set aside by its name, and the others are held', async () => {
  const kind = KINDS.get('a password') as RecordKind;
  const { recordCharsMax } = loadProfile(PHONE).agent;
  const good = longest(kind, recordCharsMax);
  const bad = { ...good, password: `${good.password}${'x'.repeat(16)}` };
  expect(envelopeChars(bad)).toBeGreaterThan(recordCharsMax);
  const { status, setup } = await started(PHONE, kind, bad);
  expect(await status()).toMatchObject({ held: 0, quarantined: 1 });
  expect(await setup.device.command('list', { collection: 'history', limit: 20 })).toMatchObject({
    records: { length: OTHERS.length },
  });
});

const LISTED: readonly (readonly [string, (n: string) => string, readonly string[]])[] = [
  ['whose addresses begin alike', (n) => n, ['1', '2']],
  ['of one address', () => '', ['1', '2']],
  ['and two more whose addresses begin alike', (n) => n, ['1', '2', '3', '4']],
];

test.runIf(isWhole).each(LISTED)(
  'two pages %s, as long as they may be, are listed',
  async (_what, endOf, numbers) => {
    const kind = KINDS.get('the visits of a page') as RecordKind;
    const start = `https://long.example/${'x'.repeat(300)}`;
    const { recordCharsMax } = loadProfile(TV).agent;
    const long = longest(kind, recordCharsMax - EDIT_CHARS - start.length);
    const pages = numbers.map((n) => ({
      collection: kind.collection,
      body: { ...long, id: `longpage000${n}`, histUri: `${start}${endOf(n)}` },
    }));
    const setup = createSetup({
      profile: loadProfile(TV),
      firmware: await firmwareWith('history'),
      account: accountOf([...OTHERS, ...pages]),
      protocol: 'sync15',
      auth: 'bearer',
      crypto: 'device',
      seed: 1,
      collections: ['history'],
    });
    await setup.device.boot();
    expect(await setup.device.command('enable', {})).toMatchObject({ ok: true });
    for (const id of ['longpage0001', 'longpage0002']) {
      await setup.device.command('list', { collection: 'history', limit: 20 });
      await setup.device.command('get', { collection: 'history', id });
    }
    expect(await setup.device.command('status', {})).toMatchObject({
      collections: { history: { held: OTHERS.length + numbers.length, quarantined: 0 } },
    });
  },
);
