// What this device does when another one of the account tells it to, whatever the power does.

import { describe, expect, test } from 'vitest';
import { createRandom } from '../../../emulator/device/random.ts';
import { readAccount as readBack } from '../../../emulator/servers/store-file.ts';
import { secondDevice } from '../../../test/sim/second-device.ts';
import { bench, events, FIREFOX, ok, order, own } from '../../../test/support/clients.ts';
import { testServers, userOf } from '../../../test/support/device.ts';
import { fullDevice } from '../../../test/support/everything.ts';

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
