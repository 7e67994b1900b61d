// Systems that cannot do now what they are asked to, or will not.

import { describe, expect, it } from 'vitest';
import { AppsError } from '../../platform/apps-rules.ts';
import { MemoryApps } from '../../platform/memory/apps.ts';
import type { SystemApp } from '../../platform/ports.ts';
import { documentService } from '../../test/support/made-up/services.ts';
import {
  type AppsDevice,
  bootApps,
  listed,
  namesOf,
  newAppsDevice,
  originsOf,
  person,
  rebooted,
  syncApps,
  systemApp,
} from '../../test/support/system-apps.ts';

const A = 'https://a.example';
const B = 'https://b.example';
const HOUR_MS = 3_600_000;

/** A system that says of each app what the test wants. */
function choosy(judge: (origin: string, app: SystemApp) => void): MemoryApps {
  return new MemoryApps([], { judge });
}

async function start(system: MemoryApps) {
  const service = documentService();
  const one = await newAppsDevice(service);
  const other = await newAppsDevice(service, { system });
  const passes = (...devices: AppsDevice[]) => syncApps(service, ...devices);
  return { service, one, other, passes };
}

describe('an app that the system calls invalid', () => {
  let isStrict = true;
  const judged: string[] = [];
  const system = choosy((origin, { manifest }) => {
    judged.push(origin);
    if (isStrict && manifest.version === 'odd') throw new AppsError('refused', 'manifest.version');
  });

  it('N11: is kept, incompatible, sent as it came, and tried again after a boot', async () => {
    const { service, one, other, passes } = await start(system);
    await person(one, A, systemApp('a', { manifest: { name: 'a', version: 'odd' } }));
    await person(one, B, systemApp('b'));
    await passes(one, other);
    expect(originsOf(other)).toEqual([B]);
    const [seen] = await listed(other, service, { purpose: 'remote', prefix: A });
    expect(seen).toMatchObject({ guid: A, here: { state: 'incompatible' } });
    judged.length = 0;
    await person(one, B, systemApp('b', { manifest: { name: 'b', version: '2' } }));
    await passes(one, other, one);
    expect(judged).toEqual([B]);
    expect(originsOf(one)).toEqual([A, B]);
    // Its software was updated.
    isStrict = false;
    const next = bootApps(service, { storage: other.storage.fork(), system: other.system.fork() });
    await next.agent.start();
    await next.agent.appsSettled?.();
    expect(originsOf(next)).toEqual([A, B]);
    expect((await listed(next, service, { purpose: 'remote', prefix: A }))[0]).toMatchObject({
      sync: true,
      here: { state: 'installed' },
    });
  });

  it('is tried again when it is another one', async () => {
    isStrict = true;
    const { service, one, other, passes } = await start(system.fork());
    await person(one, A, systemApp('a', { manifest: { name: 'a', version: 'odd' } }));
    await passes(one, other);
    expect(originsOf(other)).toEqual([B]);
    await person(one, A, systemApp('a', { manifest: { name: 'a', version: '2' } }));
    await passes(one, other);
    expect(originsOf(other)).toEqual([A, B]);
    await person(one, A, systemApp('a', { manifest: { name: 'a', version: 'odd' } }));
    await passes(one, other);
    // The version that it can use stays.
    expect(other.system.snapshot().get(A)?.manifest.version).toBe('2');
    expect((await listed(other, service, { purpose: 'all', prefix: A }))[0]).toMatchObject({
      manifest: { version: 'odd' },
      here: { state: 'incompatible' },
    });
  });

  it('is one without a manifest, and one with an origin that is too long', async () => {
    const { service, one, other, passes } = await start(new MemoryApps());
    const long = `https://${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(20)}`;
    await one.agent.put(service.collection, { id: A, manifest_url: `${A}/m` });
    await one.agent.put(service.collection, { id: long, ...systemApp('x') });
    await one.agent.appsSettled?.();
    await passes(one, other);
    for (const device of [one, other]) {
      expect(originsOf(device)).toEqual([]);
      const states = (await listed(device, service, { purpose: 'all' })).map(({ here }) => here);
      expect(states).toMatchObject([{ state: 'incompatible' }, { state: 'incompatible' }]);
    }
    await other.agent.delete(service.collection, long);
    await other.agent.appsSettled?.();
    await passes(other, one);
    expect(await namesOf(one, service, 'all')).toEqual([A]);
  });
});

describe('a system that cannot do it now', () => {
  it.each(['failed', 'full', 'offline'] as const)(
    '%s: is asked again, ever more rarely',
    async (code) => {
      let isFailing = true;
      let asked = 0;
      const system = choosy(() => {
        asked++;
        if (isFailing) throw new AppsError(code, 'not now');
      });
      const { service, one, other, passes } = await start(system);
      await person(one, A, systemApp('a'));
      await passes(one, other);
      expect([originsOf(other), asked]).toEqual([[], 1]);
      const { time } = other.platform;
      const later = async (ms: number): Promise<void> => {
        await time.advance(ms);
        await other.agent.appsSettled?.();
      };
      await later(59_999);
      expect(asked).toBe(1);
      await later(1);
      expect(asked).toBe(2);
      await later(60_000);
      expect(asked).toBe(2);
      await later(60_000);
      expect(asked).toBe(3);
      expect((await listed(other, service, { purpose: 'remote' }))[0]).toMatchObject({
        here: { state: 'waiting' },
      });
      isFailing = false;
      await later(HOUR_MS);
      expect(originsOf(other)).toEqual([A]);
      const before = asked;
      await later(24 * HOUR_MS);
      expect(asked).toBe(before);
    },
  );

  it('is left alone after some apps in a row, and nothing is forgotten', async () => {
    let isFailing = true;
    let asked = 0;
    const system = choosy(() => {
      asked++;
      if (isFailing) throw new AppsError('full', 'no room');
    });
    const { one, other, passes } = await start(system);
    const names = Array.from({ length: 30 }, (_, n) => `https://n${n + 10}.example`);
    for (const name of names) await person(one, name, systemApp('x'));
    await passes(one, other);
    expect(asked).toBe(8);
    isFailing = false;
    await other.platform.time.advance(HOUR_MS);
    await other.agent.appsSettled?.();
    expect(originsOf(other)).toEqual(names);
    expect(other.system.again).toEqual([]);
  });

  it('that cannot even list its apps loses none, and none of it is deleted', async () => {
    const { service, one, other, passes } = await start(new MemoryApps());
    await person(one, A, systemApp('a'));
    await passes(one, other);
    const system = other.system.fork();
    let isFailing = true;
    const list = system.list.bind(system);
    system.list = (after, limit) =>
      isFailing ? Promise.reject(new AppsError('failed', 'x')) : list(after, limit);
    const next = bootApps(service, { storage: other.storage.fork(), system });
    await next.agent.start();
    await next.agent.appsSettled?.();
    await person(one, B, systemApp('b'));
    await passes(one, next, one);
    expect(originsOf(one)).toEqual([A, B]);
    isFailing = false;
    await next.platform.time.advance(HOUR_MS);
    await next.agent.appsSettled?.();
    expect(originsOf(next)).toEqual([A, B]);
  });

  it('that cannot remove an app now is asked for it after a boot, too', async () => {
    const { service, one, other, passes } = await start(new MemoryApps());
    await person(one, A, systemApp('a'));
    await passes(one, other);
    other.system.uninstall = () => Promise.reject(new AppsError('failed', 'not now'));
    await person(one, A, null);
    await passes(one, other);
    await person(one, B, systemApp('b'));
    await passes(one, other);
    expect(originsOf(other)).toEqual([A, B]);
    expect(originsOf(await rebooted(service, other))).toEqual([B]);
  });

  it('a fault of its program is no failure that is tried again', async () => {
    const { one, other, passes } = await start(choosy(() => undefined));
    await person(one, A, systemApp('a'));
    other.system.read = () => Promise.reject(new TypeError('a mistake'));
    const faults: unknown[] = [];
    const note = (fault: unknown): void => void faults.push(fault);
    process.on('unhandledRejection', note);
    await passes(one, other).catch(note);
    await new Promise(setImmediate);
    process.off('unhandledRejection', note);
    expect(faults[0]).toMatchObject({ message: 'a mistake' });
  });
});

it('a collection that takes no changes gets what the system has to tell later', async () => {
  const { service, one, other, passes } = await start(new MemoryApps());
  const { collection } = service;
  await other.agent.configure({ collections: { [collection]: { readOnly: true } } });
  await person(other, A, systemApp('a'));
  expect(await namesOf(other, service, 'all')).toEqual([]);
  await other.agent.configure({ collections: { [collection]: { readOnly: false } } });
  await other.platform.time.advance(HOUR_MS);
  await other.agent.appsSettled?.();
  await passes(other, one);
  expect(originsOf(one)).toEqual([A]);
});
