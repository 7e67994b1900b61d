// Conflicts that are decided by hand, as apps meet them; every remote is tried in
// test/contract/strategies.ts. Which collection has which strategy is tried here.

import { describe, expect, test } from 'vitest';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { Bench, MINUTE_MS } from '../../test/contract/bench.ts';
import { every } from '../../test/sim/share.ts';
import { kintoService } from '../../test/support/kinto-service.ts';
import {
  type Agent,
  atomic,
  type Conflict,
  type Contents,
  generic,
  type Strategy,
  strategies,
} from '../index.ts';

const NAME = 'things';

/** A Kinto; `config` and `contents`: what devices have beside it. */
function benchWith(config: object, contents: Partial<Contents> = { strategies }): Bench {
  return new Bench(() => {
    const service = kintoService();
    return Object.assign(service, {
      config: { ...service.config, ...config },
      contents: { ...service.contents, ...contents },
    });
  });
}

const MANUAL = { strategies: { [NAME]: 'manual' } };

/** `count` records that both sides have changed. */
async function quarrel(bench: Bench, count = 1, storage = new MemoryStorage()) {
  const { service } = bench;
  for (let n = 0; n < count; n++) await service.put(service.id(n), { text: 'base' });
  const device = await bench.boot(storage);
  expect(await device.agent.enable()).toMatchObject({ ok: true });
  bench.advance(MINUTE_MS, device);
  for (let n = 0; n < count; n++) {
    await bench.put(device, n, { text: 'ours' });
    await service.put(service.id(n), { text: 'theirs' });
  }
  bench.advance(MINUTE_MS, device);
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  return device;
}

async function pages({ conflicts }: Agent, limit: number): Promise<string[][]> {
  const found: string[][] = [];
  let after: string | null = null;
  do {
    const page: Awaited<ReturnType<NonNullable<typeof conflicts>>> | undefined = await conflicts?.(
      NAME,
      { limit, after },
    );
    found.push(page?.conflicts.map(({ id }) => id) ?? []);
    after = page?.next ?? null;
  } while (after !== null);
  return found;
}

describe('a list of conflicts', () => {
  test('comes in pages, each record once', async () => {
    const bench = benchWith(MANUAL);
    const { agent } = await quarrel(bench, 5);
    const ids = [0, 1, 2, 3, 4].map((n) => bench.service.id(n));
    for (const limit of [1, 2, 5, 1_000]) {
      expect((await pages(agent, limit)).flat().sort()).toEqual(ids);
    }
    expect((await pages(agent, 2)).map((page) => page.length)).toEqual([2, 2, 1]);
    expect(agent.status().collections[NAME]).toMatchObject({ conflicts: 5, pending: 5 });
  });

  test('ends a page before it is too long for a reply', async () => {
    const bench = benchWith(MANUAL);
    const device = await quarrel(bench, 3);
    for (const n of [0, 1, 2]) await bench.put(device, n, { text: 'x'.repeat(50_000) });
    expect((await pages(device.agent, 10)).map((page) => page.length)).toEqual([1, 1, 1]);
  });

  test.each<[object, string]>([
    [{ limit: 0 }, 'limit: not an integer from 1 to 1000'],
    [{ limit: 1_001 }, 'limit: not an integer from 1 to 1000'],
    [{ limit: '5' }, 'limit: not an integer from 1 to 1000'],
    [{ limit: 5, after: '' }, 'after: not a text of 1 to 2048 characters'],
    [{ limit: 5, after: 7 }, 'after: not a text of 1 to 2048 characters'],
  ])('asked for with %j says what is wrong', async (query, message) => {
    const { agent } = await quarrel(benchWith(MANUAL));
    const asked = agent.conflicts?.(NAME, query as { limit: number });
    await expect(asked).rejects.toMatchObject({ code: 'badInput', message });
  });
});

describe('deciding', () => {
  test.each<[string, unknown, object]>([
    ['record-0', 'local', { code: 'badInput', message: /^resolution: / }],
    ['record-0', 7, { code: 'badInput', message: /^resolution: / }],
    ['record-0', [], { code: 'badInput', message: /^resolution: / }],
    ['record-0', { text: 'x'.repeat(400_000) }, { code: 'tooLarge' }],
    ['record-9', 'ours', { code: 'notFound' }],
    ['', 'ours', { code: 'badInput', message: /^id: / }],
  ])('%s by %j is refused, and it goes on waiting', async (id, resolution, error) => {
    const { agent, storage } = await quarrel(benchWith(MANUAL));
    const { commits } = storage;
    const refused = agent.resolve?.(NAME, id, resolution as null);
    const { message = /./, ...code } = error as { message?: RegExp };
    await expect(refused).rejects.toMatchObject(code);
    await expect(refused).rejects.toThrow(message);
    expect(storage.commits).toBe(commits);
    expect(await pages(agent, 10)).toEqual([['record-0']]);
  });

  test('twice is refused: what was decided is no conflict', async () => {
    const { agent } = await quarrel(benchWith(MANUAL));
    await agent.resolve?.(NAME, 'record-0', 'ours');
    const again = agent.resolve?.(NAME, 'record-0', 'theirs');
    await expect(again).rejects.toMatchObject({ code: 'notFound' });
  });

  test('is not for a device that may only read', async () => {
    const { agent } = await quarrel(benchWith(MANUAL));
    await agent.configure({ collections: { [NAME]: { readOnly: true } } });
    const refused = agent.resolve?.(NAME, 'record-0', 'ours');
    await expect(refused).rejects.toMatchObject({ code: 'readOnly' });
  });

  test('by a version that was shown changes what is otherwise in it', async () => {
    const bench = benchWith(MANUAL);
    const { agent } = await quarrel(bench);
    const page = await agent.conflicts?.(NAME, { limit: 1 });
    const theirs = page?.conflicts[0]?.theirs ?? {};
    await agent.resolve?.(NAME, 'record-0', { ...theirs, more: 1 });
    await agent.sync();
    expect(await bench.live()).toEqual({ 'record-0': { text: 'theirs', more: 1 } });
  });

  test('has the next pass come soon', async () => {
    const device = await quarrel(benchWith(MANUAL));
    const before = device.platform.events.length;
    await device.agent.observe(NAME, true);
    await device.agent.resolve?.(NAME, 'record-0', null);
    expect(device.platform.events.slice(before).map((json) => JSON.parse(json))).toEqual([
      { kind: 'record', collection: NAME, id: 'record-0', change: 'delete' },
    ]);
  });
});

test('another account meets none of it', async () => {
  const { agent, storage } = await quarrel(benchWith(MANUAL));
  await agent.disable();
  expect(storage.snapshot().filter(([key]) => /\.b\./.test(key))).toEqual([]);
  await agent.enable();
  expect(await pages(agent, 10)).toEqual([[]]);
});

test('another key of the user leaves both versions, and what they were made from', async () => {
  const bench = benchWith(MANUAL);
  const device = await quarrel(bench, 2);
  const [page] = [await device.agent.conflicts?.(NAME, { limit: 5 })];
  const texts = (conflicts: readonly Conflict[] = []) =>
    conflicts
      .map(({ id, ours, theirs, base }) => [id, ours?.text, theirs?.text, base?.text])
      .sort();
  for (const when of ['before', 'after'] as const) {
    for (let atCommit = 1; ; atCommit += every(3)) {
      const again = benchWith(MANUAL);
      const { identity } = again.service;
      Object.assign(again.service, {
        identity: { ...identity, syncKey: async () => ({ kB: 'cd'.repeat(32) }) },
      });
      again.advance(10 * MINUTE_MS);
      const storage = device.storage.fork({ atCommit, when });
      const cut = await again.boot(storage).catch(() => null);
      await cut?.agent.sync().catch(() => null);
      const isOver = storage.commits < atCommit;
      const last = await again.boot(storage.fork());
      await again.recovered(last);
      await again.recovered(last);
      const now = await last.agent.conflicts?.(NAME, { limit: 5 });
      expect(texts(now?.conflicts), `cut ${when} commit ${atCommit}`).toEqual(
        texts(page?.conflicts),
      );
      expect(last.agent.status().collections[NAME]).toMatchObject({ conflicts: 2, pending: 2 });
      if (isOver) break;
    }
  }
});

describe('which strategy a collection has', () => {
  const texts = async (bench: Bench): Promise<unknown> => {
    await quarrel(bench);
    return (await bench.live())['record-0']?.text;
  };
  const made = (strategy?: Strategy) => ({
    strategies,
    collections: [generic(NAME, { strategy })],
  });

  test('is what it was made with, unless the device is configured for another', async () => {
    expect(await texts(benchWith({}, made('localWins')))).toBe('ours');
    expect(await texts(benchWith({}, made('remoteWins')))).toBe('theirs');
    const config = { strategies: { [NAME]: 'localWins', other: 'manual' } };
    expect(await texts(benchWith(config, made('remoteWins')))).toBe('ours');
    expect(await texts(benchWith({ strategies: { other: 'localWins' } }, made()))).toBe('theirs');
  });

  test('is a name that there is, and not manual where records are replaced at once', async () => {
    const strange = benchWith({ strategies: { [NAME]: 'mine' } }).boot();
    await expect(strange.then(({ agent }) => agent.enable())).rejects.toThrow('strategies.things');
    const replaced = benchWith(MANUAL, { strategies, collections: [atomic(generic(NAME))] });
    const enabled = replaced.boot().then(({ agent }) => agent.enable());
    await expect(enabled).rejects.toThrow('never manual');
  });

  test('is merge alone where records say themselves when they were changed', async () => {
    const stamped = { ...generic(NAME), stamped: <T>(body: T): T => body };
    const enabledWith = async (strategy: Strategy): Promise<boolean> => {
      const config = { strategies: { [NAME]: strategy } };
      const { agent } = await benchWith(config, { strategies, collections: [stamped] }).boot();
      return (await agent.enable()).ok;
    };
    for (const strategy of ['localWins', 'remoteWins', 'manual'] as const) {
      await expect(enabledWith(strategy)).rejects.toThrow(`${NAME}: never ${strategy}`);
    }
    expect(await enabledWith('merge')).toBe(true);
  });

  test('may be another one later: what waits goes on waiting', async () => {
    const bench = benchWith(MANUAL);
    const device = await quarrel(bench);
    const config = { ...bench.service.config, strategies: { [NAME]: 'remoteWins' } };
    Object.assign(bench.service, { config });
    const again = await bench.boot(device.storage.fork());
    await bench.recovered(again);
    expect(await pages(again.agent, 10)).toEqual([['record-0']]);
    await again.agent.resolve?.(NAME, 'record-0', 'ours');
    await again.agent.sync();
    expect(await bench.live()).toEqual({ 'record-0': { text: 'ours' } });
  });
});

test('a build without strategies sends what apps see, and a later one forgets it', async () => {
  const bench = benchWith(MANUAL);
  const device = await quarrel(bench);
  Object.assign(bench.service, { contents: { ...bench.service.contents, strategies: undefined } });
  const other = await bench.boot(device.storage.fork());
  expect(other.agent.conflicts).toBeUndefined();
  await bench.recovered(other);
  await bench.recovered(other);
  expect(await bench.live()).toEqual({ 'record-0': { text: 'ours' } });
  Object.assign(bench.service, { contents: { ...bench.service.contents, strategies } });
  const last = await bench.boot(other.storage.fork());
  expect(await pages(last.agent, 10)).toEqual([[]]);
  expect(last.agent.status().collections[NAME]).toMatchObject({ conflicts: 0, pending: 0 });
});
