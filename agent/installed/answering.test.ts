// Systems that swallow what they are asked, have no room to note what is begun, or say that they
// have what they have not: everything else goes on, and it is told by name.

import { describe, expect, it } from 'vitest';
import { MemoryApps } from '../../platform/memory/apps.ts';
import type { ListedApp, SystemApp } from '../../platform/ports.ts';
import { documentService } from '../../test/support/made-up/services.ts';
import {
  type AppsDevice,
  namesOf,
  newAppsDevice,
  originsOf,
  person,
  rebooted,
  syncApps,
  systemApp,
} from '../../test/support/system-apps.ts';
import { APP_ENTRY_BYTES_MAX, SYSTEM_ANSWER_MS_MAX } from '../limits.ts';

const A = 'https://a.example';
const B = 'https://b.example';
const HOUR_MS = 3_600_000;
type Call = 'list' | 'read' | 'install' | 'uninstall';

/** Swallows calls, and forgets or hides what it has installed. */
class Odd extends MemoryApps {
  swallows: Call | null = null;
  forgets = '';
  unlisted = '';
  installs = 0;

  async #asked(call: Call, origin = A): Promise<void> {
    if (this.swallows === call && origin === A) await new Promise(() => undefined);
  }

  override async list(after: string, limit: number): Promise<ListedApp[]> {
    await this.#asked('list');
    return (await super.list(after, limit)).filter(({ origin }) => origin !== this.unlisted);
  }

  override async read(origin: string): Promise<SystemApp | null> {
    await this.#asked('read', origin);
    return super.read(origin);
  }

  override async install(origin: string, app: SystemApp): Promise<string> {
    await this.#asked('install', origin);
    this.installs++;
    return origin === this.forgets ? '7' : super.install(origin, app);
  }

  override async uninstall(origin: string): Promise<void> {
    await this.#asked('uninstall', origin);
    return super.uninstall(origin);
  }
}

async function start() {
  const service = documentService();
  const one = await newAppsDevice(service);
  const system = new Odd();
  const other = await newAppsDevice(service, { system });
  return { service, one, other, system };
}

/** A pass, without what follows it. */
async function synced(
  service: ReturnType<typeof documentService>,
  { agent, platform }: AppsDevice,
) {
  service.clock.nowMs += 60_000;
  platform.time.set(platform.time.nowMs() + 60_000);
  expect(await agent.sync()).toMatchObject({ ok: true, error: null });
  for (let turn = 0; turn < 100; turn++) await platform.time.advance(0);
}

/** Minute by minute: who has waited in vain waits anew. */
async function later({ platform }: AppsDevice, ms: number): Promise<void> {
  for (let passedMs = 0; passedMs < ms; passedMs += 60_000) {
    await platform.time.advance(60_000);
    for (let turn = 0; turn < 20; turn++) await platform.time.advance(0);
  }
}

function told({ platform }: AppsDevice): unknown[] {
  return platform.events.map((json) => JSON.parse(json)).filter(({ kind }) => kind === 'system');
}

describe('a system that never answers', () => {
  it.each<[Call, string]>([
    ['read', `read ${A}`],
    ['install', `install ${A}`],
    ['uninstall', `uninstall ${A}`],
  ])('to %s holds up no other app and no pass, and is asked again', async (call, what) => {
    const { service, one, other, system } = await start();
    if (call === 'uninstall') {
      await person(one, A, systemApp('a'));
      await syncApps(service, one, other);
    }
    await person(one, A, call === 'uninstall' ? null : systemApp('a'));
    await person(one, B, systemApp('b'));
    await syncApps(service, one);
    system.swallows = call;
    await synced(service, other);
    await synced(service, other);
    expect(originsOf(other)).not.toContain(B);
    await later(other, 2 * SYSTEM_ANSWER_MS_MAX);
    expect(originsOf(other)).toContain(B);
    const message = `apps: no answer to ${what} for ${SYSTEM_ANSWER_MS_MAX} ms`;
    const collection = service.collection;
    expect(told(other)).toEqual([
      { kind: 'system', collection, id: A, error: { code: 'deviceFailed', message } },
    ]);
    system.swallows = null;
    await later(other, HOUR_MS);
    expect(originsOf(other)).toEqual(call === 'uninstall' ? [B] : [A, B]);
    expect(system.again).toEqual([]);
    await syncApps(service, other, one);
    expect(originsOf(one)).toEqual(originsOf(other));
  });

  it('for its list is told of as a whole, and nothing counts as removed', async () => {
    const { service, one, other, system } = await start();
    await person(one, A, systemApp('a'));
    await syncApps(service, one, other);
    system.swallows = 'list';
    system.person(B, systemApp('b'));
    await synced(service, other);
    await later(other, 2 * SYSTEM_ANSWER_MS_MAX);
    expect(told(other)).toMatchObject([
      { error: { message: expect.stringContaining('no answer to list') } },
    ]);
    expect(told(other)[0]).not.toHaveProperty('id');
    system.swallows = null;
    await later(other, HOUR_MS);
    await syncApps(service, other, one);
    expect(originsOf(one)).toEqual([A, B]);
  });

  it('lets an app of this device be installed while another one is waited for', async () => {
    const { service, one, other, system } = await start();
    await person(one, A, systemApp('a'));
    await syncApps(service, one);
    system.swallows = 'install';
    await synced(service, other);
    const put = other.agent.put(service.collection, { id: B, ...systemApp('b') });
    await later(other, 2 * SYSTEM_ANSWER_MS_MAX);
    expect(await put).toEqual(expect.any(String));
    await later(other, 4 * SYSTEM_ANSWER_MS_MAX);
    expect(originsOf(other)).toEqual([B]);
  });

  it('and has done it all the same is not asked to do it twice', async () => {
    const { service, one, other, system } = await start();
    await person(one, A, systemApp('a'));
    await syncApps(service, one);
    const install = system.install.bind(system);
    system.install = async (origin, app) => {
      await install(origin, app);
      return new Promise(() => undefined);
    };
    await synced(service, other);
    await later(other, HOUR_MS);
    expect(system.installs).toBe(1);
    expect(originsOf(other)).toEqual([A]);
  });
});

describe('what a system says that it has installed, and has not', () => {
  it('is incompatible, told of by name, and not tried again before a boot', async () => {
    const { service, one, other, system } = await start();
    await person(one, A, systemApp('a'));
    await person(one, B, systemApp('b'));
    system.forgets = A;
    await syncApps(service, one, other);
    await later(other, 24 * HOUR_MS);
    await syncApps(service, other, one, other);
    expect(system.installs).toBe(2);
    expect(told(other)).toMatchObject([{ id: A, error: { code: 'badInput' } }]);
    expect(originsOf(one)).toEqual([A, B]);
    const shown = await other.agent.get(service.collection, A);
    expect(shown).toMatchObject({ here: { state: 'incompatible' } });
    const next = await rebooted(service, other);
    await syncApps(service, next, one);
    expect(originsOf(next)).toEqual([A, B]);
    expect(originsOf(one)).toEqual([A, B]);
  });

  it('in the place of an earlier version was not removed by its user', async () => {
    const { service, one, other, system } = await start();
    await person(one, A, systemApp('a'));
    await syncApps(service, one, other);
    await person(one, A, systemApp('a', { manifest: { name: 'a', version: '2' } }));
    system.forgets = A;
    const read = system.read.bind(system);
    system.read = async (origin) => (origin === A && system.installs > 1 ? null : read(origin));
    await syncApps(service, one, other);
    await person(other, B, systemApp('b'));
    await syncApps(service, other, one);
    expect(originsOf(one)).toEqual([A, B]);
  });

  it('but only its list lacks it, it is there', async () => {
    const { service, one, other, system } = await start();
    await person(one, A, systemApp('a'));
    system.unlisted = A;
    await syncApps(service, one, other);
    await person(other, B, systemApp('b'));
    await syncApps(service, other, one);
    expect(originsOf(one)).toEqual([A, B]);
    expect(system.installs).toBe(1);
    expect(await other.agent.get(service.collection, A)).toMatchObject({ sync: true });
    await person(other, A, null);
    await syncApps(service, other, one);
    expect(originsOf(one)).toEqual([B]);
  });
});

it('no room for the note of what is begun: it is told, and done when there is room', async () => {
  const { service, one, other, system } = await start();
  await person(one, A, systemApp('a'));
  await syncApps(service, one);
  const commit = other.storage.commit.bind(other.storage);
  other.storage.commit = async (changes) => {
    const isNote = changes.some(([key]) => key.startsWith('n='));
    if (isNote) throw Object.assign(new Error('no room'), { code: 'full' });
    return commit(changes);
  };
  await syncApps(service, other);
  expect(system.installs).toBe(0);
  expect(told(other)[0]).toMatchObject({ error: { code: 'storageFull' } });
  other.storage.commit = commit;
  await later(other, HOUR_MS);
  expect(originsOf(other)).toEqual([A]);
});

describe('an app of the system whose entry has', () => {
  /** So long that its entry has so many bytes, whatever time it gets. */
  async function sized(bytes: number): Promise<SystemApp> {
    const { service, one } = await start();
    const app = systemApp('a', { manifest: { name: 'a', text: '' } });
    await person(one, A, app);
    await syncApps(service, one);
    const { entry } = (await service.live()).get(A) as { entry: object };
    const text = 'x'.repeat(
      bytes - JSON.stringify({ ...entry, last_modified: Number.MAX_VALUE }).length,
    );
    return systemApp('a', { manifest: { name: 'a', text } });
  }

  it('as many bytes as it may is on all devices', async () => {
    const { service, one, other } = await start();
    await person(one, A, await sized(APP_ENTRY_BYTES_MAX));
    await syncApps(service, one, other);
    expect(originsOf(other)).toEqual([A]);
    expect(told(one)).toEqual([]);
  });

  it('one more stays on its device, is told of, and holds up no other one', async () => {
    const { service, one, other } = await start();
    await person(one, A, await sized(APP_ENTRY_BYTES_MAX + 1));
    await person(one, B, systemApp('b'));
    await syncApps(service, one, other);
    expect(originsOf(one)).toEqual([A, B]);
    expect(await namesOf(other, service, 'all')).toEqual([B]);
    const message = expect.stringContaining(`${APP_ENTRY_BYTES_MAX}`);
    expect(told(one)[0]).toMatchObject({ id: A, error: { message } });
  });
});
