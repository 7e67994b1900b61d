// The emulated television as one device of an account: the built firmware in its virtual machine,
// in real time, against servers on loopback. It syncs on command; its data is read and changed
// through its local API, as apps do.

import type { Holdings } from '../../emulator/expected.ts';
import { freshFirmware } from '../../emulator/firmware.ts';
import { readHoldings } from '../../emulator/holdings.ts';
import type { CollectionCounts, PassReport } from '../../emulator/ledger.ts';
import { loadProfile } from '../../emulator/profiles.ts';
import type { Protocol } from '../../emulator/remote.ts';
import type { Serving } from '../../emulator/servers/serve.ts';
import { createSetup } from '../../emulator/setup.ts';

/** Its profile. */
export const TELEVISION = 'panasonic-cx700';

export interface Television {
  /** One pass: what it did, by collection. Throws if it failed. */
  sync(): Promise<Readonly<Record<string, CollectionCounts>>>;
  holdings(): Promise<Holdings>;
  /** Resolves to the record's id. */
  put(collection: string, record: object): Promise<string>;
  delete(collection: string, id: string): Promise<void>;
  /** Records that were set aside, in all. */
  quarantined(): Promise<number>;
  /** Requests so far. */
  requests(): number;
}

/** Switches a factory-new one on, signs it in and syncs it for the first time. */
export async function startTelevision(serving: Serving, protocol: Protocol): Promise<Television> {
  const profile = loadProfile(TELEVISION);
  const { device, network } = createSetup({
    profile: { ...profile, network: { bytesPerSecond: 1e9, roundTripMs: 0, connectMs: 0 } },
    firmware: await freshFirmware(profile.name),
    account: { kB: serving.world.account.kB, store: serving.world.store },
    protocol,
    auth: protocol === 'syncto' ? 'browserid' : 'bearer',
    crypto: 'device',
    seed: 1,
    serverUrl: serving.url,
  });
  const pass = async (command: 'enable' | 'sync') => {
    const { ok, error, collections } = (await device.command(command, {})) as PassReport;
    if (!ok) throw new Error(`the television did not sync: ${error?.code}, ${error?.message}`);
    return collections;
  };
  await device.boot();
  await pass('enable');
  return {
    sync: () => pass('sync'),
    holdings: () => readHoldings(device),
    async put(collection, record) {
      return ((await device.command('put', { collection, record })) as { id: string }).id;
    },
    async delete(collection, id) {
      await device.command('delete', { collection, id });
    },
    async quarantined() {
      const { collections } = (await device.command('status', {})) as Status;
      return Object.values(collections).reduce((sum, { quarantined }) => sum + quarantined, 0);
    },
    requests: () => network.counters().requests,
  };
}

interface Status {
  readonly collections: Readonly<Record<string, { readonly quarantined: number }>>;
}
