// A device and its servers in one process, for tests that need no virtual machine: the agent's own
// code on the memory platform, against the embedded servers. Deterministic, and rebooted by making
// another on the same storage.

import { readFileSync } from 'node:fs';
import {
  type Agent,
  type AgentConfig,
  type Contents,
  clients,
  createAgent,
  history,
  passwords,
  sync15,
  syncto,
} from '../../agent/index.ts';
import { createRandom, type Random } from '../../emulator/device/random.ts';
import { accountClient } from '../../emulator/servers/account-client.ts';
import { readAccount } from '../../emulator/servers/store-file.ts';
import { createServers, type World, type WorldOptions } from '../../emulator/servers/world.ts';
import type { DeviceCrypto } from '../../platform/crypto-port.ts';
import { type MemoryPlatform, memoryPlatform } from '../../platform/memory/platform.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { nodeDeviceCrypto } from '../../platform/node/crypto.ts';
import type { Identity, Network, Storage } from '../../platform/ports.ts';
import type { Fetch } from '../../platform/web/fetch-network.ts';

/** Server and device agree on the time, a little after the shipped account was recorded. */
export const NOW_MS = 1_795_330_000_000;

export function corpusAccount(): WorldOptions['account'] {
  const file = new URL('../fixtures/corpus-a.json', import.meta.url);
  return readAccount(JSON.parse(readFileSync(file, 'utf8')));
}

export interface TestServers {
  readonly world: World;
  /** Server time; tests move it. */
  nowMs: number;
}

export function testServers(
  account: WorldOptions['account'],
  options: Partial<WorldOptions> = {},
): TestServers {
  const random = createRandom(1);
  const servers = { nowMs: NOW_MS } as { -readonly [K in keyof TestServers]: TestServers[K] };
  servers.world = createServers({
    account,
    nowMs: () => servers.nowMs,
    random: (count) => random.bytes(count),
    ...options,
  });
  return servers;
}

export interface TestDevice {
  readonly agent: Agent;
  readonly platform: MemoryPlatform;
  readonly storage: Storage;
}

export interface DeviceOptions {
  readonly storage?: Storage;
  /** In front of the servers' own fetch: counts, cuts, lies. */
  readonly fetch?: Fetch;
  /** Instead of `fetch`. */
  readonly network?: Network;
  /** The device's user; by default that of the servers. */
  readonly identity?: Omit<Identity, 'deviceKey'>;
  readonly deviceKey?: Uint8Array;
  readonly config?: Partial<AgentConfig>;
  /** The build; that of the firmware by default. */
  readonly contents?: Contents;
  /** `syncto` when left out. */
  readonly protocol?: 'syncto' | 'sync15';
  /** No crypto port: the agent computes in JavaScript. */
  readonly software?: boolean;
  readonly crypto?: DeviceCrypto;
  readonly nowMs?: number;
  readonly random?: Random;
}

/** What the firmware holds, loaded already. */
const contents: Contents = {
  drivers: [syncto, sync15],
  collections: [history, passwords],
  devices: clients,
};

/** Boots a device; `agent.start()` is up to the caller. */
export function testDevice(servers: TestServers, options: DeviceOptions = {}): TestDevice {
  const { world } = servers;
  const storage = options.storage ?? new MemoryStorage();
  const random = options.random ?? createRandom(2);
  const platform = memoryPlatform({
    storage,
    fetch: options.fetch ?? world.fetch,
    ...(options.network === undefined ? {} : { network: options.network }),
    identity: options.identity ?? userOf(servers),
    ...(options.deviceKey === undefined ? {} : { deviceKey: options.deviceKey }),
    nowMs: options.nowMs ?? servers.nowMs,
    random: (count) => random.bytes(count),
    ...(options.software === true ? {} : { crypto: options.crypto ?? nodeDeviceCrypto() }),
  });
  const config: AgentConfig = {
    profile: 'test',
    remote: remoteOf(world, options.protocol ?? 'syncto'),
    collections: {
      history: { enabled: true, readOnly: false },
      passwords: { enabled: true, readOnly: false },
    },
    intervalMs: 3_600_000,
    wifiOnly: false,
    historyRecordsMax: 100_000,
    recordCharsMax: 400_000,
    ...options.config,
  };
  return { agent: createAgent(platform, config, options.contents ?? contents), platform, storage };
}

function remoteOf({ urls }: World, protocol: 'syncto' | 'sync15'): AgentConfig['remote'] {
  const audience = `${urls.token}/`;
  return protocol === 'syncto'
    ? { protocol, serverUrl: urls.syncto, audience, auth: 'browserid' }
    : { protocol, serverUrl: urls.token, audience, auth: 'bearer' };
}

/** The account's user at the accounts server, who has not signed in yet. */
export function userOf(servers: TestServers): Omit<Identity, 'deviceKey'> {
  const { email, password } = servers.world.account;
  return accountClient({
    fetch: servers.world.fetch,
    baseUrl: servers.world.urls.accounts,
    credentials: { email, password },
    nowMs: () => servers.nowMs,
  });
}
