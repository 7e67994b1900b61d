// Systems whose lists and answers cannot be right, and entries of documents that no system is to be
// given: no app is lost by them, and what can be done is done.

import { describe, expect, it } from 'vitest';
import { MemoryApps } from '../../platform/memory/apps.ts';
import type { ListedApp, SystemApp } from '../../platform/ports.ts';
import { documentService } from '../../test/support/made-up/services.ts';
import {
  listed,
  namesOf,
  newAppsDevice,
  originsOf,
  person,
  rebooted,
  syncApps,
  systemApp,
} from '../../test/support/system-apps.ts';

const nth = (n: number): string => `https://n${n + 1_000}.example`;

/** Lists as the test wants, as soon as it does. */
class Liar extends MemoryApps {
  lie: ((listed: ListedApp[]) => ListedApp[]) | null = null;
  isIdle = false;

  override async list(after: string, limit: number): Promise<ListedApp[]> {
    const found = await super.list(after, limit);
    return this.lie === null ? found : this.lie(found);
  }

  override async install(origin: string, app: SystemApp): Promise<string> {
    return this.isIdle ? '1' : super.install(origin, app);
  }
}

async function withMany(count: number) {
  const service = documentService();
  const system = new Liar();
  const device = await newAppsDevice(service, { system });
  for (let n = 0; n < count; n++) system.person(nth(n), systemApp('x'));
  await device.agent.appsSettled?.();
  await syncApps(service, device);
  return { service, system, device };
}

describe('a list of the system', () => {
  it.each<[string, (listed: ListedApp[], first: ListedApp[]) => ListedApp[]]>([
    ['begins anew with each page', (_, first) => first],
    ['has no order', (found) => [...found].reverse()],
    ['has an app twice', ([first, ...others]) => [first, first, ...others].flatMap((x) => x ?? [])],
  ])('that %s removes nothing, and is asked for again', async (_, lie) => {
    const { service, system, device } = await withMany(120);
    const first = await system.list('', 100);
    system.lie = (found) => lie(found, first);
    await person(device, nth(7), null);
    expect(await namesOf(device, service, 'all')).toHaveLength(100);
    await syncApps(service, device);
    expect((await service.live()).size).toBe(120);
    system.lie = null;
    await device.platform.time.advance(60_000);
    await device.agent.appsSettled?.();
    await syncApps(service, device);
    expect(await device.agent.get(service.collection, nth(7))).toBeNull();
  });
});

it('what a system only says that it has installed was not removed by its user', async () => {
  const service = documentService();
  const one = await newAppsDevice(service);
  const system = new Liar();
  const other = await newAppsDevice(service, { system });
  system.isIdle = true;
  for (let n = 0; n < 3; n++) await person(one, nth(n), systemApp('x'));
  await syncApps(service, one, other);
  const next = await rebooted(service, other);
  await syncApps(service, next, one);
  expect(originsOf(one)).toHaveLength(3);
  expect(originsOf(next)).toHaveLength(3);
});

it('an origin that no system can have hinders no other one', async () => {
  const { service, device } = await withMany(2);
  const long = `https://${'x'.repeat(1_900)}.example`;
  const entry = { ...systemApp('x'), last_modified: 1_795_323_280 };
  await service.put(long, { entry });
  await service.put(nth(5), { entry });
  await syncApps(service, device);
  expect(originsOf(device)).toEqual([nth(0), nth(1), nth(5)]);
  const remote = await listed(device, service, { purpose: 'remote' });
  expect(remote.map(({ guid, here }) => [guid, Object(here).state])).toEqual(
    expect.arrayContaining([
      [nth(5), 'installed'],
      [long, 'incompatible'],
    ]),
  );
});

it('an entry without a time is installed nowhere, and an app of its name can be', async () => {
  const { service, device } = await withMany(1);
  await service.put(nth(5), { entry: systemApp('theirs') });
  await syncApps(service, device);
  expect(originsOf(device)).toEqual([nth(0)]);
  await person(device, nth(5), systemApp('own'));
  await syncApps(service, device);
  expect(await device.agent.get(service.collection, nth(5))).toMatchObject({
    manifest: { name: 'own' },
  });
});
