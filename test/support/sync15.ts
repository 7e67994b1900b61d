// A device and its Sync 1.5 servers, for tests that watch or spoil what the two tell each other.

import { expect } from 'vitest';
import type { User } from '../../emulator/servers/store.ts';
import { syntheticAccount } from '../../emulator/servers/synthetic.ts';
import type { WorldOptions } from '../../emulator/servers/world.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { disagreements } from '../sim/agreement.ts';
import { secondDevice } from '../sim/second-device.ts';
import {
  type DeviceOptions,
  type TestDevice,
  type TestServers,
  testDevice,
  testServers,
} from './device.ts';

type Meddle = (request: Request, count: number) => Response | undefined;

export interface Bench {
  readonly servers: TestServers;
  readonly storage: MemoryStorage;
  /** `GET /path` of what was asked, without the origin; tests empty it. */
  readonly asked: string[];
  /** Answers instead of the servers, or throws as a broken link does. */
  meddle: Meddle;
  /** A device on the same storage; `start` has run. */
  boot(options?: DeviceOptions): Promise<TestDevice>;
}

/** The devices on one storage, in front of the account's servers. */
export function bench(
  account: WorldOptions['account'] = syntheticAccount({ records: 20, seed: 3, bodyBytes: 200 }),
  options: Partial<WorldOptions> = {},
): Bench {
  const servers = testServers(account, options);
  const storage = new MemoryStorage();
  const asked: string[] = [];
  const made: Bench = {
    servers,
    storage,
    asked,
    meddle: () => undefined,
    async boot(more = {}) {
      const fetch = async (request: Request): Promise<Response> => {
        const { pathname, search } = new URL(request.url);
        const count = asked.push(`${request.method} ${pathname}${search}`);
        return made.meddle(request, count) ?? servers.world.fetch(request);
      };
      const device = testDevice(servers, { protocol: 'sync15', storage, fetch, ...more });
      await device.agent.start();
      return device;
    },
  };
  return made;
}

/** What the storage node holds of the account's user. */
export function storedUser({ world }: TestServers): User {
  const [user] = world.store.users.values();
  if (user === undefined) throw new Error('the account has no user');
  return user;
}

/** Device and server hold the same. */
export async function agreed({ agent }: TestDevice, { servers }: Bench): Promise<void> {
  expect(await disagreements(agent, secondDevice(servers))).toEqual([]);
}

/** A report of a pass that went well. */
export const ok = { ok: true, error: null };
export const isListing = ({ url }: Request): boolean => url.includes('/storage/history?');
