// A record that is more than the device can bear, whatever its profile says: it ends the device
// twice and no more, and everything else is synced.

import { expect, test } from 'vitest';
import { VmKilled } from './device/vm-errors.ts';
import { freshFirmware } from './firmware.ts';
import { loadProfile } from './profiles.ts';
import { accountOf, KINDS, LONG_ID, longest, OTHERS, type RecordKind } from './record-kinds.ts';
import { createSetup } from './setup.ts';

const PHONE = loadProfile('firefox-os-phone-128mb');
const OPTIMISTIC = { ...PHONE, agent: { ...PHONE.agent, recordCharsMax: 400_000 } };
const LONG_CHARS = 200_000;
const BOOTS_MAX = 8;

/** Boots until a sync comes to its end; returns how often the device was killed. */
async function lived(records: Parameters<typeof accountOf>[0]) {
  const events: { kind: string; id?: string; code?: string }[] = [];
  const setup = createSetup({
    profile: OPTIMISTIC,
    firmware: await freshFirmware(PHONE.name, ['sync15', 'history', 'passwords', 'clients']),
    account: accountOf(records),
    protocol: 'sync15',
    auth: 'bearer',
    crypto: 'device',
    seed: 1,
    onEvent: (json) => void events.push(JSON.parse(json)),
  });
  for (let kills = 0; kills < BOOTS_MAX; kills++) {
    try {
      await setup.device.boot();
      await setup.device.command(kills === 0 ? 'enable' : 'sync', {});
      const { collections } = (await setup.device.command('status', {})) as {
        collections: Record<string, { held: number; quarantined: number }>;
      };
      return { kills, collections, events };
    } catch (error) {
      if (!(error instanceof VmKilled)) throw error;
      setup.losePower();
    }
  }
  throw new Error('the device is killed at every boot');
}

test.each(['the visits of a page', 'a password'])('%s', async (name) => {
  const kind = KINDS.get(name) as RecordKind;
  const long = { collection: kind.collection, body: longest(kind, LONG_CHARS) };
  const { kills, collections, events } = await lived([long, ...OTHERS]);
  expect(kills).toBe(2);
  expect(collections.history?.held).toBe(OTHERS.length);
  expect(collections[kind.collection]?.quarantined).toBe(1);
  expect(events).toContainEqual({
    ...{ kind: 'quarantine', collection: kind.collection },
    ...{ id: LONG_ID, code: 'killedDevice' },
  });
});
