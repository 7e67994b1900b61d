// Everything that one emulated run is made of: a clock, servers with an account, a network, a
// flash, a device. By default all of it lives in virtual time and one seed decides everything; with
// an outside server it runs in real time. Knows no order of events: scenario.ts does.

import { nodeDeviceCrypto } from '../platform/node/crypto.ts';
import { overKeptConnections } from '../platform/node/kept-connections.ts';
import { encryptedFetch } from '../platform/node/server-url.ts';
import type { Connection, Identity } from '../platform/ports.ts';
import { type DeviceClock, NS_PER_MS, realClock, virtualClock } from './device/clock.ts';
import { createDevice, type Device } from './device/device.ts';
import { Flash } from './device/flash.ts';
import type { Fault, FlashImage } from './device/flash-image.ts';
import { FlashStorage } from './device/flash-storage.ts';
import {
  createNetwork,
  type DeviceNetwork,
  type FetchHandler,
  type NetworkOptions,
} from './device/network.ts';
import { createRandom, type Random } from './device/random.ts';
import { createTrace, noTrace } from './device/trace.ts';
import type { Firmware } from './firmware.ts';
import type { DeviceDescription, Profile } from './profiles.ts';
import { type AccountClient, accountClient } from './servers/account-client.ts';
import { accountView } from './servers/account-view.ts';
import { companion } from './servers/companion.ts';
import type { SeedAccount } from './servers/store-file.ts';
import {
  createServers,
  INSIDE_URLS,
  type ServerUrls,
  type World,
  type WorldOptions,
} from './servers/world.ts';

export type Protocol = 'syncto' | 'sync15';

export interface SetupOptions {
  readonly profile: Profile;
  readonly firmware: Firmware;
  /** Its store is changed by the run. */
  readonly account: SeedAccount;
  /** `syncto` when left out. */
  readonly protocol?: Protocol;
  readonly auth: 'browserid' | 'bearer';
  readonly crypto: 'software' | 'device';
  readonly seed: number;
  /** The collections that are on; history and passwords when left out. */
  readonly collections?: readonly string[];
  /**
   * What the account's other devices see of it, the profile's when left out. Null: it is not among
   * them.
   */
  readonly description?: DeviceDescription | null;
  /** The system has no account manager: the firmware, built with `signIn`, signs its user in. */
  readonly signIn?: boolean;
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
  /** What goes wrong on the network. */
  readonly fault?: NetworkOptions['fault'];
  /** Overrides of the servers in this process. */
  readonly servers?: Pick<WorldOptions, 'intercept' | 'syncto' | 'sync15' | 'token' | 'accounts'>;
  /** What the device is connected by; `wifi` when left out. */
  readonly connection?: () => Connection;
  /** See `MachineOptions`; false when left out. */
  readonly keepDebug?: boolean;
  readonly refusing?: boolean;
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
  /** Null when the servers are outside. */
  readonly servers: World | null;
  /** The servers' time. */
  nowMs(): number;
  flash(): Flash;
  /** What the servers hold for the account now: of those outside, as another client reads it. */
  view(): Promise<SeedAccount>;
  /** The power went: the device is off, and its flash is what the cut has left. */
  losePower(fault?: Fault): void;
  /** The user, with a phone, allows the device in at the address that it shows. */
  approve(url: string): Promise<{ readonly code: string; readonly state: string }>;
}

const DEVICE_KEY_BYTES = 32;
const EMAIL = 'user@example.test';

export function createSetup(options: SetupOptions): Setup {
  const { profile, account } = options;
  const random = createRandom(options.seed);
  const time = timeOf(options);
  const { clock, nowMs } = time;
  const { servers, urls, fetch } = serversOf(options, nowMs, random.fork('servers'));
  const connection = options.connection ?? (() => 'wifi' as const);
  const link = profile.network;
  const network = createNetwork({ clock, link, fetch, connection, fault: options.fault });
  let flash = new Flash({
    profile: profile.flash,
    charge: (durationUs) => clock.spend(durationUs * 1000),
    ...(options.image === undefined ? {} : { image: options.image }),
  });
  let bootCount = 0;
  const cuts = random.fork('power cuts');
  const deviceKey = options.deviceKey ?? random.fork('device key').bytes(DEVICE_KEY_BYTES);
  const client = clientOf(account, urls, fetch, nowMs);
  const device = createDevice({
    profile,
    firmware: options.firmware,
    clock,
    network,
    identity: identityOf(client, deviceKey),
    crypto: options.crypto === 'device' ? nodeDeviceCrypto() : null,
    random: random.fork('device'),
    config: agentConfig(options, urls),
    epochMs: time.epochMs,
    connection,
    trace: options.trace === undefined ? noTrace : createTrace(clock, options.trace),
    keepDebug: options.keepDebug ?? false,
    refusing: options.refusing ?? false,
    onEvent: options.onEvent ?? (() => {}),
    onStep: options.onStep ?? (() => {}),
    openStorage: () =>
      FlashStorage.open({
        flash,
        quotaBytes: profile.flash.quotaBytes,
        heapBytesMax: profile.storageHeapBytes,
        random: random.fork(`storage ${++bootCount}`),
        nowMs,
      }),
  });
  return {
    device,
    clock,
    network,
    servers,
    nowMs,
    flash: () => flash,
    view: async () =>
      servers === null
        ? accountView(fetch, urls.token, clientOf(account, urls, fetch, nowMs))
        : account,
    approve: (url) => companion(fetch, url, { email: EMAIL, kB: account.kB }),
    losePower(fault = 'torn') {
      device.powerOff();
      flash = flash.reboot(cuts, fault);
    },
  };
}

interface Time {
  readonly clock: DeviceClock;
  /** What the servers' clocks said when the run began. */
  readonly epochMs: number;
  nowMs(): number;
}

/** Virtual, a minute after the account's newest write; real with an outside server. */
function timeOf({ serverUrl = null, account }: SetupOptions): Time {
  const clock = serverUrl === null ? virtualClock() : realClock();
  const epochMs = serverUrl === null ? afterLastWrite(account) : Date.now();
  return { clock, epochMs, nowMs: () => epochMs + Math.floor(clock.nowNs() / NS_PER_MS) };
}

interface Servers {
  /** Null when they are outside. */
  readonly servers: World | null;
  readonly urls: ServerUrls;
  readonly fetch: FetchHandler;
}

function serversOf(options: SetupOptions, nowMs: () => number, random: Random): Servers {
  const { account, serverUrl = null, allowHttp = false } = options;
  if (serverUrl !== null)
    return { servers: null, urls: outsideUrls(serverUrl), fetch: outsideFetch(allowHttp) };
  const own = { account, nowMs, random: bytesOf(random) };
  const servers = createServers({ ...options.servers, ...own });
  return { servers, urls: INSIDE_URLS, fetch: dated(servers.fetch, nowMs) };
}

/** The device's account manager, signed in; its own traffic is not the agent's and not counted. */
function identityOf(client: AccountClient, deviceKey: Uint8Array): Identity {
  return {
    account: () => client.account(),
    assertion: (audience, fresh) => client.assertion(audience, fresh),
    accessToken: (fresh) => client.accessToken(fresh),
    syncKey: () => client.syncKey(),
    deviceKey: async () => deviceKey,
  };
}

function clientOf(
  { kB }: SeedAccount,
  urls: ServerUrls,
  fetch: FetchHandler,
  nowMs: () => number,
): AccountClient {
  const credentials = { email: EMAIL, kB };
  return accountClient({ fetch, baseUrl: urls.accounts, credentials, nowMs });
}

/** JSON of the agent's configuration: BRIDGE.md, `config`. */
function agentConfig(options: SetupOptions, urls: ServerUrls): string {
  const { profile, protocol = 'syncto', auth, crypto } = options;
  const { collections = ['history', 'passwords'], description = profile.device } = options;
  const on = { enabled: true, readOnly: false };
  return JSON.stringify({
    profile: profile.name,
    crypto,
    device: description ?? undefined,
    signIn: options.signIn ? signInConfig(urls) : undefined,
    remote: {
      protocol,
      serverUrl: protocol === 'syncto' ? urls.syncto : urls.token,
      audience: `${new URL(urls.token).origin}/`,
      auth,
    },
    collections: Object.fromEntries(collections.map((name) => [name, on])),
    ...profile.agent,
  });
}

/** The embedded accounts server knows every client: it is a user's own. */
function signInConfig({ accounts }: ServerUrls): object {
  return { accountsUrl: accounts, clientId: 'kitsync', redirectUrl: `${accounts}/oauth/success` };
}

/** A minute after the newest write, so that the servers' clock never runs behind their records. */
function afterLastWrite(account: SeedAccount): number {
  const stamps = [...account.store.users.values()].map((user) => user.modifiedMs);
  return Math.max(0, ...stamps) + 60_000;
}

function outsideUrls(origin: string): ServerUrls {
  return {
    accounts: `${origin}/accounts`,
    token: `${origin}/token`,
    sync15: `${origin}/sync15`,
    syncto: `${origin}/syncto`,
  };
}

function outsideFetch(allowHttp: boolean): FetchHandler {
  const ask: FetchHandler = overKeptConnections((request) => globalThis.fetch(request));
  return allowHttp ? ask : encryptedFetch(ask);
}

/** Answers with the time on them, as every HTTP server puts it there (RFC 9110, 6.6.1). */
function dated(fetch: FetchHandler, nowMs: () => number): FetchHandler {
  return async (request) => {
    const response = await fetch(request);
    response.headers.set('Date', new Date(nowMs()).toUTCString());
    return response;
  };
}

function bytesOf(random: Random): (count: number) => Uint8Array {
  return (count) => random.bytes(count);
}
