import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { compareWithExpected } from '../../emulator/compare.ts';
import { type Holdings, readExpected } from '../../emulator/expected.ts';
import { type AccountClient, accountClient } from '../../emulator/servers/account-client.ts';
import type { User } from '../../emulator/servers/store.ts';
import { syntheticAccount } from '../../emulator/servers/synthetic.ts';
import type { WorldOptions } from '../../emulator/servers/world.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { disagreements, everything } from '../../test/sim/agreement.ts';
import { secondDevice } from '../../test/sim/second-device.ts';
import { type Claim, story } from '../../test/sim/story.ts';
import {
  corpusAccount,
  type DeviceOptions,
  NOW_MS,
  type TestDevice,
  type TestServers,
  testDevice,
  testServers,
} from '../../test/support/device.ts';

type Meddle = (request: Request, count: number) => Response | undefined;

interface Bench {
  readonly servers: TestServers;
  readonly storage: MemoryStorage;
  /** `GET /path` of what was asked, without the origin; tests empty it. */
  readonly asked: string[];
  /** Answers instead of the servers, or throws as a broken link does. */
  meddle: Meddle;
  /** A device on the same storage; `start` has run. */
  boot(options?: DeviceOptions): Promise<TestDevice>;
}

function bench(
  account: WorldOptions['account'] = syntheticAccount({ records: 20, seed: 3, bodyBytes: 200 }),
  options: Partial<WorldOptions> = {},
): Bench {
  const servers = testServers(account, options);
  const storage = new MemoryStorage();
  const asked: string[] = [];
  const made: Bench = {
    servers,
    storage,
    asked,
    meddle: () => undefined,
    async boot(more = {}) {
      const fetch = async (request: Request): Promise<Response> => {
        const { pathname, search } = new URL(request.url);
        const count = asked.push(`${request.method} ${pathname}${search}`);
        return made.meddle(request, count) ?? servers.world.fetch(request);
      };
      const device = testDevice(servers, { protocol: 'sync15', storage, fetch, ...more });
      await device.agent.start();
      return device;
    },
  };
  return made;
}

function userOf({ world }: TestServers): User {
  const [user] = world.store.users.values();
  if (user === undefined) throw new Error('the account has no user');
  return user;
}

async function agreed({ agent }: TestDevice, { servers }: Bench): Promise<void> {
  expect(await disagreements(agent, secondDevice(servers))).toEqual([]);
}

const ok = { ok: true, error: null };
const isListing = ({ url }: Request): boolean => url.includes('/storage/history?');

test('an account that a real client wrote arrives as that client says', async () => {
  const file = readFileSync(new URL('../../test/fixtures/corpus-a.json', import.meta.url), 'utf8');
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

describe('ten thousand records of one time', () => {
  const account = syntheticAccount({ records: 10_000, seed: 5, bodyBytes: 160, passwords: 0 });
  const [user] = account.store.users.values();
  const records = [...(user?.collections.get('history')?.inArrivalOrder(0) ?? [])].map(
    ({ id, payload }) => ({ id, payload }),
  );
  user?.collections.delete('history');
  user?.write('history', records, NOW_MS);

  test('arrive although the power goes at every second page', async () => {
    const it = bench(account);
    let listings = 0;
    let boots = 0;
    it.meddle = (request) => {
      if (!isListing(request) || ++listings % 3 !== 0) return undefined;
      throw new TypeError('fetch failed');
    };
    for (let report = { ok: false }; !report.ok; boots++) {
      expect(boots).toBeLessThan(10);
      const { agent } = await it.boot();
      report = await (boots === 0 ? agent.enable() : agent.sync());
    }
    expect(boots).toBe(5);
    expect(listings - (boots - 1)).toBe(10);
    const { agent } = await it.boot();
    expect(agent.status().collections).toMatchObject({ history: { held: 10_000 } });
  });

  test('start again when somebody wrote between two pages', async () => {
    const it = bench(syntheticAccount({ records: 2_500, seed: 6, bodyBytes: 160 }));
    it.meddle = ({ url }) => {
      if (!url.includes('offset=')) return undefined;
      it.meddle = () => undefined;
      secondDevice(it.servers).delete('history', secondDevice(it.servers).ids('history')[0] ?? '');
      return undefined;
    };
    const device = await it.boot();
    expect(await device.agent.enable()).toMatchObject(ok);
    await agreed(device, it);
    const starts = it.asked.filter((line) => /history\?/.test(line) && !line.includes('offset='));
    expect(starts).toHaveLength(2);
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

  test('that are refused for a while are no case for the user: the device goes on by itself', async () => {
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
    userOf(other).deleteRecords('history', [gone], other.nowMs);
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
    userOf(other).deleteRecords('passwords', secondDevice(other).ids('passwords'), other.nowMs);
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
    const history = userOf(it.servers).collections.get('history');
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

describe('one bad record in a thousand', () => {
  type Spoil = (payload: string, other: string) => string;
  const SPOILS: [code: string, spoil: Spoil][] = [
    ['badMac', (payload) => payload.replace(/"hmac":"...../, '"hmac":"00000')],
    ['badPayload', () => 'no JSON'],
    ['idMismatch', (_payload, other) => other],
    ['tooLarge', () => 'x'.repeat(500_000)],
  ];

  /** The device gets 999 records and sets one aside; then `heal` writes that one anew. */
  async function setsOneAside(it: Bench, id: string, code: string, heal: () => void) {
    const device = await it.boot();
    expect(await device.agent.enable()).toMatchObject(ok);
    const counts = () => device.agent.status().collections.history;
    expect(counts()).toMatchObject({ held: 999, quarantined: 1 });
    const events = device.platform.events.map((text) => JSON.parse(text));
    expect(events.filter(({ kind }) => kind === 'quarantine')).toEqual([
      { kind: 'quarantine', collection: 'history', id, code },
    ]);
    heal();
    expect(await device.agent.sync()).toMatchObject(ok);
    expect(counts()).toMatchObject({ held: 1_000, quarantined: 0 });
    await agreed(device, it);
  }

  const thousand = () => bench(syntheticAccount({ records: 1_000, seed: 9, bodyBytes: 200 }));

  test.each(SPOILS)('%s: it is set aside until there is a better one', async (code, spoil) => {
    const it = thousand();
    const user = userOf(it.servers);
    const [{ id = '', payload = '' } = {}, other] = [
      ...(user.collections.get('history')?.inArrivalOrder(0) ?? []),
    ].slice(500);
    const write = (text: string): void =>
      void user.write('history', [{ id, payload: text }], it.servers.nowMs);
    write(spoil(payload, other?.payload ?? ''));
    await setsOneAside(it, id, code, () => write(payload));
  });

  test('a line that is no JSON: the same', async () => {
    const it = thousand();
    const second = secondDevice(it.servers);
    const [id = ''] = second.ids('history').slice(500);
    const fetch = async (request: Request): Promise<Response> => {
      const response = await it.servers.world.fetch(request);
      if (!isListing(request) || request.url.includes('newer')) return response;
      const text = (await response.text()).replace(`"${id}",`, `"${id}",,`);
      return new Response(text, response);
    };
    const boot = it.boot;
    const broken = { ...it, boot: () => boot({ fetch }) };
    await setsOneAside(broken, id, 'badEnvelope', () =>
      second.put('history', second.get('history', id) as { id: string }),
    );
  });
});

test('a link that never lasts for a second page brings all of them', async () => {
  const it = bench(syntheticAccount({ records: 2_500, seed: 6, bodyBytes: 160 }));
  const lastsBytes = 300_000;
  const fetch = async (request: Request): Promise<Response> => {
    const response = await it.servers.world.fetch(request);
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (!request.url.includes('offset=')) return new Response(bytes, response);
    const pieces = [bytes.subarray(0, lastsBytes)];
    const pull = (stream: ReadableStreamDefaultController<Uint8Array>): void => {
      const piece = pieces.pop();
      if (piece === undefined) stream.error(new TypeError('terminated'));
      else stream.enqueue(piece);
    };
    return new Response(new ReadableStream({ pull }), response);
  };
  const device = await it.boot({ fetch });
  let report = await device.agent.enable();
  expect(report).toMatchObject({ ok: false, error: { code: 'truncated' } });
  for (let passes = 1; !report.ok && passes < 10; passes++) report = await device.agent.sync();
  expect(report).toMatchObject(ok);
  await agreed(device, it);
});

describe('a listing that is cut without a broken link', () => {
  test.each([
    ['in a line', (text: string) => text.slice(0, -100)],
    ['between two lines', (text: string) => text.slice(0, text.slice(0, -1).lastIndexOf('\n') + 1)],
    ['before its first line', () => ''],
  ])('%s is not believed', async (_where, cut) => {
    const it = bench();
    const fetch = async (request: Request): Promise<Response> => {
      const response = await it.servers.world.fetch(request);
      return isListing(request) ? new Response(cut(await response.text()), response) : response;
    };
    const { agent } = await it.boot({ fetch });
    expect(await agent.enable()).toMatchObject({ ok: false, error: { code: 'truncated' } });
    const healed = await it.boot();
    expect(await healed.agent.sync()).toMatchObject(ok);
    await agreed(healed, it);
  });

  test('a record that nests without end is one bad record', async () => {
    const it = bench();
    const [id = ''] = secondDevice(it.servers).ids('history');
    const fetch = async (request: Request): Promise<Response> => {
      const response = await it.servers.world.fetch(request);
      if (!isListing(request)) return response;
      const deep = `{"id":"${id}","payload":${'['.repeat(100_000)}`;
      return new Response((await response.text()).replace(/^.*/, deep), response);
    };
    const { agent } = await it.boot({ fetch });
    expect(await agent.enable()).toMatchObject(ok);
    expect(agent.status().collections.history).toMatchObject({ held: 19, quarantined: 1 });
  });
});

describe('uploads', () => {
  const visit = { date: NOW_MS * 1000, type: 1 };
  const page = (n: number, chars = 0) => ({
    url: `https://new.example/${n}${'x'.repeat(chars)}`,
    title: 'new',
    visits: [visit],
  });

  test('a new page costs one request more, and the limits are asked for once', async () => {
    const it = bench();
    const device = await it.boot();
    await device.agent.enable();
    for (const [n, requests] of [
      [1, 3],
      [2, 2],
    ] as const) {
      await device.agent.put('history', page(n));
      it.asked.length = 0;
      expect(await device.agent.sync()).toMatchObject({ ...ok, requests });
    }
    expect(it.asked).toEqual(['GET /1.5/1/info/collections', 'POST /1.5/1/storage/history']);
    it.asked.length = 0;
    expect(await device.agent.sync()).toMatchObject({ ...ok, requests: 1 });
    await agreed(device, it);
  });

  test.each([200, 404])('a limit of one collection counts (status %i)', async (status) => {
    const it = bench();
    const configuration = { collections: { history: { max_record_payload_bytes: 20_000 } } };
    it.meddle = ({ url }) =>
      url.endsWith('/info/configuration')
        ? new Response(JSON.stringify(configuration), { status })
        : undefined;
    const device = await it.boot();
    await device.agent.enable();
    const large = await device.agent.put('history', page(1, 20_000));
    const small = await device.agent.put('history', page(2));
    expect(await device.agent.sync()).toMatchObject(ok);
    const ids = secondDevice(it.servers).ids('history');
    expect(ids).toContain(small);
    expect(ids.includes(large)).toBe(status === 404);
    const refusals = device.platform.events.filter((text) => text.includes('"tooLarge"'));
    expect(refusals).toHaveLength(status === 404 ? 0 : 1);
  });

  test('a batch that is full is followed by another one', async () => {
    const it = bench(undefined, {
      sync15: { limits: { max_post_records: 7, max_total_records: 20 } },
    });
    const device = await it.boot();
    await device.agent.enable();
    for (let n = 0; n < 50; n++) await device.agent.put('history', page(n));
    expect(await device.agent.sync()).toMatchObject(ok);
    await agreed(device, it);
    const stamps = [...(userOf(it.servers).collections.get('history')?.inArrivalOrder(0) ?? [])]
      .slice(20)
      .map(({ modifiedMs }) => modifiedMs);
    expect(new Set(stamps).size).toBe(3);
  });

  test('no more than a thousand changes are in one batch', async () => {
    const it = bench();
    const device = await it.boot();
    await device.agent.enable();
    for (let n = 0; n < 1_050; n++) await device.agent.put('history', page(n));
    it.asked.length = 0;
    expect(await device.agent.sync()).toMatchObject(ok);
    expect(it.asked.filter((line) => line.includes('commit=true'))).toHaveLength(1);
    expect(it.asked.filter((line) => line.endsWith('POST /1.5/1/storage/history'))).toHaveLength(1);
    await agreed(device, it);
  });

  test('what fills the user space is said, and does not hold up the other collections', async () => {
    const account = syntheticAccount({ records: 20, seed: 3, bodyBytes: 200 });
    const [user] = account.store.users.values();
    const quotaBytes = (user?.payloadBytes(NOW_MS) ?? 0) + 2_500;
    const it = bench(account, { sync15: { quotaBytes } });
    const device = await it.boot();
    await device.agent.enable();
    const large = await device.agent.put('history', page(1, 3_000));
    secondDevice(it.servers).touch('passwords');
    const report = await device.agent.sync();
    expect(report).toMatchObject({ ok: false, error: { code: 'overQuota' } });
    expect(report.collections.passwords?.pulled).toBeGreaterThan(0);
    await device.agent.delete('history', large);
    await device.agent.put('history', page(2));
    expect(await device.agent.sync()).toMatchObject(ok);
    expect(device.agent.status().quotaRemainingBytes).toBeGreaterThan(0);
  });

  test.each([409, 503])(
    'a server that answers %i gets the time that it asks for',
    async (status) => {
      const it = bench();
      const { agent, platform } = await it.boot();
      await agent.enable();
      await agent.put('history', page(1));
      it.meddle = ({ method }) =>
        method === 'POST'
          ? new Response('0', { status, headers: { 'Retry-After': '10' } })
          : undefined;
      expect(await agent.sync()).toMatchObject({ ok: false });
      expect(agent.status().notBeforeMs).toBeGreaterThanOrEqual(platform.clock.nowMs() + 10_000);
      it.meddle = () => undefined;
      await platform.time.advance(20_000);
      expect(await agent.sync()).toMatchObject(ok);
      expect(agent.status().collections).toMatchObject({ history: { pending: 0 } });
    },
  );

  test('a service that has ended is not asked again', async () => {
    const it = bench();
    const { agent } = await it.boot();
    await agent.enable();
    it.meddle = () => new Response('0', { status: 513 });
    expect(await agent.sync()).toMatchObject({ error: { code: 'serviceGone' } });
  });

  test('members that nobody here knows survive an edit', async () => {
    const it = bench();
    const second = secondDevice(it.servers);
    const [id = ''] = second.ids('history');
    const known = second.get('history', id);
    second.put('history', { ...known, id, fromTheFuture: { deep: [1] } });
    const { agent } = await it.boot();
    await agent.enable();
    await agent.put('history', { guid: id, visits: [visit] });
    expect(await agent.sync()).toMatchObject(ok);
    expect(second.get('history', id)).toMatchObject({ fromTheFuture: { deep: [1] } });
  });
});
