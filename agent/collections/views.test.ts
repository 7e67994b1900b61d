// What apps see of records that other clients wrote oddly: the agent's own members stand, times and
// counts are numbers, and a page that was visited in the future has its place where the server's
// clock was.

import { describe, expect, test } from 'vitest';
import { syntheticAccount } from '../../emulator/servers/synthetic.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { secondDevice } from '../../test/sim/second-device.ts';
import { NOW_MS, testDevice, testServers } from '../../test/support/device.ts';
import { audit, listAll, mirrorWith, openTestStore, putEntries } from '../../test/support/store.ts';
import { clientRecords } from '../remotes/sync/client-records.ts';
import { addresses } from './addresses.ts';
import { bookmarks } from './bookmarks.ts';
import type { Body, Collection } from './collection.ts';
import { contacts } from './contacts.ts';
import { extensionStorage } from './extension-storage.ts';
import { forms } from './forms.ts';
import { generic } from './generic.ts';
import { history } from './history.ts';
import { passwords } from './passwords.ts';
import { tabs } from './tabs.ts';

const FAKE = { guid: 'fake', url: 'fake:', origin: 'fake:', extId: 'fake', type: 'fake' };

describe('members of a record cannot take the place of the real ones', () => {
  test.each<[Collection, Body, Body]>([
    [bookmarks, { ...FAKE, type: 'bookmark', bmkUri: 'https://real/' }, { url: 'https://real/' }],
    [bookmarks, { ...FAKE, type: 'folder' }, { url: '' }],
    [history, { ...FAKE, histUri: 'https://real/', visits: [] }, { url: 'https://real/' }],
    [passwords, { ...FAKE, hostname: 'https://real', password: 'p' }, { origin: 'https://real' }],
    [forms, { ...FAKE, name: 'n', value: 'v' }, {}],
    [contacts, { ...FAKE, card: {}, changedMs: 'fake' }, { changedMs: null }],
    [addresses, { ...FAKE, entry: { version: 1, guid: 'fake' } }, {}],
    [extensionStorage, { ...FAKE, extId: 'real', data: '{"guid":"x"}' }, { extId: 'real' }],
    [tabs, { ...FAKE, clientName: { a: 1 }, tabs: [] }, { clientName: '' }],
  ])('%o', (collection, body, real) => {
    expect(collection.check(body)).toBeNull();
    expect(collection.view('real', { id: 'x', ...body })).toMatchObject({ guid: 'real', ...real });
  });

  test('of those that are seen under their id', () => {
    expect(clientRecords.view('real', { ...FAKE, id: 'x' })).toMatchObject({
      id: 'real',
      type: null,
    });
    expect(generic('r').view('real', { ...FAKE, id: 'x' })).toEqual({ ...FAKE, id: 'real' });
  });
});

describe('times and counts are numbers, or null', () => {
  const cases: readonly (readonly [unknown, number | null])[] = [
    [1_700_000_000_000, 1_700_000_000_000],
    ['1700000000000', 1_700_000_000_000],
    [1_700_000_000_000.75, 1_700_000_000_000],
    ['1700000000000.75', 1_700_000_000_000],
    [0, 0],
    ['0', 0],
    [-1, null],
    ['', null],
    ['yesterday', null],
    [1e300, null],
    [true, null],
    [[7], null],
    [{}, null],
    [null, null],
  ];
  const views: readonly (readonly [string, (value: unknown) => unknown])[] = [
    ...['timeCreated', 'timePasswordChanged', 'timeLastUsed', 'timesUsed'].map(
      (name) =>
        [
          `${name} of a login`,
          (value: unknown) => passwords.view('x', { hostname: 'h', [name]: value })[name],
        ] as const,
    ),
    ...['timeCreated', 'timeLastModified', 'timeLastUsed', 'timesUsed'].map(
      (name) =>
        [
          `${name} of an address`,
          (value: unknown) => addresses.view('x', { entry: { [name]: value } })[name],
        ] as const,
    ),
    ['dateAdded of a bookmark', (value) => bookmarks.view('x', { dateAdded: value }).dateAdded],
  ];
  test.each(views)('%s', (_, view) => {
    for (const [value, seen] of cases) expect([value, view(value)]).toEqual([value, seen]);
  });
});

describe('a visit in the future', () => {
  const page = (id: string, dateMs: number) => ({
    id,
    histUri: `https://${id.toLowerCase()}.example/`,
    title: id,
    visits: [{ date: dateMs * 1000, type: 1 }],
  });
  const FUTURE_MS = NOW_MS + 400 * 86_400_000;

  test.each(['syncto', 'sync15'] as const)(
    'is shown, and sorts as if it was when the server got it, over %s',
    async (protocol) => {
      const servers = testServers(syntheticAccount({ records: 0, passwords: 0, seed: 2 }));
      const second = secondDevice(servers);
      second.put('history', page('pageBeforeAA', NOW_MS - 1_000));
      second.put('history', page('pageFutureBB', FUTURE_MS));
      servers.nowMs += 60_000;
      second.put('history', page('pageLaterCCC', NOW_MS + 50_000));
      const { agent } = testDevice(servers, { protocol });
      await agent.start();
      expect(await agent.enable()).toMatchObject({ ok: true });
      const titles = async () =>
        (await agent.list('history', { limit: 9 })).records.map(({ title }) => title);
      expect(await titles()).toEqual(['pageLaterCCC', 'pageFutureBB', 'pageBeforeAA']);
      expect(await agent.get('history', 'pageFutureBB')).toMatchObject({
        visits: [{ date: FUTURE_MS * 1000, type: 1 }],
      });
      await agent.put('history', { guid: 'pageFutureBB', title: 'edited' });
      expect(await titles()).toEqual(['edited', 'pageLaterCCC', 'pageBeforeAA']);
      servers.nowMs += 1_000;
      expect(await agent.sync()).toMatchObject({ ok: true });
      expect(await titles()).toEqual(['edited', 'pageLaterCCC', 'pageBeforeAA']);
      await agent.delete('history', 'pageFutureBB');
      expect(await titles()).toEqual(['pageLaterCCC', 'pageBeforeAA']);
    },
  );

  test.each([0, 1_000])(
    'leaves no trace in the index of a store that an earlier build has written, changed %i ms l' +
      'ater',
    async (laterMs) => {
      const storage = new MemoryStorage();
      const believing: Collection = { ...history, index: (body) => history.index(body, 0) };
      const body = page('pageFutureBB', FUTURE_MS);
      const mirror = mirrorWith(body, NOW_MS);
      await putEntries(await openTestStore(storage, believing), { pageFutureBB: { mirror } });
      const store = await openTestStore(storage, history);
      expect(await listAll(store)).toHaveLength(1);
      const changed = mirrorWith({ ...body, title: 'x' }, NOW_MS + laterMs);
      await putEntries(store, { pageFutureBB: { mirror: changed } });
      expect(await listAll(store)).toHaveLength(1);
      expect(await audit(storage, history)).toEqual([]);
    },
  );
});
