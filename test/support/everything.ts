// A device whose build holds all that there is, for tests of what a small firmware may leave out.

import {
  addresses,
  bookmarks,
  type Contents,
  clients,
  contacts,
  extensionStorage,
  forms,
  generic,
  history,
  passwords,
  sync15,
  syncto,
  tabs,
} from '../../agent/index.ts';
import { type DeviceOptions, type TestDevice, type TestServers, testDevice } from './device.ts';

export const FULL: Contents = {
  drivers: [syncto, sync15],
  collections: [
    history,
    passwords,
    bookmarks,
    tabs,
    forms,
    addresses,
    contacts,
    extensionStorage,
    generic('recipes'),
  ],
  devices: clients,
};

export const TV = {
  name: 'Living room',
  type: 'tv',
  version: '1.0',
  os: 'Firefox OS',
} as const;

const ON = { enabled: true, readOnly: false };

/** Boots it; everything is switched on. Sync 1.5 unless the options say otherwise. */
export async function fullDevice(
  servers: TestServers,
  { config, ...options }: DeviceOptions = {},
): Promise<TestDevice> {
  const collections = Object.fromEntries(FULL.collections.map(({ name }) => [name, ON]));
  const device = testDevice(servers, {
    protocol: 'sync15',
    contents: FULL,
    ...options,
    config: { device: TV, collections, ...config },
  });
  await device.agent.start();
  return device;
}
