// A firmware update keeps the data: stores that earlier versions wrote open in the virtual machine,
// go on where they stopped, send what waited in the outbox once, and keep what was set aside set
// aside until it is written anew.

import { beforeAll, expect, test } from 'vitest';
import { Flash, PowerCut } from '../../emulator/device/flash.ts';
import type { Fault } from '../../emulator/device/flash-image.ts';
import { FlashStorage } from '../../emulator/device/flash-storage.ts';
import { createRandom } from '../../emulator/device/random.ts';
import { type Firmware, freshFirmware } from '../../emulator/firmware.ts';
import { loadProfile } from '../../emulator/profiles.ts';
import { accountClient } from '../../emulator/servers/account-client.ts';
import { INSIDE_URLS } from '../../emulator/servers/world.ts';
import { createSetup, type Setup } from '../../emulator/setup.ts';
import { imageOf, type OldStatus, type OldStore, oldStores } from '../support/old-stores.ts';
import {
  listAllOf,
  type Revived,
  spoiledPages,
  sweep,
  watchedAccount,
  wrongs,
} from './old-stores.ts';
import { secondDevice } from './second-device.ts';
import { isWhole } from './share.ts';

const TV = loadProfile('panasonic-cx700');
const SIGN_IN = ['sync15', 'history', 'passwords', 'clients', 'signIn', 'passwordSignIn'];
const STORES = oldStores('vm-').filter(({ signIn }) => !signIn);
let firmware: Firmware;
beforeAll(async () => {
  firmware = await freshFirmware(TV.name);
});

interface Television extends Revived {
  readonly setup: Setup;
  status(): Promise<OldStatus>;
  sync(): Promise<void>;
}

function television(
  store: OldStore,
  change: Partial<Parameters<typeof createSetup>[0]> = {},
  cutAt: number | null = null,
  fault: Fault = 'kept',
): Television {
  const { account, writes } = watchedAccount(store);
  const { protocol, deviceKey = '' } = store;
  const setup = createSetup({
    ...{ profile: TV, firmware, account, protocol, crypto: 'device', seed: 4 },
    auth: protocol === 'syncto' ? 'browserid' : 'bearer',
    image: imageOf(store),
    deviceKey: new Uint8Array(Buffer.from(deviceKey, 'hex')),
    ...change,
  });
  setup.flash().cutAt = cutAt;
  const { device } = setup;
  let bootWrites = 0;
  const status = async () => (await device.command('status', {})) as OldStatus;
  const sync = async (): Promise<void> => {
    const { state } = await status();
    const command = state === 'disabled' ? 'enable' : 'sync';
    expect(await device.command(command, {})).toMatchObject({ ok: true });
  };
  return {
    ...{ setup, status, sync },
    get writes() {
      return setup.flash().events;
    },
    get bootWrites() {
      return bootWrites;
    },
    async goOn() {
      try {
        await device.boot();
        await status();
        bootWrites ||= setup.flash().events;
        await sync();
        return true;
      } catch (error) {
        if (!(error instanceof PowerCut)) throw error;
        setup.losePower(fault);
        return false;
      }
    },
    async ended() {
      const { history, passwords } = (await status()).collections;
      const { servers: world } = setup;
      if (world === null) throw new Error('the servers are outside');
      return {
        ...{ world, nowMs: setup.nowMs(), writes, quarantined: history?.quarantined ?? -1 },
        pending: (history?.pending ?? 0) + (passwords?.pending ?? 0),
        held: await listAllOf((query) => device.command('list', query) as never),
      };
    },
  };
}

async function opensAsItWas(store: OldStore, { setup, status, ended }: Television): Promise<void> {
  await setup.device.boot();
  const { collections } = await status();
  for (const [name, was] of Object.entries(store.status.collections)) {
    expect(collections[name]).toMatchObject(was);
  }
  if (store.held === null) return;
  const { held } = await ended();
  for (const [name, records] of Object.entries(store.held)) {
    expect(held[name]).toEqual(records.map((one) => expect.objectContaining(one)));
  }
}

test.each(STORES)('$name opens as what it was', (store) => opensAsItWas(store, television(store)));

test.each(STORES)('$name goes on where it was, and what is mended is taken in', async (store) => {
  const tv = television(store);
  expect(await tv.goOn()).toBe(true);
  expect(wrongs(store, await tv.ended())).toEqual([]);
  const { servers: world } = tv.setup;
  if (world === null) throw new Error('the servers are outside');
  const second = secondDevice({ world, nowMs: tv.setup.nowMs() });
  const mended = spoiledPages(store);
  for (const id of mended) {
    const visits = [{ date: 1_790_000_000_000_000, type: 1 }];
    second.put('history', { id, histUri: `https://mended.example/${id}`, title: '', visits });
  }
  await tv.sync();
  const { held, quarantined } = await tv.ended();
  expect(quarantined).toBe(0);
  const urls = (held.history ?? []).map(({ url }) => url);
  expect(urls).toEqual(expect.arrayContaining(mended.map((id) => `https://mended.example/${id}`)));
});

test.runIf(isWhole).each(STORES)(
  '$name goes on, wherever the power goes',
  { timeout: 600_000 },
  async (store) => {
    const { writes, cuts, complaints } = await sweep(
      store,
      async (old, cutAt, fault) => television(old, {}, cutAt, fault),
      { wrongs, stride: 4, faults: ['torn'] },
    );
    console.log(`${store.name}: ${writes} flash writes, ${cuts} cuts in the machine`);
    expect(complaints).toEqual([]);
  },
);

test.each(oldStores('sign-in'))('$name: a sign-in in the store is still one', async (store) => {
  const withSignIn = await freshFirmware(TV.name, SIGN_IN);
  let renewals = 0;
  let token = '';
  const tv = television(store, {
    firmware: withSignIn,
    signIn: true,
    servers: {
      // The servers of that day are gone, and what they knew of tokens with them.
      intercept(_server, { method, url }) {
        if (method !== 'POST' || !url.endsWith('/oauth/token') || token === '') return null;
        renewals++;
        const scope = 'https://identity.mozilla.com/apps/oldsync';
        return Response.json({
          access_token: token,
          expires_in: 3600,
          scope,
          token_type: 'bearer',
        });
      },
    },
  });
  await opensAsItWas(store, tv);
  const { servers: world, nowMs } = tv.setup;
  if (world === null) throw new Error('the servers are outside');
  const user = accountClient({
    ...{ fetch: world.fetch, baseUrl: INSIDE_URLS.accounts, nowMs },
    credentials: { email: store.email, kB: store.account.kB },
  });
  ({ token } = await user.accessToken(false));
  await tv.sync();
  expect(renewals).toBe(1);
  expect(wrongs(store, await tv.ended())).toEqual([]);
});

test.each(oldStores('paused-'))(
  '$name: what is off stays so, and goes up once it is on',
  async (store) => {
    const tv = television(store);
    await opensAsItWas(store, tv);
    const asItWas = (await tv.status()).collections;
    await tv.sync();
    expect((await tv.status()).collections).toEqual(asItWas);
    const { writes } = await tv.ended();
    expect([...writes.keys()].filter((key) => !key.startsWith('clients/'))).toEqual([]);
    await tv.setup.device.command('configure', { collections: { passwords: { enabled: true } } });
    await tv.sync();
    expect(wrongs(store, await tv.ended())).toEqual([]);
  },
);

test('a store of a version to come is refused, and nothing is written to it', async () => {
  const [store] = STORES;
  if (store === undefined) throw new Error('the fixture is missing');
  const flash = new Flash({ profile: TV.flash, charge() {}, image: imageOf(store) });
  const random = createRandom(1);
  const storage = await FlashStorage.open({
    ...{ flash, random, nowMs: () => 0 },
    ...{ quotaBytes: TV.flash.quotaBytes, heapBytesMax: TV.storageHeapBytes },
  });
  await storage.commit([['s', 'e{"state":"enabled"}']]);
  const tv = television(store, { image: flash.imageAfterCut(random, 'kept') });
  await tv.setup.device.boot();
  const calls: [string, object][] = [
    ['enable', {}],
    ['sync', {}],
    ['disable', {}],
    ['configure', { wifiOnly: true }],
    ['put', { collection: 'history', record: { url: 'https://a.example/' } }],
    ['list', { collection: 'history', limit: 1 }],
  ];
  for (const [name, input] of calls) {
    await expect(tv.setup.device.command(name, input)).rejects.toMatchObject({
      code: 'clientTooOld',
      message: `${name}: clientTooOld, the store is of format 5, at most 4 is known`,
    });
  }
  expect(await tv.setup.device.command('status', {})).toMatchObject({
    state: 'disabled',
    error: { code: 'clientTooOld' },
  });
  expect(tv.writes).toBe(0);
});
