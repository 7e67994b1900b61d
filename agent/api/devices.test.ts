// The account's other devices, as apps are told of them.

import { expect, test } from 'vitest';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { localWith, mirrorWith, openTestStore, putEntries } from '../../test/support/store.ts';
import { generic } from '../collections/generic.ts';
import { type Company, listDevices, ofKnownDevices } from './devices.ts';

const DEVICE = { name: 'TV', type: 'tv', version: '1', os: 'x' } as const;

/** This device is `own`; the account has `phone`, and `fresh` is nobody's yet. */
async function company(): Promise<Company> {
  const store = await openTestStore(new MemoryStorage(), generic('clients'));
  await putEntries(store, {
    phone: { mirror: mirrorWith({ id: 'phone' }) },
    gone: { mirror: mirrorWith({ id: 'gone' }), local: localWith(null) },
    fresh: { local: localWith({ id: 'fresh' }) },
  });
  const devices = {
    devices: async (...of: unknown[]) => [{ asked: of.slice(1) }],
  } as unknown as Company['devices'];
  return { devices, store, device: DEVICE, id: 'own' };
}

test('a device that is not among them is told that it knows of none', async () => {
  await expect(listDevices(null)).rejects.toMatchObject({
    code: 'badInput',
    message: 'devices: this device does not know of others',
  });
});

test('a device asks about others as itself', async () => {
  expect(await listDevices(await company())).toEqual([{ asked: ['own', DEVICE] }]);
});

test('records of devices are shown while the account has the device, its own ever', async () => {
  const records = ['own', 'phone', 'gone', 'fresh', 'unheard'].map((guid) => ({ guid }));
  const shown = await ofKnownDevices(await company(), records);
  expect(shown.map(({ guid }) => guid)).toEqual(['own', 'phone', 'gone']);
});

test('where nobody knows of devices, all records are shown', async () => {
  const records = [{ guid: 'a' }];
  const shown = await ofKnownDevices(null, records);
  expect(shown).toEqual(records);
  expect(shown).not.toBe(records);
});
