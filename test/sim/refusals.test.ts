// What servers refuse, and who uses the device: refusals that look like outages and outages that do
// not, read-only servers, credentials that are not taken, users who come and go. No refusal loses
// an edit or is tried for ever.

import { describe, expect, test } from 'vitest';
import { PARKED_RECHECK_MS } from '../../agent/limits.ts';
import { readAccount } from '../../emulator/servers/store-file.ts';
import { syntheticAccount } from '../../emulator/servers/synthetic.ts';
import { testServers } from '../support/device.ts';
import { disagreements, everything } from './agreement.ts';
import { deviceOn, freezeAccount, honest, type Reply } from './lab.ts';
import { secondDevice } from './second-device.ts';
import { boot, PAGE, synced, USER } from './stage.ts';

describe('refusals', () => {
  const isPut = (body: string | undefined, id: string): boolean => body?.includes(id) === true;

  test('a 503 for one record too large: the others go up, three passes park that one', async () => {
    const stage = await synced();
    const ask = honest(stage.servers);
    const tooLarge = 'x'.repeat(20_000);
    const unavailable: Reply = {
      status: 503,
      headers: [['retry-after', '30']],
      body: Buffer.from('{}'),
    };
    const device = await boot(stage, async (request, index) =>
      (request.body?.length ?? 0) > 20_000 && isPut(request.body, 'payload')
        ? unavailable
        : ask(request, index),
    );
    const { agent, platform, network } = device;
    await agent.put('history', { url: `https://large.example/${tooLarge}`, title: 'large' });
    await agent.put('history', { url: 'https://small.example/', title: 'small' });
    let last = 0;
    for (let pass = 0; pass < 6; pass++) {
      const before = network.requests.length;
      await agent.sync();
      last = network.requests.length - before;
      await platform.time.advance(3_600_000);
    }
    const urls = [...secondDevice(stage.servers).live('history').values()].map(
      ({ histUri }) => histUri,
    );
    expect(urls).toContain('https://small.example/');
    expect(urls).toContain(PAGE.url);
    expect(agent.status().collections.history).toMatchObject({ pending: 1 });
    expect(platform.events.filter((json) => json.includes('"refused"')).length).toBe(1);
    expect(last).toBeLessThan(4);
    const [large] = [...(await everything(agent, 'history')).values()].filter(
      ({ title }) => title === 'large',
    );
    expect(large).toBeDefined();
  });

  test('what was parked is tried again a day later, and goes up if it is taken now', async () => {
    const stage = await synced();
    const ask = honest(stage.servers);
    let takes = false;
    const device = await boot(stage, async (request, index) =>
      !takes && (request.body?.length ?? 0) > 20_000 && isPut(request.body, 'payload')
        ? { status: 503, headers: [], body: Buffer.from('{}') }
        : ask(request, index),
    );
    const { agent, platform } = device;
    const large = `https://large.example/${'x'.repeat(20_000)}`;
    await agent.put('history', { url: large, title: 'large' });
    for (let pass = 0; pass < 4; pass++) await agent.sync();
    takes = true;
    const isThere = (): boolean =>
      [...secondDevice(stage.servers).live('history').values()].some(
        ({ histUri }) => histUri === large,
      );
    await agent.sync();
    expect(isThere()).toBe(false);
    await platform.time.advance(PARKED_RECHECK_MS);
    await agent.sync();
    expect(isThere()).toBe(true);
    expect(agent.status().collections.history).toMatchObject({ pending: 0 });
  });

  test('an outage parks nothing, however long it lasts', async () => {
    const stage = await synced();
    const ask = honest(stage.servers);
    let isDown = true;
    const device = await boot(stage, async (request, index) =>
      isDown && isPut(request.body, 'payload')
        ? { status: 503, headers: [], body: Buffer.from('{}') }
        : ask(request, index),
    );
    const { agent, platform } = device;
    for (const n of [1, 2, 3])
      await agent.put('history', { url: `https://n.example/${n}`, title: '' });
    await agent.put('passwords', { origin: 'https://n.example', httpRealm: 'n', password: 'n' });
    for (let pass = 0; pass < 10; pass++) {
      expect((await agent.sync()).ok).toBe(false);
      await platform.time.advance(86_400_000);
    }
    isDown = false;
    expect(await agent.sync()).toMatchObject({ ok: true });
    expect(await disagreements(agent, secondDevice(stage.servers))).toEqual([]);
  });

  test('a read-only server: edits wait, apps are told, others go on, one try a day', async () => {
    const stage = await synced({ syncto: { enabled: ['record_passwords_put_enabled'] } });
    const { agent, network, platform } = await boot(stage);
    await agent.put('passwords', { origin: 'https://n.example', httpRealm: 'n', password: 'n' });
    expect(await agent.sync()).toMatchObject({ ok: false, error: { code: 'readOnly' } });
    expect(agent.status().collections).toMatchObject({
      history: { readOnly: true, pending: 1 },
      passwords: { readOnly: false, pending: 0 },
    });
    await expect(agent.put('history', PAGE)).rejects.toMatchObject({ code: 'readOnly' });
    const puts = () => network.requests.filter(({ method }) => method === 'PUT').length;
    const before = puts();
    await agent.sync();
    expect(puts()).toBe(before);
    await platform.time.advance(86_400_000);
    await agent.sync();
    expect(puts()).toBe(before + 1);
  });

  test('a 401 gets one fresh assertion; if it stays, only the next pass asks again', async () => {
    const stage = await synced();
    let refusals = 1;
    const fresh: boolean[] = [];
    const ask = honest(stage.servers);
    const device = deviceOn(stage.servers, stage.storage, {
      identity: {
        ...USER,
        account: () => USER.account(),
        syncKey: () => USER.syncKey(),
        accessToken: (isFresh) => USER.accessToken(isFresh),
        assertion: (audience, isFresh) => {
          fresh.push(isFresh);
          return USER.assertion(audience, isFresh);
        },
      },
      answer: async (request, index) =>
        refusals-- > 0
          ? { status: 401, headers: [], body: Buffer.from('{}') }
          : ask(request, index),
    });
    await device.agent.start();
    expect(await device.agent.sync()).toMatchObject({ ok: true });
    expect(fresh.slice(0, 2)).toEqual([false, true]);
    expect(fresh.slice(2)).not.toContain(true);
    refusals = 1e9;
    const before = device.network.requests.length;
    expect((await device.agent.sync()).error?.code).toBe('unauthorized');
    expect(device.network.requests.length).toBe(before + 2);
    await device.platform.time.advance(86_400_000);
    expect(device.network.requests.length).toBe(before + 4);
  });

  test('a node that refuses its credentials within a batch parks nothing', async () => {
    const stage = await synced();
    const ask = honest(stage.servers);
    let isRefusing = true;
    const device = await boot(stage, async (request, index) => {
      const reply = await ask(request, index);
      if (!isRefusing || !isPut(request.body, '"PUT"')) return reply;
      const responses = JSON.parse(request.body ?? '{}').requests.map(() => ({
        status: 401,
        headers: {},
        body: {},
      }));
      return { ...reply, body: Buffer.from(JSON.stringify({ responses })) };
    });
    await device.agent.put('history', { url: 'https://n.example/', title: 'n' });
    await device.agent.sync();
    expect(device.agent.status().collections.history?.pending).toBe(2);
    isRefusing = false;
    expect(await device.agent.sync()).toMatchObject({ ok: true });
    expect(await disagreements(device.agent, secondDevice(stage.servers))).toEqual([]);
  });
});

describe('users who come and go', () => {
  test('a sign-out at any request leaves the server as it was, and no account here', async () => {
    for (let at = 0; ; at++) {
      const stage = await synced();
      const ask = honest(stage.servers);
      let out: Promise<void> | null = null;
      const { agent, network } = await boot(stage, async (request, index) => {
        if (index === at) out = agent.disable();
        return ask(request, index);
      });
      await agent.sync().catch(() => undefined);
      if (out === null) break;
      await out;
      expect(agent.status()).toMatchObject({ state: 'disabled', account: null });
      expect(stage.storage.snapshot().map(([key]) => key)).toEqual(['s']);
      expect(network.requests.length).toBe(at + 1);
      expect(at).toBeLessThan(30);
    }
  });

  test('an edit that is under way at a sign-out leaves nothing either', async () => {
    for (let turns = 0; turns < 40; turns++) {
      const stage = await synced();
      const { agent } = await boot(stage);
      const edit = agent.put('passwords', {
        origin: 'https://n.example',
        httpRealm: 'n',
        password: 'n',
      });
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      await agent.disable();
      await edit.catch((error) => expect(error.code).toBe('disabled'));
      expect(
        stage.storage.snapshot().map(([key]) => key),
        `${turns} turns`,
      ).toEqual(['s']);
    }
  });

  test('two accounts, one after the other, see nothing of each other', async () => {
    const other = freezeAccount(
      syntheticAccount({ records: 3, seed: 42, bodyBytes: 160, passwords: 1 }),
    );
    const stage = await synced();
    const first = await boot(stage);
    await first.agent.disable();
    const servers = testServers({ ...readAccount(JSON.parse(other)), email: 'other@example.test' });
    const device = deviceOn(servers, stage.storage, {});
    await device.agent.start();
    expect(await device.agent.enable()).toMatchObject({ ok: true });
    expect(await disagreements(device.agent, secondDevice(servers))).toEqual([]);
    expect((await everything(device.agent, 'history')).size).toBe(3);
  });

  test('another user without a sign-out in between: the same', async () => {
    const other = freezeAccount(
      syntheticAccount({ records: 3, seed: 42, bodyBytes: 160, passwords: 1 }),
    );
    const stage = await synced();
    const servers = testServers({ ...readAccount(JSON.parse(other)), email: 'other@example.test' });
    const device = deviceOn(servers, stage.storage, {});
    await device.agent.start();
    expect(await device.agent.sync()).toMatchObject({ ok: true });
    expect(await disagreements(device.agent, secondDevice(servers))).toEqual([]);
    const before = secondDevice(servers).ids('history').length;
    expect(before).toBe(3);
  });
});
