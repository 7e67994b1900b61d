// The kinds of data beyond history and passwords, through the whole agent: what a real Firefox
// wrote arrives, what the device writes goes up, and what it must not touch stays.

import { beforeEach, describe, expect, test } from 'vitest';
import { accountKeys, sealPayload } from '../../emulator/servers/sync-keys.ts';
import {
  all,
  editMeta,
  expected,
  FIREFOX,
  openedKeys,
  restore,
  signedIn,
  start,
  sync,
  world,
} from '../../test/support/kinds.ts';
import { rowsOf } from '../../test/support/rows.ts';
import type { Body } from './collection.ts';

beforeEach(start);

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

describe('two devices', () => {
  test('that typed the same into the same field have one record of it', async () => {
    const [a, b] = [await signedIn(), await signedIn()];
    for (const { agent } of [a, b]) await agent.put('forms', { name: 'q', value: 'größe 😀' });
    await b.agent.put('forms', { name: 'q', value: 'other' });
    await sync(a, b, a, b);
    expect([...world.other.live('forms').values()].map(({ value }) => value).sort()).toEqual(
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
    const writes = world.other.ids('addresses').length;
    await sync(a, b, a);
    expect(world.other.ids('addresses')).toHaveLength(writes);
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
    expect(world.other.ids('forms')).toEqual([]);
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
    const [user] = world.servers.world.store.users.values();
    user?.collections.get('forms')?.delete(id);
    restore('forms');
    await sync(device);
    expect(world.other.get('forms', id)).toMatchObject({ value: 'x' });
  });

  test('with keys of its own is read anew, and no other', async () => {
    const asked: string[] = [];
    const device = await signedIn({
      fetch: (request) => {
        asked.push(new URL(request.url).pathname);
        return world.servers.world.fetch(request);
      },
    });
    const [user] = world.servers.world.store.users.values();
    const key = Buffer.alloc(32, 9).toString('base64');
    const kept = JSON.parse(
      openedKeys(user?.collections.get('crypto')?.get('keys', world.servers.nowMs)?.payload ?? ''),
    );
    const keys = { ...kept, collections: { bookmarks: [key, key] } };
    const payload = sealPayload(
      accountKeys(world.servers.world.account.kB),
      JSON.stringify(keys),
      Buffer.alloc(16, 3),
    );
    world.servers.nowMs += 1_000;
    user?.write('crypto', [{ id: 'keys', payload }], world.servers.nowMs);
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
    const [user] = world.servers.world.store.users.values();
    const meta = user?.collections.get('meta');
    const bso = meta?.get('global', world.servers.nowMs);
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
