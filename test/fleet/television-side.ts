// The emulated television: the built firmware in its virtual machine, in real time.

import type { Device } from '../../emulator/device/device.ts';
import { freshFirmware } from '../../emulator/firmware.ts';
import { readRecords } from '../../emulator/holdings.ts';
import type { PassReport } from '../../emulator/ledger.ts';
import { loadProfile } from '../../emulator/profiles.ts';
import type { SeedAccount } from '../../emulator/servers/store-file.ts';
import { createSetup } from '../../emulator/setup.ts';
import { TELEVISION } from '../interop/television.ts';
import { type Kind, type Outcome, type Side, thingOf, viewOf } from './side.ts';

interface TelevisionSide extends Side {
  /** Of the agent's heap, since the beginning. */
  peakBytes(): number;
}

const LINK = { bytesPerSecond: 1e9, roundTripMs: 0, connectMs: 0 };

/** Signed in, and synced for the first time. */
export async function televisionSide(url: string, account: SeedAccount): Promise<TelevisionSide> {
  const profile = loadProfile(TELEVISION);
  const setup = createSetup({
    profile: { ...profile, network: LINK },
    firmware: await freshFirmware(profile.name),
    account,
    ...{ protocol: 'syncto', auth: 'browserid', crypto: 'device', seed: 1, serverUrl: url },
  });
  const { device } = setup;
  await device.boot();
  const first = await passOf(device, 'enable');
  if (!first.ok) throw new Error(`the television did not sync: ${first.code}`);
  const found = async (kind: Kind, key: string) => {
    const query = { collection: kind, limit: 5, prefix: key };
    const { records } = (await device.command('list', query)) as { records: View[] };
    return records.find((record) => thingOf(kind, record).key === key);
  };
  return {
    name: 'television',
    findsDoubles: true,
    async value(kind, key) {
      const record = await found(kind, key);
      return record === undefined ? null : thingOf(kind, record).value;
    },
    async put(kind, thing) {
      const record = viewOf(kind, thing, (await found(kind, thing.key))?.guid);
      await device.command('put', { collection: kind, record });
    },
    async delete(kind, key) {
      await device.command('delete', { collection: kind, id: (await found(kind, key))?.guid });
      return true;
    },
    held: async (kind) => (await readRecords(device, kind)).map((view) => thingOf(kind, view)),
    pass: () => passOf(device, 'sync'),
    async crash(afterMs) {
      const cut = new Promise<void>((resolve) =>
        setTimeout(() => {
          setup.losePower('torn');
          resolve();
        }, afterMs),
      );
      await Promise.all([device.command('sync', {}).catch(() => undefined), cut]);
      await device.boot();
    },
    peakBytes: () => device.counters().peakBytes,
  };
}

type View = Readonly<Record<string, unknown>>;

async function passOf(device: Device, command: 'enable' | 'sync'): Promise<Outcome> {
  return outcomeOf((await device.command(command, {})) as PassReport);
}

/** Of the agent's own report. */
export function outcomeOf({ ok, error, collections }: PassReport): Outcome {
  const merged = Object.values(collections).map((counts) => counts.merged);
  return { ok, code: error?.code ?? '', conflicts: merged.reduce((sum, one) => sum + one, 0) };
}
