// Devices of one user whose systems have apps: each has an agent on a platform in memory, a system
// in memory, and a clock of its own, which may be wrong. A reboot finds what a power cut has left.

import {
  type Agent,
  type Contents,
  createAgent,
  installed,
  installedApps,
} from '../../agent/index.ts';
import { createRandom } from '../../emulator/device/random.ts';
import { MemoryApps } from '../../platform/memory/apps.ts';
import { type MemoryPlatform, memoryPlatform } from '../../platform/memory/platform.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import type { Platform, SystemApp } from '../../platform/ports.ts';
import type { Body, Service } from './service.ts';

export interface AppsDevice {
  readonly agent: Agent;
  readonly platform: MemoryPlatform;
  readonly storage: MemoryStorage;
  readonly system: MemoryApps;
}

interface Booting {
  readonly storage?: MemoryStorage;
  readonly system?: MemoryApps;
  /** The system has no apps. */
  readonly isBare?: boolean;
  readonly nowMs?: number;
  /** Of its random numbers: no two devices have the same. */
  readonly seed?: number;
}

/** What a device needs of a service. */
export type Reached = Pick<
  Service,
  'fetch' | 'clock' | 'collection' | 'contents' | 'identity' | 'config'
>;

/** Boots a device; `agent.start()` and `enable()` are up to the caller. */
export function bootApps(service: Reached, booting: Booting = {}): AppsDevice {
  const { storage = new MemoryStorage(), system = new MemoryApps(), isBare = false } = booting;
  const random = createRandom(booting.seed ?? 7);
  const { collection: name } = service;
  const platform = memoryPlatform({
    ...{ storage, identity: service.identity },
    fetch: async (request) => {
      const response = await service.fetch(request);
      response.headers.set('Date', new Date(service.clock.nowMs).toUTCString());
      return response;
    },
    nowMs: booting.nowMs ?? service.clock.nowMs,
    random: (count) => random.bytes(count),
  });
  const device: Platform = isBare ? platform : { ...platform, apps: system };
  const contents: Contents = {
    ...service.contents,
    collections: [{ ...installedApps, name }],
    installed: (given) => installed(given, name),
  };
  const agent = createAgent(
    device,
    {
      ...service.config,
      profile: 'apps',
      collections: { [name]: { enabled: true, readOnly: false } },
      ...{ intervalMs: 3_600_000, spreadMs: 0, wifiOnly: false, historyRecordsMax: 1_000 },
      recordCharsMax: 400_000,
    },
    contents,
  );
  return { agent, platform, storage, system };
}

/** A device that has had its first pass, and all that follows it. */
export async function newAppsDevice(service: Service, booting: Booting = {}): Promise<AppsDevice> {
  const device = bootApps(service, booting);
  await device.agent.start();
  await device.agent.enable();
  await device.agent.appsSettled?.();
  return device;
}

/** The same device after its power was cut, or after it was switched off and on. */
export async function rebooted(service: Service, { storage, system }: AppsDevice) {
  const device = bootApps(service, { storage: storage.fork(), system: system.fork() });
  await device.agent.start();
  await device.agent.appsSettled?.();
  return device;
}

/** A pass of each, one after the other, and what follows it. */
export async function syncApps(service: Service, ...devices: AppsDevice[]): Promise<void> {
  for (const { agent, platform } of devices) {
    service.clock.nowMs += 60_000;
    platform.time.set(platform.time.nowMs() + 60_000);
    const report = await agent.sync();
    if (!report.ok) throw new Error(JSON.stringify(report));
    await agent.appsSettled?.();
  }
}

export function systemApp(name: string, more: Partial<SystemApp> = {}): SystemApp {
  const manifest_url = `https://${name}.example/manifest.webapp`;
  return { manifest: { name }, manifest_url, install_time: 1_316_550_000, ...more };
}

export async function listed(
  { agent }: AppsDevice,
  { collection }: Service,
  query: object = {},
): Promise<Body[]> {
  return (await agent.list(collection, { limit: 100, ...query })).records;
}

/** Two devices of one user, which have had their first pass. */
interface Pair {
  readonly service: Service;
  readonly one: AppsDevice;
  readonly other: AppsDevice;
  sync(...devices: AppsDevice[]): Promise<void>;
}

export async function pair(start: () => Service): Promise<Pair> {
  const service = start();
  const one = await newAppsDevice(service);
  const other = await newAppsDevice(service);
  return { service, one, other, sync: (...devices) => syncApps(service, ...devices) };
}

/** The user installs or removes something on a system; the agent has heard of it then. */
export async function person(
  device: AppsDevice,
  ...what: Parameters<MemoryApps['person']>
): Promise<void> {
  device.system.person(...what);
  await device.agent.appsSettled?.();
}

/** The apps that a device lists, by name. */
export async function namesOf(
  device: AppsDevice,
  service: Service,
  purpose?: string,
): Promise<unknown[]> {
  const records = await listed(device, service, purpose === undefined ? {} : { purpose });
  return records.map(({ guid }) => guid);
}

/** Those that its system has. */
export function originsOf({ system }: AppsDevice): string[] {
  return [...system.snapshot().keys()];
}
