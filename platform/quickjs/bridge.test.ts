// The agent's side of the bridge and the emulator's, face to face: what one packs the other
// unpacks.

import { describe, expect, test } from 'vitest';
import { bulkCrypto } from '../../crypto/bulk.ts';
import { deviceCrypto } from '../../crypto/device.ts';
import { appsOperations } from '../../emulator/device/apps-operations.ts';
import { createNetwork, type NetworkFault } from '../../emulator/device/network.ts';
import {
  cryptoOperations,
  identityOperations,
  networkOperations,
  storageOperations,
} from '../../emulator/device/operations.ts';
import { type AppsUnderTest, appsContract } from '../../test/contract/apps.ts';
import { bulkContract } from '../../test/contract/bulk.ts';
import { cryptoContract } from '../../test/contract/crypto.ts';
import { networkContract } from '../../test/contract/network.ts';
import {
  REFUSED,
  type Server,
  SILENT,
  SLOW,
  SLOW_BYTES_PER_SECOND,
} from '../../test/contract/network-server.ts';
import { type StorageUnderTest, storageContract } from '../../test/contract/storage.ts';
import { type BridgedDevice, bridgedDevice, EPOCH_MS } from '../../test/support/bridge.ts';
import { MemoryApps } from '../memory/apps.ts';
import { MemoryStorage } from '../memory/storage.ts';
import { nodeDeviceCrypto } from '../node/crypto.ts';
import type { Identity, Network, Storage } from '../ports.ts';

storageContract('over the bridge', async () => storageOver(new MemoryStorage()));

networkContract(
  'over the bridge',
  async (server) => ({ network: networkOver(server), close: async () => undefined }),
  { whileMade: true, onTheWayBytesMax: 6 * 16_384 },
);

cryptoContract('over the bridge', (entropy) => {
  const { platform } = bridgedDevice({
    withCrypto: true,
    operations: (clock) => cryptoOperations(clock, nodeDeviceCrypto(), 1_000),
  });
  if (platform.crypto === undefined) throw new Error('the bridge has no cryptography');
  return deviceCrypto(platform.crypto, entropy, () => platform.clock.pause());
});

bulkContract('over the bridge', () => {
  const { platform } = bridgedDevice({
    withCrypto: true,
    operations: (clock) => cryptoOperations(clock, nodeDeviceCrypto(), 1_000),
  });
  return bulkCrypto(platform.crypto, () => platform.clock.pause());
});

appsContract('over the bridge', async () => appsOver(new MemoryApps()));

function appsOver(memory: MemoryApps): AppsUnderTest {
  const { platform, passUntil, crashed } = bridgedDevice({
    operations: (clock) => appsOperations(clock, memory, 5),
  });
  const { apps } = platform;
  if (apps === undefined) throw new Error('the bridge has no apps');
  const ask = <T>(call: Promise<T>): Promise<T> => Promise.race([call, crashed]);
  return {
    apps: {
      list: (after, limit) => ask(apps.list(after, limit)),
      read: (origin) => ask(apps.read(origin)),
      install: (origin, app) => ask(apps.install(origin, app)),
      uninstall: (origin) => ask(apps.uninstall(origin)),
      changed: (listener) => apps.changed(listener),
    },
    person: async (origin, app) => memory.person(origin, app),
    told: passUntil,
    reopen: async () => appsOver(memory.fork()),
    close: async () => undefined,
  };
}

/** A breach of a limit ends the device; what comes after it asks the next one. */
function storageOver(memory: MemoryStorage): StorageUnderTest {
  const boot = (): BridgedDevice =>
    bridgedDevice({ operations: (clock) => storageOperations(clock, memory) });
  let device = boot();
  const ask = async <T>(call: (storage: Storage) => Promise<T>): Promise<T> => {
    const { platform, crashed } = device;
    try {
      return await Promise.race([call(platform.storage), crashed]);
    } catch (error) {
      device = boot();
      throw error;
    }
  };
  return {
    storage: {
      get: (keys) => ask((storage) => storage.get(keys)),
      scan: (range) => ask((storage) => storage.scan(range)),
      commit: (changes) => ask((storage) => storage.commit(changes)),
    },
    reopen: async () => storageOver(memory.fork()),
    close: async () => undefined,
  };
}

const FAULTS: readonly (readonly [end: string, fault: NetworkFault])[] = [
  [REFUSED, 'refused'],
  [SILENT, 'silent'],
  [SLOW, { bytesPerSecond: SLOW_BYTES_PER_SECOND }],
];

function networkOver(server: Server): Network {
  let closeStream: (stream: number) => void = () => undefined;
  const { platform } = bridgedDevice({
    closeStream: (stream) => closeStream(stream),
    operations(clock) {
      const network = createNetwork({
        clock,
        link: { bytesPerSecond: 1e6, roundTripMs: 100, connectMs: 50 },
        connection: () => 'wifi',
        fetch: async (request) => server(request),
        fault: (_, { url }) => FAULTS.find(([end]) => url.endsWith(end))?.[1] ?? null,
      });
      closeStream = (stream) => network.close(stream);
      return networkOperations(network);
    },
  });
  return platform.network;
}

describe('a commit that is too large to cross at once', () => {
  const large = Array.from({ length: 60 }, (_, n) => [`k${n + 10}`, `${n}`.repeat(300)] as const);

  test('is one commit of the storage, and in its place among others', async () => {
    const memory = new MemoryStorage();
    const { storage } = storageOver(memory);
    const done: string[] = [];
    await Promise.all([
      storage.commit([['k10', 'before']]).then(() => done.push('before')),
      storage.commit(large).then(() => done.push('large')),
      storage.commit([['k11', 'after']]).then(() => done.push('after')),
    ]);
    expect(done).toEqual(['before', 'large', 'after']);
    expect(memory.commits).toBe(3);
    expect(await storage.get(['k10', 'k11', 'k69'])).toEqual([
      '0'.repeat(300),
      'after',
      '59'.repeat(300),
    ]);
  });

  test('is written whole or not at all when the power goes', async () => {
    for (const when of ['before', 'after'] as const) {
      const memory = new MemoryStorage([], { atCommit: 1, when });
      const { storage } = storageOver(memory);
      await expect(storage.commit(large)).rejects.toMatchObject({ code: 'failed' });
      expect(memory.fork().snapshot()).toHaveLength(when === 'before' ? 0 : large.length);
    }
  });
});

const ACCOUNT = { email: 'grüße@example.test', deviceId: 'ab'.repeat(16) };
const DEVICE_KEY = Uint8Array.from({ length: 32 }, (_, at) => at);

/** Tells what it is asked, and by its answers which one it is. */
function managerOf(name: string, asked: unknown[]): Identity {
  return {
    account: async () => ({ uid: name, ...ACCOUNT }),
    async assertion(...what) {
      asked.push([name, ...what]);
      return 'a.b~c.d';
    },
    async accessToken(fresh) {
      asked.push([name, fresh]);
      return { token: name };
    },
    async credentials(fresh) {
      asked.push([name, 'credentials', fresh]);
      return { name: `${name} ü`, password: 'pw' };
    },
    async syncKey() {
      throw Object.assign(new Error('x'), { code: 'signedOut' });
    },
    deviceKey: async () => DEVICE_KEY,
  };
}

describe('the other ports over the bridge', () => {
  const asked: unknown[] = [];
  const managers = new Map(['first', 'notes', '-'].map((name) => [name, managerOf(name, asked)]));
  const { platform, clock, events } = bridgedDevice({
    operations: (of) =>
      identityOperations(of, managerOf('first', asked), 5, (name) => managers.get(name)),
  });

  test.each([
    ['first', () => platform.identity],
    ['notes', () => platform.identityOf?.('notes')],
    ['-', () => platform.identityOf?.('-')],
  ])('the account manager of %s is asked what the agent asks', async (name, identityOf) => {
    const identity = identityOf();
    asked.length = 0;
    expect(await identity?.account()).toEqual({ uid: name, ...ACCOUNT });
    expect(await identity?.assertion('https://t/', false)).toBe('a.b~c.d');
    expect(await identity?.assertion('https://t/', true)).toBe('a.b~c.d');
    expect(await identity?.accessToken(true)).toEqual({ token: name });
    expect(await identity?.accessToken(false)).toEqual({ token: name });
    expect(await identity?.credentials?.(false)).toEqual({ name: `${name} ü`, password: 'pw' });
    expect(await identity?.credentials?.(true)).toMatchObject({ password: 'pw' });
    expect(await identity?.deviceKey()).toEqual(DEVICE_KEY);
    await expect(identity?.syncKey()).rejects.toMatchObject({ code: 'signedOut' });
    expect(asked).toEqual([
      [name, 'https://t/', false],
      [name, 'https://t/', true],
      [name, true],
      [name, false],
      [name, 'credentials', false],
      [name, 'credentials', true],
    ]);
  });

  test('a remote that the device has no account for is signed out', async () => {
    const calls = [
      platform.identityOf?.('other').account(),
      platform.identityOf?.('other').assertion('https://t/', false),
      platform.identityOf?.('other').accessToken(true),
      platform.identityOf?.('other').credentials?.(true),
      platform.identityOf?.('other').syncKey(),
    ];
    for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'signedOut' });
  });

  test('time passes while the agent sleeps, at least as long as it wants', async () => {
    const fromMs = platform.clock.nowMs();
    expect(fromMs).toBeGreaterThanOrEqual(EPOCH_MS);
    await platform.clock.sleep(1_500.5);
    expect(platform.clock.nowMs() - fromMs).toBeGreaterThanOrEqual(1_500);
    expect(clock.nowNs() / 1e6).toBeGreaterThanOrEqual(1_500.5);
    await platform.clock.pause();
  });

  test('random bytes are as many as asked for, and others every time', () => {
    const [a, b] = [platform.entropy.random(24), platform.entropy.random(24)];
    expect([a.length, b.length]).toEqual([24, 24]);
    expect(a).not.toEqual(b);
  });

  test('events and the connection cross in one call', () => {
    platform.shell.event('{"kind":"x"}');
    expect(events).toEqual(['{"kind":"x"}']);
    expect(platform.power.connection()).toBe('wifi');
  });
});
