// What every remote must do for a device that has a strategy for conflicts: records that were
// changed there and here. As the contract of remotes, through public doors alone.

import { describe, expect, it } from 'vitest';
import { type Conflict, type Resolution, type Strategy, strategies } from '../../agent/index.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { every } from '../sim/share.ts';
import type { Body, Service, Traits } from '../support/service.ts';
import { Bench, MINUTE_MS } from './bench.ts';

/** Requests and commits of the story that is told again and again; past that a test is wrong. */
const POINTS_MAX = 60;

type Device = Awaited<ReturnType<Bench['boot']>>;

/**
 * The suite; `start` makes a new service, which is the same each time. `isShort`: what is decided
 * by hand, and no cuts, for a server that takes its time.
 */
export function strategyContract(
  name: string,
  start: () => Service,
  traits: Traits,
  isShort = false,
): void {
  const when = traits.isGuarded ? [false, true] : [false];
  if (isShort) {
    describe(`conflicts that are decided by hand: ${name}`, () => manual(start, [true]));
    return;
  }
  describe(`strategies for conflicts: ${name}`, () => {
    it.each(
      when.flatMap((isLate) => [
        ['remoteWins', isLate, { text: 'theirs', both: 2 }] as const,
        ['localWins', isLate, { text: 'ours', both: 1 }] as const,
      ]),
    )('%s leaves both sides with that version (found late: %s)', async (strategy, isLate, left) => {
      const bench = new Bench(() => chosen(start, strategy));
      const device = await met(
        bench,
        { text: 'ours', both: 1 },
        { text: 'theirs', both: 2 },
        isLate,
      );
      expect(await bench.live()).toMatchObject({ [bench.service.id(0)]: left });
      await bench.agreed(device);
    });

    it.each(
      when.flatMap((isLate) => [
        ['remoteWins', isLate, true, { text: 'theirs' }] as const,
        ['remoteWins', isLate, false, undefined] as const,
        ['localWins', isLate, true, undefined] as const,
        ['localWins', isLate, false, { text: 'ours' }] as const,
        ['merge', isLate, true, { text: 'theirs' }] as const,
        ['merge', isLate, false, { text: 'ours' }] as const,
      ]),
    )('%s, found late: %s, we delete: %s', async (strategy, isLate, isOurs, left) => {
      const bench = new Bench(() => chosen(start, strategy));
      const [ours, theirs] = isOurs ? [null, { text: 'theirs' }] : [{ text: 'ours' }, null];
      const device = await met(bench, ours, theirs, isLate);
      expect((await bench.live())[bench.service.id(0)]).toEqual(left);
      await bench.agreed(device);
    });

    it('merge takes each member from the side that has changed it', async () => {
      const bench = new Bench(() => chosen(start, 'merge'));
      const { id } = bench.service;
      await bench.service.put(id(0), { mine: 0, theirs: 0, gone: 0, kept: 0 });
      const device = await bench.synced(0);
      await bench.put(device, 0, { mine: 1 });
      bench.advance(MINUTE_MS, device);
      await bench.service.put(id(0), { mine: 0, theirs: 2, kept: 0 });
      bench.advance(MINUTE_MS, device);
      expect(await device.agent.sync()).toMatchObject({ ok: true });
      expect((await bench.live())[id(0)]).toEqual({ mine: 1, theirs: 2, kept: 0 });
      await bench.agreed(device);
    });

    describe('manual', () => {
      manual(start, when);
      breaking(start);
    });
  });
}

function manual(start: () => Service, when: readonly boolean[]): void {
  const begun = () => new Bench(() => chosen(start, 'manual'));
  const both: readonly [Body, Body] = [{ text: 'ours' }, { text: 'theirs' }];

  it.each(when)(
    'keeps both versions, sends neither, and says so (found late: %s)',
    async (late) => {
      const bench = begun();
      const { id } = bench.service;
      let device = await met(bench, ...both, late);
      const conflict = { id: id(0), ours: both[0], theirs: both[1], base: { text: 'theirs 0' } };
      for (const isAgain of [false, true]) {
        expect(await waiting(bench, device)).toEqual([conflict]);
        expect(bench.statusOf(device)).toMatchObject({ conflicts: 1, pending: 1 });
        expect((await bench.held(device)).get(id(0))).toEqual(both[0]);
        expect((await bench.live())[id(0)]).toEqual(both[1]);
        if (!isAgain) device = await bench.boot(device.storage.fork());
      }
      // It costs nothing while it waits.
      await device.agent.sync();
      const { commits } = device.storage;
      bench.advance(3 * 86_400_000, device);
      bench.wire.asked.length = 0;
      expect(await device.agent.sync()).toMatchObject({ ok: true, requests: 1 });
      expect(device.storage.commits - commits).toBeLessThanOrEqual(1);
      expect((await bench.live())[id(0)]).toEqual(both[1]);
    },
  );

  it.each<[Resolution, Body | undefined]>([
    ['ours', both[0]],
    ['theirs', both[1]],
    [{ text: 'of both' }, { text: 'of both' }],
    [null, undefined],
  ])('resolved as %j it is so on both sides, and stays resolved', async (resolution, left) => {
    const bench = begun();
    const { collection, id } = bench.service;
    let device = await met(bench, ...both, false);
    await device.agent.resolve?.(collection, id(0), resolution);
    expect((await bench.held(device)).get(id(0))).toEqual(left);
    // Durable before it is sent.
    device = await bench.boot(device.storage.fork());
    expect(await waiting(bench, device)).toEqual([]);
    for (let n = 0; n < 3; n++) {
      bench.advance(MINUTE_MS, device);
      expect(await device.agent.sync()).toMatchObject({ ok: true });
      expect((await bench.live())[id(0)]).toEqual(left);
      expect(await waiting(bench, device)).toEqual([]);
      expect(bench.statusOf(device)).toMatchObject({ conflicts: 0 });
    }
    await bench.agreed(device);
    const other = await bench.boot(new MemoryStorage(), 5);
    await other.agent.enable();
    expect(await waiting(bench, other)).toEqual([]);
    await bench.agreed(other);
  });

  it.each([
    ['we delete what they change', null, { text: 'theirs' }],
    ['they delete what we change', { text: 'ours' }, null],
  ])('waits where %s, and can end either way', async (_what, ours, theirs) => {
    for (const resolution of ['ours', 'theirs'] as const) {
      const bench = begun();
      const { collection, id } = bench.service;
      const device = await met(bench, ours, theirs, false);
      const base = { text: 'theirs 0' };
      expect(await waiting(bench, device)).toEqual([{ id: id(0), ours, theirs, base }]);
      await device.agent.resolve?.(collection, id(0), resolution);
      expect(await device.agent.sync()).toMatchObject({ ok: true });
      const left = (resolution === 'ours' ? ours : theirs) ?? undefined;
      expect((await bench.live())[id(0)]).toEqual(left);
      await bench.agreed(device);
    }
  });

  it('shows the newest of theirs while it waits, and goes on from what an app edits', async () => {
    const bench = begun();
    const { collection, id } = bench.service;
    const device = await met(bench, ...both, false);
    const [first] = await listed(bench, device);
    await bench.service.put(id(0), { text: 'theirs again' });
    await bench.put(device, 0, { text: 'ours again' });
    bench.advance(MINUTE_MS, device);
    expect(await device.agent.sync()).toMatchObject({ ok: true });
    const versions = { ours: { text: 'ours again' }, theirs: { text: 'theirs again' } };
    expect(await waiting(bench, device)).toEqual([
      { id: id(0), ...versions, base: { text: 'theirs 0' } },
    ]);
    // Who has seen the older versions has not decided between these.
    const late = device.agent.resolve?.(collection, id(0), 'theirs', first?.tag);
    await expect(late).rejects.toMatchObject({ code: 'conflict' });
    const [now] = await listed(bench, device);
    await device.agent.resolve?.(collection, id(0), 'theirs', now?.tag);
    expect(await device.agent.sync()).toMatchObject({ ok: true });
    expect((await bench.live())[id(0)]).toEqual({ text: 'theirs again' });
    await bench.agreed(device);
  });

  it('is over when the other side has decided for the same', async () => {
    const bench = begun();
    const { id } = bench.service;
    const device = await met(bench, ...both, false);
    await bench.service.put(id(0), both[0]);
    bench.advance(MINUTE_MS, device);
    expect(await device.agent.sync()).toMatchObject({ ok: true });
    expect(await waiting(bench, device)).toEqual([]);
    await bench.agreed(device);
  });

  it('what was decided meets a newer version as a conflict of its own', async () => {
    const bench = begun();
    const { collection, id } = bench.service;
    const device = await met(bench, ...both, false);
    await device.agent.resolve?.(collection, id(0), { text: 'decided' });
    await bench.service.put(id(0), { text: 'theirs again' });
    bench.advance(MINUTE_MS, device);
    expect(await device.agent.sync()).toMatchObject({ ok: true });
    expect(await waiting(bench, device)).toEqual([
      { id: id(0), ours: { text: 'decided' }, theirs: { text: 'theirs again' }, base: both[1] },
    ]);
  });

  it('lets nothing else wait, and comes up beside other changes', async () => {
    const bench = begun();
    const { id } = bench.service;
    const device = await met(bench, ...both, false);
    await bench.put(device, 1, { text: 'ours 1' });
    await bench.put(device, 9, { text: 'ours 9' });
    await bench.service.put(id(2), { text: 'theirs 2' });
    bench.advance(MINUTE_MS, device);
    expect(await device.agent.sync()).toMatchObject({ ok: true });
    expect(await bench.live()).toEqual({
      [id(0)]: both[1],
      [id(1)]: { text: 'ours 1' },
      [id(2)]: { text: 'theirs 2' },
      [id(9)]: { text: 'ours 9' },
    });
    expect(bench.statusOf(device)).toMatchObject({ conflicts: 1, pending: 1 });
  });

  it('keeps both where the server has begun anew, and puts up what was decided', async () => {
    for (const resolution of ['ours', 'theirs'] as const) {
      const bench = begun();
      const { collection, id } = bench.service;
      const device = await met(bench, ...both, false);
      await bench.service.renew();
      await bench.recovered(device);
      await bench.recovered(device);
      expect(await waiting(bench, device)).toMatchObject([{ ours: both[0], theirs: both[1] }]);
      await device.agent.resolve?.(collection, id(0), resolution);
      await bench.recovered(device);
      expect((await bench.live())[id(0)]).toEqual(both[resolution === 'ours' ? 0 : 1]);
      await bench.agreed(device);
    }
  });
}

/** Answers that never come, and power that goes. */
function breaking(start: () => Service): void {
  const begun = () => new Bench(() => chosen(start, 'manual'));

  it.each(['before', 'after'] as const)(
    'keeps both versions, or what was decided, after a cut %s any commit',
    async (when) => {
      let cuts = 0;
      for (let atCommit = 1; cuts < POINTS_MAX; atCommit += every(4)) {
        const bench = begun();
        const fresh = new MemoryStorage();
        await quarrel(bench, fresh);
        const storage = fresh.fork({ atCommit, when });
        await decided(bench, await bench.boot(storage)).catch(() => null);
        if (storage.commits < atCommit) break;
        cuts++;
        await told(bench, await bench.boot(storage.fork()), `cut ${when} commit ${atCommit}`);
      }
      expect(cuts).toBeGreaterThan(1);
    },
  );

  it('keeps both versions, or what was decided, after any lost answer', async () => {
    let point = 0;
    for (let isOver = false; !isOver && point < POINTS_MAX; point += every(4)) {
      const bench = begun();
      const device = await quarrel(bench, new MemoryStorage());
      bench.wire.loses = (_request, count) => count === point + 1;
      await decided(bench, device).catch(() => null);
      isOver = bench.wire.asked.length <= point;
      bench.wire.loses = () => false;
      await told(bench, device, `answer ${point + 1} was lost`);
    }
    expect(point).toBeGreaterThan(2);
    expect(point).toBeLessThan(POINTS_MAX);
  });
}

/** What is decided of the quarrel, by the numbers of its records. */
const DECIDED: readonly Resolution[] = ['ours', 'theirs', { text: 'of both' }, 'ours'];

/** Changed on both sides, deleted here, deleted there, made on both; no pass has seen it yet. */
async function quarrel(bench: Bench, storage: MemoryStorage): Promise<Device> {
  const { service } = bench;
  for (let n = 0; n < 3; n++) await service.put(service.id(n), { text: `theirs ${n}` });
  const device = await bench.boot(storage);
  expect(await device.agent.enable()).toMatchObject({ ok: true });
  bench.advance(MINUTE_MS, device);
  for (const n of [0, 2, 3]) await bench.put(device, n, { text: `ours ${n}` });
  await bench.delete(device, 1);
  for (const n of [0, 1, 3]) await service.put(service.id(n), { text: `theirs again ${n}` });
  await service.delete(service.id(2));
  bench.advance(MINUTE_MS, device);
  bench.wire.asked.length = 0;
  return device;
}

/** A pass, the decisions, and another pass. */
async function decided(bench: Bench, device: Device): Promise<void> {
  await device.agent.sync();
  await decideAll(bench, device);
  await device.agent.sync();
}

/** Each is as it was left or as it was decided: never one version for both. */
async function decideAll(bench: Bench, device: Device, where = ''): Promise<void> {
  const { collection, id } = bench.service;
  for (const { id: one, ours, theirs } of await listed(bench, device)) {
    const n = [0, 1, 2, 3].findIndex((number) => id(number) === one);
    expect(ours?.text, where).toBe(n === 1 ? undefined : `ours ${n}`);
    expect(theirs?.text, where).toBe(n === 2 ? undefined : `theirs again ${n}`);
    await device.agent.resolve?.(collection, one, DECIDED[n] ?? null);
  }
}

/** What the quarrel must end with, wherever it was cut. */
async function told(bench: Bench, device: Device, where: string): Promise<void> {
  const { id } = bench.service;
  await bench.recovered(device);
  await decideAll(bench, device, where);
  await bench.recovered(device);
  expect(await bench.live(), where).toEqual({
    [id(0)]: { text: 'ours 0' },
    [id(1)]: { text: 'theirs again 1' },
    [id(2)]: { text: 'of both' },
    [id(3)]: { text: 'ours 3' },
  });
  expect(await waiting(bench, device), where).toEqual([]);
  expect(bench.statusOf(device), where).toMatchObject({ conflicts: 0 });
  await bench.agreed(device);
}

/** The service, for devices with this strategy. */
function chosen(start: () => Service, strategy: Strategy): Service {
  const service = start();
  return Object.assign(service, {
    config: { ...service.config, strategies: { [service.collection]: strategy } },
    contents: { ...service.contents, strategies },
  });
}

/** Both sides have changed record 0, and a pass has seen it. */
async function met(
  bench: Bench,
  ours: Body | null,
  theirs: Body | null,
  isLate: boolean,
): Promise<Device> {
  const { id } = bench.service;
  const device = await bench.synced(2);
  await (ours === null ? bench.delete(device, 0) : bench.put(device, 0, ours));
  bench.advance(MINUTE_MS, device);
  const change = async (): Promise<void> =>
    theirs === null ? bench.service.delete(id(0)) : bench.service.put(id(0), theirs);
  let isDone = !isLate;
  if (!isLate) await change();
  bench.wire.before = async (request) => {
    if (isDone || !(await bench.service.isWrite(request))) return;
    isDone = true;
    await change();
  };
  bench.advance(MINUTE_MS, device);
  expect(await device.agent.sync()).toMatchObject({ ok: true, error: null });
  bench.advance(MINUTE_MS, device);
  expect(await device.agent.sync()).toMatchObject({ ok: true, error: null });
  return device;
}

async function listed(bench: Bench, { agent }: Device): Promise<readonly Conflict[]> {
  const page = await agent.conflicts?.(bench.service.collection, { limit: 10 });
  return page?.conflicts ?? [];
}

/** What waits, without tags, and bodies without ids. */
async function waiting(bench: Bench, device: Device): Promise<object[]> {
  const bare = (body: Body | null): Body | null => {
    const { id: _, guid: __, ...members } = body ?? {};
    return body && members;
  };
  return (await listed(bench, device)).map(({ id, ours, theirs, base }) => {
    return { id, ours: bare(ours), theirs: bare(theirs), base: bare(base) };
  });
}
