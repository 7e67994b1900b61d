// A device of two remotes, through its public door: each does its own, and nothing that happens to
// one is anything to the other.

import { describe, expect, test } from 'vitest';
import { syntheticAccount } from '../../emulator/servers/synthetic.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { testDevice, testServers } from '../../test/support/device.ts';
import {
  breakable,
  editOf,
  HOUR_MS,
  holdings,
  MINUTE_MS,
  ON,
  OURS,
  otherThan,
  PAGE,
  pendingOf,
  rowsOf,
  SIDES,
  sideOf,
  synced,
} from '../../test/support/synced-remotes.ts';
import { type TwoRemotes, twoRemotes } from '../../test/support/two-remotes.ts';

describe('two remotes', () => {
  test('sync, each what is its own', async () => {
    const { home, work, device } = await synced();
    const { agent } = device;
    const { collections, remotes } = agent.status();
    expect(Object.keys(collections)).toEqual(['history', 'passwords', 'recipes']);
    expect(collections).toMatchObject({
      history: { held: 6 },
      passwords: { held: 3 },
      recipes: { held: 2 },
    });
    expect(remotes).toMatchObject({ first: { state: 'enabled' }, work: { state: 'enabled' } });
    await agent.put('recipes', { id: 'recipe-3', name: 'ours' });
    await agent.put('history', { url: 'https://mine.example/', title: 'mine' });
    expect(await agent.sync()).toMatchObject({
      ok: true,
      collections: { history: { pushed: 1 }, recipes: { pushed: 1 } },
    });
    expect(work.other.get('recipes', 'recipe-3')).toMatchObject({ name: 'ours' });
    expect(home.other.live('history').size).toBe(7);
    expect(home.other.ids('recipes')).toEqual([]);
    expect(work.other.ids('history')).toEqual([]);
  });
});

describe.each(SIDES)('what happens to the remote %s', (name) => {
  const other = otherThan(name);
  const troubles: [string, () => Response, string][] = [
    ['is down', () => new Response('', { status: 503 }), 'unavailable'],
    ['does not take its user', () => new Response('', { status: 401 }), 'unauthorized'],
    [
      'asks to be left alone',
      () => new Response('', { status: 503, headers: { 'Retry-After': '600' } }),
      'backoff',
    ],
  ];
  test.each(troubles)('is its own: a server that %s', async (_, answer, code) => {
    const bench = await synced();
    const { agent } = bench.device;
    await editOf(bench.device, name);
    await editOf(bench.device, other);
    sideOf(bench, name).meddle = answer;
    const report = await agent.sync();
    expect(report.ok).toBe(false);
    expect(agent.status(name).error).not.toBeNull();
    if (code === 'backoff') {
      expect(agent.status(name).notBeforeMs).not.toBeNull();
      expect(await agent.sync(name)).toMatchObject({ error: { code }, requests: 0 });
    }
    expect(pendingOf(bench.device, name)).toBe(1);
    expect(pendingOf(bench.device, other)).toBe(0);
    expect(agent.status(other)).toMatchObject({ state: 'enabled', error: null, notBeforeMs: null });
    expect(await agent.sync(other)).toMatchObject({ ok: true });
    sideOf(bench, name).meddle = () => undefined;
    await bench.advance(3 * HOUR_MS, bench.device);
    expect(await agent.sync()).toMatchObject({ ok: true });
    expect(pendingOf(bench.device, name)).toBe(0);
  });

  test('is its own: a sign-out, which takes its keys and data and nothing else', async () => {
    const bench = await synced();
    const { device, storage } = bench;
    await editOf(device, other);
    const before = rowsOf(storage, other);
    await device.agent.disable(name);
    expect(rowsOf(storage, other)).toEqual(before);
    expect(rowsOf(storage, name).map(([key]) => key.replace(':work:', ''))).toEqual(['s']);
    expect(device.agent.status(name)).toMatchObject({ state: 'disabled', account: null });
    const again = await bench.boot();
    expect(again.agent.status(name).state).toBe('disabled');
    expect(pendingOf(again, other)).toBe(1);
    expect(await again.agent.sync()).toMatchObject({ ok: true });
    expect(pendingOf(again, other)).toBe(0);
    await expect(again.agent.sync(name)).rejects.toMatchObject({ code: 'disabled' });
    expect(await again.agent.enable(name)).toMatchObject({ ok: true });
  });

  test('is its own: a state that is lost, and all that is given up with it', async () => {
    const bench = await synced();
    const { storage } = bench;
    await editOf(bench.device, other);
    const before = rowsOf(storage, other);
    const key = name === 'first' ? 's' : ':work:s';
    await storage.commit([[key, 'c{']]);
    await expect(bench.boot()).rejects.toMatchObject({ code: 'damaged' });
    expect(rowsOf(storage, other)).toEqual(before);
    const { agent } = await bench.boot(storage, {}, false);
    expect(agent.status(name)).toMatchObject({ state: 'disabled', error: { code: 'damaged' } });
    await expect(agent.enable(name)).rejects.toMatchObject({ code: 'damaged' });
    expect(agent.status(other).state).toBe('enabled');
    await agent.disable(name);
    expect(rowsOf(storage, name).map(([at]) => at)).toEqual([key]);
    expect(rowsOf(storage, other)).toEqual(before);
    expect(await agent.enable(name)).toMatchObject({ ok: true });
    expect(await agent.sync()).toMatchObject({ ok: true });
  });
});

describe('of two remotes', () => {
  test('each asks its server once where nothing has changed', async () => {
    const bench = await synced();
    const { agent } = bench.device;
    await agent.sync();
    await bench.advance(HOUR_MS / 4, bench.device);
    for (const { asked } of [bench.home, bench.work]) asked.length = 0;
    expect(await agent.sync()).toMatchObject({ ok: true, requests: 2 });
    expect([bench.home.asked.length, bench.work.asked.length]).toEqual([1, 1]);
  });

  test('each syncs by itself, one after the other', async () => {
    const bench = await synced();
    let running = 0;
    for (const side of [bench.home, bench.work]) {
      side.meddle = () => {
        running++;
        return undefined;
      };
    }
    await bench.advance(1.2 * HOUR_MS, bench.device);
    for (let n = 0; n < 50; n++) await bench.advance(1, bench.device);
    expect([bench.home.asked.length, bench.work.asked.length]).toEqual([1, 1]);
    expect(running).toBe(2);
  });

  test('both go on after a reboot, a sign-in that the power has cut as well', async () => {
    const bench = twoRemotes();
    bench.home.meddle = () => Response.error();
    bench.work.meddle = () => Response.error();
    const device = await bench.boot();
    await device.agent.enable();
    expect(SIDES.map((name) => device.agent.status(name).state)).toEqual(['errored', 'errored']);
    bench.home.meddle = () => undefined;
    bench.work.meddle = () => undefined;
    const again = await bench.boot();
    await bench.advance(3 * MINUTE_MS, again);
    for (let n = 0; n < 50; n++) await bench.advance(1, again);
    expect(SIDES.map((name) => again.agent.status(name).state)).toEqual(['enabled', 'enabled']);
    expect(again.agent.status().collections).toMatchObject({
      history: { held: 6 },
      recipes: { held: 2 },
    });
  });

  test('each has a key of its own: a value that was moved to the other does not open', async () => {
    const bench = await synced();
    const { storage } = bench;
    const values = new Map(storage.snapshot());
    const [moved, value] = rowsOf(storage, 'work').find(([key]) => key.includes('.r.')) ?? ['', ''];
    expect(value).toBeInstanceOf(Uint8Array);
    // The same collection on the same key, with the first remote as its owner.
    const config = { collections: { history: ON, recipes: ON }, remotes: {} };
    const names = [...values.keys()].filter((key) => key.startsWith(':work:1.grecipes.'));
    expect(names).toContain(moved);
    await storage.commit(names.map((key) => [key.slice(6), values.get(key) ?? null] as const));
    const { agent } = await bench.boot(storage, config);
    await expect(agent.get('recipes', 'recipe-1')).rejects.toMatchObject({ code: 'damaged' });
  });

  test('both are mended where the storage has lost values', async () => {
    const bench = await synced();
    await editOf(bench.device, 'first');
    const loses = (key: string): boolean => /\.(r|d|q|x)\./.test(key);
    const broken = breakable(bench.storage.snapshot(), loses);
    const device = await bench.boot(broken);
    const events = device.platform.events.map((json) => JSON.parse(json));
    const damaged = events.filter(({ kind }) => kind === 'damaged');
    expect(damaged.map(({ collection, remote }) => [collection, remote])).toEqual([
      ['history', undefined],
      ['passwords', undefined],
      ['recipes', 'work'],
    ]);
    expect(await device.agent.sync()).toMatchObject({ ok: true });
    const { device: is, servers } = await holdings(bench, device);
    expect(is).toEqual(servers);
    expect((await broken.get(['t', ':work:t'])).every((value) => value === null)).toBe(true);
  });

  test.each(SIDES)(
    '%s was never signed in to, and is nothing that damage has lost',
    async (name) => {
      const bench = twoRemotes();
      const { agent } = await bench.boot();
      expect(await agent.enable(otherThan(name))).toMatchObject({ ok: true });
      const storage = breakable(bench.storage.snapshot(), () => false);
      const again = await bench.boot(storage);
      expect(storage.isBroken).toBe(false);
      expect(again.agent.status(name)).toMatchObject({ state: 'disabled', error: null });
      expect(await again.agent.sync()).toMatchObject({ ok: true });
    },
  );

  test('what one finds lost while both are open, the other mends too', async () => {
    const bench = await synced();
    const storage = breakable(bench.storage.snapshot(), (key) => key.includes('.r.'));
    storage.isBroken = false;
    const device = await bench.boot(storage);
    storage.isBroken = true;
    await expect(device.agent.get('recipes', 'recipe-1')).rejects.toMatchObject({
      code: 'damaged',
    });
    expect(storage.isBroken).toBe(false);
    expect(await device.agent.sync()).toMatchObject({ ok: true });
    const { device: is, servers } = await holdings(bench, device);
    expect(is).toEqual(servers);
  });

  test('the second is added to a device that has one, and the data stays', async () => {
    const bench = twoRemotes();
    const one = await bench.boot(bench.storage, { remotes: {} });
    expect(await one.agent.enable()).toMatchObject({ ok: true });
    expect(one.agent.status()).not.toHaveProperty('remotes');
    await editOf(one, 'first');
    const before = rowsOf(bench.storage, 'first');
    const two = await bench.boot();
    expect(rowsOf(bench.storage, 'first')).toEqual(before);
    expect(SIDES.map((name) => two.agent.status(name).state)).toEqual(['enabled', 'disabled']);
    expect(pendingOf(two, 'first')).toBe(1);
    bench.home.asked.length = 0;
    expect(await two.agent.enable('work')).toMatchObject({ ok: true });
    expect(bench.home.asked).toEqual([]);
    expect(await two.agent.sync()).toMatchObject({ ok: true });
    expect(pendingOf(two, 'first')).toBe(0);
  });

  test('one that the configuration has no more goes with the sign-out of all', async () => {
    const bench = await synced();
    const one = await bench.boot(bench.storage, { remotes: {} });
    await one.agent.disable('first');
    expect(rowsOf(bench.storage, 'work').length).toBeGreaterThan(3);
    await one.agent.disable();
    expect(rowsOf(bench.storage, 'work')).toEqual([]);
  });
});

test('power that is cut at any commit of a story of two remotes costs nothing', {
  timeout: 120_000,
}, async () => {
  const tell = async (bench: TwoRemotes, storage: MemoryStorage): Promise<void> => {
    const { agent } = await bench.boot(storage);
    await agent.enable();
    await agent.put('recipes', OURS);
    await agent.put('history', { ...PAGE, visits: [{ date: 1_795_330_000_000_000, type: 1 }] });
    await agent.delete('recipes', 'recipe-1');
    await agent.sync();
    await agent.disable('work');
  };
  const whole = twoRemotes();
  const story = new MemoryStorage();
  await tell(whole, story);
  expect(story.commits).toBeGreaterThan(20);
  for (let atCommit = 1; atCommit <= story.commits; atCommit++) {
    const bench = twoRemotes();
    const dying = new MemoryStorage([], { atCommit, when: atCommit % 2 ? 'after' : 'before' });
    await tell(bench, dying).catch(() => undefined);
    const found = dying.fork();
    const device = await bench.boot(found);
    await bench.advance(3 * HOUR_MS, device);
    expect(await device.agent.enable(), `commit ${atCommit}`).toMatchObject({ ok: true });
    const { device: is, servers } = await holdings(bench, device);
    expect(is, `commit ${atCommit}`).toEqual(servers);
    expect(bench.work.other.ids('history')).toEqual([]);
  }
});

describe('a build of one remote', () => {
  test('has no other, and signs nobody out who was not meant', async () => {
    const { agent } = testDevice(testServers(syntheticAccount({ records: 2, seed: 3 })));
    await agent.start();
    expect(await agent.enable('first')).toMatchObject({ ok: true });
    const refused = { code: 'badInput', message: 'remote: not one of first' };
    await expect(agent.disable('work')).rejects.toMatchObject(refused);
    await expect(agent.sync('work')).rejects.toMatchObject(refused);
    expect(agent.status('first')).toEqual(agent.status());
    expect(agent.status().state).toBe('enabled');
    expect(agent.createCollection).toBeUndefined();
  });

  test('is not made for a configuration of several', () => {
    const servers = testServers(syntheticAccount({ records: 2, seed: 3 }));
    const { remotes } = twoRemotes().config;
    expect(() => testDevice(servers, { config: { ...(remotes && { remotes }) } })).toThrow(
      'remotes: this build has one',
    );
  });
});
