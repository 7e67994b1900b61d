// A collection that the user wants here and that the account does not list: it is added, or an app
// hears that it cannot be. Nothing else of the account changes.

import { describe, expect, test } from 'vitest';
import type { WorldOptions } from '../../../emulator/servers/world.ts';
import { MemoryStorage } from '../../../platform/memory/storage.ts';
import { secondDevice } from '../../../test/sim/second-device.ts';
import {
  corpusAccount,
  type DeviceOptions,
  type TestDevice,
  type TestServers,
  testServers,
  userOf,
} from '../../../test/support/device.ts';
import { fullDevice } from '../../../test/support/everything.ts';
import { READ_ONLY_RECHECK_MS } from '../../limits.ts';

const ok = { ok: true, error: null };
const ALL_WRITES = ['meta', 'history', 'recipes', 'extension-storage', 'clients'].map(
  (name) => `record_${name}_put_enabled`,
);
const RECIPE = { title: 'Soup' };

/** As nobody would write it: nothing of it may change. */
const ODD_META = `{ "syncID":"rIqWnmrBUKKv","later":{"engines":{"recipes":1}},"storageVersion":5.0,
  "declined":["forms", "\\u0061ddons"], "engines" : {
  "history":{"version":1, "syncID":"B4rbdmoN4EoU","x":1e2},
  "tabs":{"syncID":"t","version":1},"passwords":{"version":1,"syncID":"p"}} ,
  "big":12345678901234567890}`;

interface Stage {
  readonly servers: TestServers;
  /** Every write of `meta/global` that was asked for. */
  readonly writes: string[];
  /** What happens to the next ones instead of what they are for. */
  instead: ((request: Request) => Promise<Response>) | null;
  device(options?: DeviceOptions): Promise<TestDevice>;
}

function stage(options: Partial<WorldOptions> = {}, meta: string | null = ODD_META): Stage {
  const servers = testServers(corpusAccount(), { syncto: { enabled: ALL_WRITES }, ...options });
  if (meta !== null) setMeta(servers, meta);
  const self: Stage = {
    servers,
    writes: [],
    instead: null,
    async device(own = {}) {
      const fetch = async (request: Request): Promise<Response> => {
        const isWrite = request.method === 'PUT' && /meta.*global/.test(request.url);
        if (isWrite) self.writes.push(request.url);
        return isWrite && self.instead !== null
          ? self.instead(request)
          : servers.world.fetch(request);
      };
      return fullDevice(servers, { identity: userOf(servers), fetch, ...own });
    },
  };
  return self;
}

const userIn = ({ world }: TestServers) => [...world.store.users.values()][0];

function metaOf(servers: TestServers): string {
  return userIn(servers)?.collections.get('meta')?.get('global', servers.nowMs)?.payload ?? '';
}

function setMeta(servers: TestServers, payload: string): void {
  servers.nowMs += 1_000;
  userIn(servers)?.write('meta', [{ id: 'global', payload }], servers.nowMs);
}

type Meta = { engines: Record<string, { version: number; syncID: string }>; declined: string[] };

function editMeta(servers: TestServers, change: (meta: Meta) => void): void {
  const meta: Meta = JSON.parse(metaOf(servers));
  change(meta);
  setMeta(servers, JSON.stringify(meta));
}

const enginesOf = (servers: TestServers): Meta['engines'] => JSON.parse(metaOf(servers)).engines;
const statusOf = ({ agent }: TestDevice, name = 'recipes') => agent.status().collections[name];

async function sync({ servers }: Stage, ...devices: TestDevice[]): Promise<void> {
  for (const { agent, platform } of devices) {
    servers.nowMs += 1_000;
    platform.time.set(servers.nowMs);
    expect(await agent.sync()).toMatchObject(ok);
  }
}

describe.each(['sync15', 'syncto'] as const)('over %s', (protocol) => {
  test('is added with all else left as it was, to the character, and then syncs', async () => {
    const it = stage();
    const [a, b] = [await it.device({ protocol }), await it.device({ protocol })];
    expect(await a.agent.enable()).toMatchObject(ok);
    const id = await a.agent.put('recipes', RECIPE);
    await a.agent.extensionStorage('a@test').set({ k: 1 });
    await sync(it, a);
    const { recipes, 'extension-storage': stored } = enginesOf(it.servers);
    expect(recipes).toEqual({ version: 1, syncID: expect.stringMatching(/^[\w-]{12}$/) });
    expect(stored?.syncID).not.toBe(recipes?.syncID);
    const added = JSON.stringify(enginesOf(it.servers)).slice(1).split('"history"')[0] ?? '';
    expect(metaOf(it.servers).replace(added, '')).toBe(ODD_META);
    expect(it.writes).toHaveLength(1);
    const none = { absent: false, declined: false, pending: 0 };
    expect([statusOf(a), statusOf(a, 'extension-storage')]).toMatchObject([none, none]);
    expect(secondDevice(it.servers).get('recipes', id)).toMatchObject(RECIPE);
    expect(await b.agent.enable()).toMatchObject(ok);
    expect(await b.agent.get('recipes', id)).toMatchObject(RECIPE);
    await sync(it, a, b);
    expect(it.writes).toHaveLength(1);
  });

  test('is what the other device has added, if that was faster', async () => {
    const it = stage();
    const [a, b] = [await it.device({ protocol }), await it.device({ protocol })];
    it.instead = async (request) => {
      it.instead = null;
      it.servers.nowMs += 1_000;
      expect(await b.agent.enable()).toMatchObject(ok);
      it.servers.nowMs += 1_000;
      return it.servers.world.fetch(request);
    };
    expect(await a.agent.enable()).toMatchObject(ok);
    const id = await a.agent.put('recipes', RECIPE);
    await sync(it, a, b);
    expect(it.writes).toHaveLength(2);
    expect(Object.keys(enginesOf(it.servers)).sort()).toEqual([
      ...['addresses', 'contacts', 'extension-storage', 'history', 'passwords', 'recipes'],
      'tabs',
    ]);
    expect(await b.agent.get('recipes', id)).toMatchObject(RECIPE);
  });

  test.each(['declined', 'listed'])('is left alone if it was %s meanwhile', async (what) => {
    const it = stage();
    const { agent } = await it.device({ protocol });
    it.instead = async (request) => {
      it.instead = null;
      editMeta(it.servers, ({ engines, declined }) => {
        if (what === 'declined') declined.push('recipes');
        else engines.recipes = { version: 1, syncID: 'theirs' };
      });
      return it.servers.world.fetch(request);
    };
    expect(await agent.enable()).toMatchObject(ok);
    expect(enginesOf(it.servers).recipes?.syncID).toBe(what === 'listed' ? 'theirs' : undefined);
    expect(enginesOf(it.servers)['extension-storage']).toBeDefined();
    expect(agent.status().collections.recipes).toMatchObject({
      declined: what === 'declined',
      absent: false,
    });
  });

  test('is added once although the answer was lost and the power is cut', async () => {
    const it = stage();
    const storage = new MemoryStorage();
    const first = await it.device({ protocol, storage });
    it.instead = async (request) => {
      it.instead = null;
      await it.servers.world.fetch(request);
      throw new TypeError('fetch failed');
    };
    expect(await first.agent.enable()).toMatchObject({ ok: false });
    const { recipes } = enginesOf(it.servers);
    it.servers.nowMs += 3_600_000;
    const second = await it.device({ protocol, storage });
    const id = await second.agent.put('recipes', RECIPE);
    await sync(it, second);
    expect(it.writes).toHaveLength(1);
    expect(enginesOf(it.servers).recipes).toEqual(recipes);
    expect(secondDevice(it.servers).get('recipes', id)).toMatchObject(RECIPE);
  });

  test('that the user has declined waits, and is called so', async () => {
    const it = stage();
    editMeta(it.servers, ({ declined }) => declined.push('recipes'));
    const device = await it.device({ protocol });
    await device.agent.enable();
    const id = await device.agent.put('recipes', RECIPE);
    await sync(it, device);
    expect(enginesOf(it.servers).recipes).toBeUndefined();
    expect(statusOf(device)).toMatchObject({ declined: true, absent: false, pending: 1 });
    editMeta(it.servers, (meta) => {
      meta.declined = [];
    });
    await sync(it, device);
    expect(statusOf(device)).toMatchObject({ declined: false, absent: false, pending: 0 });
    expect(secondDevice(it.servers).get('recipes', id)).toMatchObject(RECIPE);
  });

  test('is not added to what was garbled on the way: it would go back', async () => {
    const it = stage();
    let reads = 0;
    const device = await it.device({
      protocol,
      fetch: async (request) => {
        if (request.method === 'PUT') it.writes.push(request.url);
        const answer = await it.servers.world.fetch(request);
        if (!/meta.*global/.test(request.url) || request.method !== 'GET') return answer;
        // Every other answer has lost an engine.
        const text = (await answer.text()).replaceAll(
          'passwords',
          reads++ % 2 ? 'passwords' : 'passw0rds',
        );
        return new Response(text, answer);
      },
    });
    await device.agent.enable();
    expect(reads).toBeGreaterThan(3);
    expect(it.writes.filter((url) => url.includes('meta'))).toEqual([]);
    expect(metaOf(it.servers)).toBe(ODD_META);
  });

  test('that is only read here is not added', async () => {
    const it = stage();
    const collections = {
      recipes: { enabled: true, readOnly: true },
      bookmarks: { enabled: true, readOnly: false },
      history: { enabled: true, readOnly: false },
      forms: { enabled: false, readOnly: false },
    };
    const device = await it.device({ protocol, config: { collections } });
    expect(await device.agent.enable()).toMatchObject(ok);
    expect(metaOf(it.servers)).toBe(ODD_META);
    expect(statusOf(device)).toMatchObject({ absent: true, declined: false, readOnly: true });
    expect(statusOf(device, 'bookmarks')).toMatchObject({ absent: true, declined: false });
  });

  test.each(['"engines":null', '"engines":[]', '"nothing":0'])(
    'is added to a document with %s only where that loses nothing',
    async (members) => {
      const text = `{"syncID":"rIqWnmrBUKKv","storageVersion":5,${members}}`;
      const it = stage({}, text);
      const device = await it.device({ protocol });
      expect(await device.agent.enable()).toMatchObject(ok);
      if (members === '"nothing":0') expect(enginesOf(it.servers).recipes?.version).toBe(1);
      else expect(metaOf(it.servers)).toBe(text);
    },
  );
});

describe.each<[string, 'sync15' | 'syncto', Partial<WorldOptions>, number | null]>([
  ['a Syncto as it came', 'syncto', { syncto: { enabled: ['record_history_put_enabled'] } }, null],
  ['a gate that lets only readers to the document', 'syncto', {}, 403],
  ['a storage behind such a gate', 'sync15', {}, 403],
  ['a storage that takes no single records', 'sync15', {}, 405],
])('where nobody may write the list: %s', (_, protocol, options, status) => {
  const refusing = (): Stage => {
    const it = stage(options);
    if (status !== null) it.instead = async () => new Response('', { status });
    return it;
  };

  test('an edit is refused by a code, and everything else syncs', async () => {
    const it = refusing();
    const device = await it.device({ protocol });
    expect(await device.agent.enable()).toMatchObject(ok);
    await expect(device.agent.put('recipes', RECIPE)).rejects.toMatchObject({ code: 'readOnly' });
    expect(statusOf(device)).toMatchObject({ absent: true, declined: false, readOnly: true });
    expect(statusOf(device)).toMatchObject({ pending: 0 });
    const id = await device.agent.put('history', { url: 'https://new.test/', title: 'new' });
    await sync(it, device);
    expect(secondDevice(it.servers).get('history', id)).toMatchObject({ title: 'new' });
    expect(it.writes).toHaveLength(1);
    expect(metaOf(it.servers)).toBe(ODD_META);
  });

  test('it is asked again after a day, and takes edits when another device lists it', async () => {
    const it = refusing();
    const device = await it.device({ protocol });
    await device.agent.enable();
    it.servers.nowMs += READ_ONLY_RECHECK_MS;
    await sync(it, device);
    expect(it.writes).toHaveLength(2);
    editMeta(it.servers, ({ engines }) => {
      engines.recipes = { version: 1, syncID: 'theirs' };
    });
    await sync(it, device);
    expect(statusOf(device)).toMatchObject({ absent: false, readOnly: false });
    const id = await device.agent.put('recipes', RECIPE);
    if (protocol === 'sync15' || status !== null) {
      await sync(it, device);
      expect(secondDevice(it.servers).get('recipes', id)).toMatchObject(RECIPE);
    }
  });
});

test.each(['sync15', 'syncto'] as const)(
  'a server that is out of order makes a pass fail only where edits wait, over %s',
  async (protocol) => {
    const it = stage();
    it.instead = async () => new Response('', { status: 503, headers: { 'Retry-After': '30' } });
    const device = await it.device({ protocol });
    expect(await device.agent.enable()).toMatchObject(ok);
    expect(statusOf(device)).toMatchObject({ absent: true, readOnly: false });
    await device.agent.put('recipes', RECIPE);
    const id = await device.agent.put('history', { url: 'https://new.test/', title: 'new' });
    it.servers.nowMs += 60_000;
    await device.platform.time.advance(60_000);
    it.servers.nowMs += 60_000;
    device.platform.time.set(it.servers.nowMs);
    const report = await device.agent.sync();
    expect(report).toMatchObject({ ok: false, error: { code: 'unavailable' } });
    expect(report.error?.message).toContain('recipes');
    expect(secondDevice(it.servers).get('history', id)).toMatchObject({ title: 'new' });
    it.instead = null;
    it.servers.nowMs += 3_600_000;
    device.platform.time.set(it.servers.nowMs);
    expect(await device.agent.sync()).toMatchObject(ok);
    expect(statusOf(device)).toMatchObject({ absent: false, pending: 0 });
  },
);

test('a refusal that a build before this one has heard is believed for its day', async () => {
  const it = stage();
  it.instead = async () => new Response('', { status: 403 });
  const first = await it.device();
  expect(await first.agent.enable()).toMatchObject(ok);
  const { storage } = first.platform;
  const key = '1.grecipes.c';
  const [stored] = await storage.get([key]);
  const remote = /"remote":\{("listRefusedAtMs":\d+)\}/;
  expect(stored).toMatch(remote);
  await storage.commit([[key, `${stored}`.replace(remote, '$1')]]);
  const device = await it.device({ storage });
  expect(statusOf(device)).toMatchObject({ absent: true, readOnly: true });
  await sync(it, device);
  expect(it.writes).toHaveLength(1);
  it.servers.nowMs += READ_ONLY_RECHECK_MS;
  await sync(it, device);
  expect(it.writes).toHaveLength(2);
  expect(await storage.get([key])).toEqual([expect.stringMatching(remote)]);
});
