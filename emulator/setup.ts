// Everything that one emulated run is made of: a clock, servers with an account, a network, a
// flash, a device. By default all of it lives in virtual time and one seed decides everything; with
// an outside server it runs in real time. Knows no order of events: scenario.ts does.

import { nodeDeviceCrypto } from '../platform/node/crypto.ts';
import type { Connection } from '../platform/ports.ts';
import { type DeviceClock, NS_PER_MS, realClock, virtualClock } from './device/clock.ts';
import { createDevice, type Device } from './device/device.ts';
import { Flash } from './device/flash.ts';
import type { Fault, FlashImage } from './device/flash-image.ts';
import { FlashStorage } from './device/flash-storage.ts';
import type { MachineOptions } from './device/machine.ts';
import {
  createNetwork,
  type DeviceNetwork,
  type FetchHandler,
  type NetworkOptions,
} from './device/network.ts';
import { createRandom, type Random } from './device/random.ts';
import { openSystemApps, type SystemApps } from './device/system-apps.ts';
import { createTrace, noTrace } from './device/trace.ts';
import type { Firmware } from './firmware.ts';
import { APPS } from './owa-side.ts';
import type { DeviceDescription, Profile } from './profiles.ts';
import {
  type Auth,
  createRemote,
  FIRST,
  type Protocol,
  type Remote,
  type RemoteOptions,
} from './remote.ts';
import type { KintoDump } from './servers/kinto/store.ts';
import type { SeedAccount } from './servers/store-file.ts';
import type { World, WorldOptions } from './servers/world.ts';

export interface SetupOptions {
  readonly profile: Profile;
  readonly firmware: Firmware;
  /** Its store is changed by the run. */
  readonly account: SeedAccount;
  /** `syncto` when left out. */
  readonly protocol?: Protocol;
  readonly auth: Auth;
  readonly crypto: 'software' | 'device';
  readonly seed: number;
  /** The collections that are on; history and passwords when left out. */
  readonly collections?: readonly string[];
  /** What reports call this remote, the device's first; `first` when left out. */
  readonly name?: string;
  /** The device's other remotes; none when left out. */
  readonly others?: readonly RemoteOptions[];
  /**
   * What the account's other devices see of it, the profile's when left out. Null: it is not among
   * them.
   */
  readonly description?: DeviceDescription | null;
  /**
   * The system has no account manager: the firmware, built with `signIn`, signs its user in at each
   * remote; to a Kinto with `recoverySignIn`.
   */
  readonly signIn?: boolean;
  /** What a Kinto of the first remote has, in the place of the account. */
  readonly kept?: KintoDump;
  /** A PiCL storage of the first remote has ended the history of what the account had. */
  readonly isCompacted?: boolean;
  /** See `RemoteOptions`; of the first remote. */
  readonly documents?: RemoteOptions['documents'];
  /** The servers' time when the run begins; left out: after the accounts' last write. */
  readonly beginsMs?: number;
  /**
   * Origin of servers outside of this process, laid out as `kitsync serve` does; real time then.
   */
  readonly serverUrl?: string | null;
  /** Those on other machines may be asked without encryption; false when left out. */
  readonly allowHttp?: boolean;
  /** What is on the flash from the beginning; nothing when left out. */
  readonly image?: FlashImage;
  /** 32 bytes, under which the image's data is sealed; from the seed when left out. */
  readonly deviceKey?: Uint8Array;
  /**
   * The system has apps of its own, on a flash of theirs; when left out, where they are synced.
   */
  readonly withSystemApps?: boolean;
  /** What is on that flash from the beginning; nothing when left out. */
  readonly systemImage?: FlashImage;
  /** What goes wrong on the network. */
  readonly fault?: NetworkOptions['fault'];
  /** Overrides of the servers in this process. */
  readonly servers?: Pick<WorldOptions, 'intercept' | 'syncto' | 'sync15' | 'token' | 'accounts'>;
  /** What the device is connected by; `wifi` when left out. */
  readonly connection?: () => Connection;
  /** See `MachineOptions`; false when left out. */
  readonly keepDebug?: boolean;
  readonly refusing?: boolean;
  readonly isWithoutParts?: boolean;
  readonly failPart?: MachineOptions['failPart'];
  /** Receives the trace, a line at a time. */
  readonly trace?: (line: string) => void;
  /** JSON of every event of the agent. */
  readonly onEvent?: (json: string) => void;
  /** Called after every event that the device worked off. */
  readonly onStep?: () => void;
}

export interface Setup {
  readonly device: Device;
  readonly clock: DeviceClock;
  readonly network: DeviceNetwork;
  /** Its first remote, then the others. */
  readonly remotes: readonly [Remote, ...Remote[]];
  /** Those of the first remote; null when they are outside. */
  readonly servers: World | null;
  /** The servers' time. */
  nowMs(): number;
  flash(): Flash;
  readonly system: System;
  /** The power went: the device is off, and its flash is what the cut has left. */
  losePower(fault?: Fault): void;
}

/** The system's own apps. */
interface System {
  /** Since the last boot. Throws where there was none, or the system has none. */
  apps(): SystemApps;
  /** What they lie on. */
  flash(): Flash;
}

const DEVICE_KEY_BYTES = 32;

export function createSetup(options: SetupOptions): Setup {
  const { profile } = options;
  const random = createRandom(options.seed);
  const time = timeOf(options);
  const { clock, nowMs } = time;
  const remotes = remotesOf(options, random, nowMs);
  const connection = options.connection ?? (() => 'wifi' as const);
  const link = profile.network;
  const fetch = fetchOf(remotes);
  const network = createNetwork({ clock, link, fetch, connection, fault: options.fault });
  const charge = (durationUs: number): void => clock.spend(durationUs * 1000);
  let flash = flashOf(options, charge, options.image);
  let bootCount = 0;
  const open = (on: Flash, sequence: string): Promise<FlashStorage> =>
    FlashStorage.open({
      flash: on,
      quotaBytes: profile.flash.quotaBytes,
      heapBytesMax: profile.storageHeapBytes,
      random: random.fork(sequence),
      nowMs,
    });
  const { systemImage } = options;
  const systemFlash = {
    profile: profile.flash,
    charge,
    ...(systemImage && { image: systemImage }),
  };
  const system = systemOn(new Flash(systemFlash), (on) => open(on, `system ${bootCount}`));
  const cuts = random.fork('power cuts');
  const deviceKey = options.deviceKey ?? random.fork('device key').bytes(DEVICE_KEY_BYTES);
  const [first, ...others] = remotes;
  const identities = new Map(
    others.map((remote) => [remote.address, remote.identity(deviceKey)] as const),
  );
  const device = createDevice({
    profile,
    firmware: options.firmware,
    clock,
    network,
    identity: first.identity(deviceKey),
    identityOf: (name) => identities.get(name),
    crypto: options.crypto === 'device' ? nodeDeviceCrypto() : null,
    random: random.fork('device'),
    config: agentConfig(options, remotes),
    epochMs: time.epochMs,
    connection,
    trace: options.trace === undefined ? noTrace : createTrace(clock, options.trace),
    keepDebug: options.keepDebug ?? false,
    refusing: options.refusing ?? false,
    isWithoutParts: options.isWithoutParts ?? false,
    ...(options.failPart && { failPart: options.failPart }),
    onEvent: options.onEvent ?? (() => {}),
    onStep: options.onStep ?? (() => {}),
    openStorage: () => open(flash, `storage ${++bootCount}`),
    ...(hasApps(options, remotes) && { apps: system.boot }),
  });
  return {
    ...{ device, clock, network, remotes, nowMs },
    servers: first.servers,
    flash: () => flash,
    system,
    losePower(fault = 'torn') {
      device.powerOff();
      flash = flash.reboot(cuts, fault);
      system.losePower(cuts, fault);
    },
  };
}

function flashOf(
  { profile }: SetupOptions,
  charge: (durationUs: number) => void,
  image: FlashImage | undefined,
): Flash {
  return new Flash({ profile: profile.flash, charge, ...(image && { image }) });
}

function hasApps({ withSystemApps }: SetupOptions, remotes: readonly Remote[]): boolean {
  return withSystemApps ?? remotes.some(({ collections }) => collections.includes(APPS));
}

function systemOn(
  first: Flash,
  open: (flash: Flash) => Promise<FlashStorage>,
): System & { boot(): Promise<SystemApps>; losePower(random: Random, fault: Fault): void } {
  let flash = first;
  let apps: SystemApps | null = null;
  return {
    flash: () => flash,
    apps() {
      if (apps === null) throw new Error('the system has no apps');
      return apps;
    },
    async boot() {
      apps = openSystemApps(await open(flash));
      return apps;
    },
    losePower(random, fault) {
      flash = flash.reboot(random, fault);
    },
  };
}

interface Time {
  readonly clock: DeviceClock;
  /** What the servers' clocks said when the run began. */
  readonly epochMs: number;
  nowMs(): number;
}

/** Virtual, a minute after the accounts' newest write; real with an outside server. */
function timeOf({ serverUrl = null, account, others = [], beginsMs }: SetupOptions): Time {
  const accounts = [account, ...others.map((other) => other.account)];
  const clock = serverUrl === null ? virtualClock() : realClock();
  const insideMs = beginsMs ?? Math.max(...accounts.map(afterLastWrite));
  const epochMs = serverUrl === null ? insideMs : Date.now();
  return { clock, epochMs, nowMs: () => epochMs + Math.floor(clock.nowNs() / NS_PER_MS) };
}

const COLLECTIONS = ['history', 'passwords'];

function remotesOf(
  options: SetupOptions,
  random: Random,
  nowMs: () => number,
): [Remote, ...Remote[]] {
  const { account, name = FIRST, protocol = 'syncto', auth, serverUrl = null } = options;
  const { collections = COLLECTIONS, others = [], servers, allowHttp = false } = options;
  const create = (remote: RemoteOptions, address: string, sequence: string): Remote =>
    createRemote(remote, {
      ...{ address, allowHttp, nowMs },
      ...(servers === undefined ? {} : { servers }),
      random: random.fork(sequence),
    });
  const { kept, isCompacted = false, documents } = options;
  const first = {
    ...{ account, name, protocol, auth, serverUrl, collections, isCompacted },
    ...(kept && { kept }),
    ...(documents && { documents }),
  };
  return [
    create(first, FIRST, 'servers'),
    ...others.map((other) => create(other, other.name, `servers of ${other.name}`)),
  ];
}

/** What is nobody's, the first remote is asked for: its storage may be anywhere. */
function fetchOf(remotes: readonly [Remote, ...Remote[]]): FetchHandler {
  const [first] = remotes;
  return (request) => (remotes.find(({ owns }) => owns(request.url)) ?? first).fetch(request);
}

/** JSON of the agent's configuration: BRIDGE.md, `config`. */
function agentConfig(options: SetupOptions, remotes: readonly [Remote, ...Remote[]]): string {
  const { profile, crypto } = options;
  const { description = profile.device } = options;
  const [first, ...others] = remotes.map((remote) => ({
    address: remote.address,
    remote: remote.config,
    // Devices are listed where the protocol is Firefox Sync's.
    device:
      (remote.kinto ?? remote.picl ?? remote.owa) === null ? (description ?? undefined) : undefined,
    signIn: options.signIn ? signInConfig(remote) : undefined,
    collections: Object.fromEntries(remote.collections.map((name) => [name, ON])),
  }));
  return JSON.stringify({
    profile: profile.name,
    crypto,
    bodies: 'streamed',
    device: first?.device,
    signIn: first?.signIn,
    remote: first?.remote,
    collections: first?.collections,
    remotes:
      others.length === 0
        ? undefined
        : Object.fromEntries(others.map(({ address, ...named }) => [address, named])),
    ...profile.agent,
  });
}

const ON = { enabled: true, readOnly: false };

/** The embedded accounts server knows every client: it is a user's own. */
function signInConfig({ kinto, urls: { accounts } }: Remote): object {
  if (kinto !== null) return { accountsUrl: kinto.url };
  return { accountsUrl: accounts, clientId: 'kitsync', redirectUrl: `${accounts}/oauth/success` };
}

/** A minute after the newest write, so that the servers' clock never runs behind their records. */
function afterLastWrite(account: SeedAccount): number {
  const stamps = [...account.store.users.values()].map((user) => user.modifiedMs);
  return Math.max(0, ...stamps) + 60_000;
}
