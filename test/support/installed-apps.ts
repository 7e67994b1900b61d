// Devices of one user with web apps, on any service: each has an agent on a platform in memory and
// a clock of its own, which may be wrong.

import { type Agent, type Contents, createAgent, installedApps } from '../../agent/index.ts';
import { createRandom } from '../../emulator/device/random.ts';
import { type MemoryPlatform, memoryPlatform } from '../../platform/memory/platform.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import type { Body, Service } from './service.ts';

export interface AppsDevice {
  readonly agent: Agent;
  readonly platform: MemoryPlatform;
  readonly storage: MemoryStorage;
  /** Its clock is so far from the server's. */
  skewMs: number;
}

/** What devices need of a service. */
export type Serving = Pick<
  Service,
  'fetch' | 'clock' | 'collection' | 'contents' | 'identity' | 'config'
>;

/** Several devices and what is around them. */
export class AppsUser<S extends Serving = Service> {
  readonly service: S;
  readonly devices: AppsDevice[] = [];
  readonly #contents: Contents;

  /** Not `sealed`: what lies on the devices' storages can be read. */
  constructor(service: S, sealed = true) {
    this.service = service;
    const { collection: name } = service;
    this.#contents = { ...service.contents, collections: [{ ...installedApps, name, sealed }] };
  }

  /** A device that has had its first pass. */
  async device({ skewMs = 0, storage = new MemoryStorage() } = {}): Promise<AppsDevice> {
    const device = this.boot(skewMs, storage);
    this.devices.push(device);
    await device.agent.start();
    await device.agent.enable();
    return device;
  }

  /** A device that has not started. */
  boot(skewMs: number, storage: MemoryStorage): AppsDevice {
    const random = createRandom(this.devices.length + 1);
    const { service } = this;
    const platform = memoryPlatform({
      ...{ storage, identity: service.identity },
      // Nearly every HTTP server says what time it is.
      fetch: async (request) => {
        const response = await service.fetch(request);
        response.headers.set('Date', new Date(service.clock.nowMs).toUTCString());
        return response;
      },
      nowMs: service.clock.nowMs + skewMs,
      random: (count) => random.bytes(count),
    });
    const agent = createAgent(
      platform,
      {
        ...service.config,
        profile: 'apps',
        collections: { [service.collection]: { enabled: true, readOnly: false } },
        ...{ intervalMs: 3_600_000, spreadMs: 0, wifiOnly: false, historyRecordsMax: 1_000 },
        recordCharsMax: 400_000,
      },
      this.#contents,
    );
    return { agent, platform, storage, skewMs };
  }

  /** All clocks go on. */
  pass(ms: number): void {
    this.service.clock.nowMs += ms;
    for (const { platform, skewMs } of this.devices) {
      platform.time.set(this.service.clock.nowMs + skewMs);
    }
  }

  /** A pass of each, one after the other. */
  async sync(...devices: AppsDevice[]): Promise<void> {
    for (const { agent } of devices) {
      this.pass(60_000);
      const report = await agent.sync();
      if (!report.ok) throw new Error(`${report.error}: ${JSON.stringify(report)}`);
    }
  }

  put({ agent }: AppsDevice, id: string, members: Body): Promise<string> {
    return agent.put(this.service.collection, { id, ...members });
  }

  delete({ agent }: AppsDevice, id: string): Promise<void> {
    return agent.delete(this.service.collection, id);
  }

  get({ agent }: AppsDevice, id: string): Promise<Body | null> {
    return agent.get(this.service.collection, id);
  }

  async list({ agent }: AppsDevice, query: object = {}): Promise<Body[]> {
    return (await agent.list(this.service.collection, { limit: 100, ...query })).records;
  }
}
