import { describe, expect, test } from 'vitest';
import { syntheticAccount } from '../../../emulator/servers/synthetic.ts';
import { secondDevice } from '../../../test/sim/second-device.ts';
import { NOW_MS } from '../../../test/support/device.ts';
import {
  agreed,
  type Bench,
  bench,
  isListing,
  ok,
  storedUser,
} from '../../../test/support/sync15.ts';

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

describe('a page', () => {
  const several = () => bench(syntheticAccount({ records: 2_500, seed: 6, bodyBytes: 160 }));

  test('that is not known after a reboot is no end: the listing begins again', async () => {
    const it = several();
    it.meddle = ({ url }) => {
      if (url.includes('offset=')) throw new TypeError('fetch failed');
      return undefined;
    };
    const first = await it.boot();
    expect(await first.agent.enable()).toMatchObject({ ok: false, error: { code: 'offline' } });
    it.meddle = ({ url }) => {
      if (!url.includes('offset=')) return undefined;
      it.meddle = () => undefined;
      return new Response('0', { status: 400 });
    };
    it.asked.length = 0;
    const second = await it.boot();
    expect(await second.agent.sync()).toMatchObject(ok);
    await agreed(second, it);
    const [refused = '', next = ''] = it.asked.filter((line) => line.includes('history?'));
    expect(refused).toContain('offset=');
    expect(next).not.toContain('offset=');
    expect(next).toContain('newer=');
  });

  test('has no end where limits are ignored: what arrived before a break stays', async () => {
    const it = several();
    const read: number[] = [];
    const user = storedUser(it.servers);
    const records = [...(user.collections.get('history')?.inArrivalOrder(0) ?? [])];
    user.collections.delete('history');
    for (let at = 0; at < records.length; at += 100) {
      const some = records.slice(at, at + 100).map(({ id, payload }) => ({ id, payload }));
      user.write('history', some, it.servers.nowMs);
    }
    const collection = user.collections.get('history');
    it.meddle = (request) => {
      if (!isListing(request)) return undefined;
      const newer = Number(new URL(request.url).searchParams.get('newer') ?? 0);
      const all = [...(collection?.inArrivalOrder(0) ?? [])];
      const lines = all
        .filter(({ modifiedMs }) => modifiedMs / 1000 > newer)
        .map(({ modifiedMs, ...bso }) => JSON.stringify({ ...bso, modified: modifiedMs / 1000 }));
      read.push(lines.length);
      const headers = {
        'X-Last-Modified': `${(collection?.modifiedMs ?? 0) / 1000}`,
        'X-Weave-Records': `${lines.length}`,
      };
      return new Response(lines.slice(0, 900).join('\n'), { headers });
    };
    const device = await it.boot();
    let report = await device.agent.enable();
    for (let passes = 1; !report.ok && passes < 10; passes++) report = await device.agent.sync();
    expect(report).toMatchObject(ok);
    await agreed(device, it);
    expect(read).toEqual([2_500, 1_700, 900]);
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
    const user = storedUser(it.servers);
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
