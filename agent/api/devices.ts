// What apps are told of the account's other devices, and of what these share.

import type { Body } from '../collections/collection.ts';
import type { DeviceConfig } from '../config.ts';
import { badInput } from '../errors.ts';
import type { Devices } from '../remotes/devices.ts';
import type { CollectionStore } from '../store/store.ts';

/** The account's devices as this one knows them; it takes part as `device`, under `id`. */
export interface Company {
  readonly devices: Devices;
  readonly store: CollectionStore;
  readonly device: DeviceConfig;
  readonly id: string;
}

/**
 * The other devices, the one seen last first. Errors: `badInput` where this device is not among
 * them.
 */
export async function listDevices(company: Company | null): Promise<Body[]> {
  if (company === null) {
    throw badInput('devices: this device does not know of others');
  }
  const { devices, store, id, device } = company;
  return devices.devices(store, id, device);
}

/** Of records that devices write of themselves, those of devices that the account still has. */
export async function ofKnownDevices(
  company: Company | null,
  records: readonly Body[],
): Promise<Body[]> {
  if (company === null) return [...records];
  const { store, id } = company;
  const known: Body[] = [];
  for (const record of records) {
    const [entry] = await store.load([`${record.guid}`]);
    if (record.guid === id || (entry?.mirror ?? null) !== null) known.push(record);
  }
  return known;
}
