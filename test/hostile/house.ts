// A device, its servers, somebody odd between them, and a second device that nobody comes between:
// all in virtual time. The agent's own code runs over the bridge and the emulated network, as on a
// device, without a virtual machine.

import { type Agent, createAgent, type PassReport } from '../../agent/index.ts';
import { type DeviceClock, NS_PER_MS, virtualClock } from '../../emulator/device/clock.ts';
import {
  createNetwork,
  type DeviceNetwork,
  type NetworkFault,
} from '../../emulator/device/network.ts';
import {
  identityOperations,
  networkOperations,
  storageOperations,
} from '../../emulator/device/operations.ts';
import { createRandom } from '../../emulator/device/random.ts';
import type { User } from '../../emulator/servers/store.ts';
import { createServers } from '../../emulator/servers/world.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import type { Identity } from '../../platform/ports.ts';
import { contents } from '../../platform/quickjs/contents.ts';
import { type SecondDevice, secondDevice } from '../sim/second-device.ts';
import { type BridgedDevice, bridgedDevice, EPOCH_MS } from '../support/bridge.ts';
import { type TestServers, userOf } from '../support/device.ts';
import { threePages } from './three-pages.ts';

export type Protocol = 'syncto' | 'sync15';

/** What stands between a device and its servers; each member is left out where it does nothing. */
export interface Oddity {
  /** Answers a request instead of the servers, which `honest` asks. */
  answer?(request: Request, honest: () => Promise<Response>, house: House): Promise<Response>;
  /** What happens to the connection of a request. */
  link?(request: { readonly url: string; readonly method: string }): NetworkFault | null;
}

export interface House {
  readonly protocol: Protocol;
  readonly agent: Agent;
  readonly second: SecondDevice;
  /** The account's data on the server. */
  readonly user: User;
  /** Passes that are over, oldest first. */
  readonly passes: PassReport[];
  /** Requests that the device has made. */
  requests: number;
  oddity: Oddity;
  nowMs(): number;
  /** Lets time pass. */
  pass(durationMs: number): Promise<void>;
  /** Lets time pass until the work is done. */
  during<T>(work: Promise<T>): Promise<T>;
  /** The power goes and comes back. */
  reboot(): Promise<void>;
}

const LINK = { bytesPerSecond: 100_000, roundTripMs: 100, connectMs: 100 };
const HOUR_MS = 3_600_000;
const ASKING_MS = 20;

/** A device that has never synced; its user is signed in. */
export async function openHouse(protocol: Protocol): Promise<House> {
  const clock = virtualClock();
  const nowMs = (): number => EPOCH_MS + Math.floor(clock.nowNs() / NS_PER_MS);
  const servers = serversOf(nowMs);
  const { world } = servers;
  const [user] = world.store.users.values();
  if (user === undefined) throw new Error('the account has no store');
  const storage = new MemoryStorage();
  const deviceKey = async (): Promise<Uint8Array> => new Uint8Array(32).fill(7);
  const identity: Identity = Object.assign(userOf(servers), { deviceKey });
  let device: BridgedDevice;
  let agent: Agent;

  const network = oddNetwork(clock, servers, () => house);

  const boot = async (): Promise<void> => {
    device = bridgedDevice({
      clock,
      byHand: true,
      closeStream: (stream) => network.close(stream),
      operations: () =>
        new Map([
          ...storageOperations(clock, storage),
          ...identityOperations(clock, identity, ASKING_MS),
          ...networkOperations(network),
        ]),
      onEvent(json) {
        const event = JSON.parse(json);
        if (event.kind === 'pass') house.passes.push(event.report);
      },
    });
    agent = createAgent(device.platform, configOf(protocol, world.urls), contents);
    await house.during(agent.start());
  };

  const house: House = {
    protocol,
    get agent() {
      return agent;
    },
    second: secondDevice(servers),
    user,
    passes: [],
    requests: 0,
    oddity: {},
    nowMs,
    async pass(durationMs) {
      await passUntil(device, (over) => clock.at(clock.nowNs() + durationMs * NS_PER_MS, over));
    },
    async during(work) {
      const isOver = await passUntil(device, (over) => void work.then(over, over));
      if (!isOver) throw new Error('nothing happens any more');
      return work;
    },
    async reboot() {
      network.reset();
      clock.clear();
      await boot();
    },
  };
  await boot();
  return house;
}

function serversOf(nowMs: () => number): TestServers {
  const random = createRandom(1);
  const world = createServers({
    account: threePages(),
    nowMs,
    random: (count) => random.bytes(count),
  });
  return {
    world,
    get nowMs() {
      return nowMs();
    },
  };
}

/** The way to the servers, with the house's oddity on it. */
function oddNetwork(clock: DeviceClock, servers: TestServers, houseOf: () => House): DeviceNetwork {
  return createNetwork({
    clock,
    link: LINK,
    connection: () => 'wifi',
    async fetch(request) {
      const house = houseOf();
      house.requests++;
      const honest = async (): Promise<Response> => {
        const answer = await servers.world.fetch(request);
        answer.headers.set('Date', new Date(house.nowMs()).toUTCString());
        return answer;
      };
      return house.oddity.answer?.(request, honest, house) ?? honest();
    },
    fault: (_, request) => houseOf().oddity.link?.(request) ?? null,
  });
}

/** Lets time pass until what is waited for is over; false: nothing happens any more before. */
async function passUntil(
  device: BridgedDevice,
  wait: (over: () => void) => void,
): Promise<boolean> {
  let isOver = false;
  wait(() => {
    isOver = true;
  });
  await device.passUntil(() => isOver);
  return isOver;
}

function configOf(protocol: Protocol, urls: { readonly token: string; readonly syncto: string }) {
  const audience = `${urls.token}/`;
  const serverUrl = protocol === 'syncto' ? urls.syncto : urls.token;
  return {
    profile: 'hostile',
    remote: { protocol, serverUrl, audience, auth: 'bearer' as const },
    collections: { history: { enabled: true, readOnly: false } },
    intervalMs: HOUR_MS,
    wifiOnly: false,
    historyRecordsMax: 1_000,
    recordCharsMax: 100_000,
  };
}
