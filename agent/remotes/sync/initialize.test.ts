// The first Sync data of an account: made when somebody says so, where nothing is.

import { describe, expect, test } from 'vitest';
import { readStore } from '../../../emulator/servers/store-file.ts';
import { accountKeys, sealPayload } from '../../../emulator/servers/sync-keys.ts';
import type { WorldOptions } from '../../../emulator/servers/world.ts';
import { secondDevice } from '../../../test/sim/second-device.ts';
import { corpusAccount, type TestServers, testServers } from '../../../test/support/device.ts';
import { fullDevice } from '../../../test/support/everything.ts';

const WRITES = ['meta', 'crypto', 'clients', 'forms', 'history'].map(
  (name) => `record_${name}_put_enabled`,
);

function emptyServers(options: Partial<WorldOptions> = {}): TestServers {
  const store = readStore({ format: 'sync15-store', version: 1, users: {} });
  return testServers({ kB: corpusAccount().kB, store }, options);
}

function payloadOf({ world, nowMs }: TestServers, collection: string, id: string): string | null {
  const [user] = world.store.users.values();
  return user?.collections.get(collection)?.get(id, nowMs)?.payload ?? null;
}

const ok = { ok: true, error: null };

describe.each(['sync15', 'syncto'] as const)('an empty account over %s', (protocol) => {
  const servers = () => emptyServers({ syncto: { enabled: WRITES } });

  test('is only reported until somebody says so', async () => {
    const it = servers();
    const { agent } = await fullDevice(it, { protocol });
    expect(await agent.enable()).toMatchObject({ ok: false, error: { code: 'noSyncData' } });
    await expect(agent.initializeAccount(undefined as never)).rejects.toMatchObject({
      code: 'badInput',
    });
    expect(payloadOf(it, 'meta', 'global')).toBeNull();
    expect(payloadOf(it, 'crypto', 'keys')).toBeNull();
  });

  test('gets keys and every standard engine, and then syncs', async () => {
    const it = servers();
    const device = await fullDevice(it, { protocol });
    await device.agent.enable();
    await device.agent.put('forms', { name: 'q', value: 'x' });
    it.nowMs += 1_000;
    const report = await device.agent.initializeAccount(true);
    expect(report).toMatchObject(ok);
    const meta = JSON.parse(payloadOf(it, 'meta', 'global') ?? '');
    const versions = Object.entries(meta.engines as object).map(([name, { version }]) => [
      name,
      version,
    ]);
    expect(Object.fromEntries(versions)).toEqual({
      addons: 1,
      addresses: 1,
      bookmarks: 2,
      clients: 1,
      // What this device wants beside them is added as to any account.
      contacts: 1,
      creditcards: 1,
      'extension-storage': 1,
      forms: 1,
      history: 1,
      passwords: 1,
      prefs: 2,
      recipes: 1,
      tabs: 1,
    });
    expect(meta).toMatchObject({ storageVersion: 5, declined: [] });
    const ids = [meta.syncID, ...Object.values(meta.engines as object).map(({ syncID }) => syncID)];
    expect(new Set(ids).size).toBe(14);
    for (const id of ids) expect(id).toMatch(/^[\w-]{12}$/);
    expect(report.initialized).toMatchObject({ syncId: meta.syncID });
    expect(JSON.stringify(report)).not.toContain('keys');
    const other = secondDevice(it);
    expect([...other.live('forms').values()]).toMatchObject([{ name: 'q', value: 'x' }]);
    expect(other.live('clients').size).toBe(1);
    it.nowMs += 1_000;
    expect(await device.agent.sync()).toMatchObject(ok);
  });

  test('keeps the keys that an interrupted call has left, and gets the rest', async () => {
    const it = servers();
    const cut = await fullDevice(it, {
      protocol,
      fetch: (request) =>
        request.method !== 'GET' && request.url.includes('meta')
          ? Promise.reject(new TypeError('cut'))
          : it.world.fetch(request),
    });
    await cut.agent.enable();
    expect(await cut.agent.initializeAccount(true)).toMatchObject({ ok: false });
    const keys = payloadOf(it, 'crypto', 'keys');
    expect(keys).not.toBeNull();
    expect(payloadOf(it, 'meta', 'global')).toBeNull();
    it.nowMs += 3_600_000;
    const { agent } = await fullDevice(it, { protocol });
    await agent.enable();
    it.nowMs += 1_000;
    expect(await agent.initializeAccount(true)).toMatchObject(ok);
    expect(payloadOf(it, 'crypto', 'keys')).toBe(keys);
    expect(payloadOf(it, 'meta', 'global')).not.toBeNull();
  });

  test('is left to another device that was faster', async () => {
    const it = servers();
    const slow = await fullDevice(it, {
      protocol,
      fetch: async (request) => {
        const answer = await it.world.fetch(request);
        if (request.method === 'GET' && request.url.includes('crypto') && isFirst) {
          isFirst = false;
          it.nowMs += 1_000;
          expect(await fast.agent.initializeAccount(true)).toMatchObject(ok);
          it.nowMs += 1_000;
        }
        return answer;
      },
    });
    let isFirst = false;
    const fast = await fullDevice(it, { protocol });
    await slow.agent.enable();
    await fast.agent.enable();
    isFirst = true;
    const report = await slow.agent.initializeAccount(true);
    expect(report).toMatchObject({ ok: false, error: { code: 'conflict' } });
    const keys = payloadOf(it, 'crypto', 'keys');
    it.nowMs += 1_000;
    expect(await slow.agent.sync()).toMatchObject(ok);
    expect(payloadOf(it, 'crypto', 'keys')).toBe(keys);
  });
});

describe('an account that has', () => {
  test.each([
    ['both', []],
    ['meta/global alone', ['crypto']],
    ["somebody else's keys alone", ['meta']],
  ])('%s is left as it is', async (what, missing) => {
    const it = testServers(corpusAccount());
    const [user] = it.world.store.users.values();
    for (const name of missing) user?.collections.delete(name);
    if (what.startsWith('some')) {
      const foreign = sealPayload(
        accountKeys('00'.repeat(32)),
        '{"id":"keys"}',
        Buffer.alloc(16, 7),
      );
      user?.write('crypto', [{ id: 'keys', payload: foreign }], it.nowMs);
    }
    const before = JSON.stringify(it.world.dump());
    const { agent } = await fullDevice(it, { config: { collections: {} } });
    await agent.enable().catch(() => undefined);
    const report = await agent.initializeAccount(true);
    expect(report).toMatchObject({ ok: false, error: { code: 'conflict' } });
    expect(report.initialized).toBeUndefined();
    const { users } = JSON.parse(before);
    const after = it.world.dump().users;
    for (const name of ['meta', 'crypto']) {
      expect(after['1']?.collections[name]).toEqual(users['1'].collections[name]);
    }
  });
});
