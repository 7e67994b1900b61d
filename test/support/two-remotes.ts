// A device of two remotes, for tests of what each is to the other: Syncto for history and passwords
// of one account, Sync 1.5 for a generic collection of another, and the servers of both.

import {
  type Agent,
  type AgentConfig,
  clients,
  createAgent,
  generic,
  genericKind,
  history,
  passwords,
  several,
  signIn,
  sync15,
  syncto,
} from '../../agent/index.ts';
import { createRandom } from '../../emulator/device/random.ts';
import type { Handler } from '../../emulator/servers/http.ts';
import { syntheticAccount } from '../../emulator/servers/synthetic.ts';
import type { ServerUrls } from '../../emulator/servers/world.ts';
import { type MemoryPlatform, memoryPlatform } from '../../platform/memory/platform.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { nodeDeviceCrypto } from '../../platform/node/crypto.ts';
import type { Identity, Storage } from '../../platform/ports.ts';
import { type SecondDevice, secondDevice } from '../sim/second-device.ts';
import { type TestServers, testServers, userOf } from './device.ts';

const WORK_URLS: ServerUrls = {
  accounts: 'https://accounts.work.test',
  token: 'https://token.work.test',
  sync15: 'https://sync15.work.test',
  syncto: 'https://syncto.work.test',
  picl: 'https://picl.work.test',
  owa: 'https://owa.work.test',
};
const ON = { enabled: true, readOnly: false };

const CONTENTS = {
  drivers: [syncto, sync15],
  collections: [history, passwords, generic('recipes')],
  devices: clients,
  signIn,
  several,
  kinds: [genericKind],
};

const CONFIG: AgentConfig = {
  profile: 'test',
  remote: {
    protocol: 'syncto',
    serverUrl: 'https://syncto.test',
    audience: 'https://token.test/',
    auth: 'browserid',
  },
  collections: { history: ON, passwords: ON },
  remotes: {
    work: {
      remote: {
        protocol: 'sync15',
        serverUrl: WORK_URLS.token,
        audience: `${WORK_URLS.token}/`,
        auth: 'bearer',
      },
      collections: { recipes: ON },
    },
  },
  intervalMs: 3_600_000,
  spreadMs: 0,
  wifiOnly: false,
  historyRecordsMax: 1_000,
  recordCharsMax: 400_000,
};

/** One account with its servers, its user, and another of the user's devices. */
interface Side {
  readonly servers: TestServers;
  readonly other: SecondDevice;
  readonly identity: Omit<Identity, 'deviceKey'>;
  /** `GET /path` of what was asked; tests empty it. */
  readonly asked: string[];
  /** Answers instead of the servers, or throws as a broken link does. */
  meddle: (request: Request) => Response | undefined | Promise<Response | undefined>;
}

export interface TwoRemotes {
  readonly home: Side;
  readonly work: Side;
  readonly storage: MemoryStorage;
  readonly config: AgentConfig;
  /** `isWell`: it starts, or the test fails. */
  boot(storage?: Storage, change?: Partial<AgentConfig>, isWell?: boolean): Promise<TwoDevice>;
  /** Time of the servers and of a device. */
  advance(byMs: number, device: TwoDevice): Promise<void>;
}

export interface TwoDevice {
  readonly agent: Agent;
  readonly platform: MemoryPlatform;
}

export function twoRemotes(): TwoRemotes {
  const home = sideOf(testServers(syntheticAccount({ records: 6, seed: 3, passwords: 3 })));
  const account = syntheticAccount({ records: 0, seed: 9, passwords: 0 });
  const work = sideOf(testServers(account, { urls: WORK_URLS }));
  for (const n of [1, 2]) work.other.put('recipes', { id: `recipe-${n}`, name: `theirs ${n}` });
  const fetch: Handler = async (request) => {
    const side = new URL(request.url).hostname.endsWith('.work.test') ? work : home;
    const { pathname, search } = new URL(request.url);
    side.asked.push(`${request.method} ${pathname}${search}`);
    return (await side.meddle(request)) ?? side.servers.world.fetch(request);
  };
  const storage = new MemoryStorage();
  return {
    ...{ home, work, storage, config: CONFIG },
    async boot(on = storage, change = {}, isWell = true) {
      const random = createRandom(2);
      const options = {
        ...{ storage: on, fetch, identity: home.identity, nowMs: home.servers.nowMs },
        random: (count: number) => random.bytes(count),
        crypto: nodeDeviceCrypto(),
      };
      const platform = memoryPlatform(options);
      // Both have the device's one key.
      const { identity } = memoryPlatform({ ...options, identity: work.identity });
      const config = { ...CONFIG, ...change };
      const hasOwn = config.remotes?.work?.signIn !== undefined;
      const named = hasOwn ? platform : { ...platform, identityOf: () => identity };
      const agent = createAgent(named, config, CONTENTS);
      const started = agent.start();
      await (isWell ? started : started.catch(() => undefined));
      return { agent, platform };
    },
    async advance(byMs, { platform }) {
      for (const { servers } of [home, work]) servers.nowMs += byMs;
      await platform.time.advance(byMs);
    },
  };
}

function sideOf(servers: TestServers): Side {
  return {
    ...{ servers, other: secondDevice(servers), identity: userOf(servers), asked: [] },
    meddle: () => undefined,
  };
}
