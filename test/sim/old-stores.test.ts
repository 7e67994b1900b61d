// A firmware update keeps the data: stores that earlier versions wrote open, go on where they stopped, send what waited
// in the outbox once, and keep what was set aside set aside until it is written anew.

import { beforeAll, expect, test } from 'vitest';
import { type Firmware, freshFirmware } from '../../emulator/firmware.ts';
import { loadProfile } from '../../emulator/profiles.ts';
import { createSetup, type Setup } from '../../emulator/setup.ts';
import { imageOf, type OldStatus, type OldStore, oldStores } from '../support/old-stores.ts';
import { type Ended, type Writes, watchedAccount, wrongs } from './old-stores.ts';

const TV = loadProfile('panasonic-cx700');
let firmware: Firmware;
beforeAll(async () => {
  firmware = await freshFirmware(TV.name);
});

interface Television {
  readonly setup: Setup;
  readonly writes: Writes;
}

function television(store: OldStore): Television {
  const { account, writes } = watchedAccount(store);
  const { protocol, deviceKey = '' } = store;
  const setup = createSetup({
    ...{ profile: TV, firmware, account, protocol, crypto: 'device', seed: 4 },
    auth: protocol === 'syncto' ? 'browserid' : 'bearer',
    image: imageOf(store),
    deviceKey: new Uint8Array(Buffer.from(deviceKey, 'hex')),
  });
  return { setup, writes };
}

async function statusOf({ device }: Setup): Promise<OldStatus> {
  return (await device.command('status', {})) as OldStatus;
}

async function pass(setup: Setup): Promise<unknown> {
  const { state } = await statusOf(setup);
  return setup.device.command(state === 'disabled' ? 'enable' : 'sync', {});
}

async function ended({ setup, writes }: Television): Promise<Ended> {
  const { history, passwords } = (await statusOf(setup)).collections;
  const { servers: world } = setup;
  if (world === null || history === undefined) throw new Error('not synced');
  return {
    ...{ world, nowMs: setup.nowMs(), writes, quarantined: history.quarantined },
    pending: history.pending + (passwords?.pending ?? 0),
    held: {
      history: await listed(setup, 'history'),
      passwords: await listed(setup, 'passwords'),
    },
  };
}

async function listed({ device }: Setup, collection: string): Promise<never[]> {
  const all: unknown[] = [];
  let after: string | null = null;
  do {
    const query = { collection, limit: 20, ...(after !== null && { after }) };
    const page = (await device.command('list', query)) as {
      records: { readonly guid: string }[];
      next: string | null;
    };
    all.push(...page.records.map((record) => ({ ...record, id: record.guid })));
    after = page.next;
  } while (after !== null);
  return all as never[];
}

const STORES = oldStores('vm-').filter(({ signIn }) => !signIn);

test.each(STORES)('$name opens as what it was', async (store) => {
  const { setup } = television(store);
  await setup.device.boot();
  const { collections } = await statusOf(setup);
  for (const [name, was] of Object.entries(store.status.collections)) {
    expect(collections[name]).toMatchObject(was);
  }
  for (const [name, records] of Object.entries(store.held ?? {})) {
    expect(await listed(setup, name)).toEqual(records.map((one) => expect.objectContaining(one)));
  }
});

test.each(STORES)('$name goes on where it was, and its outbox arrives once', async (store) => {
  const tv = television(store);
  await tv.setup.device.boot();
  expect(await pass(tv.setup)).toMatchObject({ ok: true });
  expect(wrongs(store, await ended(tv))).toEqual([]);
});
