// What a boot, a pass and a change of the system cost, and that nothing is concluded from half of
// a collection.

import { describe, expect, it } from 'vitest';
import { MemoryApps } from '../../platform/memory/apps.ts';
import { documentService, recordsService } from '../../test/support/made-up/services.ts';
import {
  type AppsDevice,
  bootApps,
  namesOf,
  newAppsDevice,
  originsOf,
  pair,
  person,
  rebooted,
  syncApps,
  systemApp,
} from '../../test/support/system-apps.ts';

const A = 'https://a.example';
const B = 'https://b.example';
const nth = (n: number): string => `https://n${n + 1_000}.example`;

/** Two devices with so many apps, as they are when nothing is left to do. */
async function withMany(count: number) {
  const world = await pair(documentService);
  const { one, other, sync } = world;
  for (let n = 0; n < count; n++) one.system.person(nth(n), systemApp('x', { install_time: n }));
  await one.agent.appsSettled?.();
  await sync(one, other, one, other);
  return world;
}

/** Every record that is read, and every commit. */
function watched(device: AppsDevice): { gets: string[]; commits(): number } {
  const { storage } = device;
  const gets: string[] = [];
  const get = storage.get.bind(storage);
  storage.get = (keys) => {
    gets.push(...keys);
    return get(keys);
  };
  return { gets, commits: () => storage.commits };
}

describe('a boot of a device with 250 apps', () => {
  it('lists the system’s, reads no record, asks for no app and writes nothing', async () => {
    const { service, other } = await withMany(250);
    const next = bootApps(service, { storage: other.storage.fork(), system: other.system.fork() });
    const { gets, commits } = watched(next);
    await next.agent.start();
    await next.agent.appsSettled?.();
    expect(next.system.calls).toBe(3);
    expect(gets.filter((key) => /\.o\.[ro]\./.test(key))).toEqual([]);
    expect(commits()).toBe(0);
    expect(await namesOf(next, service, 'remote')).toHaveLength(100);
  });

  it('looks at one app where one has changed', async () => {
    const { service, other } = await withMany(250);
    const system = other.system.fork();
    system.person(nth(120), systemApp('x', { manifest: { name: 'y' } }));
    const next = bootApps(service, { storage: other.storage.fork(), system });
    await next.agent.start();
    await next.agent.appsSettled?.();
    const record = await next.agent.get(service.collection, nth(120));
    expect(record?.manifest).toEqual({ name: 'y' });
    expect(system.calls).toBeLessThan(9);
  });

  it('is settled after one round: the next boot has nothing to do', async () => {
    const { service, one, other } = await withMany(3);
    await person(one, A, systemApp('a'));
    await syncApps(service, one, other);
    const before = other.storage.commits;
    await syncApps(service, other);
    expect(other.storage.commits).toBe(before);
    const calls = other.system.calls;
    await syncApps(service, other);
    expect(other.system.calls).toBe(calls);
  });
});

it('more changes than are remembered by name are looked at all the same', async () => {
  const { service, one, other, sync } = await withMany(250);
  expect(originsOf(other)).toHaveLength(250);
  for (let n = 0; n < 250; n++) await one.agent.delete(service.collection, nth(n));
  await sync(one, other);
  expect(originsOf(other)).toEqual([]);
  expect(originsOf(one)).toEqual([]);
});

describe('half of a collection', () => {
  it('says nothing: the system is left alone until a listing has come to its end', async () => {
    const service = recordsService();
    const one = await newAppsDevice(service);
    for (let n = 0; n < 12; n++) await person(one, nth(n), systemApp('x'));
    await syncApps(service, one);
    // The link breaks behind the first page of the first listing.
    let isCut = true;
    const { fetch } = service;
    let pages = 0;
    const broken = {
      ...service,
      async fetch(request: Request) {
        if (isCut && service.isPage(request) && ++pages > 1) throw new TypeError('offline');
        return fetch(request);
      },
    };
    const system = new MemoryApps();
    system.person(A, systemApp('a'));
    const device = bootApps(broken, { system });
    await device.agent.start();
    expect(await device.agent.enable()).toMatchObject({ ok: false });
    await device.agent.appsSettled?.();
    expect(originsOf(device)).toEqual([A]);
    expect(await namesOf(device, service, 'own')).toEqual([]);
    isCut = false;
    await syncApps(service, device);
    expect(originsOf(device)).toHaveLength(13);
    expect(await namesOf(device, service)).toEqual([A]);
  });
});

describe('a sign-out', () => {
  it('leaves the apps, and another account gets none that came from the first one', async () => {
    const { service, one, other, sync } = await pair(documentService);
    await person(one, A, systemApp('a'));
    await sync(one, other);
    await person(other, B, systemApp('b'));
    await other.agent.disable();
    expect(originsOf(other)).toEqual([A, B]);
    const next = documentService();
    const moved = bootApps(next, { storage: other.storage.fork(), system: other.system.fork() });
    await moved.agent.start();
    await moved.agent.enable();
    await moved.agent.appsSettled?.();
    expect(await namesOf(moved, next, 'all')).toEqual([B]);
    expect(originsOf(moved)).toEqual([A, B]);
    expect(service).not.toBe(next);
  });

  it('and in again: what was from elsewhere is, and what was deleted meanwhile goes', async () => {
    const { service, one, other, sync } = await pair(documentService);
    for (const origin of [A, B]) await person(one, origin, systemApp('x'));
    await sync(one, other);
    await other.agent.disable();
    await person(one, B, null);
    await sync(one);
    await other.agent.enable();
    await other.agent.appsSettled?.();
    expect(originsOf(other)).toEqual([A]);
    expect(await namesOf(other, service, 'remote')).toEqual([A]);
    expect(other.system.again).toEqual([]);
    expect(originsOf(await rebooted(service, other))).toEqual([A]);
  });
});

it('a device whose system has no apps knows which are from elsewhere', async () => {
  const service = documentService();
  const one = await newAppsDevice(service);
  const bare = await newAppsDevice(service, { isBare: true });
  await person(one, A, systemApp('a'));
  await syncApps(service, one, bare);
  await bare.agent.put(service.collection, { id: B, ...systemApp('b') });
  expect(await namesOf(bare, service)).toEqual([B]);
  await bare.agent.promote?.(A, true);
  expect(await namesOf(bare, service, 'pick')).toEqual([B, A]);
  await syncApps(service, bare, one);
  expect(originsOf(one)).toEqual([A, B]);
  await person(one, A, null);
  await syncApps(service, one, bare);
  expect(await namesOf(bare, service, 'all')).toEqual([B]);
});
