// An agent on the memory platform over a server in the same process: what it is asked, whose
// account it is and what becomes of a request is the test's to say.

import { history } from '../../agent/collections/history.ts';
import { passwords } from '../../agent/collections/passwords.ts';
import type { AgentConfig } from '../../agent/config.ts';
import { SyncError, type SyncErrorCode } from '../../agent/errors.ts';
import { type Agent, createAgent } from '../../agent/index.ts';
import { syncDriver } from '../../agent/remotes/sync/driver.ts';
import type { StorageOptions } from '../../agent/remotes/sync/storage.ts';
import type { AgentEvent, Status } from '../../agent/status.ts';
import { openStates } from '../../agent/store/state.ts';
import { stopIfAborted } from '../../agent/wire/http.ts';
import { createRandom } from '../../emulator/device/random.ts';
import { type MemoryPlatform, memoryPlatform } from '../../platform/memory/platform.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import type { Identity, SyncKey } from '../../platform/ports.ts';
import { KB } from './remote.ts';
import { type TestServer, testServer } from './server.ts';
import { pageBody } from './store.ts';

export const NOW_MS = 1_795_330_000_000;
export const HOUR_MS = 3_600_000;
export const PAGE = { url: 'https://mine.example/', title: 'mine' };
export const LOGIN = {
  origin: 'https://a.test',
  formActionOrigin: 'https://a.test',
  password: 'p',
};

export interface Device {
  readonly agent: Agent;
  readonly platform: MemoryPlatform;
  readonly storage: MemoryStorage;
  /** The states that were shown, in order. */
  states(): string[];
  events(kind: AgentEvent['kind']): AgentEvent[];
  status(): Status;
}

/** The user, as the account manager knows them. */
interface User {
  uid: string;
  key: SyncKey;
  fails: string | null;
}

interface AgentWorld {
  server: TestServer;
  user: User;
  /** What happens at the start of every request. */
  atRequest: (options: StorageOptions, line: string) => Promise<void> | void;
}

const begin = async (): Promise<AgentWorld> => {
  const server = await testServer();
  await server.put('history', 'AAAAAAAAAAAA', pageBody(1), 2_000);
  return {
    server,
    user: { uid: 'u1', key: { kB: KB }, fails: null },
    atRequest: () => undefined,
  };
};

/** What is around the devices of the test that runs. */
export const world: AgentWorld = await begin();

/** Before each test. */
export async function newWorld(): Promise<void> {
  Object.assign(world, await begin());
}

function identity(): Omit<Identity, 'deviceKey'> {
  const answered = <T>(value: T): T => {
    if (world.user.fails !== null) throw Object.assign(new Error('no'), { code: world.user.fails });
    return value;
  };
  return {
    account: async () => answered({ uid: world.user.uid, email: `${world.user.uid}@example.test` }),
    assertion: async () => answered('a'),
    accessToken: async () => answered({ token: 't' }),
    syncKey: async () => answered(world.user.key),
  };
}

export function boot(
  storage = new MemoryStorage(),
  change: Partial<AgentConfig> = {},
  seed = 1,
): Device {
  const random = createRandom(seed);
  const platform = memoryPlatform({
    storage,
    fetch: async () => Response.error(),
    identity: identity(),
    nowMs: NOW_MS,
    random: (count) => random.bytes(count),
  });
  const config: AgentConfig = {
    profile: 'test',
    remote: { protocol: 'test', serverUrl: '', audience: '', auth: 'bearer' },
    collections: {
      history: { enabled: true, readOnly: false },
      passwords: { enabled: true, readOnly: false },
    },
    intervalMs: HOUR_MS,
    spreadMs: 0,
    wifiOnly: false,
    historyRecordsMax: 1_000,
    recordCharsMax: 400_000,
    ...change,
  };
  const open = (options: StorageOptions) => ({
    ...world.server,
    poll: async (items: Parameters<TestServer['poll']>[0]) => {
      await asked(options, 'poll');
      return world.server.poll(items);
    },
    fetch: async (collection: string, id: string) => {
      await asked(options, `fetch ${collection}`);
      return world.server.fetch(collection, id);
    },
  });
  const agent = createAgent(platform, config, {
    drivers: [syncDriver('test', open)],
    collections: [history, passwords],
  });
  const events = (): AgentEvent[] => platform.events.map((json) => JSON.parse(json));
  return {
    agent,
    platform,
    storage,
    states: () => events().flatMap((event) => (event.kind === 'state' ? [event.state] : [])),
    events: (kind) => events().filter((event) => event.kind === kind),
    status: () => JSON.parse(platform.statuses.at(-1) ?? 'null'),
  };
}

async function asked(options: StorageOptions, line: string): Promise<void> {
  stopIfAborted(options.abort);
  options.notes.requests++;
  await world.atRequest(options, line);
}

/** A device that has signed in; its events so far are forgotten. */
export async function signedIn(change: Partial<AgentConfig> = {}): Promise<Device> {
  const device = boot(new MemoryStorage(), change);
  await device.agent.start();
  const { ok, error } = await device.agent.enable();
  if (!ok) throw new Error(`not signed in: ${error?.message}`);
  device.platform.events.length = 0;
  return device;
}

/** The same device after its power was cut. */
export async function rebooted({ storage }: Device): Promise<Device> {
  const device = boot(storage.fork());
  await device.agent.start();
  return device;
}

export const asks =
  (waitMs: number) =>
  ({ notes }: StorageOptions) => {
    notes.waitMs = waitMs;
  };
export const failing = (code: SyncErrorCode) => () => {
  throw new SyncError(code, 'as told');
};
export const saved = async ({ storage }: Device) => (await openStates(storage).load()).state;
/** A request that is under way until it is let go. */
export function held() {
  let reached: () => void = () => undefined;
  let letGo: () => void = () => undefined;
  const isReached = new Promise<void>((resolve) => {
    reached = resolve;
  });
  const gate = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  world.atRequest = () => {
    reached();
    return gate;
  };
  return { isReached, letGo };
}

/** An edit whose sealing takes until it is let go; it resolves to its error, too. */
export async function slowPut({ agent, platform }: Device) {
  const { pause } = platform.clock;
  let letGo: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  platform.clock.pause = () => gate;
  const put = agent.put('passwords', LOGIN).catch((error: unknown) => error);
  await new Promise(setImmediate);
  platform.clock.pause = pause;
  return { put, letGo };
}
