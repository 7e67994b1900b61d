// A whole device in memory: the reference of every port, for tests and for trying the agent out.
// Time stands still until it is told to move; nothing leaves the process but what `fetch` does.

import type { DeviceCrypto } from '../crypto-port.ts';
import type { Clock, Connection, Identity, Network, Platform, Storage } from '../ports.ts';
import { type Fetch, fetchNetwork } from '../web/fetch-network.ts';

interface MemoryPlatformOptions {
  readonly storage: Storage;
  readonly fetch: Fetch;
  /** Instead of one over `fetch`. */
  readonly network?: Network;
  readonly identity: Omit<Identity, 'deviceKey'>;
  /** Made of sevens when left out. */
  readonly deviceKey?: Uint8Array;
  /** Device time at the start. */
  readonly nowMs: number;
  readonly random: (count: number) => Uint8Array;
  readonly crypto?: DeviceCrypto;
}

export interface MemoryPlatform extends Platform {
  readonly time: ManualClock;
  /** JSON of every event and status, oldest first. */
  readonly events: string[];
  readonly statuses: string[];
  connected: Connection;
}

interface ManualClock extends Clock {
  /** Moves time; sleepers wake in the order of their time. */
  advance(byMs: number): Promise<void>;
  /** Sets the device's clock without waking anybody, as a wrong time server would. */
  set(nowMs: number): void;
}

export function memoryPlatform(options: MemoryPlatformOptions): MemoryPlatform {
  const time = manualClock(options.nowMs);
  const platform: MemoryPlatform = {
    storage: options.storage,
    network: options.network ?? fetchNetwork(options.fetch, { streamsBodies: true }),
    clock: time,
    time,
    entropy: { random: options.random },
    connected: 'wifi',
    power: { connection: () => platform.connected },
    identity: {
      account: () => options.identity.account(),
      assertion: (audience, fresh) => options.identity.assertion(audience, fresh),
      accessToken: (fresh) => options.identity.accessToken(fresh),
      ...withCredentials(options.identity),
      syncKey: () => options.identity.syncKey(),
      forget: async () => options.identity.forget?.(),
      deviceKey: async () => options.deviceKey ?? new Uint8Array(32).fill(7),
    },
    events: [],
    statuses: [],
    shell: {
      event: (json) => void platform.events.push(json),
      status: (json) => void platform.statuses.push(json),
    },
    ...(options.crypto === undefined ? {} : { crypto: options.crypto }),
  };
  return platform;
}

export function manualClock(startMs: number): ManualClock {
  let nowMs = startMs;
  let elapsedMs = 0;
  let sleepers: { dueMs: number; wake: () => void }[] = [];
  return {
    nowMs: () => nowMs,
    pause: () => Promise.resolve(),
    sleep: (delayMs) => new Promise((wake) => sleepers.push({ dueMs: elapsedMs + delayMs, wake })),
    async advance(byMs) {
      nowMs += byMs;
      elapsedMs += byMs;
      const due = sleepers.filter(({ dueMs }) => dueMs <= elapsedMs);
      sleepers = sleepers.filter(({ dueMs }) => dueMs > elapsedMs);
      for (const { wake } of due.sort((a, b) => a.dueMs - b.dueMs)) wake();
      await new Promise((resolve) => setImmediate(resolve));
    },
    set(toMs) {
      nowMs = toMs;
    },
  };
}

function withCredentials(identity: Pick<Identity, 'credentials'>): Pick<Identity, 'credentials'> {
  return identity.credentials ? { credentials: identity.credentials.bind(identity) } : {};
}
