// A collection whose ids its remote does not take, end to end: apps say any id, the server and the
// storage see hashes, and all devices of the user mean the same record. A document's members are
// called as they are: there the storage alone sees hashes.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRandom } from '../../emulator/device/random.ts';
import { memoryPlatform } from '../../platform/memory/platform.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import type { Storage } from '../../platform/ports.ts';
import {
  documentService,
  logService,
  recordsService,
} from '../../test/support/made-up/services.ts';
import type { Service } from '../../test/support/service.ts';
import { type Agent, createAgent } from '../index.ts';
import { isHashedId } from './ids.ts';

const LONG = `https://app.test/${'a'.repeat(2_031)}`;
const ODD = ['{3f2e-uuid}', '.', '../x', '__proto__', 'ünï/код?#%', LONG];
const WIRE = /^[a-zA-Z0-9_-]{1,64}$/;
/** Of them, what a server of logs takes as it is, unlike one of records. */
const LOG_KEY = '__proto__';

type Make = typeof recordsService | typeof logService | typeof documentService;

/** The user's key, and whether the account manager gives it. */
interface User {
  kB: string;
  isThere: boolean;
}

/** The user of some devices, on a service of records. */
async function oneUser(make: Make) {
  const service = make();
  const key = await service.identity.syncKey();
  const user: User = { kB: 'kB' in key ? key.kB : '', isThere: true };
  let seed = 0;
  return {
    ...{ user, service },
    boot: (storage: Storage = new MemoryStorage()) => boot(service, user, storage, ++seed),
  };
}

async function boot(service: Service, user: User, storage: Storage, seed: number) {
  const random = createRandom(seed);
  const platform = memoryPlatform({
    storage,
    fetch: service.fetch,
    identity: {
      ...service.identity,
      async syncKey() {
        if (user.isThere) return { kB: user.kB };
        throw Object.assign(new Error('no network'), { code: 'offline' });
      },
    },
    nowMs: service.clock.nowMs,
    random: (count) => random.bytes(count),
  });
  const agent = createAgent(
    platform,
    {
      ...{ ...service.config, profile: 'test', intervalMs: 3_600_000, spreadMs: 0 },
      collections: { [service.collection]: { enabled: true, readOnly: false } },
      ...{ wifiOnly: false, historyRecordsMax: 1_000, recordCharsMax: 400_000 },
    },
    service.contents,
  );
  await agent.start();
  things = service.collection;
  return agent;
}

/** The collection of the service that is asked. */
let things = '';

async function synced(agent: Agent): Promise<void> {
  const { state } = agent.status();
  const report = state === 'disabled' ? await agent.enable() : await agent.sync();
  expect(report).toMatchObject({ ok: true, error: null });
}

/** What apps see, by their own ids. */
async function seenBy(agent: Agent): Promise<Map<string, unknown>> {
  const { records } = await agent.list(things, { limit: 1_000 });
  return new Map(records.map(({ id, guid, n }) => [`${guid ?? id}`, n]));
}

/** What the storage calls records whose own ids it does not take. */
function hashesIn(storage: MemoryStorage): string[] {
  return storage.snapshot().flatMap(([key]) => key.match(/h-[\w-]{43}/g) ?? []);
}

/** A user who has forgotten the password, after these were synced, changed and deleted. */
async function withAnotherKey(make: Make) {
  const it = await oneUser(make);
  const storage = new MemoryStorage();
  const one = await it.boot(storage);
  await synced(one);
  for (const [n, id] of ODD.entries()) await one.put(things, { id, n });
  await one.put(things, { id: 'plain', n: 9 });
  await synced(one);
  const before = it.service.wireIds();
  const hashes = hashesIn(storage);
  expect(hashes).not.toEqual([]);
  await one.put(things, { id: LONG, n: 50 });
  await one.put(things, { id: 'https://new.test/', n: 51 });
  await one.delete(things, '__proto__');
  it.user.kB = 'cd'.repeat(32);
  it.service.renew();
  const expected = new Map<string, unknown>(ODD.map((id, n) => [id, n]));
  expected.set(LONG, 50).set('https://new.test/', 51).set('plain', 9).delete('__proto__');
  return { ...it, one, storage, before, hashes, expected };
}

const anyId = fc
  .oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 120 }),
    fc.webUrl(),
    fc.uuid().map((uuid) => `{${uuid}}`),
    fc.stringMatching(/^[A-Za-z0-9_-]{1,70}$/),
    fc.stringMatching(/^h-[A-Za-z0-9_-]{43}$/),
    fc.nat(2_047).map((length) => 'x'.repeat(length + 1)),
  )
  .filter((id) => !/[\ud800-\udfff]/u.test(id));

describe.each([
  ['records', recordsService],
  ['a log', logService],
  ['one document', documentService],
] as const)('on a server of %s', (_, make) => {
  test('a record of any id of up to 2,048 characters goes there and back', async () => {
    const { boot } = await oneUser(make);
    const [one, two] = [await boot(), await boot()];
    await synced(one);
    await synced(two);
    for (const [n, id] of ODD.entries()) expect(await one.put(things, { id, n })).toBe(id);
    await synced(one);
    await synced(two);
    expect(await seenBy(two)).toEqual(new Map(ODD.map((id, n) => [id, n])));
    for (const id of ODD) expect(await two.get(things, id)).toMatchObject({ id });
    await two.put(things, { id: LONG, n: 7 });
    await two.delete(things, '../x');
    await synced(two);
    await synced(one);
    expect((await seenBy(one)).get(LONG)).toBe(7);
    expect(await seenBy(one)).toEqual(await seenBy(two));
    expect((await seenBy(one)).size).toBe(ODD.length - 1);
  });

  test('neither the storage’s keys nor a server that does not take it say an id', async () => {
    const { boot, service } = await oneUser(make);
    const storage = new MemoryStorage();
    const one = await boot(storage);
    await synced(one);
    for (const id of ODD) await one.put(things, { id });
    await one.put(things, { id: 'plain' });
    await synced(one);
    const ids = service.wireIds();
    expect(ids).toHaveLength(ODD.length + 1);
    if (make === documentService) expect(ids.sort()).toEqual([...ODD, 'plain'].sort());
    else {
      for (const id of ids) expect(id).toMatch(WIRE);
      const kept = make === logService ? [LOG_KEY, 'plain'] : ['plain'];
      expect(ids.filter((id) => !isHashedId(id)).sort()).toEqual(kept);
    }
    const keys = storage.snapshot().map(([key]) => key);
    for (const key of keys) expect(key.length).toBeLessThanOrEqual(240);
    expect(keys.join('\n')).not.toContain('app.test');
    await expect(one.put(things, { id: `${LONG}a` })).rejects.toMatchObject({
      code: 'badInput',
      message: expect.stringContaining('2048'),
    });
  });

  test('two devices that edit one such record apart come to one record', async () => {
    const { boot, service } = await oneUser(make);
    const [one, two] = [await boot(), await boot()];
    await synced(one);
    await synced(two);
    await one.put(things, { id: LONG, a: 1 });
    await two.put(things, { id: LONG, b: 2 });
    for (const agent of [one, two, one, two]) await synced(agent);
    expect(service.wireIds()).toHaveLength(1);
    expect(await one.get(things, LONG)).toEqual({ id: LONG, a: 1, b: 2 });
    expect(await two.get(things, LONG)).toEqual({ id: LONG, a: 1, b: 2 });
  });

  test('a record that is sealed as another one under such an id is set aside', async () => {
    const { boot, service } = await oneUser(make);
    const one = await boot();
    await synced(one);
    const hash = `h-${'A'.repeat(43)}`;
    service.put(hash, { id: LONG, n: 1 });
    service.put('plain', { id: 'other', n: 2 });
    service.put('fine', { n: 3 });
    await synced(one);
    // In a document nothing is sealed: a member is what it is called.
    const isSealed = make !== documentService;
    const others = [hash, 'plain'].map((id, at) => [id, at + 1] as const);
    expect(await seenBy(one)).toEqual(new Map([...(isSealed ? [] : others), ['fine', 3]]));
    const counts = isSealed ? { held: 1, quarantined: 2 } : { held: 3, quarantined: 0 };
    expect(one.status().collections[things]).toMatchObject(counts);
  });

  test('a device that boots without its account manager finds its records', async () => {
    const { boot, user } = await oneUser(make);
    const storage = new MemoryStorage();
    const one = await boot(storage);
    await synced(one);
    await one.put(things, { id: LONG, n: 1 });
    user.isThere = false;
    const again = await boot(storage.fork());
    expect(await again.get(things, LONG)).toMatchObject({ n: 1 });
    await again.put(things, { id: LONG, n: 2 });
    user.isThere = true;
    await synced(again);
    expect(await again.get(things, LONG)).toMatchObject({ n: 2 });
  });

  test('after a change of the key every record has another hash, and is there once', async () => {
    const { boot, service, one, storage, before, hashes, expected } = await withAnotherKey(make);
    await synced(one);
    await synced(one);
    expect(await seenBy(one)).toEqual(expected);
    const after = service.wireIds();
    expect(after).toHaveLength(expected.size);
    if (make === documentService) expect(after.sort()).toEqual([...expected.keys()].sort());
    else expect(after.filter((id) => before.includes(id))).toEqual(['plain']);
    expect(hashesIn(storage).filter((hash) => hashes.includes(hash))).toEqual([]);
    const two = await boot();
    await synced(two);
    expect(await seenBy(two)).toEqual(expected);
    expect(one.status().collections[things]).toMatchObject({ pending: 0, held: expected.size });
    const again = await boot(storage.fork());
    expect(await seenBy(again)).toEqual(expected);
  });

  test('power that is cut at any commit of that loses no record and doubles none', async () => {
    for (let atCommit = 1; ; atCommit++) {
      const { boot, service, storage, expected } = await withAnotherKey(make);
      const cut = storage.fork({ atCommit, when: atCommit % 2 === 0 ? 'before' : 'after' });
      const doomed = await boot(cut);
      const report = await doomed.sync().catch(() => null);
      const again = await boot(cut.fork());
      await synced(again);
      await synced(again);
      expect(await seenBy(again), `commit ${atCommit}`).toEqual(expected);
      expect(service.wireIds(), `commit ${atCommit}`).toHaveLength(expected.size);
      if (report?.ok) return;
    }
  });

  test('two devices agree on records of whatever ids', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(anyId, { minLength: 1, maxLength: 8 }),
        fc.uniqueArray(anyId, { maxLength: 4 }),
        async (ids, others) => {
          const { boot, service } = await oneUser(make);
          const [one, two] = [await boot(), await boot()];
          await synced(one);
          await synced(two);
          for (const [n, id] of ids.entries()) await one.put(things, { id, n });
          for (const id of [...others, ids[0] ?? 'x']) await two.put(things, { id, two: true });
          for (const agent of [one, two, one, two]) await synced(agent);
          const expected = [...new Set([...ids, ...others])].sort();
          expect([...(await seenBy(one)).keys()].sort()).toEqual(expected);
          expect([...(await seenBy(two)).keys()].sort()).toEqual(expected);
          expect(service.wireIds()).toHaveLength(expected.length);
          for (const id of ids) await two.delete(things, id);
          for (const agent of [two, one]) await synced(agent);
          expect((await seenBy(one)).size).toBe(others.filter((id) => !ids.includes(id)).length);
        },
      ),
      { numRuns: 25 },
    );
  });
});
