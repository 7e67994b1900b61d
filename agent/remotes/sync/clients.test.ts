// This device among the account's devices: what it says of itself, whom it sees, and what it does
// when it is told to.

import { describe, expect, test } from 'vitest';
import { createRandom } from '../../../emulator/device/random.ts';
import { readAccount as readBack } from '../../../emulator/servers/store-file.ts';
import type { WorldOptions } from '../../../emulator/servers/world.ts';
import { MemoryStorage } from '../../../platform/memory/storage.ts';
import { type Json, type SecondDevice, secondDevice } from '../../../test/sim/second-device.ts';
import {
  corpusAccount,
  type DeviceOptions,
  type TestDevice,
  type TestServers,
  testServers,
  userOf,
} from '../../../test/support/device.ts';
import { fullDevice, TV } from '../../../test/support/everything.ts';

const DAY_MS = 86_400_000;
const FIREFOX = '4nRhL2pUNwI5';

interface Bench {
  readonly servers: TestServers;
  readonly other: SecondDevice;
  readonly storage: MemoryStorage;
  /** Methods and paths that the device asked for. */
  readonly asked: string[];
  boot(options?: DeviceOptions): Promise<TestDevice>;
}

function bench(options: Partial<WorldOptions> = {}): Bench {
  const servers = testServers(corpusAccount(), options);
  const identity = userOf(servers);
  const asked: string[] = [];
  const storage = new MemoryStorage();
  return {
    servers,
    other: secondDevice(servers),
    storage,
    asked,
    boot: (options = {}) =>
      fullDevice(servers, {
        storage,
        identity,
        fetch: (request) => {
          asked.push(`${request.method} ${new URL(request.url).pathname}`);
          return servers.world.fetch(request);
        },
        ...options,
      }),
  };
}

/** The device's own record on the server. */
function own(other: SecondDevice): Json & { id: string } {
  const [record] = [...other.live('clients').values()].filter(({ id }) => id !== FIREFOX);
  if (record === undefined) throw new Error('the device has no record');
  return record as Json & { id: string };
}

function servedVersion({ servers, other }: Bench): number | undefined {
  const [user] = servers.world.store.users.values();
  return user?.collections.get('clients')?.get(own(other).id, servers.nowMs)?.modifiedMs;
}

/** Another device leaves commands in its record. */
function order({ other, servers }: Bench, ...commands: (Json | unknown)[]): void {
  const record = own(other);
  servers.nowMs += 1_000;
  other.put('clients', { ...record, commands: [...(record.commands as unknown[]), ...commands] });
}

const events = ({ platform }: TestDevice, kind: string): Json[] =>
  platform.events.map((text) => JSON.parse(text)).filter((event) => event.kind === kind);

const ok = { ok: true, error: null };

describe('the own record', () => {
  test('says what the device is', async () => {
    const it = bench();
    const { agent } = await it.boot();
    expect(await agent.enable()).toMatchObject(ok);
    expect(own(it.other)).toEqual({
      id: expect.stringMatching(/^[\w-]{12}$/),
      ...TV,
      protocols: ['1.5'],
      formfactor: 'tv',
      application: 'Kitsync',
      commands: [],
    });
    const [user] = it.servers.world.store.users.values();
    const bso = user?.collections.get('clients')?.get(own(it.other).id, it.servers.nowMs);
    expect(bso?.expiresMs).toBe((bso?.modifiedMs ?? 0) + 180 * DAY_MS);
  });

  test('is not even read while nothing changes', async () => {
    const it = bench();
    const { agent } = await it.boot();
    await agent.enable();
    const reads: (readonly string[])[] = [];
    const get = it.storage.get.bind(it.storage);
    it.storage.get = (keys) => {
      reads.push(keys);
      return get(keys);
    };
    expect(await agent.sync()).toMatchObject(ok);
    expect(reads).toEqual([]);
  });

  test('is written once, and again after a week by the clock of the server', async () => {
    const it = bench();
    const { agent, platform } = await it.boot();
    await agent.enable();
    const idle = async (): Promise<string[]> => {
      it.asked.length = 0;
      expect(await agent.sync()).toMatchObject(ok);
      return [...it.asked];
    };
    await idle();
    expect(await idle()).toEqual(['GET /1.5/1/info/collections']);
    platform.time.set(0);
    it.servers.nowMs += 6 * DAY_MS;
    await idle();
    const before = [...it.asked];
    expect(before.filter((line) => line.startsWith('POST'))).toEqual([]);
    it.servers.nowMs += DAY_MS;
    const writes = (await idle()).filter((line) => line.startsWith('POST'));
    // Twice where the pass to the server has expired meanwhile.
    expect(new Set(writes)).toEqual(new Set(['POST /1.5/1/storage/clients']));
    expect(servedVersion(it)).toBe(it.servers.nowMs);
    await idle();
    expect(await idle()).toEqual(['GET /1.5/1/info/collections']);
  });

  test('follows the name of the device, and keeps its id over a restart', async () => {
    const it = bench();
    await (await it.boot()).agent.enable();
    const { id } = own(it.other);
    it.servers.nowMs += 1_000;
    const again = await it.boot({ config: { device: { ...TV, name: 'Kitchen' } } });
    expect(await again.agent.sync()).toMatchObject(ok);
    expect(own(it.other)).toMatchObject({ id, name: 'Kitchen' });
  });

  test('has the id at the accounts server as soon as there is one, and keeps it', async () => {
    const it = bench();
    const user = userOf(it.servers);
    const link: { deviceId?: string } = {};
    const identity = Object.assign(userOf(it.servers), {
      account: async () => ({ ...(await user.account()), ...link }),
    });
    const { agent } = await it.boot({ identity });
    const writes = async (deviceId?: string): Promise<number> => {
      if (deviceId === undefined) delete link.deviceId;
      else link.deviceId = deviceId;
      it.servers.nowMs += 1_000;
      it.asked.length = 0;
      expect(
        await (agent.status().state === 'disabled' ? agent.enable() : agent.sync()),
      ).toMatchObject(ok);
      return it.asked.filter((line) => line.startsWith('POST')).length;
    };
    await writes();
    expect(own(it.other)).not.toHaveProperty('fxaDeviceId');
    await writes();
    for (const id of ['a'.repeat(32), 'b'.repeat(32)]) {
      expect(await writes(id)).toBe(1);
      expect(own(it.other)).toMatchObject({ name: TV.name, fxaDeviceId: id });
      for (let pass = 0; pass < 3; pass++) expect(await writes(id)).toBe(0);
    }
    // An account manager that forgets it for once is no reason to be hidden.
    for (let pass = 0; pass < 3; pass++) expect(await writes()).toBe(0);
    expect(own(it.other)).toMatchObject({ fxaDeviceId: 'b'.repeat(32) });
  });

  test('keeps members that somebody else put there', async () => {
    const it = bench();
    const device = await it.boot();
    await device.agent.enable();
    it.servers.nowMs += 1_000;
    it.other.put('clients', { ...own(it.other), later: { x: 1 } });
    await device.agent.sync();
    it.servers.nowMs += 8 * DAY_MS;
    await device.agent.sync();
    expect(own(it.other)).toMatchObject({ later: { x: 1 }, name: TV.name });
  });

  test('is left out where a server takes none, and the others are still read', async () => {
    const it = bench({ syncto: { enabled: [] } });
    const { agent } = await it.boot({ protocol: 'syncto' });
    expect(await agent.enable()).toMatchObject(ok);
    expect(it.other.ids('clients')).toEqual([FIREFOX]);
    expect(await agent.devices()).toMatchObject([{ id: FIREFOX, type: 'desktop' }]);
    it.servers.nowMs += 1_000;
    it.asked.length = 0;
    expect(await agent.sync()).toMatchObject(ok);
    expect(it.asked).toEqual(['POST /v1/batch']);
  });
});

describe('the list of devices', () => {
  test('has the Firefox that wrote the account', async () => {
    const it = bench();
    const { agent } = await it.boot();
    await agent.enable();
    expect(await agent.devices()).toEqual([
      {
        id: FIREFOX,
        name: 'rig’s Firefox on vm',
        type: 'desktop',
        os: 'Linux',
        version: '153.7.0',
        application: 'Firefox',
        formfactor: null,
        lastSeenMs: expect.any(Number),
      },
    ]);
  });

  test('hides what is stale (same name, same device, half a year) and what vanished', async () => {
    const it = bench();
    const write = (id: string, more: object): void => {
      it.servers.nowMs += 1_000;
      it.other.put('clients', { id, name: id, type: 'phone', ...more });
    };
    write('oldPhone', { name: 'Phone' });
    write('oldTv', { name: TV.name });
    write('twice1', { fxaDeviceId: 'f' });
    it.servers.nowMs += 8 * DAY_MS;
    write('newPhone', { name: 'Phone' });
    write('twice2', { fxaDeviceId: 'f' });
    write('vanishes', {});
    const { agent } = await it.boot();
    await agent.enable();
    const ids = async (): Promise<unknown[]> => (await agent.devices()).map(({ id }) => id);
    expect(await ids()).toEqual(['vanishes', 'twice2', 'newPhone', FIREFOX]);
    expect(await agent.devices()).toContainEqual(
      expect.objectContaining({ id: 'newPhone', type: 'mobile' }),
    );
    const [user] = it.servers.world.store.users.values();
    user?.collections.get('clients')?.delete('vanishes');
    write('another', {});
    await agent.sync();
    expect(await ids()).toEqual(['another', 'twice2', 'newPhone', FIREFOX]);
    it.servers.nowMs += 181 * DAY_MS;
    await agent.sync();
    expect(await ids()).toEqual([]);
  });
});

describe('a command', () => {
  test('shows a page, once, and unknown ones stay where they are', async () => {
    const it = bench();
    const device = await it.boot();
    await device.agent.enable();
    const unknown = { command: 'repairRequest', args: [{ x: 1 }] };
    const page = { command: 'displayURI', args: ['https://a.test/', FIREFOX, 'A'], flowID: 'x' };
    order(it, page, unknown, { command: 'displayURI', args: ['about:config'] }, 7);
    for (let pass = 0; pass < 3; pass++) await device.agent.sync();
    expect(events(device, 'page')).toEqual([
      { kind: 'page', id: expect.any(String), url: 'https://a.test/', from: FIREFOX, title: 'A' },
    ]);
    expect(own(it.other).commands).toEqual([unknown, 7]);
  });

  test('that comes while another is taken out is neither lost nor done twice', async () => {
    const it = bench();
    const show = (n: number) => ({ command: 'displayURI', args: [`https://a.test/${n}`] });
    let isLate = false;
    const device = await it.boot({
      fetch: (request) => {
        if (isLate && request.method === 'POST' && request.url.includes('/clients')) {
          isLate = false;
          order(it, show(2));
        }
        return it.servers.world.fetch(request);
      },
    });
    await device.agent.enable();
    order(it, show(1));
    isLate = true;
    for (let pass = 0; pass < 3; pass++) await device.agent.sync();
    expect(events(device, 'page').map(({ url }) => url)).toEqual([
      'https://a.test/1',
      'https://a.test/2',
    ]);
    expect(own(it.other).commands).toEqual([]);
  });

  test('resets what is synced and keeps what is held', async () => {
    const it = bench();
    const device = await it.boot();
    await device.agent.enable();
    const { held } = device.agent.status().collections.history ?? {};
    order(it, { command: 'resetEngine', args: ['history'] });
    it.asked.length = 0;
    const report = await device.agent.sync();
    expect(report).toMatchObject(ok);
    expect(report.collections.history?.pushed).toBe(0);
    expect(it.asked).toContain('GET /1.5/1/storage/history');
    expect(it.asked).not.toContain('GET /1.5/1/storage/passwords');
    expect(device.agent.status().collections.history?.held).toBe(held);
    order(it, { command: 'resetAll', args: [] });
    it.asked.length = 0;
    await device.agent.sync();
    expect(it.asked).toContain('GET /1.5/1/storage/passwords');
    expect(own(it.other).commands).toEqual([]);
  });

  test('wipes here and nowhere else, and what the server has comes back', async () => {
    const it = bench();
    const device = await it.boot();
    await device.agent.enable();
    const before = [...it.other.live('history')];
    const [kept] = await device.agent.list('history', { limit: 1 }).then(({ records }) => records);
    await device.agent.put('history', { url: 'https://only.here.test/' });
    await device.agent.delete('history', `${kept?.guid}`);
    order(it, { command: 'wipeEngine', args: ['history'] });
    expect(await device.agent.sync()).toMatchObject(ok);
    expect([...it.other.live('history')]).toEqual(before);
    expect(events(device, 'wiped')).toEqual([{ kind: 'wiped', collection: 'history' }]);
    const { records } = await device.agent.list('history', {
      limit: 10,
      prefix: 'https://only.here.test/',
    });
    expect(records).toEqual([]);
    expect(await device.agent.get('history', `${kept?.guid}`)).toEqual(kept);
  });

  test('signs the device out, for good', async () => {
    const it = bench();
    const device = await it.boot();
    await device.agent.enable();
    order(it, { command: 'logout', args: [] });
    await device.agent.sync();
    expect(device.agent.status()).toMatchObject({ state: 'disabled', account: null });
    const again = await it.boot();
    expect(again.agent.status().state).toBe('disabled');
    it.servers.nowMs += 2_000;
    expect(it.other.ids('clients')).toEqual([FIREFOX]);
  });

  test('for an engine that is not here is taken out', async () => {
    const it = bench();
    const device = await it.boot();
    await device.agent.enable();
    order(it, { command: 'wipeEngine', args: ['prefs'] }, { command: 'wipeEngine', args: [] });
    await device.agent.sync();
    expect(own(it.other).commands).toEqual([]);
  });
});

describe('a power cut at any commit', () => {
  test('makes no command happen twice and none be lost', async () => {
    const it = bench();
    const first = await it.boot();
    await first.agent.enable();
    await first.agent.sync();
    order(
      it,
      { command: 'wipeEngine', args: ['forms'] },
      { command: 'displayURI', args: ['https://a.test/'] },
      { command: 'resetEngine', args: ['forms'] },
      { command: 'resetEngine', args: ['passwords'] },
    );
    await first.agent.put('forms', { name: 'field', value: 'goes' });
    const dump = JSON.stringify(it.servers.world.dump());
    let cutCount = 0;
    for (let atCommit = 1; ; atCommit++) {
      const account = { kB: it.servers.world.account.kB, store: JSON.parse(dump) };
      const servers = testServers(readBack(account));
      servers.nowMs = it.servers.nowMs;
      const cut = it.storage.fork({ atCommit, when: atCommit % 2 ? 'before' : 'after' });
      const identity = userOf(servers);
      const random = createRandom(5);
      const doomed = await fullDevice(servers, { storage: cut, identity, random });
      const { ok: isOver } = await doomed.agent.sync();
      if (isOver) break;
      cutCount++;
      const storage = cut.fork();
      const wasWiped = cut
        .snapshot()
        .some(([key, value]) => /\.f\.c$/.test(key) && `${value}`.includes('applied'));
      const device = await fullDevice(servers, { storage, identity, random });
      // Between the cut and the next pass an app is at work: a second wipe would take this.
      await device.agent.put('forms', { name: 'field', value: `new ${atCommit}` });
      expect(await device.agent.sync()).toMatchObject(ok);
      expect(await device.agent.sync()).toMatchObject(ok);
      const other = secondDevice(servers);
      const pages = [...events(doomed, 'page'), ...events(device, 'page')];
      expect(new Set(pages.map(({ id }) => id)).size).toBe(1);
      expect(own(other).commands).toEqual([]);
      const values = [...other.live('forms').values()].map(({ value }) => value);
      expect(values.includes(`new ${atCommit}`)).toBe(wasWiped);
      expect(values).not.toContain('goes');
    }
    expect(cutCount).toBeGreaterThan(5);
  });

  test('does not keep a device signed in that was told to leave', async () => {
    const it = bench();
    const first = await it.boot();
    await first.agent.enable();
    await first.agent.sync();
    order(it, { command: 'logout', args: [] });
    const dump = JSON.stringify(it.servers.world.dump());
    let cutCount = 0;
    for (let atCommit = 1; ; atCommit++) {
      const servers = testServers(
        readBack({ kB: it.servers.world.account.kB, store: JSON.parse(dump) }),
      );
      servers.nowMs = it.servers.nowMs;
      const identity = userOf(servers);
      const cut = it.storage.fork({ atCommit, when: atCommit % 2 ? 'before' : 'after' });
      const doomed = await fullDevice(servers, { storage: cut, identity });
      await doomed.agent.sync().catch(() => undefined);
      if (cut.commits < atCommit) break;
      cutCount++;
      const device = await fullDevice(servers, { storage: cut.fork(), identity });
      if (device.agent.status().state !== 'disabled') await device.agent.sync();
      expect(device.agent.status().state).toBe('disabled');
    }
    expect(cutCount).toBeGreaterThan(2);
  });
});
