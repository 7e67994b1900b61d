import { expect, test } from 'vitest';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import type { Change, Storage, Value } from '../../platform/ports.ts';
import { StorageError } from '../../platform/storage-rules.ts';
import {
  corpusAccount,
  NOW_MS,
  type TestDevice,
  type TestServers,
  testDevice,
  testServers,
} from '../../test/support/device.ts';

const ALL = { from: '!', to: '~~', limit: 10_000 };
const PAGE = { url: 'https://mine.example/', title: 'mine' };

async function synced(): Promise<{ servers: TestServers; storage: MemoryStorage }> {
  const servers = testServers(corpusAccount());
  const storage = new MemoryStorage();
  const { agent } = testDevice(servers, { storage });
  await agent.start();
  expect(await agent.enable()).toMatchObject({ ok: true });
  return { servers, storage };
}

async function booted(servers: TestServers, storage: Storage): Promise<TestDevice> {
  const device = testDevice(servers, { storage, nowMs: NOW_MS + 60_000 });
  await device.agent.start();
  return device;
}

async function titles({ agent }: TestDevice, collection: string): Promise<string> {
  const { records } = await agent.list(collection, { limit: 500 });
  return JSON.stringify(records.map(({ guid, id, url, password }) => [guid ?? id, url, password]));
}

/** The key of some value of the kind. */
function keyOf(storage: MemoryStorage, kind: RegExp): string {
  const found = storage.snapshot().find(([key]) => kind.test(key));
  if (found === undefined) throw new Error(`there is no ${kind}`);
  return found[0];
}

test.each([
  ['a page', 'history', /\.h\.r\./, 'b1 1\n{"id"'],
  ['a login', 'passwords', /\.p\.r\./, new Uint8Array(90)],
  ['the state of a collection', 'history', /\.h\.c$/, 'b{"held":'],
])('%s that is damaged is told, and fetched again', async (_, collection, kind, value) => {
  const { servers, storage } = await synced();
  const whole = await booted(servers, storage.fork());
  const expected = await titles(whole, collection);
  await storage.commit([[keyOf(storage, kind), value]]);
  const device = await booted(servers, storage);
  await device.agent.put('history', PAGE);
  if (!kind.source.endsWith('$')) {
    await expect(titles(device, collection)).rejects.toMatchObject({
      code: 'damaged',
      detail: { collection },
    });
  }
  expect(device.agent.status().collections[collection]).toMatchObject({ damaged: 1, lost: 0 });
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  expect(device.agent.status().collections[collection]).toMatchObject({ damaged: 0, lost: 0 });
  const now = JSON.parse(await titles(device, collection)) as [string, string][];
  const left = now.filter(([, url]) => url !== PAGE.url);
  expect(left.sort()).toEqual(JSON.parse(expected).sort());
  const { held, pending } = device.agent.status().collections[collection] ?? {};
  expect([held, pending]).toEqual([now.length, 0]);
});

test('an unsent change that is damaged is reported as lost', async () => {
  const { servers, storage } = await synced();
  const before = await booted(servers, storage);
  const id = await before.agent.put('history', PAGE);
  await before.agent.put('history', { url: 'https://other.example/' });
  await storage.commit([[keyOf(storage, new RegExp(`\\.h\\.o\\.${id}`)), 'b1 1\n{}']]);
  const device = await booted(servers, storage);
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  const history = device.agent.status().collections.history;
  expect(history).toMatchObject({ pending: 0, lost: 1, damaged: 0 });
  const told = device.platform.events.map((text) => JSON.parse(text));
  expect(told).toContainEqual({ kind: 'damaged', collection: 'history', records: [], lost: [id] });
  expect(await device.agent.get('history', id)).toBe(null);
});

/** A storage that answers `damaged` until it is repaired, and has then lost some keys. */
function losing(inner: MemoryStorage, lost: RegExp): Storage {
  let isDamaged = true;
  const checked = async <T>(work: Promise<T>): Promise<T> => {
    if (isDamaged) throw new StorageError('damaged', 'a page is damaged');
    return work;
  };
  return {
    get: (keys): Promise<(Value | null)[]> => checked(inner.get(keys)),
    scan: (range) => checked(inner.scan(range)),
    commit: (changes) => checked(inner.commit(changes)),
    async repair(ifLost) {
      isDamaged = false;
      const keys = (await inner.scan(ALL)).filter((key) => lost.test(key));
      const removed = keys.map((key): Change => [key, null]);
      if (keys.length > 0) await inner.commit([...removed, ...ifLost]);
      return keys.length === 0;
    },
  };
}

test.each([
  ['records', /\.h\.r\.[a-m]/],
  ['index entries', /\.h\.x\.d/],
  ['the state of a collection', /\.h\.c$/],
  ['what is known of the account', /^\w+\.[mk]$/],
])('a storage that has lost %s is brought up to date', async (_, lost) => {
  const { servers, storage } = await synced();
  const expected = await titles(await booted(servers, storage.fork()), 'history');
  const device = await booted(servers, losing(storage, lost));
  expect(device.agent.status().collections.history?.damaged).toBeGreaterThan(0);
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  expect(await titles(device, 'history')).toBe(expected);
  expect(device.agent.status().collections.history).toMatchObject({ damaged: 0, pending: 0 });
});

test('a storage that has lost nothing is gone on with', async () => {
  const { servers, storage } = await synced();
  const device = await booted(servers, losing(storage, /^nothing$/));
  expect(device.agent.status().collections.history).toMatchObject({ damaged: 0, lost: 0 });
});

test('unsent changes that a storage has lost are counted', async () => {
  const { servers, storage } = await synced();
  await (await booted(servers, storage)).agent.put('history', PAGE);
  const device = await booted(servers, losing(storage, /\.h\.o\./));
  expect(device.agent.status().collections.history).toMatchObject({ pending: 0, lost: 1 });
});

test('a device whose state is lost is no new device', async () => {
  const { servers, storage } = await synced();
  const device = testDevice(servers, { storage: losing(storage, /^s$/) });
  await expect(device.agent.start()).rejects.toMatchObject({
    code: 'damaged',
    detail: { stored: 'state' },
  });
  expect(device.agent.status().error).toMatchObject({ code: 'damaged' });
});

test('a device whose state is lost begins anew at a sign-out, wherever that is cut', async () => {
  const { servers, storage } = await synced();
  await storage.commit([['s', 'b{']]);
  for (let atCommit = 1; ; atCommit++) {
    const cut = storage.fork({ atCommit, when: 'before' });
    const first = testDevice(servers, { storage: cut });
    await expect(first.agent.start()).rejects.toMatchObject({ code: 'damaged' });
    await first.agent.disable().catch(() => undefined);
    const whole = cut.commits < atCommit;
    const device = testDevice(servers, { storage: cut.fork() });
    if (!whole) {
      const started = await device.agent.start().catch(({ code }) => code);
      // Only the last commit makes it a new device.
      expect(started ?? device.agent.status().state).toMatch(/^(damaged|disabled)$/);
      continue;
    }
    expect(cut.snapshot().map(([key]) => key)).toEqual(['s']);
    await device.agent.start();
    expect(device.agent.status()).toMatchObject({ state: 'disabled', error: null });
    expect(await device.agent.enable()).toMatchObject({ ok: true });
    return;
  }
});

test('mending goes on where the power was cut', async () => {
  const { servers, storage } = await synced();
  await (await booted(servers, storage)).agent.put('history', PAGE);
  const expected = await titles(await booted(servers, storage.fork()), 'history');
  const [id = ''] = /[^.]+$/.exec(keyOf(storage, /\.h\.r\./)) ?? [];
  await storage.commit([[keyOf(storage, new RegExp(`\\.h\\.r\\.${id}$`)), 'x']]);
  let cuts = 0;
  for (let atCommit = 1; ; atCommit++) {
    const cut = storage.fork({ atCommit, when: 'before' });
    const first = await booted(servers, cut).catch(() => null);
    await first?.agent.list('history', { limit: 500 }).catch(() => undefined);
    if (cut.commits < atCommit) break;
    cuts++;
    const device = await booted(servers, cut.fork());
    await device.agent.list('history', { limit: 500 }).catch(() => undefined);
    const now = await titles(device, 'history');
    const missing = (JSON.parse(expected) as [string][]).filter(([guid]) => guid !== id);
    expect((JSON.parse(now) as string[]).sort()).toEqual(missing.sort());
    expect(device.agent.status().collections.history).toMatchObject({ pending: 1, lost: 0 });
  }
  expect(cuts).toBeGreaterThan(5);
});
