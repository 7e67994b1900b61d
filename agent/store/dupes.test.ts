// One thing under several ids, through the whole agent: what apps see, what an edit or a deletion
// makes of it, and what the other clients find on the server.

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { syntheticAccount } from '../../emulator/servers/synthetic.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { type Json, type SecondDevice, secondDevice } from '../../test/sim/second-device.ts';
import { type TestDevice, type TestServers, testServers } from '../../test/support/device.ts';
import { fullDevice } from '../../test/support/everything.ts';
import {
  audit,
  listAll,
  mirrorWith,
  openTestStore,
  putEntries,
  testPass,
} from '../../test/support/store.ts';
import { deleteRecord, getRecord, listRecords, putRecord } from '../api/records.ts';
import type { Body } from '../collections/collection.ts';
import { extensionStorage } from '../collections/extension-storage.ts';
import { history } from '../collections/history.ts';
import { passwords } from '../collections/passwords.ts';

const ACCOUNT: Readonly<Record<string, readonly (Json & { readonly id: string })[]>> = JSON.parse(
  readFileSync(new URL('../../test/fixtures/one-thing-two-ids.json', import.meta.url), 'utf8'),
);
/** In the fixture: which of several records apps see. */
const FIRST = {
  history: 'pageNewerBBB',
  passwords: '{5a0e0000-0001-4000-8000-000000000001}',
  forms: 'formSecondBB',
  addresses: 'addrNewerBBB',
  'extension-storage': 'extStoreBBBB',
} as const;
type Name = keyof typeof FIRST;
const NAMES = Object.keys(FIRST) as Name[];

/** All ids of the thing that `FIRST` is of. */
const IDS: Readonly<Record<Name, readonly string[]>> = {
  history: ['pageOlderAAA', 'pageNewerBBB', 'pageOldestCC'],
  passwords: [FIRST.passwords, '{5a0e0000-0002-4000-8000-000000000002}'],
  forms: ['formFirstAAA', 'formSecondBB'],
  addresses: ['addrOlderAAA', 'addrNewerBBB'],
  'extension-storage': ['extStoreAAAA', 'extStoreBBBB'],
};

/** An edit of it, and the same as it arrives on the server. */
const EDITS: Readonly<Record<Name, readonly [Body, Body]>> = {
  history: [{ title: 'Edited' }, { title: 'Edited', visits: ACCOUNT.history?.[1]?.visits }],
  passwords: [{ password: 'edited' }, { password: 'edited' }],
  forms: [{ later: 1 }, { later: 1 }],
  addresses: [{ note: 'x' }, { entry: expect.objectContaining({ note: 'x', timesUsed: 1 }) }],
  'extension-storage': [{ set: { note: 'edited' } }, { data: '{"note":"edited","more":[1]}' }],
};

/** A Syncto gateway takes writes of these. */
const WRITABLE: readonly Name[] = ['history', 'passwords'];

describe.each([
  ['syncto', WRITABLE],
  ['sync15', NAMES],
] as const)('over %s', (protocol, writable) => {
  let servers: TestServers;
  let other: SecondDevice;
  let device: TestDevice;

  beforeEach(async () => {
    servers = testServers(syntheticAccount({ records: 0, passwords: 0, seed: 3 }));
    other = secondDevice(servers);
    const [user] = servers.world.store.users.values();
    const payload = user?.collections.get('meta')?.get('global', servers.nowMs)?.payload;
    const meta = JSON.parse(payload ?? '');
    for (const name of Object.keys(ACCOUNT)) {
      const version = name === 'bookmarks' ? 2 : 1;
      meta.engines[name] = { syncID: `sync-${name}`.slice(0, 12), ...meta.engines[name], version };
    }
    user?.write('meta', [{ id: 'global', payload: JSON.stringify(meta) }], servers.nowMs);
    for (const [name, records] of Object.entries(ACCOUNT)) {
      for (const record of records) {
        servers.nowMs += 1_000;
        other.put(name, record);
      }
    }
    device = await fullDevice(servers, { protocol });
    expect(await device.agent.enable()).toMatchObject({ ok: true, error: null });
  });

  const sync = async (): Promise<void> => {
    servers.nowMs += 1_000;
    expect(await device.agent.sync()).toMatchObject({ ok: true, error: null });
  };
  const list = async (name: string, query: object = {}): Promise<Body[]> =>
    (await device.agent.list(name, { limit: 100, ...query })).records;
  const idsOf = async (name: string, query: object = {}): Promise<unknown[]> =>
    (await list(name, query)).map(({ guid }) => guid);
  const pushed = (): unknown[] =>
    NAMES.filter((name) => device.agent.status().collections[name]?.pending !== 0);

  test.each(NAMES)('%s: a list has one of it, and every id gets the same', async (name) => {
    const ids = await idsOf(name);
    expect(ids.filter((id) => IDS[name].includes(`${id}`))).toEqual([FIRST[name]]);
    expect(ids).toHaveLength((ACCOUNT[name]?.length ?? 0) - IDS[name].length + 1);
    const seen = await device.agent.get(name, FIRST[name]);
    for (const id of IDS[name]) expect(await device.agent.get(name, id)).toEqual(seen);
    expect(device.agent.status().collections[name]?.held).toBe(ACCOUNT[name]?.length);
    await sync();
    expect(pushed()).toEqual([]);
  });

  test('a page has the visits of all, the title of the newest, and its place', async () => {
    expect(await list('history')).toEqual([
      {
        guid: FIRST.history,
        url: 'https://both.example.org/',
        title: 'Newer',
        visits: [
          { date: 1795100000000000, type: 2 },
          { date: 1795000000000000, type: 1 },
          { date: 1794000000000000, type: 2 },
          { date: 1793000000000000, type: 1 },
        ],
      },
      expect.objectContaining({ guid: 'pageAloneDDD' }),
    ]);
    expect(await idsOf('history', { prefix: 'https://b' })).toEqual([FIRST.history]);
  });

  test('two bookmarks of a page are two', async () => {
    const both = ['bookmarkAAAA', 'bookmarkBBBB'];
    expect((await idsOf('bookmarks')).filter((id) => both.includes(`${id}`))).toEqual(both);
    expect(await idsOf('bookmarks', { parent: 'toolbar' })).toEqual(both);
    expect(await device.agent.get('bookmarks', 'bookmarkAAAA')).toMatchObject({ title: 'One' });
  });

  describe.each(writable)('%s', (name) => {
    test.each([0, 1])(
      'deleted by its id number %i is deleted on the server, every record',
      async (at) => {
        await device.agent.delete(name, IDS[name][at] ?? '');
        for (const id of IDS[name]) expect(await device.agent.get(name, id)).toBeNull();
        await sync();
        expect([...other.deleted(name)].sort()).toEqual([...IDS[name]].sort());
        const left = (ACCOUNT[name] ?? [])
          .map(({ id }) => id)
          .filter((id) => !IDS[name].includes(id));
        expect([...(await idsOf(name))].sort()).toEqual([...left].sort());
        expect([...other.live(name).keys()].sort()).toEqual(left.sort());
      },
    );

    test.each(['each id', 'no id'])(
      'edited with %s: the edit goes to the record that others read, and no other record goes up',
      async (how) => {
        const [edit, arrived] = EDITS[name];
        const ids = how === 'each id' ? IDS[name] : [undefined];
        const before = new Map(other.live(name));
        for (const id of ids) {
          const shown = (await device.agent.get(name, FIRST[name])) as Body;
          const { guid, ...members } = shown;
          expect(
            await device.agent.put(name, { ...members, ...edit, ...(id && { guid: id }) }),
          ).toBe(FIRST[name]);
        }
        await sync();
        expect(other.get(name, FIRST[name])).toMatchObject(arrived);
        for (const id of IDS[name]) {
          if (id !== FIRST[name]) expect(other.get(name, id)).toEqual(before.get(id));
        }
      },
    );
  });

  test('a login whose name is changed is changed under every id', async () => {
    const [, second = ''] = IDS.passwords;
    await device.agent.put('passwords', { guid: second, username: 'countess' });
    expect((await list('passwords')).map(({ username }) => username).sort()).toEqual([
      'bob',
      'countess',
    ]);
    await sync();
    expect(other.deleted('passwords')).toEqual([second]);
    expect(other.get('passwords', FIRST.passwords)).toMatchObject({
      username: 'countess',
      password: 'newer',
    });
  });

  test.runIf(protocol === 'sync15')(
    'an extension sees what was written last, and clears all of it',
    async () => {
      const storage = device.agent.extensionStorage('notes@example.org');
      expect(await storage.get()).toEqual({ note: 'second', more: [1] });
      servers.nowMs += 1_000;
      other.put('extension-storage', {
        id: 'extStoreAAAA',
        extId: 'notes@example.org',
        data: '{"note":"third"}',
      });
      await sync();
      expect(await storage.get()).toEqual({ note: 'third' });
      await storage.set({ mine: 4 });
      await sync();
      expect(other.get('extension-storage', 'extStoreAAAA')).toMatchObject({
        data: '{"note":"third","mine":4}',
      });
      await storage.clear();
      expect(await storage.get()).toEqual({});
      await sync();
      expect([...other.live('extension-storage')]).toEqual([]);
    },
  );

  test('apps that watch see one thing, whichever of its records changes', async () => {
    const rows = new Map((await list('history')).map((page) => [page.guid, page]));
    device.agent.observe('history', true);
    const follow = async (): Promise<void> => {
      const from = device.platform.events.length;
      await sync();
      for (const text of device.platform.events.slice(from)) {
        const { kind, id, change } = JSON.parse(text);
        if (kind !== 'record') continue;
        const page = change === 'put' ? await device.agent.get('history', id) : null;
        if (page === null) rows.delete(id);
        else rows.set(page.guid, page);
      }
      const listed = await list('history');
      expect([...rows.values()]).toHaveLength(listed.length);
      expect([...rows.values()]).toEqual(expect.arrayContaining(listed));
    };
    const page = (id: string, dateMs: number) =>
      other.put('history', {
        id,
        histUri: 'https://both.example.org/',
        title: id,
        visits: [{ date: dateMs * 1000, type: 1 }],
      });
    page('pageOlderAAA', 1_795_200_000_000);
    await follow();
    page('pageAnotherE', 1_795_300_000_000);
    await follow();
    other.delete('history', 'pageAnotherE');
    await follow();
    other.delete('history', 'pageOldestCC');
    await follow();
    for (const id of ['pageOlderAAA', 'pageNewerBBB']) other.delete('history', id);
    await follow();
    expect([...rows.keys()]).toEqual(['pageAloneDDD']);
  });
});

const page = (url: number, dates: readonly number[]): Body => ({
  histUri: `https://a.test/${url}`,
  title: `${url}`,
  visits: dates.map((n) => ({ date: 1_795_000_000_000_000 + n * 1_000_000, type: 1 })),
});

describe('any pages under any ids', () => {
  const made = fc.array(
    fc.record({
      url: fc.nat(4),
      dates: fc.uniqueArray(fc.nat(30), { minLength: 1, maxLength: 4 }),
    }),
    { maxLength: 30 },
  );

  async function storeWith(pages: readonly Body[]) {
    const storage = new MemoryStorage();
    const store = await openTestStore(storage, history);
    const { platform } = testPass(store);
    platform.clock.nowMs = () => 1_795_330_000_000;
    const entries = pages.map((body, at) => [
      `page${`${at}`.padStart(8, '0')}`,
      { mirror: mirrorWith(body) },
    ]);
    for (let at = 0; at < entries.length; at += 300) {
      await putEntries(store, Object.fromEntries(entries.slice(at, at + 300)));
    }
    return { storage, store, platform };
  }

  test('are listed once each, newest first, with all visits, however many at a time', async () => {
    await fc.assert(
      fc.asyncProperty(made, fc.integer({ min: 1, max: 40 }), async (pages, limit) => {
        const { store } = await storeWith(pages.map(({ url, dates }) => page(url, dates)));
        const dates = new Map<number, Set<number>>();
        for (const one of pages) {
          dates.set(one.url, new Set([...(dates.get(one.url) ?? []), ...one.dates]));
        }
        const listed = await listAll(store, { limit });
        const sizes = listed.map(({ url, visits }) => [url, (visits as unknown[]).length]);
        const wanted = [...dates].map(([url, seen]) => [`https://a.test/${url}`, seen.size]);
        expect(sizes.sort()).toEqual(wanted.sort());
        const newest = listed.map(({ visits }) => (visits as { date: number }[])[0]?.date ?? 0);
        expect(newest).toEqual([...newest].sort((a, b) => b - a));
        expect(
          (await listAll(store, { limit, prefix: 'https://a' })).map(({ guid }) => guid).sort(),
        ).toEqual(listed.map(({ guid }) => guid).sort());
      }),
      { numRuns: 100 },
    );
  });

  test('are gone when they are deleted, also more than are looked at to show one', async () => {
    const { storage, store, platform } = await storeWith(
      Array.from({ length: 1_000 }, (_, n) => page(n % 2, [n])),
    );
    const deleted: string[] = [];
    await deleteRecord(store, platform, 'page00000500', null, (id) => deleted.push(id));
    expect(deleted).toHaveLength(499);
    expect(store.state).toMatchObject({ held: 500, pending: 500 });
    expect(await listAll(store, { prefix: 'https://a.test/0' })).toEqual([]);
    expect(await audit(storage, history)).toEqual([]);
  });

  test('are whole when a deletion of many is cut, which can be asked for again', async () => {
    const { storage, store, platform } = await storeWith(
      Array.from({ length: 900 }, (_, n) => page(0, [n])),
    );
    const { commit } = storage;
    let commits = 0;
    storage.commit = async (changes) => {
      if (++commits > 1) throw Object.assign(new Error('cut'), { code: 'failed' });
      return commit.call(storage, changes);
    };
    const remove = () => deleteRecord(store, platform, 'page00000899', null);
    await expect(remove()).rejects.toMatchObject({ code: 'storageFailed' });
    storage.commit = commit;
    expect(await getRecord(store, 'page00000899')).toMatchObject({ title: '0' });
    await remove();
    expect(store.state.held).toBe(0);
    expect(await audit(storage, history)).toEqual([]);
  });
});

describe('logins of one site', () => {
  const login = (n: number, more: Body = {}): Body => ({
    hostname: 'https://a.test',
    formSubmitURL: 'https://a.test',
    username: `user${n}`,
    password: 'p',
    ...more,
  });

  test('are loaded little more than once each for a list', async () => {
    const storage = new MemoryStorage();
    const store = await openTestStore(storage, passwords);
    const ids = Array.from({ length: 30 }, (_, n) => `login${`${n}`.padStart(3, '0')}`);
    await putEntries(
      store,
      Object.fromEntries(ids.map((id, n) => [id, { mirror: mirrorWith(login(n)) }])),
    );
    let loaded = 0;
    const { get } = storage;
    storage.get = (keys) => {
      loaded += keys.filter((key) => key.includes('.r.')).length;
      return get.call(storage, keys);
    };
    expect((await listRecords(store, { limit: 100 })).records).toHaveLength(30);
    expect(loaded).toBeLessThanOrEqual(31);
  });

  test('beyond those that are looked at for a list are found by a put without an id', async () => {
    const store = await openTestStore(new MemoryStorage(), passwords);
    const { platform } = testPass(store);
    const entries = Array.from({ length: 80 }, (_, n) => [
      `login${`${n}`.padStart(3, '0')}`,
      { mirror: mirrorWith(login(n)) },
    ]);
    await putEntries(store, Object.fromEntries(entries));
    const writable = { store, self: null, recordCharsMax: 10_000 };
    const put = (record: Body) => putRecord(writable, platform, record);
    expect(await put(login(79, { password: 'new' }))).toEqual({ id: 'login079', isChanged: true });
    const anywhere = { ...login(40), formSubmitURL: '' };
    await putEntries(store, { anywhere: { mirror: mirrorWith(anywhere) } });
    expect((await put(login(40, { password: 'new' }))).id).toBe('login040');
    expect((await put({ ...anywhere, password: 'new' })).id).toBe('anywhere');
    // Firefox has one login for the forms of any page and of a certain one.
    const any = { ...login(90), formSubmitURL: '' };
    await putEntries(store, { dupe: { mirror: mirrorWith(any) } });
    expect((await put(login(90, { password: 'new' }))).id).toBe('dupe');
  });
});

test('a record without a clock of its own is shown when it is about to be sent', async () => {
  const store = await openTestStore(new MemoryStorage(), extensionStorage);
  const { platform } = testPass(store);
  const record = (n: number): Body => ({ extId: 'a@test', data: `{"n":${n}}` });
  const local = { body: record(3), changedAtMs: 5, seq: 1, tries: 0 };
  await putEntries(store, {
    older: { mirror: mirrorWith(record(1), 1_000), local },
    newer: { mirror: mirrorWith(record(2), 2_000) },
  });
  expect(await getRecord(store, 'newer')).toMatchObject({ guid: 'older', items: { n: 3 } });
  const writable = { store, self: null, recordCharsMax: 10_000 };
  const { id } = await putRecord(writable, platform, { extId: 'a@test', set: { n: 4 } });
  expect(id).toBe('older');
});
