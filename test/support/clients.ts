// This device among the account's devices, and another one that writes what it likes.

import type { WorldOptions } from '../../emulator/servers/world.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { type Json, type SecondDevice, secondDevice } from '../sim/second-device.ts';
import {
  corpusAccount,
  type DeviceOptions,
  type TestDevice,
  type TestServers,
  testServers,
  userOf,
} from './device.ts';
import { fullDevice } from './everything.ts';

export const DAY_MS = 86_400_000;
export const FIREFOX = '4nRhL2pUNwI5';

interface Bench {
  readonly servers: TestServers;
  readonly other: SecondDevice;
  readonly storage: MemoryStorage;
  /** Methods and paths that the device asked for. */
  readonly asked: string[];
  boot(options?: DeviceOptions): Promise<TestDevice>;
}

export function bench(options: Partial<WorldOptions> = {}): Bench {
  const servers = testServers(corpusAccount(), options);
  const identity = userOf(servers);
  const asked: string[] = [];
  const storage = new MemoryStorage();
  return {
    servers,
    other: secondDevice(servers),
    storage,
    asked,
    boot: (options = {}) =>
      fullDevice(servers, {
        storage,
        identity,
        fetch: (request) => {
          asked.push(`${request.method} ${new URL(request.url).pathname}`);
          return servers.world.fetch(request);
        },
        ...options,
      }),
  };
}

/** The device's own record on the server. */
export function own(other: SecondDevice): Json & { id: string } {
  const [record] = [...other.live('clients').values()].filter(({ id }) => id !== FIREFOX);
  if (record === undefined) throw new Error('the device has no record');
  return record as Json & { id: string };
}

export function servedVersion({ servers, other }: Bench): number | undefined {
  const [user] = servers.world.store.users.values();
  return user?.collections.get('clients')?.get(own(other).id, servers.nowMs)?.modifiedMs;
}

/** Another device leaves commands in its record. */
export function order({ other, servers }: Bench, ...commands: (Json | unknown)[]): void {
  const record = own(other);
  servers.nowMs += 1_000;
  other.put('clients', { ...record, commands: [...(record.commands as unknown[]), ...commands] });
}

export const events = ({ platform }: TestDevice, kind: string): Json[] =>
  platform.events.map((text) => JSON.parse(text)).filter((event) => event.kind === kind);

export const ok = { ok: true, error: null };
