// Devices of one user on an emulated server, over a protocol of the test's choice: Firefox Sync or
// a Kinto. What is true of a collection on one remote has to be true of it on the other.

import { expect } from 'vitest';
import {
  type Agent,
  type AgentConfig,
  type Contents,
  createAgent,
  genericKind,
  kinto,
  several,
  sync15,
} from '../../agent/index.ts';
import { createRandom } from '../../emulator/device/random.ts';
import { createKinto, type KintoServer } from '../../emulator/servers/kinto/kinto.ts';
import { otherClient } from '../../emulator/servers/kinto/other-client.ts';
import { syntheticAccount } from '../../emulator/servers/synthetic.ts';
import { type MemoryPlatform, memoryPlatform } from '../../platform/memory/platform.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { nodeDeviceCrypto } from '../../platform/node/crypto.ts';
import type { Identity } from '../../platform/ports.ts';
import { secondDevice } from '../sim/second-device.ts';
import { NOW_MS, testServers, userOf } from './device.ts';

import { userWith } from './made-up/services.ts';
import type { Body } from './service.ts';

/** Another Kinto user has another key. */
const KB = 'a095c51c1c6e384e8d5777d97e3c487a4fc2128a00ab395a73d57fedf41631f0';
const ON = { enabled: true, readOnly: false };

export const PROTOCOLS = ['sync15', 'kinto'] as const;

export interface UserDevice {
  readonly agent: Agent;
  readonly platform: MemoryPlatform;
  readonly storage: MemoryStorage;
}

export interface SameUser {
  /** What was asked: `GET /path`. Tests empty it. */
  readonly asked: string[];
  /** Null over Firefox Sync. */
  readonly kinto: KintoServer | null;
  /** Records that are on the server and not deleted, by anybody who has the key. */
  live(collection: string): readonly Body[];
  /** Whose key Kinto's data is sealed with; over Firefox Sync it changes nothing. */
  readonly key: { kB: string };
  /** Boots a device, which has not signed in, or goes on from a storage. */
  boot(storage?: MemoryStorage, change?: Partial<AgentConfig>): Promise<UserDevice>;
  /** Boots a device that has signed in. */
  signedIn(): Promise<UserDevice>;
  /** A good pass of each, one after the other, a second apart. */
  sync(...devices: UserDevice[]): Promise<void>;
}

type Collections = Pick<Contents, 'collections'> & Partial<Contents>;

/** `collections` are all switched on. */
export function sameUser(protocol: (typeof PROTOCOLS)[number], contents: Collections): SameUser {
  const clock = { nowMs: NOW_MS };
  const asked: string[] = [];
  const key = { kB: KB };
  const server = protocol === 'kinto' ? kintoOf(clock, key) : syncOf(clock);
  let seed = 20;
  const boot: SameUser['boot'] = async (storage = new MemoryStorage(), change = {}) => {
    const random = createRandom(seed++);
    const platform = memoryPlatform({
      storage,
      identity: server.identity,
      nowMs: clock.nowMs,
      random: (count) => random.bytes(count),
      crypto: nodeDeviceCrypto(),
      async fetch(request) {
        const { pathname, search } = new URL(request.url);
        asked.push(`${request.method} ${pathname}${search}`);
        return server.fetch(request);
      },
    });
    const config: AgentConfig = {
      profile: 'test',
      remote: server.remote,
      remotes: {},
      collections: Object.fromEntries(contents.collections.map(({ name }) => [name, ON])),
      intervalMs: 3_600_000,
      spreadMs: 0,
      wifiOnly: false,
      historyRecordsMax: 1_000,
      recordCharsMax: 400_000,
      ...change,
    };
    const drivers = [sync15, kinto];
    const agent = createAgent(platform, config, {
      ...{ drivers, several, kinds: [genericKind] },
      ...contents,
    });
    await agent.start();
    return { agent, platform, storage };
  };
  return {
    ...{ asked, key, boot, kinto: server.kinto, live: server.live },
    async signedIn() {
      const device = await boot();
      expect(await device.agent.enable()).toMatchObject({ ok: true, error: null });
      return device;
    },
    async sync(...devices) {
      for (const { agent, platform } of devices) {
        clock.nowMs += 1_000;
        platform.time.set(clock.nowMs);
        expect(await agent.sync()).toMatchObject({ ok: true, error: null });
      }
    },
  };
}

interface Served {
  readonly identity: Omit<Identity, 'deviceKey'>;
  readonly remote: AgentConfig['remote'];
  readonly kinto: KintoServer | null;
  readonly live: SameUser['live'];
  fetch(request: Request): Promise<Response>;
}

interface Clock {
  readonly nowMs: number;
}

function kintoOf(clock: Clock, key: SameUser['key']): Served {
  const url = 'https://kinto.test';
  const server = createKinto({ url, nowMs: () => clock.nowMs, userOf: () => 'account:bob' });
  return {
    identity: { ...userWith(key, () => 'token'), syncKey: async () => ({ ...key }) },
    remote: { protocol: 'kinto', serverUrl: url, audience: '', auth: 'bearer' },
    kinto: server,
    live(name) {
      const keys = otherClient(key.kB, name);
      const place = server.store.buckets.get(keys.bucket)?.collections.get(name);
      const records = place?.live().filter(({ id }) => !`${id}`.startsWith('epoch')) ?? [];
      const bodies = records.map(({ id, payload }): Body => {
        return JSON.parse(keys.inside(`${id}`, keys.open(`${payload}`)) ?? 'null');
      });
      return bodies.filter((body) => body?.deleted !== true);
    },
    fetch: async (request) => server.fetch(request),
  };
}

function syncOf(clock: Clock): Served {
  const servers = testServers(syntheticAccount({ records: 0, seed: 7, passwords: 0 }));
  const { urls } = servers.world;
  return {
    identity: userOf(servers),
    remote: {
      ...{ protocol: 'sync15', serverUrl: urls.token, audience: `${urls.token}/` },
      auth: 'bearer',
    },
    kinto: null,
    live: (name) => [...secondDevice(servers).live(name).values()],
    async fetch(request) {
      servers.nowMs = clock.nowMs;
      return servers.world.fetch(request);
    },
  };
}
