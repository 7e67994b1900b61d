// This device among the account's devices: what it says of itself, whom it sees, and what it does
// when it is told to.

import { describe, expect, test } from 'vitest';
import { bench, DAY_MS, FIREFOX, ok, own, servedVersion } from '../../../test/support/clients.ts';
import { userOf } from '../../../test/support/device.ts';
import { TV } from '../../../test/support/everything.ts';

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
