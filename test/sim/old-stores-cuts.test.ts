// The power goes while a device goes on from a store of an earlier layout: at every flash write of
// the step to the present one, and at every one of the first pass. The agent runs on the device's
// storage here, outside of the virtual machine, which makes so many cuts possible.

import { expect, test } from 'vitest';
import type { Agent } from '../../agent/index.ts';
import { Flash, PowerCut } from '../../emulator/device/flash.ts';
import { FlashStorage } from '../../emulator/device/flash-storage.ts';
import { createRandom } from '../../emulator/device/random.ts';
import { loadProfile } from '../../emulator/profiles.ts';
import type { Storage } from '../../platform/ports.ts';
import { type TestServers, testDevice, testServers, userOf } from '../support/device.ts';
import { accountOf, imageOf, type OldStore, oldStores } from '../support/old-stores.ts';
import { listAllOf, type Revive, sweep, syncOnce, watchedAccount, wrongs } from './old-stores.ts';
import { every } from './share.ts';

const TV = loadProfile('panasonic-cx700');
const STORES = oldStores('vm-').filter(({ signIn }) => !signIn);
/** One signed-in user for all copies of the account: signatures are slow. */
const USER = userOf(testServers(accountOf(STORES[0] as (typeof STORES)[number])));
const STRIDE = every(120, 3);

/** A storage whose calls never end once the power has gone, and the promise of that. */
function untilPowerCut(storage: Storage): { storage: Storage; gone: Promise<false> } {
  let go = (): void => undefined;
  const gone = new Promise<false>((resolve) => {
    go = () => resolve(false);
  });
  const guarded = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      if (!(error instanceof PowerCut)) throw error;
      go();
      return new Promise<never>(() => undefined);
    });
  return {
    gone,
    storage: {
      get: (keys) => guarded(storage.get(keys)),
      scan: (range) => guarded(storage.scan(range)),
      commit: (changes) => guarded(storage.commit(changes)),
    },
  };
}

const storageOn = (flash: Flash, seed: number): Promise<Storage> =>
  FlashStorage.open({
    flash,
    quotaBytes: TV.flash.quotaBytes,
    heapBytesMax: TV.storageHeapBytes,
    random: createRandom(seed),
    nowMs: () => 0,
  });

function agentOn(storage: Storage, store: OldStore, servers: TestServers, boots: number): Agent {
  const { agent } = testDevice(servers, {
    ...{ storage, identity: USER, protocol: store.protocol, random: createRandom(50 + boots) },
    deviceKey: new Uint8Array(Buffer.from(store.deviceKey ?? '', 'hex')),
  });
  return agent;
}

const onFlash: Revive = async (store, cutAt, fault) => {
  const { account, writes } = watchedAccount(store);
  const servers = testServers(account);
  const cuts = createRandom(cutAt ?? 0, fault);
  let flash = new Flash({ profile: TV.flash, charge() {}, image: imageOf(store) });
  flash.cutAt = cutAt;
  let boots = 0;
  let bootWrites = 0;

  const boot = async () => {
    boots++;
    const { storage, gone } = untilPowerCut(await storageOn(flash, boots));
    return { agent: agentOn(storage, store, servers, boots), gone };
  };

  const work = async (agent: Agent): Promise<true> => {
    await agent.start();
    if (boots === 1) bootWrites = flash.events;
    await syncOnce(agent);
    return true;
  };

  return {
    get writes() {
      return flash.events;
    },
    get bootWrites() {
      return bootWrites;
    },
    async goOn() {
      const { agent, gone } = await boot();
      const isDone = await Promise.race([work(agent), gone]);
      flash = flash.reboot(cuts, fault);
      return isDone;
    },
    async ended() {
      const { agent } = await boot();
      await agent.start();
      const { history, passwords } = agent.status().collections;
      return {
        ...{ world: servers.world, nowMs: servers.nowMs, writes },
        quarantined: history?.quarantined ?? -1,
        pending: (history?.pending ?? 0) + (passwords?.pending ?? 0),
        held: await listAllOf((query) => agent.list(query.collection, query)),
      };
    },
  };
};

/** All values by their keys, bytes as arrays of numbers. */
async function rowsOf(storage: Storage): Promise<Map<string, string | number[]>> {
  const keys = await storage.scan({ from: '!', to: '~~', limit: 10_000 });
  const values = await storage.get(keys);
  return new Map(
    keys.map((key, index) => {
      const value = values[index] ?? '';
      return [key, typeof value === 'string' ? value : [...value]];
    }),
  );
}

const LETTERS = ['', '{', 'b', 'c', 'd'];
/** Behind the two bytes of its length. */
const BOX_FORMAT_AT = 2;

test.each(STORES)('$name: the first start writes one value anew', async (store) => {
  const flash = new Flash({ profile: TV.flash, charge() {}, image: imageOf(store) });
  const storage = await storageOn(flash, 1);
  const before = await rowsOf(storage);
  const was = before.get('s') as string;
  expect(was.slice(0, 1)).toBe(LETTERS[store.layout]);
  const sealed = [...before.values()].filter((value) => typeof value !== 'string');
  expect(sealed.length).toBeGreaterThan(0);
  expect(new Set(sealed.map((value) => value[BOX_FORMAT_AT]))).toEqual(new Set([1]));
  await agentOn(storage, store, testServers(accountOf(store)), 1).start();
  const after = await rowsOf(storage);
  const changed = [...after].filter(([key, value]) => `${before.get(key)}` !== `${value}`);
  expect(changed.map(([key]) => key)).toEqual(['s']);
  expect(after.size).toBe(before.size);
  expect((after.get('s') as string).slice(0, 1)).toBe(LETTERS[4]);
});

test.each(STORES)('$name goes on, wherever the power goes', { timeout: 600_000 }, async (store) => {
  const { writes, bootWrites, cuts, complaints } = await sweep(store, onFlash, {
    wrongs,
    stride: STRIDE,
  });
  console.log(`${store.name}: ${writes} flash writes, ${bootWrites} of the step; ${cuts} cuts`);
  expect(complaints).toEqual([]);
  expect(bootWrites).toBeGreaterThan(0);
});
