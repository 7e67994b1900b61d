// What every remote must do for a device, as one suite that takes a service as an argument. It goes
// through public doors alone: an agent on a platform in memory, the service's own wire, and another
// client of the same user. What is promised holds for all protocols: nothing in here knows one.

import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { type Agent, createAgent, type PassReport } from '../../agent/index.ts';
import { createRandom } from '../../emulator/device/random.ts';
import { type MemoryPlatform, memoryPlatform } from '../../platform/memory/platform.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { nodeDeviceCrypto } from '../../platform/node/crypto.ts';
import { type Wire, wireTo } from '../support/made-up/server.ts';
import type { Body, Service, Traits } from '../support/service.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** Passes after which everything that a test has broken is mended. */
const PASSES_MAX = 6;
/** Requests and commits of the story that is told again and again; past that a test is wrong. */
const POINTS_MAX = 100;

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
        this.sent.push(`${request.url} ${await request.clone().text()}`);
        return wire.fetch(request);
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
    for (let n = 0; n < count; n++) this.service.put(this.service.id(n), { text: `theirs ${n}` });
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

  put({ agent }: Device, n: number, body: Body): Promise<string> {
    return agent.put(this.service.collection, { ...body, id: this.service.id(n) });
  }

  delete({ agent }: Device, n: number): Promise<void> {
    return agent.delete(this.service.collection, this.service.id(n));
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
  live(): Record<string, Body> {
    return Object.fromEntries(this.service.live());
  }

  /** Device and service hold the same, and nothing is left to be done. */
  async agreed(device: Device): Promise<void> {
    expect(Object.fromEntries(await this.held(device))).toEqual(this.live());
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
    throw new Error(`after ${PASSES_MAX} passes: ${JSON.stringify(agent.status().error)}`);
  }

  /** Both sides have made, changed and deleted records; no pass has seen it yet. */
  async story(storage = new MemoryStorage()): Promise<Device> {
    const { service } = this;
    for (let n = 0; n < 5; n++) service.put(service.id(n), { text: `theirs ${n}` });
    const device = await this.boot(storage);
    expect(await device.agent.enable()).toMatchObject({ ok: true });
    this.advance(MINUTE_MS, device);
    await this.put(device, 0, { text: 'ours 0' });
    await this.delete(device, 1);
    await this.put(device, 5, { text: 'ours 5' });
    service.put(service.id(2), { text: 'theirs again 2' });
    service.delete(service.id(3));
    service.put(service.id(6), { text: 'theirs 6' });
    this.advance(MINUTE_MS, device);
    this.wire.asked.length = 0;
    return device;
  }

  /** What the story must end with on both sides, with no change written twice. */
  async toldToTheEnd(device: Device, where: string): Promise<void> {
    const { id } = this.service;
    expect(this.live(), where).toEqual({
      [id(0)]: { text: 'ours 0' },
      [id(2)]: { text: 'theirs again 2' },
      [id(4)]: { text: 'theirs 4' },
      [id(5)]: { text: 'ours 5' },
      [id(6)]: { text: 'theirs 6' },
    });
    await this.agreed(device);
    const writes = [0, 1, 2, 3, 4, 5, 6].map((n) => this.service.writes(id(n)));
    expect(writes, `${where}: writes of each record`).toEqual([2, 2, 2, 2, 1, 1, 1]);
  }
}

/** Rules that were tried, and those of them that are kept. */
export interface Tally {
  rules: number;
  kept: number;
}

/** The suite, which adds to `all`; `start` makes a new service, which is the same each time. */
export function remoteContract(
  name: string,
  start: () => Service,
  traits: Traits,
  all: Tally,
): void {
  describe(`the contract of remotes: ${name}`, () => {
    const own: Tally = { rules: 0, kept: 0 };
    afterEach(({ task }) => {
      for (const tally of [own, all]) {
        tally.rules++;
        if (task.result?.state !== 'fail') tally.kept++;
      }
    });
    afterAll(() => console.log(`${name} keeps ${own.kept} of ${own.rules} rules of its remote`));
    exchanging(() => new Bench(start), traits);
    meeting(() => new Bench(start), traits);
    refusing(() => new Bench(start), traits);
    breaking(() => new Bench(start), traits);
    beginningAnew(() => new Bench(start), traits);
  });
}

type Start = () => Bench;

/** What one side has made reaches the other. */
function exchanging(start: Start, { isSealed }: Traits): void {
  it('brings down what another client has made', async () => {
    const bench = start();
    const device = await bench.synced(3);
    expect(Object.values(bench.live())).toHaveLength(3);
    await bench.agreed(device);
  });

  it('brings up what the device has made, the first record of all', async () => {
    const bench = start();
    const device = await bench.synced(0);
    for (let n = 0; n < 12; n++) await bench.put(device, n, { text: `ours ${n}`, ü: [n, null] });
    expect(await device.agent.sync()).toMatchObject({ ok: true });
    expect(bench.live()[bench.service.id(11)]).toEqual({ text: 'ours 11', ü: [11, null] });
    expect(Object.keys(bench.live())).toHaveLength(12);
    await bench.agreed(device);
  });

  it('knows its own records again: the next pass asks one thing, and writes nothing', async () => {
    const bench = start();
    const device = await bench.synced(2);
    await bench.put(device, 0, { text: 'ours' });
    await bench.put(device, 5, { text: 'ours' });
    await device.agent.sync();
    // A server may show a device its own writes once more.
    await device.agent.sync();
    const { commits } = device.storage;
    bench.wire.asked.length = 0;
    expect(await device.agent.sync()).toMatchObject({ ok: true, requests: 1 });
    expect(bench.wire.asked).toHaveLength(1);
    expect(device.storage.commits).toBe(commits);
    const reports = device.platform.events.map((json) => JSON.parse(json));
    const pulled = reports.flatMap((event) => (event.kind === 'pass' ? [event.report] : []));
    expect(pulled.at(-2).collections[bench.service.collection]?.pulled ?? 0).toBe(0);
    await bench.agreed(device);
  });

  it('goes on where it was after a reboot', async () => {
    const bench = start();
    const { storage } = await bench.synced(4);
    bench.service.put(bench.service.id(9), { text: 'new' });
    const device = await bench.boot(storage.fork());
    const report = await device.agent.sync();
    expect(report).toMatchObject({ ok: true });
    expect(report.collections[bench.service.collection]).toMatchObject({ pulled: 1, pushed: 0 });
    await bench.agreed(device);
  });

  it('deletes on the other side what one side deletes', async () => {
    const bench = start();
    const { id } = bench.service;
    const device = await bench.synced(3);
    await bench.delete(device, 0);
    bench.service.delete(id(1));
    expect(await device.agent.sync()).toMatchObject({ ok: true });
    expect(bench.live()).toEqual({ [id(2)]: { text: 'theirs 2' } });
    await bench.agreed(device);
    bench.advance(MINUTE_MS, device);
    await bench.put(device, 0, { text: 'again' });
    bench.service.put(id(1), { text: 'again' });
    expect(await device.agent.sync()).toMatchObject({ ok: true });
    expect(Object.keys(bench.live()).sort()).toEqual([id(0), id(1), id(2)]);
    await bench.agreed(device);
  });

  it('serves two devices, of which neither knows the other', async () => {
    const bench = start();
    const one = await bench.synced(2);
    const two = await bench.boot(new MemoryStorage(), 3);
    await two.agent.enable();
    await bench.put(one, 0, { text: 'one' });
    await bench.put(one, 7, { text: 'one' });
    await bench.delete(two, 1);
    for (const { agent } of [one, two, one, two]) {
      bench.advance(MINUTE_MS, one, two);
      expect(await agent.sync()).toMatchObject({ ok: true });
    }
    expect(Object.keys(bench.live()).sort()).toEqual([bench.service.id(0), bench.service.id(7)]);
    await bench.agreed(one);
    await bench.agreed(two);
  });

  if (!isSealed) return;
  it('sends nothing of a record that can be read', async () => {
    const bench = start();
    const device = await bench.synced(0);
    await bench.put(device, 0, { text: 'plutonium' });
    await device.agent.sync();
    await bench.delete(device, 0);
    await device.agent.sync();
    expect(bench.sent.filter((text) => text.includes(bench.service.id(0)))).not.toEqual([]);
    expect(bench.sent.filter((text) => /plutonium|cGx1dG9uaXVt/.test(text))).toEqual([]);
  });
}

/** Both sides have changed the same record. */
function meeting(start: Start, { times, isGuarded }: Traits): void {
  /** Another client's change comes when the device has looked and is about to write. */
  const overtaken = async (bench: Bench, change: () => void): Promise<void> => {
    let isDone = false;
    bench.wire.before = async (request) => {
      if (isDone || !(await bench.service.isWrite(request))) return;
      isDone = true;
      change();
    };
  };

  it('merges what both sides have changed, member by member', async () => {
    const bench = start();
    const { id } = bench.service;
    bench.service.put(id(0), { text: 'old', mine: 1, theirs: 1 });
    const device = await bench.synced(0);
    bench.service.put(id(0), { text: 'old', mine: 1, theirs: 2 });
    bench.advance(MINUTE_MS, device);
    await bench.put(device, 0, { mine: 2 });
    expect(await device.agent.sync()).toMatchObject({ ok: true });
    expect(bench.live()).toEqual({ [id(0)]: { text: 'old', mine: 2, theirs: 2 } });
    await bench.agreed(device);
  });

  it('never writes over a version that it has not seen', async () => {
    const bench = start();
    const { id } = bench.service;
    const device = await bench.synced(2);
    await bench.put(device, 0, { text: 'theirs 0', ours: 1 });
    await bench.put(device, 3, { text: 'ours' });
    const theirs = () => bench.service.put(id(0), { text: 'theirs again', theirs: 1 });
    await overtaken(bench, theirs);
    expect(await device.agent.sync()).toMatchObject({ ok: true });
    // Who is not refused has done it, and takes in what comes again.
    if (!isGuarded) {
      bench.advance(MINUTE_MS, device);
      theirs();
      expect(await device.agent.sync()).toMatchObject({ ok: true });
    }
    expect(bench.live()).toMatchObject({ [id(0)]: { theirs: 1 }, [id(3)]: { text: 'ours' } });
    await bench.agreed(device);
  });

  it.each([
    ['the device deletes what another client changes', true],
    ['another client deletes what the device changes', false],
  ])('ends with both sides alike where %s', async (_what, isOurs) => {
    for (const isLate of [false, true]) {
      const bench = start();
      const { id } = bench.service;
      const device = await bench.synced(2);
      if (isOurs) await bench.delete(device, 0);
      else await bench.put(device, 0, { text: 'ours' });
      bench.advance(MINUTE_MS, device);
      const theirs = () =>
        isOurs ? bench.service.put(id(0), { text: 'again' }) : bench.service.delete(id(0));
      if (isLate) await overtaken(bench, theirs);
      else theirs();
      expect(await device.agent.sync()).toMatchObject({ ok: true });
      bench.advance(MINUTE_MS, device);
      expect(await device.agent.sync()).toMatchObject({ ok: true });
      expect(bench.live()[id(1)]).toEqual({ text: 'theirs 1' });
      await bench.agreed(device);
    }
  });

  it('keeps what an app changes while its record is on the way', async () => {
    const bench = start();
    const { id } = bench.service;
    const device = await bench.synced(2);
    await bench.put(device, 0, { text: 'first' });
    await overtaken(bench, () => {
      bench.advance(1_000, device);
      void bench.put(device, 0, { text: 'second' });
    });
    await device.agent.sync();
    expect((await bench.held(device)).get(id(0))).toEqual({ text: 'second' });
    expect(await device.agent.sync()).toMatchObject({ ok: true });
    expect(bench.live()[id(0)]).toEqual({ text: 'second' });
    await bench.agreed(device);
  });

  it.each<[string, boolean]>([
    ['before the device looks', false],
    ...(isGuarded ? [['when it is about to write', true] satisfies [string, boolean]] : []),
  ])('keeps its edit though no answer says the time, and theirs came %s', async (_when, isLate) => {
    const bench = start();
    const { id } = bench.service;
    const device = await bench.synced(2);
    bench.isTimeless = true;
    const theirs = () => bench.service.put(id(0), { text: 'theirs again', theirs: 1 });
    if (!isLate) theirs();
    bench.advance(MINUTE_MS, device);
    await bench.put(device, 0, { text: 'ours' });
    bench.advance(MINUTE_MS, device);
    if (isLate) await overtaken(bench, theirs);
    expect(await device.agent.sync()).toMatchObject({ ok: true });
    expect(bench.live()[id(0)]).toMatchObject({ text: 'ours' });
    await bench.agreed(device);
  });

  it.each([
    ['theirs after ours', true],
    ['ours after theirs', false],
  ])('goes by the time of an edit and not of sending: %s', async (_what, isOursFirst) => {
    const bench = start();
    const { id } = bench.service;
    let device = await bench.synced(2);
    const edits = [
      () => bench.put(device, 0, { text: 'ours' }),
      async () => bench.service.put(id(0), { text: 'theirs again' }),
    ];
    for (const edit of isOursFirst ? edits : edits.reverse()) {
      await edit();
      bench.advance(MINUTE_MS, device);
    }
    bench.service.down(true);
    expect(await device.agent.sync()).toMatchObject({ ok: false });
    bench.service.down(false);
    device = await bench.boot(device.storage.fork());
    await bench.recovered(device);
    // Where a version has no time, what goes up last is last.
    const text = isOursFirst && times !== null ? 'theirs again' : 'ours';
    expect(bench.live()[id(0)]).toEqual({ text });
    await bench.agreed(device);
  });

  if (times !== 'own') return;
  it('keeps the edit that was made last, whichever was sent last', async () => {
    const bench = start();
    const one = await bench.synced(2);
    const two = await bench.boot(new MemoryStorage(), 3);
    await two.agent.enable();
    await bench.put(one, 0, { text: 'first' });
    bench.advance(MINUTE_MS, one, two);
    await bench.put(two, 0, { text: 'second' });
    for (const { agent } of [one, two, one]) {
      bench.advance(MINUTE_MS, one, two);
      expect(await agent.sync()).toMatchObject({ ok: true });
    }
    expect(bench.live()[bench.service.id(0)]).toEqual({ text: 'second' });
    await bench.agreed(one);
    await bench.agreed(two);
  });
}

/** The server has something that cannot be used, or will not take or say anything. */
function refusing(start: Start, { readOnly }: Traits): void {
  it('sets aside what does not open, leaves it where it is, and goes on', async () => {
    const bench = start();
    const { id } = bench.service;
    const device = await bench.synced(3);
    bench.service.spoil(id(1));
    bench.service.spoil(id(8));
    bench.service.put(id(2), { text: 'after it' });
    const spoilt = [bench.service.raw(id(1)), bench.service.raw(id(8))];
    await bench.put(device, 0, { text: 'ours' });
    await device.agent.sync();
    await device.agent.sync();
    expect(bench.statusOf(device)).toMatchObject({ quarantined: 2, pending: 0 });
    const held = Object.fromEntries(await bench.held(device));
    // What was there before stays in sight.
    expect(held).toEqual({ ...bench.live(), [id(1)]: { text: 'theirs 1' } });
    expect([bench.service.raw(id(1)), bench.service.raw(id(8))]).toEqual(spoilt);
    bench.service.put(id(1), { text: 'good again' });
    bench.service.put(id(8), { text: 'good at last' });
    bench.advance(MINUTE_MS, device);
    expect(await device.agent.sync()).toMatchObject({ ok: true });
    await bench.agreed(device);
  });

  it('asks nothing for as long as the server wants, over a reboot, too', async () => {
    const bench = start();
    const device = await bench.story();
    bench.service.wait(600);
    await device.agent.sync();
    bench.wire.asked.length = 0;
    const told = { ok: false, requests: 0, error: { code: 'backoff' } };
    bench.advance(9 * MINUTE_MS, device);
    expect(await device.agent.sync()).toMatchObject(told);
    const again = await bench.boot(device.storage.fork());
    expect(await again.agent.sync()).toMatchObject(told);
    expect(bench.wire.asked).toEqual([]);
    bench.service.wait(0);
    bench.advance(2 * MINUTE_MS, again);
    await bench.recovered(again);
    await bench.toldToTheEnd(again, 'after the wait');
  });

  it('loses nothing to a server that is down', async () => {
    const bench = start();
    const device = await bench.story();
    bench.service.down(true);
    const report = await device.agent.sync();
    expect(report).toMatchObject({ ok: false, error: { code: 'unavailable' } });
    expect(bench.statusOf(device).pending).toBe(3);
    bench.service.down(false);
    await bench.recovered(device);
    await bench.toldToTheEnd(device, 'after the outage');
  });

  it('proves again who it is when it is asked to', async () => {
    const bench = start();
    const device = await bench.story();
    bench.service.expire();
    expect(await device.agent.sync()).toMatchObject({ ok: true });
    await bench.toldToTheEnd(device, 'after the new proof');
  });

  if (readOnly === undefined) return;
  it('reads where it may not write, says so, and writes when it may', async () => {
    const bench = start();
    const { id } = bench.service;
    const device = await bench.story();
    readOnly(bench.service, true);
    expect(await device.agent.sync()).toMatchObject({ ok: false, error: { code: 'readOnly' } });
    expect(bench.statusOf(device)).toMatchObject({ readOnly: true, pending: 3 });
    expect((await bench.held(device)).get(id(6))).toEqual({ text: 'theirs 6' });
    expect(bench.live()[id(0)]).toEqual({ text: 'theirs 0' });
    const refused = bench.put(device, 4, { text: 'x' });
    await expect(refused).rejects.toMatchObject({ code: 'readOnly' });
    let writes = 0;
    bench.wire.before = async (request) => {
      if (await bench.service.isWrite(request)) writes++;
    };
    bench.advance(MINUTE_MS, device);
    await device.agent.sync();
    expect(writes).toBe(0);
    readOnly(bench.service, false);
    await bench.recovered(device);
    await bench.toldToTheEnd(device, 'when it may write');
  });
}

/** Answers that never come, and power that goes. */
function breaking(start: Start, { pageRecords, planned }: Traits): void {
  if (planned !== undefined) itPlans(start, planned);

  it('mends itself after any lost answer: nothing is lost, nothing is written twice', async () => {
    let point = 0;
    for (let isOver = false; !isOver && point < POINTS_MAX; point++) {
      const bench = start();
      const device = await bench.story();
      bench.wire.loses = (_request, count) => count === point + 1;
      const report = await device.agent.sync();
      isOver = bench.wire.asked.length <= point;
      expect(report.ok || report.error !== null).toBe(true);
      bench.wire.loses = () => false;
      await bench.recovered(device);
      await bench.toldToTheEnd(device, `answer ${point + 1} was lost`);
    }
    // At least one that looks, and one that writes.
    expect(point).toBeGreaterThan(2);
    expect(point).toBeLessThan(POINTS_MAX);
  });

  it.each(['before', 'after'] as const)(
    'goes on after a cut %s any commit: nothing is lost, nothing is written twice',
    async (when) => {
      let cuts = 0;
      for (let atCommit = 1; cuts < POINTS_MAX; atCommit++) {
        const bench = start();
        const fresh = new MemoryStorage();
        await bench.story(fresh);
        const storage = fresh.fork({ atCommit, when });
        const doomed = await bench.boot(storage);
        await doomed.agent.sync().catch(() => null);
        if (storage.commits < atCommit) break;
        cuts++;
        const again = await bench.boot(storage.fork());
        await bench.recovered(again);
        await bench.toldToTheEnd(again, `cut ${when} commit ${atCommit}`);
      }
      expect(cuts).toBeGreaterThan(1);
    },
  );

  it('begins again after a cut at any commit of the first sync', async () => {
    let cuts = 0;
    for (let atCommit = 1; cuts < POINTS_MAX; atCommit++) {
      const bench = start();
      for (let n = 0; n < 4; n++) bench.service.put(bench.service.id(n), { text: `theirs ${n}` });
      const storage = new MemoryStorage([], { atCommit, when: atCommit % 2 ? 'before' : 'after' });
      const doomed = await bench.boot(storage);
      await doomed.agent.enable().catch(() => null);
      if (storage.commits < atCommit) break;
      cuts++;
      const again = await bench.boot(storage.fork());
      await bench.recovered(again);
      expect(Object.keys(bench.live())).toHaveLength(4);
      await bench.agreed(again);
    }
    expect(cuts).toBeGreaterThan(2);
  });

  if (pageRecords === null) return;
  it('reads on from page to page while others write, and after a link that broke', async () => {
    const count = pageRecords + 8;
    for (const broken of [false, true]) {
      const bench = start();
      const { id, collection } = bench.service;
      for (let n = 0; n < count; n++) bench.service.put(id(n), { text: `theirs ${n}` });
      const device = await bench.boot();
      let pages = 0;
      bench.wire.before = (request) => {
        if (!isPage(bench, request) || ++pages !== 2) return;
        bench.service.put(id(0), { text: 'again' });
        bench.service.delete(id(1));
        bench.service.put(id(count), { text: 'new' });
      };
      bench.wire.loses = (request) => broken && isPage(bench, request) && pages === 1;
      const first = await device.agent.enable();
      if (broken) expect(first.ok).toBe(false);
      bench.wire.loses = () => false;
      const second = await bench.recovered(device);
      expect(pages).toBeGreaterThan(1);
      // What a page has brought is not read again.
      const pulled = [first, second].map((report) => report.collections[collection]?.pulled ?? 0);
      expect(pulled[0] ?? 0).toBeGreaterThanOrEqual(pageRecords);
      expect((pulled[0] ?? 0) + (pulled[1] ?? 0)).toBeLessThan(count + pageRecords);
      expect(Object.keys(bench.live())).toHaveLength(count);
      await bench.agreed(device);
    }
  });

  /** It asks for records of the collection. */
  function isPage({ service }: Bench, request: Request): boolean {
    return request.method === 'GET' && service.isPage(request);
  }
}

function itPlans(start: Start, planned: NonNullable<Traits['planned']>): void {
  it('has on its storage what it must know again, before a byte of it leaves', async () => {
    const bench = start();
    const device = await bench.synced(2);
    for (let n = 0; n < 7; n++) await bench.put(device, n, { text: `ours ${n}` });
    // Whoever does not wait for a storage that takes its time has sent the bytes before.
    const { storage } = device;
    const commit = storage.commit.bind(storage);
    storage.commit = async (changes) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      await commit(changes);
    };
    const missing: string[] = [];
    const plans: (readonly string[])[] = [];
    bench.wire.before = async (request) => {
      if (!(await bench.service.isWrite(request))) return;
      const stored = JSON.stringify(storage.snapshot());
      const words = planned(await request.clone().text());
      plans.push(words);
      missing.push(...words.filter((word) => !stored.includes(word)));
    };
    expect(await device.agent.sync()).toMatchObject({ ok: true });
    expect(plans.length).toBeGreaterThan(1);
    expect(missing).toEqual([]);
    // A plan ends with its upload; the head of what was read may be one of its words.
    const left = JSON.stringify(storage.snapshot());
    expect(plans.flat().filter((word) => left.includes(word)).length).toBeLessThanOrEqual(1);
  });

  it.each([false, true])(
    'knows what it has sent though the answer was lost (and the power cut: %j)',
    async (isCut) => {
      const bench = start();
      let device = await bench.synced(2);
      await bench.put(device, 0, { text: 'ours' });
      bench.wire.loses = ({ method }) => method === 'POST';
      expect(await device.agent.sync()).toMatchObject({ ok: false });
      bench.wire.loses = () => false;
      expect(bench.live()[bench.service.id(0)]).toEqual({ text: 'ours' });
      if (isCut) device = await bench.boot(device.storage.fork());
      // Set back, and no other client's text is in the way.
      bench.advance(MINUTE_MS, device);
      await bench.put(device, 0, { text: 'theirs 0', more: 1 });
      await bench.recovered(device);
      expect(bench.live()[bench.service.id(0)]).toEqual({ text: 'theirs 0', more: 1 });
      await bench.agreed(device);
    },
  );
}

/** The server's collection is another one, or remembers less. */
function beginningAnew(start: Start, { compact, drop }: Traits): void {
  it('reads a collection that was begun anew, and gives what it lacks', async () => {
    const bench = start();
    const { id } = bench.service;
    const device = await bench.synced(5);
    await bench.put(device, 0, { text: 'ours 0' });
    await bench.put(device, 6, { text: 'ours 6' });
    bench.service.renew();
    bench.service.put(id(2), { text: 'another' });
    bench.service.put(id(9), { text: 'new' });
    await bench.recovered(device);
    expect(bench.live()).toEqual({
      [id(0)]: { text: 'ours 0' },
      [id(1)]: { text: 'theirs 1' },
      [id(2)]: { text: 'another' },
      [id(3)]: { text: 'theirs 3' },
      [id(4)]: { text: 'theirs 4' },
      [id(6)]: { text: 'ours 6' },
      [id(9)]: { text: 'new' },
    });
    await bench.agreed(device);
  });

  it('leaves nothing behind when its user signs out, and begins again afterwards', async () => {
    const bench = start();
    const device = await bench.story();
    const { email } = await bench.service.identity.account();
    await device.agent.disable();
    expect(device.agent.status()).toMatchObject({ state: 'disabled', account: null });
    const left = device.storage.snapshot();
    expect(left.map(([key]) => key)).toEqual(['s']);
    expect(JSON.stringify(left)).not.toContain(email);
    const again = await bench.boot(device.storage.fork());
    expect(await again.agent.enable()).toMatchObject({ ok: true });
    await bench.agreed(again);
  });

  if (compact !== undefined) {
    it('takes a deletion that the server has forgotten for one', async () => {
      const bench = start();
      const { id } = bench.service;
      const device = await bench.synced(4);
      await bench.put(device, 0, { text: 'ours 0' });
      bench.service.delete(id(0));
      bench.service.delete(id(1));
      bench.service.put(id(5), { text: 'new' });
      compact(bench.service);
      await bench.recovered(device);
      expect(bench.live()).toMatchObject({ [id(2)]: {}, [id(3)]: {}, [id(5)]: { text: 'new' } });
      expect(bench.live()[id(1)]).toBeUndefined();
      await bench.agreed(device);
    });
  }

  if (drop !== undefined) {
    it('gives again what another client has left out', async () => {
      const bench = start();
      const { id } = bench.service;
      const device = await bench.synced(3);
      drop(bench.service, id(1));
      bench.service.put(id(4), { text: 'new' });
      await bench.recovered(device);
      expect(Object.keys(bench.live()).sort()).toEqual([0, 1, 2, 4].map(id));
      expect(bench.live()[id(1)]).toEqual({ text: 'theirs 1' });
      await bench.agreed(device);
    });
  }
}
