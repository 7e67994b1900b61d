// The kinds of data beyond history and passwords, through the whole agent: what a real Firefox
// wrote arrives, what the device writes goes up, and what it must not touch stays.

import { createDecipheriv } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { createRandom } from '../../emulator/device/random.ts';
import { accountKeys, sealPayload } from '../../emulator/servers/sync-keys.ts';
import type { WorldOptions } from '../../emulator/servers/world.ts';
import { type SecondDevice, secondDevice } from '../../test/sim/second-device.ts';
import {
  corpusAccount,
  type DeviceOptions,
  type TestDevice,
  type TestServers,
  testServers,
  userOf,
} from '../../test/support/device.ts';
import { FULL, fullDevice, TV } from '../../test/support/everything.ts';
import { rowsOf } from '../../test/support/rows.ts';
import type { Body } from './collection.ts';
import { TABS_BYTES_MAX } from './tabs.ts';

const { expected } = JSON.parse(
  readFileSync(new URL('../../test/fixtures/corpus-a.json', import.meta.url), 'utf8'),
);
const FIREFOX = '4nRhL2pUNwI5';
const ok = { ok: true, error: null };

let servers: TestServers;
let other: SecondDevice;

beforeEach(() => start());

function start(options: Partial<WorldOptions> = {}): void {
  servers = testServers(corpusAccount(), options);
  other = secondDevice(servers);
}

let seed = 10;

async function signedIn(options: DeviceOptions = {}): Promise<TestDevice> {
  const device = await fullDevice(servers, {
    identity: userOf(servers),
    random: createRandom(seed++),
    ...options,
  });
  expect(await device.agent.enable()).toMatchObject(ok);
  return device;
}

async function all({ agent }: TestDevice, collection: string, more: object = {}): Promise<Body[]> {
  const records: Body[] = [];
  let after: string | null = null;
  do {
    const page: { records: Body[]; next: string | null } = await agent.list(collection, {
      limit: 2,
      after,
      ...more,
    });
    records.push(...page.records);
    after = page.next;
  } while (after !== null);
  return records;
}

async function sync(...devices: TestDevice[]): Promise<void> {
  for (const { agent } of devices) {
    servers.nowMs += 1_000;
    expect(await agent.sync()).toMatchObject(ok);
  }
}

describe.each(['syncto', 'sync15'] as const)('over %s', (protocol) => {
  test('bookmarks, addresses and tabs of a real Firefox arrive as it says', async () => {
    const device = await signedIn({ protocol });
    const places: Record<string, string> = { menu: 'menu________', unfiled: 'unfiled_____' };
    const tree = async (parent: string): Promise<object[]> => {
      const children = await all(device, 'bookmarks', { parent });
      const rows = await Promise.all(
        children.map(async (child, index) => [
          {
            guid: child.guid,
            type: { bookmark: 1, folder: 2, separator: 3 }[`${child.type}`],
            title: child.title || null,
            index,
            parentGuid: places[parent] ?? parent,
            url: child.url || null,
          },
          ...(child.type === 'folder' ? await tree(`${child.guid}`) : []),
        ]),
      );
      return rows.flat();
    };
    const rows = [...(await tree('menu')), ...(await tree('unfiled'))];
    expect(rows).toHaveLength(expected.bookmarks.length);
    expect(rows).toEqual(expect.arrayContaining(expected.bookmarks));

    const [address] = await all(device, 'addresses');
    expect(address).toEqual(expected.addresses[0]);

    const tabs = await all(device, 'tabs');
    expect(tabs).toMatchObject([{ guid: FIREFOX, tabs: [{}, {}, {}] }]);
    expect((tabs[0] as { tabs: Body[] }).tabs[1]).toMatchObject({
      title: 'Page tab é 1 2',
      urlHistory: [expect.stringContaining('/page/tab%20%C3%A9%201%202')],
      lastUsed: 1_795_323_276,
    });
  });
});

describe('bookmarks', () => {
  test('are found by their URL, and the roots by their parent', async () => {
    const device = await signedIn();
    const [mark] = await all(device, 'bookmarks', { prefix: 'https://marked.example.com/' });
    expect(mark).toMatchObject({ guid: 'Ap8u7Jzu_k5a', title: 'mark ü 日本', parentid: 'unfiled' });
    const roots = await all(device, 'bookmarks', { parent: 'places' });
    expect(roots.map(({ guid }) => guid)).toEqual(['menu', 'mobile', 'toolbar', 'unfiled']);
    expect(await all(device, 'bookmarks')).toHaveLength(15);
  });

  test('of every type are kept, moved and deleted as the others say', async () => {
    const device = await signedIn();
    servers.nowMs += 1_000;
    other.put('bookmarks', {
      id: 'live',
      type: 'livemark',
      parentid: 'menu',
      siteUri: 'https://s/',
    });
    other.put('bookmarks', { id: 'new', type: 'unheardOf', parentid: 'menu', later: 1 });
    other.put('bookmarks', {
      ...other.get('bookmarks', 'menu'),
      id: 'menu',
      children: ['new', 'live'],
    });
    other.put('bookmarks', {
      ...other.get('bookmarks', 'Ap8u7Jzu_k5a'),
      id: 'Ap8u7Jzu_k5a',
      parentid: 'mobile',
    });
    other.delete('bookmarks', 'KN7BZ2iTKZSr');
    await sync(device);
    const ids = async (parent: string): Promise<unknown[]> =>
      (await all(device, 'bookmarks', { parent })).map(({ guid }) => guid);
    expect(await ids('menu')).toEqual(['new', 'live', 'fvI65sUKBNa-']);
    expect(await ids('mobile')).toEqual(['Ap8u7Jzu_k5a']);
    expect(await ids('unfiled')).not.toContain('Ap8u7Jzu_k5a');
    expect(await ids('gocM0Z0v4EZd')).toEqual(['cREtnu6-zjNy']);
    expect(await device.agent.get('bookmarks', 'new')).toMatchObject({ later: 1, url: '' });
  });

  test('cannot be changed here, and a reset makes no write of them', async () => {
    const device = await signedIn();
    const { agent } = device;
    expect(agent.status().collections.bookmarks).toMatchObject({ readOnly: true, declined: false });
    await expect(agent.put('bookmarks', { type: 'bookmark' })).rejects.toMatchObject({
      code: 'readOnly',
    });
    await expect(agent.delete('bookmarks', 'menu')).rejects.toMatchObject({ code: 'readOnly' });
    await expect(agent.list('history', { parent: 'menu', limit: 1 })).rejects.toMatchObject({
      code: 'badInput',
    });
    const [user] = servers.world.store.users.values();
    user?.collections.get('bookmarks')?.delete('Ap8u7Jzu_k5a');
    const before = other.ids('bookmarks');
    restore('bookmarks', 2);
    await sync(device);
    expect(await agent.get('bookmarks', 'Ap8u7Jzu_k5a')).toBeNull();
    await sync(device);
    expect(other.ids('bookmarks')).toEqual(before);
  });
});

function openedKeys(payload: string): string {
  const { ciphertext, IV } = JSON.parse(payload);
  const { encKey } = accountKeys(servers.world.account.kB);
  const decipher = createDecipheriv('aes-256-cbc', encKey, Buffer.from(IV, 'base64'));
  return decipher.update(ciphertext, 'base64', 'utf8') + decipher.final('utf8');
}

interface Meta {
  readonly engines: Record<string, object>;
  readonly declined: string[];
}

/** Another device writes `meta/global`. */
function editMeta(change: (meta: Meta) => void): void {
  const [user] = servers.world.store.users.values();
  servers.nowMs += 1_000;
  const bso = user?.collections.get('meta')?.get('global', servers.nowMs);
  const meta: Meta = JSON.parse(bso?.payload ?? '');
  change(meta);
  user?.write('meta', [{ id: 'global', payload: JSON.stringify(meta) }], servers.nowMs);
}

/** As after a restored backup: the engine has another syncID. */
function restore(name: string, version = 1): void {
  editMeta(({ engines }) => {
    engines[name] = { version, syncID: 'another12345' };
  });
}

describe('tabs', () => {
  const tab = (url: string, more: object = {}) => ({ title: url, url, ...more });

  test('of this device go up as its one record, without what means nothing elsewhere', async () => {
    const device = await signedIn();
    const id = await device.agent.put('tabs', {
      tabs: [
        tab('https://a.test/', { lastUsed: 1_795_000_000, icon: 'https://a.test/i.png' }),
        tab('about:home'),
        tab('data:text/html,x'),
        {
          title: 'B',
          urlHistory: ['https://b.test/2', 'file:///x', 'https://b.test/1'],
          pinned: true,
        },
      ],
    });
    await sync(device);
    expect(other.get('tabs', id)).toEqual({
      id,
      clientName: TV.name,
      tabs: [
        {
          title: 'B',
          urlHistory: ['https://b.test/2', 'https://b.test/1'],
          icon: '',
          lastUsed: Math.floor(device.platform.clock.nowMs() / 1_000),
          pinned: true,
        },
        {
          title: 'https://a.test/',
          urlHistory: ['https://a.test/'],
          icon: 'https://a.test/i.png',
          lastUsed: 1_795_000_000,
        },
      ],
    });
    expect([...other.live('clients').keys()]).toContain(id);
    expect([...other.live('tabs').keys()].sort()).toEqual([FIREFOX, id].sort());
  });

  test('of other devices are not this one to change', async () => {
    const { agent } = await signedIn();
    const readOnly = { code: 'readOnly' };
    await expect(agent.put('tabs', { id: FIREFOX, tabs: [] })).rejects.toMatchObject(readOnly);
    await expect(agent.delete('tabs', FIREFOX)).rejects.toMatchObject(readOnly);
    const { clients: _, ...contents } = FULL;
    const alone = await signedIn({ contents });
    await expect(alone.agent.put('tabs', { tabs: [] })).rejects.toMatchObject(readOnly);
  });

  test('that were used longest ago stay behind when there are too many', async () => {
    const device = await signedIn();
    const tabs = Array.from({ length: 400 }, (_, at) =>
      tab(`https://a.test/${'ü'.repeat(300)}${at}`, { title: '', lastUsed: at + 1 }),
    );
    const id = await device.agent.put('tabs', { tabs });
    await sync(device);
    const { tabs: kept } = other.get('tabs', id) as { tabs: { lastUsed: number }[] };
    expect(kept[0]?.lastUsed).toBe(400);
    expect(kept.length).toBeLessThan(400);
    expect(kept.length).toBeGreaterThan(200);
    expect(Buffer.byteLength(JSON.stringify(kept))).toBeLessThan(TABS_BYTES_MAX + 2);
  });

  test('of a device with odd ones can be read', async () => {
    servers.nowMs += 1_000;
    const odd = [
      null,
      7,
      {},
      { urlHistory: 'x' },
      { urlHistory: ['https://a/'], lastUsed: '12.7', title: 3 },
    ];
    other.put('tabs', { id: 'phone', clientName: 'P', tabs: odd });
    const { agent } = await signedIn();
    expect(await agent.get('tabs', 'phone')).toEqual({
      guid: 'phone',
      clientName: 'P',
      tabs: [{ title: '', urlHistory: ['https://a/'], icon: '', lastUsed: 12 }],
    });
  });
});

describe('two devices', () => {
  test('that typed the same into the same field have one record of it', async () => {
    const [a, b] = [await signedIn(), await signedIn()];
    for (const { agent } of [a, b]) await agent.put('forms', { name: 'q', value: 'größe 😀' });
    await b.agent.put('forms', { name: 'q', value: 'other' });
    await sync(a, b, a, b);
    expect([...other.live('forms').values()].map(({ value }) => value).sort()).toEqual(
      ['größe 😀', 'other'].sort(),
    );
    expect(await all(a, 'forms', { prefix: 'q' })).toHaveLength(2);
    expect(await all(b, 'forms')).toHaveLength(2);
    const [record] = await all(b, 'forms', { prefix: 'q' });
    await b.agent.delete('forms', `${record?.guid}`);
    await sync(b, a);
    expect(await all(a, 'forms')).toHaveLength(1);
  });

  test('agree on a form in every byte at rest: its value is nowhere in the clear', async () => {
    const device = await signedIn();
    await device.agent.put('forms', { name: 'q', value: 'secret-value' });
    await device.agent.put('addresses', { name: 'Secret Person', country: 'DK' });
    const rows = await rowsOf(device.storage);
    expect(rows.length).toBeGreaterThan(5);
    const text = rows
      .map(([key, value]) => `${key} ${typeof value === 'string' ? value : ''}`)
      .join('\n');
    expect(text).not.toMatch(/secret/i);
  });

  test('exchange an app’s own records, members that one does not know included', async () => {
    const [a, b] = [await signedIn(), await signedIn()];
    restore('recipes');
    const id = await a.agent.put('recipes', { title: 'Soup', later: { x: [1] } });
    await sync(a, b);
    expect(await b.agent.get('recipes', id)).toEqual({ id, title: 'Soup', later: { x: [1] } });
    await b.agent.put('recipes', { id, title: 'Stew' });
    await sync(b, a);
    expect(await a.agent.get('recipes', id)).toEqual({ id, title: 'Stew', later: { x: [1] } });
    expect(await all(a, 'recipes', { prefix: id.slice(0, 4) })).toHaveLength(1);
  });

  test('that edit the same field of an address keep both versions', async () => {
    const [a, b] = [await signedIn(), await signedIn()];
    const guid = '40f4a6a7cea9';
    await a.agent.put('addresses', { id: guid, tel: '+1' });
    await b.agent.put('addresses', { id: guid, tel: '+2', email: 'b@example.com' });
    await sync(a, b, a, b);
    const seen = await all(a, 'addresses');
    expect(seen.map(({ tel }) => tel).sort()).toEqual(['+1', '+2']);
    expect(await all(b, 'addresses')).toEqual(expect.arrayContaining(seen));
    const writes = other.ids('addresses').length;
    await sync(a, b, a);
    expect(other.ids('addresses')).toHaveLength(writes);
    expect(seen).toContainEqual(expect.objectContaining({ guid, tel: '+1', 'given-name': 'Zoë' }));
  });
});

describe('an engine', () => {
  test('in a newer form than the device knows stops, and says why', async () => {
    const device = await signedIn();
    editMeta(({ engines }) => {
      engines.forms = { version: 2, syncID: '2iNm1QWGIFKg' };
    });
    await device.agent.put('forms', { name: 'q', value: 'x' });
    await sync(device);
    expect(device.agent.status().collections.forms).toMatchObject({
      stopped: 'clientTooOld',
      pending: 1,
    });
    expect(other.ids('forms')).toEqual([]);
    editMeta(({ engines }) => {
      engines.forms = { version: 1, syncID: '2iNm1QWGIFKg' };
    });
    await sync(device);
    expect(device.agent.status().collections.forms).toMatchObject({ stopped: null, pending: 0 });
  });

  test('that is declined stops, even when it is listed too', async () => {
    editMeta(({ declined }) => declined.push('addresses'));
    const device = await signedIn();
    expect(device.agent.status().collections.addresses).toMatchObject({ declined: true, held: 0 });
  });

  test('under another syncID is read anew; what only the device has goes up again', async () => {
    const device = await signedIn();
    const id = await device.agent.put('forms', { name: 'q', value: 'x' });
    await sync(device);
    const [user] = servers.world.store.users.values();
    user?.collections.get('forms')?.delete(id);
    restore('forms');
    await sync(device);
    expect(other.get('forms', id)).toMatchObject({ value: 'x' });
  });

  test('with keys of its own is read anew, and no other', async () => {
    const asked: string[] = [];
    const device = await signedIn({
      fetch: (request) => {
        asked.push(new URL(request.url).pathname);
        return servers.world.fetch(request);
      },
    });
    const [user] = servers.world.store.users.values();
    const key = Buffer.alloc(32, 9).toString('base64');
    const kept = JSON.parse(
      openedKeys(user?.collections.get('crypto')?.get('keys', servers.nowMs)?.payload ?? ''),
    );
    const keys = { ...kept, collections: { bookmarks: [key, key] } };
    const payload = sealPayload(
      accountKeys(servers.world.account.kB),
      JSON.stringify(keys),
      Buffer.alloc(16, 3),
    );
    servers.nowMs += 1_000;
    user?.write('crypto', [{ id: 'keys', payload }], servers.nowMs);
    asked.length = 0;
    await device.agent.sync();
    const read = asked
      .filter((path) => path.includes('/storage/'))
      .map((path) => path.split('/').at(-1));
    expect(read).toContain('bookmarks');
    expect(read).not.toContain('history');
  });

  test('stays in an account document that came from an older backup', async () => {
    const device = await signedIn();
    const [user] = servers.world.store.users.values();
    const meta = user?.collections.get('meta');
    const bso = meta?.get('global', servers.nowMs);
    const older = JSON.parse(bso?.payload ?? '');
    older.declined = ['forms'];
    if (meta && bso) {
      meta.set({ ...bso, payload: JSON.stringify(older), modifiedMs: bso.modifiedMs - 5_000 });
      meta.modifiedMs = bso.modifiedMs - 5_000;
    }
    await sync(device);
    expect(device.agent.status().collections.forms).toMatchObject({ declined: true });
  });
});
