// A service with a wire, and devices on it, for the contract of remotes: agents on platforms in
// memory, and another client of the same user.

import { expect } from 'vitest';
import { type Agent, createAgent, type PassReport } from '../../agent/index.ts';
import { createRandom } from '../../emulator/device/random.ts';
import { type MemoryPlatform, memoryPlatform } from '../../platform/memory/platform.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { nodeDeviceCrypto } from '../../platform/node/crypto.ts';
import { type Wire, wireTo } from '../support/made-up/server.ts';
import type { Body, Service } from '../support/service.ts';

/** A new service each time, which is the same. */
export type Start = () => Bench;

export const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** Passes after which everything that a test has broken is mended. */
const PASSES_MAX = 6;
interface Device {
  readonly agent: Agent;
  readonly platform: MemoryPlatform;
  readonly storage: MemoryStorage;
}

/** A service with a wire, and devices on it. */
export class Bench {
  readonly service: Service;
  readonly wire: Wire;
  /** Bodies of all requests. */
  readonly sent: string[] = [];
  /** No answer says what time it is. */
  isTimeless = false;

  constructor(start: () => Service) {
    this.service = start();
    // Nearly every HTTP server says what time it is.
    this.wire = wireTo(async (request) => {
      const response = await this.service.fetch(request);
      response.headers.set('Date', new Date(this.service.clock.nowMs).toUTCString());
      for (const name of this.isTimeless ? this.service.timeHeaders : []) {
        response.headers.delete(name);
      }
      return response;
    });
  }

  /** Boots a device; `seed`: another one has other random numbers. Errors: those of its start. */
  async boot(storage = new MemoryStorage(), seed = 2): Promise<Device> {
    const device = this.create(storage, seed);
    await device.agent.start();
    return device;
  }

  /** A device that has not started yet. */
  create(storage: MemoryStorage, seed = 2): Device {
    const { service, wire } = this;
    const random = createRandom(seed);
    const platform = memoryPlatform({
      storage,
      fetch: async (request) => {
        this.#tick(platform);
        this.sent.push(`${request.url} ${await request.clone().text()}`);
        return wire.fetch(request).finally(() => this.#tick(platform));
      },
      identity: service.identity,
      nowMs: service.clock.nowMs,
      random: (count) => random.bytes(count),
      crypto: nodeDeviceCrypto(),
    });
    const config = {
      ...service.config,
      profile: 'test',
      collections: { [service.collection]: { enabled: true, readOnly: false } },
      intervalMs: 60 * MINUTE_MS,
      wifiOnly: false,
      historyRecordsMax: 1_000,
      recordCharsMax: 400_000,
    };
    return { agent: createAgent(platform, config, service.contents), platform, storage };
  }

  /** A device that has synced, with `count` records of another client. */
  async synced(count: number): Promise<Device> {
    for (let n = 0; n < count; n++)
      await this.service.put(this.service.id(n), { text: `theirs ${n}` });
    const device = await this.boot();
    expect(await device.agent.enable()).toMatchObject({ ok: true, error: null });
    this.advance(MINUTE_MS, device);
    this.wire.asked.length = 0;
    return device;
  }

  advance(byMs: number, ...devices: readonly Device[]): void {
    this.service.clock.nowMs += byMs;
    for (const { platform } of devices) platform.time.set(platform.time.nowMs() + byMs);
  }

  put({ agent, platform }: Device, n: number, body: Body): Promise<string> {
    this.#tick(platform);
    return agent.put(this.service.collection, { ...body, id: this.service.id(n) });
  }

  delete({ agent, platform }: Device, n: number): Promise<void> {
    this.#tick(platform);
    return agent.delete(this.service.collection, this.service.id(n));
  }

  /** A device's clock goes as the server's does. */
  #tick({ time }: MemoryPlatform): void {
    const { clock, isTicking = false } = this.service;
    if (isTicking) time.set(clock.nowMs);
  }

  /** All that apps see, by id. */
  async held({ agent }: Device): Promise<Map<string, Body>> {
    const held = new Map<string, Body>();
    let after: string | null = null;
    do {
      const page = await agent.list(this.service.collection, { limit: 100, after });
      for (const { id, guid: _, ...body } of page.records) {
        expect(held.has(`${id}`), `${id} is listed twice`).toBe(false);
        held.set(`${id}`, body);
      }
      after = page.next;
    } while (after !== null);
    return held;
  }

  statusOf({ agent }: Device) {
    const status = agent.status().collections[this.service.collection];
    if (status === undefined) throw new TypeError('the collection has no status');
    return status;
  }

  /** What another client sees, by the numbers of the records. */
  async live(): Promise<Record<string, Body>> {
    return Object.fromEntries(await this.service.live());
  }

  /** Device and service hold the same, and nothing is left to be done. */
  async agreed(device: Device): Promise<void> {
    expect(Object.fromEntries(await this.held(device))).toEqual(await this.live());
    expect(this.statusOf(device)).toMatchObject({ pending: 0, quarantined: 0 });
  }

  /** Passes until one is good; time goes on between them, so that every wait is over. */
  async recovered(device: Device): Promise<PassReport> {
    const { agent } = device;
    for (let n = 0; n < PASSES_MAX; n++) {
      this.advance(2 * DAY_MS, device);
      const report = await (agent.status().state === 'disabled' ? agent.enable() : agent.sync());
      if (report.ok) return report;
    }
    return expect.fail(`after ${PASSES_MAX} passes: ${JSON.stringify(agent.status().error)}`);
  }

  /** Both sides have made, changed and deleted records; no pass has seen it yet. */
  async story(storage = new MemoryStorage()): Promise<Device> {
    const { service } = this;
    for (let n = 0; n < 5; n++) await service.put(service.id(n), { text: `theirs ${n}` });
    const device = await this.boot(storage);
    expect(await device.agent.enable()).toMatchObject({ ok: true });
    this.advance(MINUTE_MS, device);
    await this.put(device, 0, { text: 'ours 0' });
    await this.delete(device, 1);
    await this.put(device, 5, { text: 'ours 5' });
    await service.put(service.id(2), { text: 'theirs again 2' });
    await service.delete(service.id(3));
    await service.put(service.id(6), { text: 'theirs 6' });
    this.advance(MINUTE_MS, device);
    this.wire.asked.length = 0;
    return device;
  }

  /** What the story must end with on both sides, with no change written twice. */
  async toldToTheEnd(device: Device, where: string): Promise<void> {
    const { id } = this.service;
    expect(await this.live(), where).toEqual({
      [id(0)]: { text: 'ours 0' },
      [id(2)]: { text: 'theirs again 2' },
      [id(4)]: { text: 'theirs 4' },
      [id(5)]: { text: 'ours 5' },
      [id(6)]: { text: 'theirs 6' },
    });
    await this.agreed(device);
    const writes = [];
    for (let n = 0; n < 7; n++) writes.push(await this.service.writes(id(n)));
    expect(writes, `${where}: writes of each record`).toEqual([2, 2, 2, 2, 1, 1, 1]);
  }
}
