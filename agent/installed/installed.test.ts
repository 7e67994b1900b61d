// The user's apps on the systems of several devices, each test through the agent's own door.

import { describe, expect, it } from 'vitest';
import { documentService, recordsService } from '../../test/support/made-up/services.ts';
import {
  listed,
  namesOf,
  originsOf,
  pair,
  person,
  systemApp,
} from '../../test/support/system-apps.ts';

const A = 'https://a.example';
const B = 'https://b.example';

describe.each([
  ['records', recordsService],
  ['a document', documentService],
])('apps of a system, on %s', (_, start) => {
  it('O9: what the user installs on one device is on the other', async () => {
    const { service, one, other, sync } = await pair(start);
    const app = systemApp('a', { install_data: { receipts: ['r'] }, install_origin: 'https://s' });
    await person(one, A, app);
    await sync(one, other);
    expect(other.system.snapshot().get(A)).toEqual(app);
    expect(other.system.did).toEqual([`install ${A}`]);
    expect(one.system.did).toEqual([]);
    expect(await namesOf(one, service)).toEqual([A]);
  });

  it('O17: what arrives and is unknown is installed, and known to be from elsewhere', async () => {
    const { service, one, other, sync } = await pair(start);
    await one.agent.put(service.collection, { id: A, ...systemApp('a') });
    await one.agent.appsSettled?.();
    expect(originsOf(one)).toEqual([A]);
    expect((await listed(one, service, { purpose: 'all' }))[0]).toMatchObject({ sync: false });
    await sync(one, other);
    const [seen] = await listed(other, service, { purpose: 'remote' });
    expect(seen).toMatchObject({ guid: A, sync: true, here: { state: 'installed' } });
    expect(originsOf(other)).toEqual([A]);
  });

  it('O18: nothing that is local is in what is sent', async () => {
    const { service, one, other, sync } = await pair(start);
    await person(one, A, systemApp('a'));
    await sync(one, other);
    await other.agent.promote?.(A, true);
    const [seen] = await listed(other, service);
    expect(seen).toMatchObject({ sync: true, here: { promoted: true } });
    // What a dashboard shows is put back as it was shown.
    await other.agent.put(service.collection, { ...seen, odd: 1 });
    await sync(other, one);
    const [back] = [...(await service.live()).values()];
    expect(JSON.stringify(back)).toContain('"odd":1');
    expect(JSON.stringify(back)).not.toMatch(/sync|here|promoted|hidden/);
    expect(await namesOf(one, service)).toEqual([A]);
  });

  it('O20: an update of an app that was installed here leaves it one of this device', async () => {
    const { service, one, other, sync } = await pair(start);
    await person(one, A, systemApp('a'));
    await person(other, A, systemApp('a'));
    await sync(one, other, one, other);
    await one.agent.put(service.collection, { id: A, manifest: { name: 'a', version: '2' } });
    await sync(one, other);
    expect(other.system.snapshot().get(A)?.manifest).toEqual({ name: 'a', version: '2' });
    expect(await namesOf(other, service)).toEqual([A]);
    expect(await namesOf(one, service)).toEqual([A]);
  });

  it('O21: a deletion uninstalls, on the device that deletes and on the other', async () => {
    const { service, one, other, sync } = await pair(start);
    await person(one, A, systemApp('a'));
    await person(one, B, systemApp('b'));
    await sync(one, other);
    await other.agent.delete(service.collection, A);
    await other.agent.appsSettled?.();
    expect(originsOf(other)).toEqual([B]);
    await sync(other, one);
    expect(originsOf(one)).toEqual([B]);
    expect(one.system.did).toEqual([`uninstall ${A}`]);
  });

  it('what the user uninstalls on one system is deleted for all', async () => {
    const { service, one, other, sync } = await pair(start);
    await person(one, A, systemApp('a'));
    await sync(one, other);
    await person(other, A, null);
    expect(await namesOf(other, service, 'all')).toEqual([]);
    await sync(other, one);
    expect(originsOf(one)).toEqual([]);
    expect(other.system.did).toEqual([`install ${A}`]);
  });

  it('O26: what was deleted and is installed again is there again, on all', async () => {
    const { service, one, other, sync } = await pair(start);
    await person(one, A, systemApp('a'));
    await sync(one, other);
    await one.agent.delete(service.collection, A);
    await one.agent.appsSettled?.();
    await sync(one, other);
    expect(originsOf(other)).toEqual([]);
    await person(other, A, systemApp('a', { install_time: 1_400_000_000 }));
    await sync(other, one);
    expect(originsOf(one)).toEqual([A]);
    expect(await namesOf(other, service)).toEqual([A]);
    expect(await namesOf(one, service, 'remote')).toEqual([A]);
  });

  it('O6: an app of the system’s own kind is never sent', async () => {
    const { service, one, other, sync } = await pair(start);
    for (const origin of ['app://settings', 'chrome://browser', 'file:///x']) {
      await person(one, origin, systemApp('x'));
    }
    await person(one, A, systemApp('a'));
    await sync(one, other);
    expect(await namesOf(one, service, 'all')).toEqual([A]);
    expect(originsOf(other)).toEqual([A]);
    expect(originsOf(one)).toHaveLength(4);
  });
});

describe('a pass', () => {
  it('has its turn in the middle of a round, which goes on behind it', async () => {
    const { service, one, other, sync } = await pair(documentService);
    for (const origin of [A, B, 'https://c.example']) await person(one, origin, systemApp('x'));
    await sync(one);
    const { fetch } = service;
    let turns = 0;
    Object.assign(service, {
      async fetch(request: Request) {
        for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
        return fetch(request);
      },
    });
    const order: string[] = [];
    const { install } = other.system;
    let pass: Promise<unknown> | null = null;
    other.system.install = async (origin, app) => {
      order.push('install');
      const { events } = other.platform;
      if (pass === null) {
        const before = events.length;
        // Time enough for whoever would not wait.
        turns = 300;
        pass = other.agent.sync().then(() => order.push('pass'));
        while (!events.slice(before).some((json) => json.includes('"syncing"'))) {
          await new Promise(setImmediate);
        }
      }
      return install.call(other.system, origin, app);
    };
    await sync(other);
    await pass;
    await other.agent.appsSettled?.();
    expect(order).toEqual(['install', 'pass', 'install', 'install']);
    expect(originsOf(other)).toHaveLength(3);
    expect(other.system.again).toEqual([]);
  });
});
