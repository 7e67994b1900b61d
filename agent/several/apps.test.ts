// What apps have for themselves, through the agent's public door: two devices of one user, over
// Firefox Sync and a Kinto.

import { describe, expect, test } from 'vitest';
import { appOf, NOTES } from '../../test/support/apps.ts';
import {
  PROTOCOLS,
  type SameUser,
  sameUser,
  type UserDevice,
} from '../../test/support/same-user.ts';
import { apps } from '../index.ts';

const SMALL = { collectionsMax: 2, recordsMax: 3, bytesMax: 200 };

const user = (protocol: (typeof PROTOCOLS)[number] = 'kinto'): SameUser =>
  sameUser(protocol, { collections: [], apps });

/** What is on a Kinto, by collection: ids and members as anybody can read them. */
function onServer({ kinto }: SameUser): Map<string, string> {
  const [bucket] = kinto?.store.buckets.values() ?? [];
  return new Map(
    [...(bucket?.collections ?? [])].map(([name, place]) => [
      name,
      JSON.stringify(place.live().filter(({ id }) => !id.startsWith('epoch-'))),
    ]),
  );
}

describe.each(PROTOCOLS)('an app over %s', (protocol) => {
  test('comes upon its collection on another device by its name, and both write it', async () => {
    const same = user(protocol);
    const [a, b] = [await same.signedIn(), await same.signedIn()];
    await appOf(a).create('my notes');
    const id = await appOf(a).put('my notes', { text: 'größe', n: [1] });
    await same.sync(a);
    expect(await appOf(b).list()).toEqual([]);
    await expect(appOf(b).get('my notes', id)).rejects.toMatchObject({
      ...{ code: 'badInput', message: 'name: this app has no collection "my notes"' },
    });
    await appOf(b, `${NOTES}:443/index.html`).create('my notes');
    await same.sync(b);
    expect(await appOf(b).get('my notes', id)).toEqual({ id, text: 'größe', n: [1] });
    await appOf(b).put('my notes', { id, n: [2] });
    await appOf(b).put('my notes', { id: 'other', text: 'x' });
    await same.sync(b, a);
    const { records } = await appOf(a).records('my notes', { limit: 10 });
    expect(records).toEqual(
      expect.arrayContaining([
        { id, text: 'größe', n: [2] },
        { id: 'other', text: 'x' },
      ]),
    );
    await appOf(a).delete('my notes', id);
    await same.sync(a, b);
    expect((await appOf(b).records('my notes', { limit: 10 })).records).toHaveLength(1);
    expect(await appOf(a).list()).toEqual(['my notes']);
  });

  test('sees nothing of another app, and nobody through the common door', async () => {
    const same = user(protocol);
    const [a, b] = [await same.signedIn(), await same.signedIn()];
    const other = 'http://notes.example';
    for (const address of [NOTES, other]) {
      await appOf(a, address).create('notes');
      await appOf(a, address).put('notes', { id: '1', of: address });
      await appOf(b, address).create('notes');
    }
    await same.sync(a, b);
    for (const address of [NOTES, other]) {
      expect(await appOf(b, address).get('notes', '1')).toEqual({ id: '1', of: address });
      expect(await appOf(b, address).usage()).toMatchObject({ collections: 1, records: 1 });
    }
    await appOf(a, other).delete('notes', '1');
    await same.sync(a, b);
    expect(await appOf(b).get('notes', '1')).toEqual({ id: '1', of: NOTES });
    const names = Object.keys(a.agent.status().collections);
    expect(names).toHaveLength(2);
    for (const name of names) {
      expect(name).toMatch(/^a-[A-Za-z0-9_-]{28}$/);
      for (const call of [
        () => a.agent.get(name, '1'),
        () => a.agent.list(name, { limit: 1 }),
        () => a.agent.put(name, { id: '1' }),
        () => a.agent.delete(name, '1'),
        async () => a.agent.observe(name, true),
        async () => a.agent.removeCollection?.(name),
      ]) {
        await expect(call()).rejects.toMatchObject({ code: 'badInput' });
      }
    }
  });

  test('is told of its changes by origin and its own name, if it watches', async () => {
    const same = user(protocol);
    const [a, b] = [await same.signedIn(), await same.signedIn()];
    for (const device of [a, b]) await appOf(device).create('notes');
    await appOf(b).watch('notes', true);
    await appOf(a).put('notes', { id: '1', text: 'x' });
    await same.sync(a, b);
    await appOf(b).delete('notes', '1');
    await appOf(b).watch('notes', false);
    await appOf(b).put('notes', { id: '2' });
    const told = b.platform.events.map((json) => JSON.parse(json));
    const changes = { app: NOTES, name: 'notes' };
    expect(told.filter(({ kind }) => kind === 'record')).toMatchObject([
      { id: '1', change: 'put', changes },
      { id: '1', change: 'delete', changes },
    ]);
  });

  test('that is dropped goes from this device, and from all where that is asked', async () => {
    const same = user(protocol);
    const [a, b] = [await same.signedIn(), await same.signedIn()];
    for (const device of [a, b]) await appOf(device).create('notes');
    await appOf(a).put('notes', { id: '1' });
    await same.sync(a, b);
    await appOf(a).drop('notes');
    expect(await appOf(a).list()).toEqual([]);
    expect(a.storage.snapshot().filter(([key]) => /^1\.(_|i\.)/.test(key))).toEqual([]);
    await same.sync(a, b);
    expect(await appOf(b).get('notes', '1')).toEqual({ id: '1' });
    await appOf(a).create('notes');
    await appOf(b).put('notes', { id: '2' });
    await appOf(b).drop('notes', true);
    expect(await appOf(b).list()).toEqual([]);
    await same.sync(b, a);
    expect((await appOf(a).records('notes', { limit: 5 })).records).toEqual([]);
    expect(b.storage.snapshot().filter(([key]) => /^1\.(_|i\.)/.test(key))).toEqual([]);
  });
});

describe('on a server', () => {
  test('neither the app nor its name nor what it keeps can be read', async () => {
    const same = user();
    const a = await same.signedIn();
    for (const address of [NOTES, 'https://secret.example']) {
      await appOf(a, address).create('secret-name');
      await appOf(a, address).put('secret-name', { id: 'secret-id', text: 'secret-text' });
    }
    await same.sync(a);
    const server = onServer(same);
    expect([...server.values()].map((text) => JSON.parse(text).length)).toEqual([1, 1]);
    const all = JSON.stringify([...server]);
    expect(all).not.toMatch(/secret|notes\.example/);
    const [one, other] = [...server.values()].map((text) => JSON.parse(text)[0].id);
    expect(one).not.toBe(other);
  });

  test('records that were put into another app’s collection do not open there', async () => {
    const same = user();
    const [a, b] = [await same.signedIn(), await same.signedIn()];
    const other = 'https://other.example';
    for (const device of [a, b]) {
      for (const address of [NOTES, other]) await appOf(device, address).create('notes');
    }
    await appOf(a).put('notes', { id: '1', text: 'mine' });
    await same.sync(a);
    const [bucket] = same.kinto?.store.buckets.values() ?? [];
    const places = [...(bucket?.collections.values() ?? [])];
    const from = places.find((place) => place.live().length === 2);
    const to = places.find((place) => place.live().length === 1);
    const stolen = from?.live().find(({ id }) => !id.startsWith('epoch-'));
    to?.put(`${stolen?.id}`, { payload: stolen?.payload });
    await same.sync(b);
    expect(await appOf(b).get('notes', '1')).toEqual({ id: '1', text: 'mine' });
    expect((await appOf(b, other).records('notes', { limit: 5 })).records).toEqual([]);
    const states = Object.values(b.agent.status().collections);
    expect(states.map(({ quarantined }) => quarantined).sort()).toEqual([0, 1]);
  });
});

describe('the quota of an app', () => {
  const small = async (same: SameUser): Promise<UserDevice> => {
    const device = await same.boot(undefined, { apps: SMALL });
    expect(await device.agent.enable()).toMatchObject({ ok: true });
    return device;
  };
  const refused = (change: Promise<unknown>, message: string) =>
    expect(change).rejects.toMatchObject({ code: 'badInput', message });

  test('counts records and bytes of all its collections, and names what is used', async () => {
    const device = await small(user());
    const app = appOf(device);
    for (const name of ['a', 'b']) await app.create(name);
    await refused(app.create('c'), 'quota: this app has 2 collections, and may have no more');
    await app.create('a');
    await app.put('a', { id: '1', text: 'é'.repeat(40) });
    expect(await app.usage()).toEqual({ collections: 2, records: 1, bytes: 100, ...SMALL });
    await app.put('b', { id: '2', text: 'x'.repeat(60) });
    const bytes = (await app.usage()).bytes;
    expect(bytes).toBe(180);
    await refused(
      app.put('b', { id: '3', text: 'x' }),
      'quota: 180 bytes of 200 are used, and this takes 21 more',
    );
    await refused(
      app.put('a', { id: '1', text: 'é'.repeat(51) }),
      'quota: 180 bytes of 200 are used, and this takes 22 more',
    );
    expect(await app.get('a', '1')).toEqual({ id: '1', text: 'é'.repeat(40) });
    await app.put('a', { id: '1', text: 'é'.repeat(50) });
    expect((await app.usage()).bytes).toBe(200);
    await app.put('a', { id: '1', text: '' });
    await app.put('b', { id: '3' });
    await refused(app.put('a', { id: '4' }), 'quota: this app has 3 records, it may have 3');
    await app.delete('b', '3');
    await app.put('a', { id: '4' });
    await appOf(device, 'https://other.example').create('a');
    await appOf(device, 'https://other.example').put('a', { id: '1', text: 'x'.repeat(100) });
  });

  test('lets what others wrote arrive, and nothing more be added until it fits', async () => {
    const same = user();
    const [large, device] = [await same.signedIn(), await small(same)];
    for (const each of [large, device]) await appOf(each).create('a');
    for (const id of ['1', '2', '3', '4']) {
      await appOf(large).put('a', { id, text: 'x'.repeat(50) });
    }
    await same.sync(large, device);
    const app = appOf(device);
    expect(await app.usage()).toMatchObject({ records: 4, bytes: 280 });
    await refused(app.put('a', { id: '5' }), 'quota: this app has 4 records, it may have 3');
    await app.put('a', { id: '1', text: 'y'.repeat(50) });
    await app.put('a', { id: '1', text: 'y' });
    for (const id of ['2', '3']) await app.delete('a', id);
    await app.put('a', { id: '5' });
    await same.sync(device, large);
    const { records } = await appOf(large).records('a', { limit: 9 });
    expect(records.map(({ id }) => id).sort()).toEqual(['1', '4', '5']);
  });

  test('is not taken twice by changes that are made at once', async () => {
    const app = appOf(await small(user()));
    await app.create('a');
    const all = [1, 2, 3, 4, 5].map((n) => app.put('a', { id: `${n}` }));
    const made = await Promise.allSettled(all);
    expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
    expect((await app.usage()).records).toBe(3);
  });
});
