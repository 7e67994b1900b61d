// The apps of a device that loses its power: at every commit of its storage and at every call of
// its system, before and after what that does. Nothing is installed twice, and nothing forgotten.

import { describe, expect, it } from 'vitest';
import type { MemoryApps } from '../../platform/memory/apps.ts';
import type { MemoryStorage } from '../../platform/memory/storage.ts';
import { documentService, recordsService } from '../support/made-up/services.ts';
import type { Service } from '../support/service.ts';
import {
  type AppsDevice,
  bootApps,
  listed,
  newAppsDevice,
  syncApps,
  systemApp,
} from '../support/system-apps.ts';
import { every } from './share.ts';

/** Of the cuts, in `npm test`. */
const STRIDE = 5;

const origin = (name: string): string => `https://${name}.example`;

/** What there is when the device is switched on again. */
interface Before {
  readonly service: Service;
  readonly one: AppsDevice;
  readonly storage: MemoryStorage;
  readonly system: MemoryApps;
  readonly nowMs: number;
}

/**
 * Two devices have c, d, f and g. Then one installs a and b, changes d and deletes c; on the other,
 * which is off, the user installs e, removes f, and installs g anew.
 */
async function begin(start: () => Service, skewMs: number): Promise<Before> {
  const service = start();
  const one = await newAppsDevice(service);
  const other = await newAppsDevice(service, { nowMs: service.clock.nowMs + skewMs });
  const person = async (name: string, app: ReturnType<typeof systemApp> | null) => {
    one.system.person(origin(name), app);
    await one.agent.appsSettled?.();
  };
  for (const name of ['c', 'd', 'f', 'g']) await person(name, systemApp(name));
  await syncApps(service, one, other);
  await other.agent.promote?.(origin('d'), true);
  for (const name of ['a', 'b']) await person(name, systemApp(name));
  await person('d', systemApp('d', { manifest: { name: 'd', version: '2' } }));
  await person('c', null);
  await syncApps(service, one);
  const system = other.system.fork();
  system.person(origin('e'), systemApp('e'));
  system.person(origin('f'), null);
  system.person(origin('g'), systemApp('g', { manifest: { name: 'own' }, install_time: 1.2e9 }));
  return { service, one, storage: other.storage, system, nowMs: other.platform.time.nowMs() };
}

/** A boot and a pass, which may end anywhere. */
async function live(before: Before, storage: MemoryStorage, system: MemoryApps): Promise<void> {
  const { agent } = bootApps(before.service, { storage, system, nowMs: before.nowMs });
  const work = async (): Promise<void> => {
    await agent.start();
    await agent.appsSettled?.();
    await agent.sync();
    await agent.appsSettled?.();
  };
  await work().catch(() => undefined);
}

/** The device is switched on again, and everybody syncs. */
async function allMeet(before: Before, storage: MemoryStorage, system: MemoryApps): Promise<void> {
  const { service, one } = before;
  const other = bootApps(service, { storage, system, nowMs: before.nowMs + 60_000 });
  await other.agent.start();
  await other.agent.appsSettled?.();
  await syncApps(service, other, one, other);
  const names = ['a', 'b', 'd', 'e', 'g'].map(origin);
  for (const device of [one, other]) {
    const found = device.system.snapshot();
    expect([...found.keys()]).toEqual(names);
    expect(found.get(origin('d'))?.manifest).toEqual({ name: 'd', version: '2' });
  }
  const guids = async (query: object) =>
    (await listed(other, service, query)).map(({ guid }) => guid);
  expect(await guids({})).toEqual([origin('e'), origin('g'), origin('d')]);
  expect(await guids({ purpose: 'remote' })).toEqual([origin('a'), origin('b')]);
}

describe.each([
  ['records', recordsService, 0],
  ['a document', documentService, 0],
  ['a document, on a device that boots in 1970', documentService, -1_795_000_000_000],
])('a power cut of a device with apps, on %s', (_, start, skewMs) => {
  it('at any commit, before or after it', async () => {
    const whole = await begin(start, skewMs);
    const first = whole.storage.fork();
    await live(whole, first, whole.system.fork());
    expect(first.commits).toBeGreaterThan(9);
    for (let atCommit = 1; atCommit <= first.commits; atCommit += every(STRIDE)) {
      for (const when of ['before', 'after'] as const) {
        const before = await begin(start, skewMs);
        const storage = before.storage.fork({ atCommit, when });
        const system = before.system.fork();
        await live(before, storage, system);
        const next = system.fork();
        await allMeet(before, storage.fork(), next);
        expect([...system.again, ...next.again]).toEqual([]);
        expect(installs(system, next)).toEqual(['a', 'b', 'd'].map(origin));
      }
    }
  });

  it('at any call of the system, before or after it', async () => {
    const whole = await begin(start, skewMs);
    const first = whole.system.fork();
    await live(whole, whole.storage.fork(), first);
    expect(first.calls).toBeGreaterThan(8);
    for (let atCall = 1; atCall <= first.calls; atCall += every(STRIDE)) {
      for (const when of ['before', 'after'] as const) {
        const before = await begin(start, skewMs);
        const storage = before.storage.fork();
        const system = before.system.fork({ atCall, when });
        await live(before, storage, system);
        const next = system.fork();
        await allMeet(before, storage.fork(), next);
        expect([...system.again, ...next.again]).toEqual([]);
        expect(installs(system, next)).toEqual(['a', 'b', 'd'].map(origin));
      }
    }
  });
});

/** What was installed over both boots, each as often as it was. */
function installs(...systems: readonly MemoryApps[]): string[] {
  const did = systems.flatMap((system) => system.did);
  return did.flatMap((line) => /^install (.*)$/.exec(line)?.[1] ?? []).sort();
}
