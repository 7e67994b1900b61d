// Three devices with wrong clocks install, change, remove and hide web apps while they are away,
// answers get lost and the power goes: in the end all have the same document, no receipt is lost,
// and nothing was installed twice.

import { expect, test } from 'vitest';
import { createRandom } from '../../../emulator/device/random.ts';
import { MINUTE_MS } from '../../contract/bench.ts';
import { APPS, House, type Resident } from '../../support/owa/house.ts';
import { systemApp } from '../../support/system-apps.ts';
import { every, isWhole } from '../share.ts';
import { Model } from './model.ts';

const SEEDS = 1_000;
const STEPS = 24;
const NAMES = ['a', 'b', 'c', 'd'];
const DEVICES = 3;
const DAY_MS = 24 * 60 * MINUTE_MS;
const CLOCK_MS_MAX = Date.UTC(2041, 0);
/** Members and rows of what is local, which are in no document. */
const LOCAL = /"(sync|promoted|hidden|here|state)"/;

test('all end with the same apps', { timeout: 3_600_000 }, async () => {
  const sum = { edits: 0, deletions: 0, losses: 0, cuts: 0, installs: 0 };
  for (let seed = 0; seed < SEEDS; seed += every(125, 4)) {
    const told = await new Story(seed).run();
    for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += told[name];
  }
  console.log(JSON.stringify(sum));
  // A few stories say only that each kind of trouble happens at all.
  expect(Math.min(...Object.values(sum))).toBeGreaterThan(isWhole ? 100 : 0);
});

class Story {
  readonly #house: House;
  readonly #model = new Model();
  readonly #random: ReturnType<typeof createRandom>;
  readonly #seed: number;
  readonly #told = { edits: 0, deletions: 0, cuts: 0 };
  /** What is hidden, by device and origin, as it was said last. */
  readonly #hidden = new Map<string, boolean>();
  #devices: Resident[] = [];

  constructor(seed: number) {
    this.#seed = seed;
    this.#house = new House(seed);
    this.#random = createRandom(seed, 'owa devices');
  }

  #below(bound: number): number {
    return this.#random.uint32() % bound;
  }

  async run() {
    const house = this.#house;
    for (let number = 0; number < DEVICES; number++) {
      const clockMs = number === 0 ? this.#below(DAY_MS) : this.#random.uint32() * 512;
      this.#devices.push(await house.moveIn(number, clockMs % CLOCK_MS_MAX));
    }
    for (let step = 0; step < STEPS; step++) await this.#step(step);
    await this.#meet();
    const installs = this.#devices.reduce((sum, one) => sum + one.installs.length, 0);
    return { ...this.#told, losses: house.losses, installs };
  }

  async #step(step: number): Promise<void> {
    const house = this.#house;
    const at = this.#below(DEVICES);
    const device = this.#devices[at] as Resident;
    house.pass(MINUTE_MS * (1 + this.#below(3_000)), this.#devices);
    const action = this.#below(20);
    if (action < 8) await this.#says(device, step);
    else if (action === 8) await this.#hides(device);
    else if (action === 9) this.#devices[at] = await house.reboot(device);
    else if (action < 13) await house.sync(device);
    else if (action < 16) {
      house.losesIn = 1 + this.#below(4);
      await house.sync(device);
      house.losesIn = 0;
    } else {
      const cut = {
        of: this.#below(3) > 0 ? 'storage' : 'system',
        at: 1 + this.#below(6),
        when: this.#below(2) === 0 ? 'before' : 'after',
      } as const;
      const [next, isCut] = await house.cut(device, cut);
      this.#devices[at] = next;
      if (isCut) this.#told.cuts++;
    }
  }

  /** The device's user installs, changes or removes an app. */
  async #says(device: Resident, step: number): Promise<void> {
    const origin = this.#origin();
    const { system, agent } = device;
    const isDeletion = system.snapshot().has(origin) && this.#below(3) === 0;
    const version = isDeletion ? null : `v-${this.#seed}-${step}`;
    const app = systemApp('x', {
      manifest: { name: 'x', version },
      install_data: { receipt: `${version}` },
    });
    system.person(origin, isDeletion ? null : app);
    await agent.appsSettled?.();
    this.#model.says(origin, version, this.#house.nowMs);
    this.#told[isDeletion ? 'deletions' : 'edits']++;
  }

  #origin(): string {
    return `https://${NAMES[this.#below(NAMES.length)]}.example`;
  }

  async #hides({ agent, system, number }: Resident): Promise<void> {
    const origin = this.#origin();
    if (!system.snapshot().has(origin)) return;
    const isHidden = this.#below(2) === 0;
    await agent.hide?.(origin, isHidden);
    this.#hidden.set(`${number} ${origin}`, isHidden);
  }

  /** All are at home until nothing is left to say. */
  async #meet(): Promise<void> {
    const house = this.#house;
    const where = `seed ${this.#seed}`;
    for (let round = 0; round < 3; round++) {
      for (const device of this.#devices) {
        house.pass(2 * DAY_MS, this.#devices);
        const report = await house.sync(device);
        expect(report.error, where).toBeNull();
      }
    }
    const document = await house.document();
    this.#isAsTold(document, where);
    for (const device of this.#devices) {
      const who = `${where}, device ${device.number}`;
      expect(await house.generated(device), who).toEqual(document);
      await this.#hasItAll(device, document, who);
    }
    expect(house.sent.filter((body) => LOCAL.test(body))).toEqual([]);
  }

  /** The document says what was really said last. */
  #isAsTold(document: Record<string, unknown>, where: string): void {
    const ends = this.#model.ends();
    expect(Object.keys(document).sort(), where).toEqual([...ends.keys()].sort());
    for (const [origin, end] of ends) {
      const entry = document[origin] as Entry;
      const what = `${where}: ${origin}`;
      expect(entry.deleted === true ? null : entry.manifest?.version, what).toBe(end.version);
      if (end.version === null) continue;
      const receipts = receiptsOf(entry);
      expect(end.allowed, what).toEqual(expect.arrayContaining(receipts));
      expect(receipts, what).toEqual(expect.arrayContaining([...end.receipts]));
      expect(new Set(receipts).size, what).toBe(receipts.length);
    }
  }

  /** The system has what the document says, and was given nothing twice. */
  async #hasItAll(device: Resident, document: Record<string, unknown>, who: string) {
    const { system, installs, agent, number } = device;
    const live = Object.entries(document).flatMap(([origin, value]) => {
      const { deleted, manifest, install_data } = value as Entry;
      return deleted === true ? [] : [[origin, { manifest, install_data }] as const];
    });
    const there = [...system.snapshot()].map(([origin, { manifest, install_data }]) => {
      return [origin, { manifest, install_data }] as const;
    });
    expect(new Map(there), who).toEqual(new Map(live));
    expect(new Set(installs).size, `${who} has installed an app twice`).toBe(installs.length);
    expect(system.again, who).toEqual([]);
    const ends = this.#model.ends();
    const shown = await agent.list(APPS, { purpose: 'hidden', limit: 100 });
    const hidden = new Set(shown.records.map(({ guid }) => guid));
    for (const [origin] of live) {
      if (ends.get(origin)?.wasDeleted) continue;
      const wanted = this.#hidden.get(`${number} ${origin}`) ?? false;
      expect(hidden.has(origin), `${who}: ${origin} is hidden`).toBe(wanted);
    }
  }
}

interface Entry {
  readonly deleted?: boolean;
  readonly manifest?: { readonly version?: string };
  readonly install_data?: { readonly receipt?: string; readonly receipts?: readonly string[] };
}

function receiptsOf({ install_data: data }: Entry): string[] {
  return data?.receipts === undefined ? [`${data?.receipt}`] : [...data.receipts];
}
