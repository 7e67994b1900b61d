import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { compareWithExpected } from '../../../emulator/compare.ts';
import { type Holdings, readExpected } from '../../../emulator/expected.ts';
import { type AccountClient, accountClient } from '../../../emulator/servers/account-client.ts';
import { syntheticAccount } from '../../../emulator/servers/synthetic.ts';
import { MemoryStorage } from '../../../platform/memory/storage.ts';
import { disagreements, everything } from '../../../test/sim/agreement.ts';
import { secondDevice } from '../../../test/sim/second-device.ts';
import { type Claim, story } from '../../../test/sim/story.ts';
import {
  corpusAccount,
  NOW_MS,
  type TestDevice,
  testServers,
} from '../../../test/support/device.ts';
import {
  agreed,
  type Bench,
  bench,
  isListing,
  ok,
  storedUser,
} from '../../../test/support/sync15.ts';

test('an account that a real client wrote arrives as that client says', async () => {
  const file = readFileSync(
    new URL('../../../test/fixtures/corpus-a.json', import.meta.url),
    'utf8',
  );
  const { agent } = await bench(corpusAccount()).boot();
  expect(await agent.enable()).toMatchObject(ok);
  const [history, logins] = await Promise.all(
    ['history', 'passwords'].map(async (name) => [...(await everything(agent, name)).values()]),
  );
  const held = { history, logins } as unknown as Holdings;
  expect(compareWithExpected(held, readExpected(JSON.parse(file).expected))).toEqual([]);
});

describe('an account', () => {
  let it: Bench;
  let device: TestDevice;
  beforeEach(async () => {
    it = bench();
    device = await it.boot();
    expect(await device.agent.enable()).toMatchObject(ok);
  });

  test('arrives whole, with a request for each thing', async () => {
    await agreed(device, it);
    expect(it.asked).toEqual([
      'GET /1.0/sync/1.5',
      'GET /1.5/1/storage/meta/global',
      'GET /1.5/1/storage/crypto/keys',
      'GET /1.5/1/storage/history?full=1&sort=oldest&limit=1000',
      'GET /1.5/1/storage/passwords?full=1&sort=oldest&limit=1000',
    ]);
  });

  test('that has no news costs one request and no write', async () => {
    const { commits } = it.storage;
    it.asked.length = 0;
    expect(await device.agent.sync()).toMatchObject({ ...ok, requests: 1 });
    expect(it.asked).toEqual(['GET /1.5/1/info/collections']);
    expect(it.storage.commits).toBe(commits);
  });

  test('is asked for news behind its last time, to the hundredth of a second', async () => {
    for (const [laterMs, newer] of [
      [410, '1793491200'],
      [60, '1795330000.41'],
      [30, '1795330000.47'],
    ] as const) {
      it.servers.nowMs += laterMs;
      secondDevice(it.servers).touch('history');
      it.asked.length = 0;
      expect(await device.agent.sync()).toMatchObject(ok);
      expect(it.asked.slice(1)).toEqual([
        `GET /1.5/1/storage/history?full=1&newer=${newer}&sort=oldest&limit=1000`,
      ]);
    }
    await agreed(device, it);
  });

  test('goes through edits, conflicts and deletions on both sides', async () => {
    const second = secondDevice(it.servers);
    const steps = story({ pages: second.ids('history'), logins: second.ids('passwords') });
    const claims: Claim[] = [];
    const claim = (what: string, holds: Claim['holds']) => void claims.push({ what, holds });
    for (const step of steps.slice(1, -1)) {
      await step.run({ agent: device.agent, second, claim });
    }
    await agreed(device, it);
    expect(claims.filter(({ holds }) => !holds(second)).map(({ what }) => what)).toEqual([]);
    expect(claims.length).toBeGreaterThan(10);
    it.asked.length = 0;
    expect(await device.agent.sync()).toMatchObject({ ...ok, requests: 1 });
  });

  test('survives a reboot with two requests', async () => {
    const later = await it.boot();
    it.asked.length = 0;
    expect(await later.agent.sync()).toMatchObject({ ...ok, requests: 2 });
    await agreed(later, it);
  });
});

describe('credentials', () => {
  test('that run out in the middle of a pass are renewed', async () => {
    const it = bench();
    it.meddle = (request) => {
      if (isListing(request)) it.servers.nowMs += 2 * 3_600_000;
      it.meddle = isListing(request) ? () => undefined : it.meddle;
      return undefined;
    };
    const device = await it.boot();
    expect(await device.agent.enable()).toMatchObject(ok);
    expect(it.asked.filter((line) => line.includes('/1.0/sync'))).toHaveLength(2);
    await agreed(device, it);
  });

  test('that ran out are good enough to see that nothing changed', async () => {
    const it = bench();
    const { agent } = await it.boot();
    await agent.enable();
    it.servers.nowMs += 2 * 3_600_000;
    expect(await agent.sync()).toMatchObject({ ...ok, requests: 1 });
  });

  test('that the node does not know any more are renewed once', async () => {
    const it = bench();
    const { agent } = await it.boot();
    await agent.enable();
    it.servers.world.reassignNode();
    it.asked.length = 0;
    expect(await agent.sync()).toMatchObject(ok);
    expect(it.asked).toEqual([
      'GET /1.5/1/info/collections',
      'GET /1.0/sync/1.5',
      'GET /1.5/1/info/collections',
    ]);
  });

  test('that are refused twice end the pass, and a wait of 15 minutes begins', async () => {
    const it = bench();
    const { agent, platform } = await it.boot();
    await agent.enable();
    it.meddle = ({ url }) =>
      url.includes('/1.5/1/') ? new Response('0', { status: 401 }) : undefined;
    it.asked.length = 0;
    const report = await agent.sync();
    expect(report).toMatchObject({ ok: false, error: { code: 'unavailable' }, requests: 3 });
    expect(agent.status().notBeforeMs).toBe(platform.clock.nowMs() + 15 * 60_000);
    it.meddle = () => undefined;
    expect(await agent.sync()).toMatchObject({ error: { code: 'backoff' }, requests: 0 });
    await platform.time.advance(15 * 60_000);
    expect(await agent.sync()).toMatchObject(ok);
  });

  test('that are refused for a while are no case for the user: it goes on itself', async () => {
    const it = bench();
    const { agent, platform } = await it.boot();
    await agent.enable();
    it.meddle = ({ url }) =>
      url.includes('/1.5/1/') ? new Response('0', { status: 401 }) : undefined;
    await agent.sync();
    it.meddle = () => undefined;
    it.asked.length = 0;
    await platform.time.advance(2 * 3_600_000);
    await vi.waitFor(() => expect(agent.status()).toMatchObject({ state: 'enabled', error: null }));
    expect(it.asked[0]).toBe('GET /1.5/1/info/collections');
  });

  test('for a new node come with what that node takes', async () => {
    const it = bench();
    const { agent } = await it.boot();
    await agent.enable();
    const visits = [{ date: NOW_MS * 1000, type: 1 }];
    for (const url of ['https://one.example/', 'https://two.example/']) {
      await agent.put('history', { url, visits });
      it.asked.length = 0;
      expect(await agent.sync()).toMatchObject(ok);
      expect(it.asked).toContain('GET /1.5/1/info/configuration');
      it.servers.world.reassignNode();
    }
  });

  test.each([
    ['in 1970', 0],
    ['in 2106', 4_300_000_000_000],
  ])('are asked for and used by the server clock on a device %s', async (_when, nowMs) => {
    const it = bench();
    const device = await it.boot({ nowMs });
    expect(await device.agent.enable()).toMatchObject(ok);
    await agreed(device, it);
  });

  test('survive a clock that is set while the device runs', async () => {
    const it = bench();
    const { agent, platform } = await it.boot({ nowMs: 0 });
    await agent.enable();
    platform.time.set(NOW_MS);
    expect(await agent.sync()).toMatchObject(ok);
    expect(it.asked.filter((line) => line.includes('/1.0/sync'))).toHaveLength(2);
  });

  test('never reach the storage', async () => {
    const it = bench();
    const { agent } = await it.boot();
    await agent.enable();
    const stored = JSON.stringify(it.storage.snapshot());
    expect(stored).not.toContain('eyJ');
    expect(stored).toContain('sync15.test/1.5/1');
  });
});

test('credentials for what is no address end the pass', async () => {
  const it = bench();
  const { agent } = await it.boot({
    fetch: async (request) => {
      const response = await it.servers.world.fetch(request);
      if (!request.url.includes('/1.0/sync')) return response;
      return Response.json({
        ...((await response.json()) as object),
        api_endpoint: 'https://a:b:c/1.5/1',
      });
    },
  });
  expect(await agent.enable()).toMatchObject({ ok: false, error: { code: 'badResponse' } });
});

describe('another place', () => {
  /** From `when` on, token server and node are those of the other world. */
  async function movedDevice(when: (request: Request) => boolean) {
    const it = bench();
    const urls = { ...it.servers.world.urls, sync15: 'https://node2.test' };
    const other = testServers(syntheticAccount({ records: 20, seed: 3, bodyBytes: 200 }), { urls });
    let hasMoved = false;
    const fetch = async (request: Request): Promise<Response> => {
      const { hostname, pathname } = new URL(request.url);
      it.asked.push(`${hostname} ${pathname}`);
      hasMoved ||= when(request);
      if (!hasMoved) return it.servers.world.fetch(request);
      if (hostname === 'sync15.test') return new Response('0', { status: 401 });
      return other.world.fetch(request);
    };
    return { it, other, device: await it.boot({ fetch }) };
  }

  test('found between two passes: everything is compared anew and nothing is lost', async () => {
    let isTime = false;
    const { it, other, device } = await movedDevice(() => isTime);
    expect(await device.agent.enable()).toMatchObject(ok);
    const url = 'https://only-here.example/';
    const id = await device.agent.put('history', {
      url,
      visits: [{ date: NOW_MS * 1000, type: 1 }],
    });
    const second = secondDevice(other);
    const [gone = ''] = second.ids('history');
    storedUser(other).deleteRecords('history', [gone], other.nowMs);
    isTime = true;
    expect(await device.agent.sync()).toMatchObject(ok);
    expect(await disagreements(device.agent, second)).toEqual([]);
    expect(second.ids('history')).toEqual(expect.arrayContaining([id, gone]));
    it.asked.length = 0;
    expect(await device.agent.sync()).toMatchObject({ ...ok, requests: 1 });
    expect(it.asked).toEqual(['node2.test /1.5/1/info/collections']);
  });

  test('found in the middle of a pass: it starts again there', async () => {
    const { other, device } = await movedDevice(isListing);
    expect(await device.agent.enable()).toMatchObject(ok);
    expect(await disagreements(device.agent, secondDevice(other))).toEqual([]);
  });

  test('found after a reboot: the same', async () => {
    let isTime = false;
    const { it, other, device } = await movedDevice(() => isTime);
    expect(await device.agent.enable()).toMatchObject(ok);
    storedUser(other).deleteRecords('passwords', secondDevice(other).ids('passwords'), other.nowMs);
    isTime = true;
    const later = await it.boot({ fetch: async (request) => other.world.fetch(request) });
    expect(await later.agent.sync()).toMatchObject(ok);
    expect(await disagreements(later.agent, secondDevice(other))).toEqual([]);
    expect(secondDevice(other).ids('passwords')).not.toEqual([]);
  });

  test('a node that is restored from yesterday is read again', async () => {
    const it = bench();
    const device = await it.boot();
    await device.agent.enable();
    const history = storedUser(it.servers).collections.get('history');
    const restored = secondDevice(it.servers).ids('history').slice(0, 5);
    for (const id of restored) history?.delete(id);
    if (history !== undefined) history.modifiedMs -= 86_400_000;
    expect(await device.agent.sync()).toMatchObject(ok);
    expect(it.asked.at(-1)).toMatch(/history\?full=1&sort=oldest/);
  });
});

describe('a forgotten password', () => {
  const KB = 'ab'.repeat(32);

  /** The account has another key, and another device has been to the token server with it. */
  async function reset({ servers, boot }: Bench): Promise<AccountClient> {
    const { accounts, account, urls, fetch } = servers.world;
    servers.nowMs += 60_000;
    accounts.resetPassword(account.email, 'another', KB);
    const credentials = { email: account.email, password: 'another' };
    const client = (): AccountClient =>
      accountClient({ fetch, baseUrl: urls.accounts, credentials, nowMs: () => servers.nowMs });
    const other = await boot({ identity: client(), storage: new MemoryStorage() });
    await other.agent.enable();
    servers.world.reassignNode();
    return client();
  }

  test('asks the user of a device with the old key to sign in; its data stays', async () => {
    const it = bench();
    const { agent } = await it.boot();
    await agent.enable();
    await reset(it);
    expect(await agent.sync()).toMatchObject({ ok: false, error: { code: 'signedOut' } });
    expect(agent.status()).toMatchObject({ collections: { history: { held: 20 } } });
  });

  test('leads a device with the new key to a place without Sync data', async () => {
    const it = bench();
    await (await it.boot()).agent.enable();
    const identity = await reset(it);
    const { agent } = await it.boot({ identity });
    expect(await agent.sync()).toMatchObject({ ok: false, error: { code: 'noSyncData' } });
  });
});
