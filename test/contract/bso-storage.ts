// What records that are kept in a ServerStorage do, whichever it is: they answer to the letter as
// those in memory do, in lists of any length, and for several processes at once.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRandom } from '../../emulator/device/random.ts';
import type { BsoStorage, Stretch } from '../../emulator/servers/bso-storage.ts';
import { KeptBsos } from '../../emulator/servers/storage/kept-bsos.ts';
import { keysUnder, type ServerStorage } from '../../emulator/servers/storage/server-storage.ts';
import type { Bso, BsoChange } from '../../emulator/servers/store.ts';
import {
  emptyAccount,
  type StorageClient,
  startWorld,
  TEST_NOW_MS,
} from '../../emulator/servers/testing.ts';
import { worldsIn } from '../servers/worlds.ts';

type Asked = Parameters<StorageClient>;

/** Of each answer of a storage node, all that a client may rely on. */
const HEADERS = ['content-type', 'x-last-modified', 'x-weave-timestamp', 'x-weave-records'];
const IDS = [
  'a',
  ' ',
  '~',
  '! "',
  '!"',
  '!!',
  '!',
  '"',
  'a/b',
  '{x}',
  '~'.repeat(64),
  ' '.repeat(64),
];
const ALL: Stretch = {
  ...{
    order: 'oldest' as const,
    newerMs: Number.NEGATIVE_INFINITY,
    olderMs: Number.POSITIVE_INFINITY,
  },
  ...{ fromMs: null, behind: null, skip: 0, limit: Number.POSITIVE_INFINITY },
};

const MACS = keysUnder('h/901/', 10);

export function bsoStorageContract(name: string, open: () => Promise<ServerStorage>): void {
  describe(name, () => {
    let storage: ServerStorage;
    beforeAll(async () => {
      storage = await open();
    });
    afterAll(() => storage.close());
    const worlds = worldsIn(() => storage);
    const newUser = async () => {
      const account = emptyAccount();
      const { bsos } = worlds(account);
      await bsos.read(1, TEST_NOW_MS, async () => undefined);
      return bsos;
    };

    test.each([1, 2, 3])('answers as the store in memory does, in story %i', async (seed) => {
      const memory = startWorld();
      const account = emptyAccount();
      const kept = startWorld({ account, storage: worlds(account) });
      const clients = [await memory.signIn(), await kept.signIn()];
      const story = requests(seed);
      let batch = 'none';
      for (const [stepMs, [method, path, options]] of story) {
        for (const { clock } of [memory, kept]) clock.nowMs += stepMs;
        const asked: Asked = [method, path.replace('BATCH', batch), options];
        const [expected, found] = await Promise.all(clients.map((ask) => answerOf(ask, asked)));
        expect([asked, found]).toEqual([asked, expected]);
        batch = batchOf(expected?.body) ?? batch;
      }
    });

    test.each(['oldest', 'newest', 'index'] as const)(
      'lists more than fits in memory, by %s, in portions and in order',
      async (order) => {
        const bsos = await newUser();
        const records = await fill(bsos, 4_500, 1_000);
        const listed: Bso[] = [];
        const read = await bsos.read(1, TEST_NOW_MS, (user) =>
          user.list('col', { ...ALL, order, limit: 4_400 }),
        );
        expect([read?.count, read?.hasMore]).toEqual([4_400, true]);
        let portions = 0;
        for await (const portion of (read?.items ?? []) as AsyncIterable<readonly Bso[]>) {
          expect(portion.length).toBeLessThanOrEqual(500);
          listed.push(...portion);
          portions++;
        }
        expect(portions).toBeGreaterThan(8);
        const expected = [...records].sort(ORDERS[order]).slice(0, 4_400);
        expect(listed.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
        const ids = await bsos.read(1, TEST_NOW_MS, (user) =>
          user.listIds('col', { ...ALL, order }),
        );
        const all: string[] = [];
        for await (const some of (ids?.items ?? []) as AsyncIterable<readonly string[]>)
          all.push(...some);
        expect(all).toEqual([...records].sort(ORDERS[order]).map(({ id }) => id));
      },
    );

    test('a list that is read while it is sent is whole, as JSON and by lines', async () => {
      const account = emptyAccount();
      const kept = worlds(account);
      const ask = await startWorld({ account, storage: kept }).signIn();
      const records = await fill(kept.bsos, 2_500, 1);
      const ids = [...records].sort(ORDERS.newest).map(({ id }) => id);
      const read = await ask('GET', 'storage/col?full=1');
      expect(read.headers.get('x-weave-records')).toBe('2500');
      expect(read.json.map(({ id }: Bso) => id)).toEqual(ids);
      expect((await ask('GET', 'storage/col')).json).toEqual(ids);
      const headers = { Accept: 'application/newlines' };
      const lines = (await ask('GET', 'storage/col', { headers })).text;
      expect(lines).toBe(ids.map((id) => `${JSON.stringify(id)}\n`).join(''));
      const page = await ask('GET', 'storage/col?limit=2400');
      const offset = encodeURIComponent(page.headers.get('x-weave-next-offset') ?? '');
      const rest = await ask('GET', `storage/col?limit=2400&offset=${offset}`);
      expect([...page.json, ...rest.json]).toEqual(ids);
    });

    test('a long list breaks off where a record has changed', async () => {
      const bsos = await newUser();
      await fill(bsos, 2_100, 1);
      const read = await bsos.read(1, TEST_NOW_MS, (user) => user.list('col', ALL));
      const change = [{ id: 'r2099', payload: 'other' }];
      await bsos.write(1, TEST_NOW_MS, (user) => user.write('col', change));
      const whole = async () => {
        for await (const _ of (read?.items ?? []) as AsyncIterable<unknown>);
      };
      await expect(whole()).rejects.toThrow('has changed');
    });

    test('what expires goes, however much it is, and is counted no more', async () => {
      const bsos = await newUser();
      await fill(bsos, 250, 10, 60);
      await bsos.write(1, TEST_NOW_MS, (user) => user.write('col', [{ id: 'stays', ttl: 3_600 }]));
      const at = TEST_NOW_MS + 600_000;
      const read = await bsos.read(1, at, async (user) => [
        await user.counts(),
        await user.usage(),
        (await user.list('col', ALL)).items,
      ]);
      expect(read).toMatchObject([new Map([['col', 1]]), new Map([['col', 0]]), [{ id: 'stays' }]]);
      const later = await bsos.read(1, at + 3_600_000, (user) => user.list('col', ALL));
      expect(later?.items).toEqual([]);
    });

    test('of several processes the stamps strictly rise, and nothing is lost', async () => {
      await storage.transaction('user/900', async (tx) => {
        const row = { modifiedMs: 0, nextExpiryMs: null, places: 0 };
        tx.put('u/900', JSON.stringify(row));
      });
      const processes = [new KeptBsos(storage), new KeptBsos(storage), new KeptBsos(storage)];
      const stamps: number[] = [];
      const writeIn = async (bsos: KeptBsos, number: number) => {
        for (let index = 0; index < 12; index++) {
          const changes = [
            { id: 'same', payload: `${number}.${index}` },
            { id: `${number}.${index}` },
          ];
          const stampMs = await bsos.write(900, TEST_NOW_MS, (user) =>
            user.write(index % 2 === 0 ? 'col' : 'other', changes),
          );
          stamps.push(stampMs ?? 0);
        }
      };
      await Promise.all(processes.map(writeIn));
      expect(new Set(stamps).size).toBe(36);
      expect(Math.max(...stamps) - Math.min(...stamps)).toBe(350);
      const [one = new KeptBsos(storage)] = processes;
      const listed = await one.read(900, TEST_NOW_MS, (user) => user.list('col', ALL));
      const records = (listed?.items ?? []) as readonly Bso[];
      expect(records).toHaveLength(19);
      const [other, last] = records.slice(-2);
      expect([last?.id, last?.payload]).toEqual(['same', other?.id]);
    });

    test('what one process has done no other does again, until nobody could any more', async () => {
      await storage.transaction('user/901', async (tx) => {
        tx.put('u/901', JSON.stringify({ modifiedMs: 0, nextExpiryMs: null, places: 0 }));
      });
      const [one, other] = [new KeptBsos(storage), new KeptBsos(storage)];
      const isFirst = (bsos: KeptBsos, mac: string, nowMs = 1_000, untilMs = 1_100) =>
        bsos.write(901, nowMs, (user) => user.isFirst(mac, untilMs));
      expect([await isFirst(one, 'a/+='), await isFirst(other, 'b')]).toEqual([true, true]);
      expect([await isFirst(other, 'a/+='), await isFirst(one, 'b')]).toEqual([false, false]);
      const kept = async () => (await storage.read('user/901', (tx) => tx.keys(MACS))).length;
      expect(await kept()).toBe(2);
      await isFirst(one, 'c', 2_000, 2_100);
      expect(await kept()).toBe(1);
    });

    test('a batch that one process began is committed by another one', async () => {
      const first = await newUser();
      const state = { openedMs: TEST_NOW_MS, records: 1, bytes: 1 };
      for (const id of ['a', 'b'])
        await first.write(1, TEST_NOW_MS, (user) =>
          user.extendBatch('col', 'the-batch', [{ id, payload: 'p' }], state),
        );
      const changes = await first.write(1, TEST_NOW_MS, async (user) => {
        expect(await user.batch('col', 'the-batch')).toEqual(state);
        expect(await user.batch('other', 'the-batch')).toBeNull();
        return user.closeBatch('col', 'the-batch');
      });
      expect(changes?.map(({ id }) => id)).toEqual(['a', 'b']);
      expect(await first.read(1, TEST_NOW_MS, async (user) => user.stampOf('col'))).toBeNull();
    });
  });
}

const ORDERS = {
  oldest: byStamp,
  newest: (a: Bso, b: Bso) => byStamp(b, a),
  index: (a: Bso, b: Bso) =>
    (b.sortindex ?? Number.NEGATIVE_INFINITY) - (a.sortindex ?? Number.NEGATIVE_INFINITY) ||
    (a.id < b.id ? -1 : 1),
};

function byStamp(a: Bso, b: Bso): number {
  return a.modifiedMs - b.modifiedMs || (a.id < b.id ? -1 : 1);
}

/** Writes records of so many characters, a thousand at a time. */
async function fill(
  bsos: BsoStorage,
  count: number,
  chars: number,
  ttl: number | null = null,
): Promise<Bso[]> {
  const bsosOf = (changes: readonly BsoChange[], modifiedMs: number): Bso[] =>
    changes.map(({ id, payload, sortindex }) => ({
      ...{ id, modifiedMs, payload: payload ?? '', sortindex: sortindex ?? null, expiresMs: null },
    }));
  const filled: Bso[] = [];
  for (let at = 0; at < count; at += 1_000) {
    const changes = Array.from({ length: Math.min(1_000, count - at) }, (_, index) => ({
      ...{ id: `r${at + index}`, payload: 'x'.repeat(chars), ttl },
      sortindex: index % 3 === 0 ? null : ((index * 7919) % 101) - 50,
    }));
    const stampMs = await bsos.write(1, TEST_NOW_MS, (user) => user.write('col', changes));
    filled.push(...bsosOf(changes, stampMs ?? 0));
  }
  return filled;
}

async function answerOf(ask: StorageClient, asked: Asked) {
  const { status, headers, text, json } = await ask(...asked);
  const offset = headers.get('x-weave-next-offset');
  const told = HEADERS.map((name) => headers.get(name));
  // Members of what is said of all collections have no order.
  return { status, told, offset, body: json === undefined ? text : json };
}

function batchOf(body: unknown): string | null {
  const { batch } = (body ?? {}) as { batch?: string };
  return batch ?? null;
}

/** A story of requests, each some time after the one before. */
function requests(seed: number): [stepMs: number, asked: Asked][] {
  const random = createRandom(seed, 'requests');
  const pick = <T>(values: readonly T[]): T => values[random.uint32() % values.length] as T;
  const seconds = (): string => ((TEST_NOW_MS + (random.uint32() % 400) * 100) / 1000).toFixed(2);
  const bso = (id = pick(IDS)) => ({
    ...{
      id,
      payload: pick(['p', 'ü', undefined, null]),
      sortindex: pick([0, 7, -3, null, undefined]),
    },
    ttl: pick([undefined, undefined, undefined, null, 0, 1, 3_000]),
  });
  const list = () => [...new Set([pick(IDS), pick(IDS), pick(IDS)])].map((id) => bso(id));
  const name = () => `storage/${pick(['col', 'col', 'col-b', 'c'])}`;
  const record = () => `${name()}/${encodeURIComponent(pick(IDS))}`;
  const query = () =>
    [
      pick(['full=1', 'full=1', '']),
      pick(['sort=newest', 'sort=oldest', 'sort=index', '']),
      pick(['', '', '', `newer=${seconds()}`, `older=${seconds()}`]),
      pick(['', 'limit=1', 'limit=3', 'limit=100', 'limit=0']),
      pick(['', '', '', 'offset=1', `offset=${TEST_NOW_MS + 10}:1`]),
      pick(['', '', '', `ids=${encodeURIComponent(`${pick(IDS)},${pick(IDS)},a`)}`]),
    ].join('&');
  const since = pick(['X-If-Unmodified-Since', 'X-If-Modified-Since']);
  const headers = () => (random.uint32() % 4 === 0 ? { [since]: seconds() } : {});
  const kinds: readonly (() => Asked)[] = [
    () => ['GET', `${name()}?${query()}`, { headers: headers() }],
    () => ['GET', `${name()}?${query()}`],
    () => ['GET', record(), { headers: headers() }],
    () => ['PUT', record(), { headers: headers(), body: { ...bso(), id: undefined } }],
    () => ['POST', name(), { headers: headers(), body: list() }],
    () => ['POST', name(), { body: list() }],
    () => ['POST', `${name()}?batch=true`, { body: list() }],
    () => ['POST', `${name()}?batch=BATCH`, { body: list() }],
    () => ['POST', `${name()}?batch=BATCH&commit=true`, { body: list() }],
    () => ['DELETE', record(), { headers: headers() }],
    () => ['DELETE', `${name()}?ids=${encodeURIComponent(pick(IDS))}`],
    () => ['DELETE', random.uint32() % 3 === 0 ? name() : record()],
    () => ['DELETE', random.uint32() % 6 === 0 ? '' : record()],
    () => ['GET', pick(['info/collections', 'info/collection_counts', 'info/collection_usage'])],
    () => ['GET', 'info/quota'],
  ];
  const stepMs = () => pick([0, 0, 10, 400, 5_000, random.uint32() % 200 === 0 ? 7_300_000 : 30]);
  return Array.from({ length: 350 }, () => [stepMs(), pick(kinds)()]);
}
