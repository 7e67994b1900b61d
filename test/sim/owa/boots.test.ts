// Three devices whose clocks are set anew at each boot, to 1970 or to any time, beside a client of
// another make, on a server that is set back, forgets logins and wants to be left alone: in the end
// all have the same apps, nothing was installed twice, and no edit and no receipt is lost to one
// that knew nothing of it. `KITSYNC_SIM=all npx vitest run test/sim/owa` tells all stories.

import { expect, test } from 'vitest';
import { createRandom } from '../../../emulator/device/random.ts';
import { MINUTE_MS } from '../../contract/bench.ts';
import { APPS, House, type Resident } from '../../support/owa/house.ts';
import { systemApp } from '../../support/system-apps.ts';
import { every, isWhole } from '../share.ts';
import { Causes, type Said } from './causes.ts';
import { CARRIED, ODD } from './foreign.ts';

const SEEDS = 1_000;
const STEPS = 30;
const NAMES = ['a', 'b', 'c', 'd'];
const DEVICES = 3;
const DAY_MS = 24 * 60 * MINUTE_MS;
const CLOCK_MS_MAX = Date.UTC(2041, 0);
/** Passes of each device in the end; the first may still be refused. */
const ROUNDS = 4;

const NOTHING = {
  ...{ edits: 0, deletions: 0, foreign: 0, losses: 0, cuts: 0, installs: 0, restores: 0 },
  ...{ refusals: 0, logins: 0, races: 0, promotions: 0 },
};
type Sum = typeof NOTHING;

test('all end with the same apps', { timeout: 3_600_000 }, async () => {
  const sum: Sum = { ...NOTHING };
  const failed: string[] = [];
  for (let seed = 0; seed < SEEDS; seed += every(125, 5)) {
    try {
      const told = await new Story(seed).run();
      for (const name of Object.keys(sum) as (keyof Sum)[]) sum[name] += told[name];
    } catch (error) {
      failed.push(`${seed}: ${(error as Error).message.slice(0, 400)}`);
      if (failed.length > 8) break;
    }
  }
  console.log(JSON.stringify(sum));
  expect(failed.join('\n')).toBe('');
  expect(Math.min(sum.edits, sum.foreign, sum.losses, sum.cuts)).toBeGreaterThan(0);
  if (isWhole) expect(Math.min(...Object.values(sum))).toBeGreaterThan(10);
});

class Story {
  readonly #house: House;
  readonly #causes = new Causes();
  readonly #random: ReturnType<typeof createRandom>;
  readonly #seed: number;
  readonly #told: Sum = { ...NOTHING };
  /** What each device has said last of an app. */
  readonly #own = new Map<string, Said>();
  readonly #places = new Map<string, 'promoted' | 'hidden'>();
  #devices: Resident[] = [];
  #restore: (() => void) | null = null;
  #step = 0;

  constructor(seed: number) {
    this.#seed = seed;
    this.#house = new House(seed);
    this.#random = createRandom(seed, 'owa boots');
  }

  #below(bound: number): number {
    return this.#random.uint32() % bound;
  }

  /** What the clock of a device says after a boot: the first one's is right, or nearly. */
  #clockMs(number: number): number {
    const { nowMs } = this.#house;
    if (number === 0) return nowMs + this.#below(20 * MINUTE_MS) - 10 * MINUTE_MS;
    if (number === 1) return this.#below(3) * MINUTE_MS;
    return (this.#random.uint32() * 512) % CLOCK_MS_MAX;
  }

  async run(): Promise<Sum> {
    const house = this.#house;
    for (let number = 0; number < DEVICES; number++) {
      this.#devices.push(await house.moveIn(number, this.#clockMs(number)));
    }
    for (; this.#step < STEPS; this.#step++) await this.#goesOn();
    await this.#meet();
    const installs = this.#devices.reduce((sum, one) => sum + one.installs.length, 0);
    return { ...this.#told, losses: house.losses, installs };
  }

  async #goesOn(): Promise<void> {
    const house = this.#house;
    const at = this.#below(DEVICES);
    const device = this.#devices[at] as Resident;
    house.pass(MINUTE_MS * (1 + this.#below(3_000)), this.#devices);
    const action = this.#below(32);
    if (action < 8) await this.#says(device);
    else if (action < 10) await this.#shows(device);
    else if (action < 13) await this.#foreign();
    else if (action < 15) await this.#boots(at);
    else if (action < 19) await house.sync(device);
    else if (action < 22) {
      house.losesIn = 1 + this.#below(4);
      await house.sync(device);
      house.losesIn = 0;
    } else if (action < 24) await this.#harmed(device);
    else if (action === 24) this.#restore ??= house.backup();
    else if (action === 25) this.#setBack();
    else await this.#cut(at);
  }

  /** The server is as it was; what no device has heard of since then is gone. */
  #setBack(): void {
    if (this.#restore === null) return;
    this.#restore();
    this.#restore = null;
    this.#told.restores++;
    const held = new Set(this.#devices.flatMap((one) => [...this.#heard(one)]));
    for (const one of this.#causes.all()) {
      if (!held.has(one) && this.#isForeign(one)) one.isForgotten = true;
    }
  }

  #isForeign(one: Said): boolean {
    return ![...this.#own.values()].some((own) => own === one || own.after.has(one));
  }

  #heard({ system }: Resident): Set<Said> {
    const found = [...system.snapshot()].map(([origin, { manifest }]) =>
      this.#causes.of(origin, manifest.version),
    );
    return new Set(found.flatMap((one) => one ?? []));
  }

  /** What a device knows of an app. */
  #knows(device: Resident, origin: string): Said[] {
    const there = device.system.snapshot().get(origin);
    const known = there && this.#causes.of(origin, there.manifest.version);
    const own = this.#own.get(`${device.number} ${origin}`);
    return [known, own].flatMap((one) => one ?? []);
  }

  async #boots(at: number): Promise<void> {
    const device = this.#devices[at] as Resident;
    const next = await this.#house.reboot(device, this.#clockMs(device.number));
    // Nobody knows how long a clock that was set anew has stood.
    if (device.number > 0) next.away.untilMs = 0;
    this.#devices[at] = next;
  }

  async #cut(at: number): Promise<void> {
    const device = this.#devices[at] as Resident;
    const cut = {
      of: this.#below(3) > 0 ? 'storage' : 'system',
      at: 1 + this.#below(this.#below(3) === 0 ? 40 : 8),
      when: this.#below(2) === 0 ? 'before' : 'after',
    } as const;
    const [next, isCut] = await this.#house.cut(device, cut, this.#clockMs(device.number));
    if (device.number > 0) next.away.untilMs = 0;
    this.#devices[at] = next;
    if (isCut) this.#told.cuts++;
  }

  /** Something happens in the middle of a pass. */
  async #harmed(device: Resident): Promise<void> {
    const house = this.#house;
    const kind = this.#below(4);
    house.harmIn = 1 + this.#below(4);
    house.harm = () => {
      if (kind === 0) {
        house.forgetLogins();
        this.#told.logins++;
      } else if (kind === 1) {
        house.refusesSeconds = 60 + this.#below(7_200);
        this.#told.refusals++;
      } else {
        this.#told.races++;
        this.#person(device);
      }
    };
    await house.sync(device);
    house.harmIn = 0;
    house.refusesSeconds = 0;
    await device.agent.appsSettled?.();
  }

  async #says(device: Resident): Promise<void> {
    this.#person(device);
    await device.agent.appsSettled?.();
  }

  /** The device's user installs, changes or removes an app. */
  #person(device: Resident): void {
    const origin = this.#origin();
    const { system, number } = device;
    const isDeletion = system.snapshot().has(origin) && this.#below(3) === 0;
    const version = isDeletion ? null : this.#version();
    const said = this.#causes.says(origin, version, this.#knows(device, origin));
    this.#own.set(`${number} ${origin}`, said);
    const app = systemApp('x', {
      manifest: { name: 'x', version },
      install_data: { receipt: `${version}` },
    });
    system.person(origin, isDeletion ? null : app);
    this.#told[isDeletion ? 'deletions' : 'edits']++;
  }

  #version(): string {
    return `v-${this.#seed}-${this.#step}`;
  }

  #origin(): string {
    return `https://${NAMES[this.#below(NAMES.length)]}.example`;
  }

  /** A client that is none of ours writes what it likes. */
  async #foreign(): Promise<void> {
    const client = await this.#house.client();
    this.#told.foreign++;
    const kind = this.#below(4);
    if (kind === 0) {
      const [name, text] = CARRIED[this.#below(CARRIED.length)] ?? ['', ''];
      const { status } = await client.ask('POST', `{${JSON.stringify(name)}:${text}}`);
      expect(status).toBeLessThan(300);
      return;
    }
    const origin = this.#origin();
    const document = await client.document();
    const there = Object(document[origin]);
    const known = kind === 1 ? undefined : this.#causes.of(origin, there.manifest?.version);
    const isDeletion = this.#below(4) === 0;
    const version = isDeletion ? null : this.#version();
    this.#causes.says(origin, version, known === undefined ? [] : [known]);
    const before = Number(there.last_modified ?? 0);
    const atMs = this.#house.nowMs + (this.#below(4) === 0 ? this.#below(30 * 365) * DAY_MS : 0);
    const odd = ODD[this.#below(ODD.length)] ?? {};
    const stamp = Math.max(atMs / 1_000, known === undefined ? 0 : secondsOf(before) + 1);
    const entry = isDeletion
      ? { deleted: true, last_modified: stamp }
      : {
          ...odd,
          last_modified: this.#below(3) === 0 ? `${stamp}` : stamp,
          manifest: { name: 'x', version },
          install_data: { receipts: [...(known ? receiptsOf(there) : []), version] },
        };
    await client.post({ [origin]: entry });
  }

  async #shows(device: Resident): Promise<void> {
    const origin = this.#origin();
    const { agent, system, number } = device;
    if (!system.snapshot().has(origin)) return;
    const place = this.#below(2) === 0 ? 'hidden' : 'promoted';
    const change = place === 'hidden' ? agent.hide : agent.promote;
    const isThere = (await agent.get(APPS, origin)) !== null;
    if (!isThere) return;
    await change?.(origin, true);
    this.#told.promotions++;
    this.#places.set(`${number} ${origin} ${place}`, place);
  }

  async #meet(): Promise<void> {
    const house = this.#house;
    const where = `seed ${this.#seed}`;
    for (let round = 0; round < ROUNDS; round++) {
      for (const device of this.#devices) {
        house.pass(2 * DAY_MS, this.#devices);
        const report = await house.sync(device);
        if (round > 0) expect(report.error, where).toBeNull();
      }
    }
    expect(house.disturbances, `${where}: asked while it wanted to be left alone`).toBe(0);
    const document = await house.document();
    this.#isAsTold(document, where);
    for (const device of this.#devices) {
      const who = `${where}, device ${device.number}`;
      const generated = await house.generated(device);
      // What has no name at all is nothing that a device keeps.
      for (const origin of Object.keys(document).filter((name) => name !== '')) {
        expect(this.#owed(generated, origin), `${who} ${origin}`).toEqual(
          this.#owed(document, origin),
        );
      }
      await this.#hasItAll(device, document, who);
    }
    // A pass with nothing to do is one question.
    const before = house.sent.length;
    for (const device of this.#devices) await house.sync(device);
    expect(house.sent.length - before, `${where}: a quiet pass has sent something`).toBe(0);
  }

  #isAsTold(document: Record<string, unknown>, where: string): void {
    for (const name of NAMES) {
      const origin = `https://${name}.example`;
      const last = this.#causes.lastOf(origin);
      const what = `${where}: ${origin}`;
      const entry = document[origin] as Entry | undefined;
      if (entry === undefined) {
        const isNothing = this.#causes
          .all()
          .every((one) => one.origin !== origin || one.isForgotten);
        expect(isNothing, `${what} is not there`).toBe(true);
        continue;
      }
      const version = entry.deleted === true ? null : entry.manifest?.version;
      expect([...last], `${what} ${version}`).toContain(version);
      if (version === null) continue;
      const receipts = receiptsOf(entry);
      expect(receipts, what).toEqual(expect.arrayContaining(this.#causes.owedOf(origin)));
      expect(new Set(receipts).size, what).toBe(receipts.length);
    }
  }

  #owed(document: Record<string, unknown>, origin: string): unknown {
    const entry = document[origin] as Entry;
    if (!NAMES.some((name) => origin === `https://${name}.example`)) return entry;
    if (entry === undefined || entry.deleted === true) return entry;
    const owed = this.#causes.owedOf(origin);
    const receipts = receiptsOf(entry).filter((one) => owed.includes(one));
    return { ...entry, install_data: { receipts: receipts.sort() } };
  }

  async #hasItAll(device: Resident, document: Record<string, unknown>, who: string) {
    const { system, installs, agent, number } = device;
    const live = NAMES.map((name) => `https://${name}.example`).filter(
      (origin) => document[origin] !== undefined && (document[origin] as Entry).deleted !== true,
    );
    const names = [...system.snapshot().keys()].join(' ');
    expect(names, `${who} ${names}`).toEqual(live.join(' '));
    for (const origin of live) {
      const { manifest, install_data } = system.snapshot().get(origin) as unknown as Entry;
      const there = this.#owed({ [origin]: { manifest, install_data } }, origin);
      const entry = this.#owed(document, origin) as Entry;
      const wanted = { manifest: entry.manifest, install_data: entry.install_data };
      expect(there, `${who} ${origin}`).toEqual(wanted);
    }
    expect(new Set(installs).size, `${who} has installed an app twice`).toBe(installs.length);
    expect(system.again, who).toEqual([]);
    for (const place of ['promoted', 'hidden'] as const) {
      for (const origin of live) {
        const isToBe = this.#places.has(`${number} ${origin} ${place}`);
        const wasDeleted = this.#causes
          .all()
          .some((one) => one.origin === origin && one.version === null);
        if (!isToBe || wasDeleted) continue;
        const shown = await agent.get(APPS, origin);
        const { here } = shown as unknown as { here: Record<string, unknown> };
        expect(here[place], `${who}: ${origin} is ${place}`).toBe(true);
      }
    }
  }
}

interface Entry {
  readonly deleted?: boolean;
  readonly manifest?: { readonly version?: string };
  readonly install_data?: { readonly receipt?: string; readonly receipts?: readonly string[] };
}

function secondsOf(stamp: number): number {
  return stamp > 1e11 ? stamp / 1_000 : stamp;
}

function receiptsOf({ install_data: data }: Entry): string[] {
  return data?.receipts === undefined ? [`${data?.receipt}`] : [...data.receipts];
}
