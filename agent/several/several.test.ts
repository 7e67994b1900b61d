// A device of two remotes, through its public door: each does its own, and nothing that happens to
// one is anything to the other.

import { describe, expect, test } from 'vitest';
import { syntheticAccount } from '../../emulator/servers/synthetic.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import type { Change, Value } from '../../platform/ports.ts';
import { testDevice, testServers } from '../../test/support/device.ts';
import { type TwoDevice, type TwoRemotes, twoRemotes } from '../../test/support/two-remotes.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const PAGE = { url: 'https://mine.example/', title: 'mine' };
const OURS = { id: 'recipe-3', name: 'ours' };
const ON = { enabled: true, readOnly: false };
const SIDES = ['first', 'work'] as const;
type Side = (typeof SIDES)[number];

interface Synced extends TwoRemotes {
  readonly device: TwoDevice;
}

/** Both are signed in and have synced. */
async function synced(): Promise<Synced> {
  const bench = twoRemotes();
  const device = await bench.boot();
  expect(await device.agent.enable()).toMatchObject({ ok: true, error: null });
  await bench.advance(MINUTE_MS, device);
  for (const side of [bench.home, bench.work]) side.asked.length = 0;
  return { ...bench, device };
}

const sideOf = (bench: TwoRemotes, name: Side) => (name === 'first' ? bench.home : bench.work);
const otherThan = (name: Side): Side => (name === 'first' ? 'work' : 'first');

/** A change of a collection of this remote; what is pending there. */
const editOf = ({ agent }: TwoDevice, name: Side): Promise<string> =>
  name === 'first' ? agent.put('history', PAGE) : agent.put('recipes', OURS);
const pendingOf = ({ agent }: TwoDevice, name: Side): number | undefined =>
  agent.status().collections[name === 'first' ? 'history' : 'recipes']?.pending;

/** What is stored of one remote. */
function rowsOf(storage: MemoryStorage, name: Side): [string, Value][] {
  return storage.snapshot().filter(([key]) => key.startsWith(':work:') === (name === 'work'));
}

/**
 * A storage of these rows whose reads fail while it is broken, until it is repaired; the rows that
 * it `loses` are gone then.
 */
function breakable(rows: [string, Value][], loses: (key: string) => boolean) {
  const storage = new MemoryStorage(rows);
  const get = storage.get.bind(storage);
  const made = Object.assign(storage, {
    isBroken: true,
    async get(keys: readonly string[]) {
      if (made.isBroken) throw Object.assign(new Error('a page'), { code: 'damaged' });
      return get(keys);
    },
    async repair(ifLost: readonly Change[]) {
      made.isBroken = false;
      const gone = made.snapshot().filter(([key]) => loses(key));
      await made.commit([...gone.map(([key]) => [key, null] as const), ...ifLost]);
      return false;
    },
  });
  return made;
}

/** What the device and the servers hold, in few words. */
async function holdings({ home, work }: TwoRemotes, { agent }: TwoDevice) {
  const idsOf = async (name: string): Promise<string[]> => {
    const { records } = await agent.list(name, { limit: 100 });
    return records.map(({ guid, id }) => `${guid ?? id}`).sort();
  };
  const live = (side: typeof home, name: string) => [...side.other.live(name).keys()].sort();
  return {
    device: [await idsOf('history'), await idsOf('passwords'), await idsOf('recipes')],
    servers: [live(home, 'history'), live(home, 'passwords'), live(work, 'recipes')],
  };
}

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

describe('a device of several remotes', () => {
  test('is not made where a collection is switched on in two', async () => {
    const { boot, storage } = twoRemotes();
    await expect(boot(storage, { collections: { history: ON, recipes: ON } })).rejects.toThrow(
      'collections: recipes is switched on in first and work',
    );
  });

  test.each([
    ['Work', 'remotes: Work is not 1 to 16 of a-z, 0-9 and -'],
    ['a'.repeat(17), 'remotes: aaaaaaaaaaaaaaaaa is not 1 to 16 of a-z, 0-9 and -'],
    ['', 'remotes:  is not 1 to 16 of a-z, 0-9 and -'],
    ['first', "remotes: first is the device's own"],
  ])('is not made with one that is called %j', async (name, message) => {
    const { boot, storage, config } = twoRemotes();
    const remotes = { [name]: { ...config.remotes?.work, collections: {} } };
    await expect(boot(storage, { remotes } as Partial<typeof config>)).rejects.toThrow(message);
  });

  test('knows no other names, and says which there are', async () => {
    const { agent } = (await synced()).device;
    const refused = { code: 'badInput', message: 'remote: not one of first, work' };
    for (const name of ['home', '', '__proto__', null as unknown as string]) {
      await expect(agent.enable(name)).rejects.toMatchObject(refused);
      await expect(agent.disable(name)).rejects.toMatchObject(refused);
      await expect(agent.sync(name)).rejects.toMatchObject(refused);
      await expect(agent.configure({}, name)).rejects.toMatchObject(refused);
      await expect(agent.devices(name)).rejects.toMatchObject(refused);
      await expect(agent.initializeAccount(true, name)).rejects.toMatchObject(refused);
      expect(() => agent.cancel(name)).toThrow(refused.message);
      expect(() => agent.status(name)).toThrow(refused.message);
      expect(() => agent.signIn(name)).toThrow(refused.message);
      expect(() => agent.connectionChanged(name)).toThrow(refused.message);
    }
    await expect(agent.get('tabs', 'x')).rejects.toMatchObject({
      message: 'collection: not one of history, passwords, recipes',
    });
  });

  test('takes a change of its switches in all remotes or in none', async () => {
    const { device, storage } = await synced();
    const { commits } = storage;
    const change = { collections: { history: { enabled: false }, recipes: { enabled: 7 } } };
    await expect(device.agent.configure(change as never)).rejects.toMatchObject({
      message: 'collections.recipes.enabled: neither true nor false',
    });
    expect(storage.commits).toBe(commits);
    await device.agent.configure({ collections: { recipes: { readOnly: true } } });
    await expect(device.agent.put('recipes', OURS)).rejects.toMatchObject({ code: 'readOnly' });
    await device.agent.configure({ intervalMs: 2 * HOUR_MS }, 'work');
    await device.agent.put('history', PAGE);
  });

  test('tells whose event it is, and shows a status of all', async () => {
    const { device } = await synced();
    device.platform.events.length = 0;
    await device.agent.sync();
    const events = device.platform.events.map((json) => JSON.parse(json));
    const passes = events.filter(({ kind }) => kind === 'pass');
    expect(passes.map(({ remote }) => remote)).toEqual([undefined, 'work']);
    const shown = JSON.parse(device.platform.statuses.at(-1) ?? '{}');
    expect(shown).toEqual(JSON.parse(JSON.stringify(device.agent.status())));
    expect(Object.keys(shown.remotes)).toEqual(['first', 'work']);
  });

  test('ends all passes when they are cancelled, those that have not begun too', async () => {
    const { device, home, work } = await synced();
    home.meddle = () => {
      device.agent.cancel();
      return undefined;
    };
    expect(await device.agent.sync()).toMatchObject({ ok: false, error: { code: 'aborted' } });
    expect(work.asked).toEqual([]);
    home.meddle = () => undefined;
    expect(await device.agent.sync()).toMatchObject({ ok: true });
  });

  test('signs out of one whose pass waits for a server of the other', async () => {
    const { device, home, storage } = await synced();
    const { agent } = device;
    const answers: (() => void)[] = [];
    home.meddle = () => new Promise((answer) => answers.push(() => answer(undefined)));
    const long = agent.sync('first');
    const waiting = agent.sync('work').catch(({ code }) => code);
    await agent.disable('work');
    expect(rowsOf(storage, 'work').map(([key]) => key)).toEqual([':work:s']);
    home.meddle = () => undefined;
    for (const answer of answers) answer();
    expect(await long).toMatchObject({ ok: true });
    expect(await waiting).toBe('disabled');
  });

  test('signs out of one in the middle of a pass of the other', async () => {
    const { device, home, storage } = await synced();
    const { agent } = device;
    let isOut = false;
    home.meddle = () => {
      void agent.disable('work').then(() => {
        isOut = true;
      });
      home.meddle = () => undefined;
      return undefined;
    };
    await agent.sync('first');
    for (let n = 0; n < 50 && !isOut; n++) await new Promise((done) => setImmediate(done));
    expect(isOut).toBe(true);
    expect(rowsOf(storage, 'work').map(([key]) => key)).toEqual([':work:s']);
  });
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
