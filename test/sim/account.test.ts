// The account's own documents and the server's policy: what the device makes of a foreign, broken,
// changed or missing meta/global and crypto/keys, of refusals that look like outages and outages
// that do not, of users who come and go. It adds a missing engine to the first and changes nothing
// else of either, and never gives data up because of what one says.

import { describe, expect, test } from 'vitest';
import { accountKeys, sealPayload } from '../../emulator/servers/sync-keys.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { disagreements, everything } from './agreement.ts';
import { freeze, thaw } from './lab.ts';
import { secondDevice } from './second-device.ts';
import { boot, PAGE, START, type Stage, synced } from './stage.ts';

/** Another device changes a document of the account. */
function write({ servers }: Stage, collection: string, id: string, payload: string): void {
  const [user] = servers.world.store.users.values();
  user?.write(collection, [{ id, payload }], servers.nowMs);
}

function metaOf({ servers }: Stage): Record<string, unknown> {
  const [user] = servers.world.store.users.values();
  return JSON.parse(user?.collections.get('meta')?.get('global', servers.nowMs)?.payload ?? '{}');
}

describe('meta/global', () => {
  const META: readonly [what: string, change: object, error: string | null][] = [
    ['storage version 4', { storageVersion: 4 }, 'noSyncData'],
    ['storage version 6', { storageVersion: 6 }, 'clientTooOld'],
    ['storage version 1e308', { storageVersion: 1e308 }, 'clientTooOld'],
    ['storage version -5', { storageVersion: -5 }, 'badResponse'],
    ["storage version '5'", { storageVersion: '5' }, null],
    ['no storage version', { storageVersion: undefined }, 'badResponse'],
    ['no syncID', { syncID: undefined }, 'badResponse'],
    ['no engines', { engines: undefined }, null],
    ['engines null', { engines: null }, null],
    ['engines a list', { engines: [] }, null],
    ['engines text', { engines: 'history' }, null],
    ['an engine null', { engines: { history: null, passwords: 5 } }, null],
    ['a younger engine', { engines: { history: { version: 9, syncID: 'x' } } }, null],
    ['history declined', { declined: ['history', 5, null] }, null],
    ['declined null', { declined: null }, null],
    ['__proto__ among the engines', { engines: JSON.parse('{"__proto__":{"version":1}}') }, null],
  ];

  test.each(META)(
    'with %s: nothing is lost, and nothing of it is overwritten',
    async (_, change, code) => {
      const stage = await synced();
      const good = JSON.stringify(metaOf(stage));
      write(stage, 'meta', 'global', JSON.stringify({ ...metaOf(stage), ...change }));
      const changed = JSON.stringify(metaOf(stage));
      const { agent } = await boot(stage);
      const before = await everything(agent, 'history');
      const report = await agent.sync();
      expect(report.error?.code ?? null).toBe(code);
      expect(await everything(agent, 'history')).toEqual(before);
      expect(JSON.stringify(metaOf(stage))).toBe(changed);
      const isSent = [...secondDevice(stage.servers).live('history').values()].some(
        ({ histUri }) => histUri === PAGE.url,
      );
      expect(agent.status().collections.history?.pending).toBe(isSent ? 0 : 1);
      write(stage, 'meta', 'global', good);
      expect((await agent.sync()).ok).toBe(true);
      expect(await disagreements(agent, secondDevice(stage.servers))).toEqual([]);
    },
  );

  test('that is not JSON, or an array, ends the pass and nothing else', async () => {
    for (const payload of ['', 'x', '[]', '5', 'null', '['.repeat(100_000)]) {
      const stage = await synced();
      write(stage, 'meta', 'global', payload);
      const { agent } = await boot(stage);
      expect((await agent.sync()).error?.code).toBe('badResponse');
      expect(agent.status().collections.history).toMatchObject({ held: 5, pending: 1 });
    }
  });

  test('a declined collection is reported, kept, and neither read nor written', async () => {
    const stage = await synced();
    write(stage, 'meta', 'global', JSON.stringify({ ...metaOf(stage), declined: ['history'] }));
    const { agent, network } = await boot(stage);
    await agent.sync();
    expect(agent.status().collections.history).toMatchObject({
      declined: true,
      held: 5,
      pending: 1,
    });
    expect(network.requests.filter(({ url }) => url.includes('/history/'))).toEqual([]);
  });

  test('a new syncID after the server was emptied: data is kept, and goes up again', async () => {
    const stage = await synced();
    const second = secondDevice(stage.servers);
    const before = second.live('history').size;
    const [user] = stage.servers.world.store.users.values();
    const [kept] = second.ids('history');
    user?.deleteRecords(
      'history',
      second.ids('history').filter((id) => id !== kept),
      stage.servers.nowMs,
    );
    user?.deleteCollection('passwords', stage.servers.nowMs);
    const meta = metaOf(stage);
    const engines = Object.keys(meta.engines as object).map((name) => [
      name,
      { version: 1, syncID: `new ${name}` },
    ]);
    write(
      stage,
      'meta',
      'global',
      JSON.stringify({ ...meta, syncID: 'new', engines: Object.fromEntries(engines) }),
    );
    const { agent } = await boot(stage);
    expect(await agent.sync()).toMatchObject({ ok: true });
    expect(await disagreements(agent, second)).toEqual([]);
    expect(second.live('history').size).toBe(before + 1);
    expect(second.live('passwords').size).toBe(2);
  });
});

describe('crypto/keys', () => {
  const sealed = (stage: Stage, keys: unknown): string =>
    sealPayload(
      accountKeys(stage.servers.world.account.kB),
      JSON.stringify(keys),
      Buffer.alloc(16, 7),
    );
  const pair = [Buffer.alloc(32, 1).toString('base64'), Buffer.alloc(32, 2).toString('base64')];
  const body = { id: 'keys', collection: 'crypto', default: pair, collections: {} };

  const KEYS: readonly [what: string, payload: (stage: Stage) => string][] = [
    ['a wrong MAC', (stage) => sealed(stage, body).replace(/"hmac":"./, '"hmac":"g')],
    [
      'another key',
      () => sealPayload(accountKeys('00'.repeat(32)), JSON.stringify(body), Buffer.alloc(16, 7)),
    ],
    ['short keys', (stage) => sealed(stage, { ...body, default: ['AAAA', 'AAAA'] })],
    ['one key', (stage) => sealed(stage, { ...body, default: [pair[0]] })],
    ['no default', (stage) => sealed(stage, { ...body, default: undefined })],
    ['collections that are none', (stage) => sealed(stage, { ...body, collections: 5 })],
    [
      'a short collection key',
      (stage) => sealed(stage, { ...body, collections: { history: ['A', 'B'] } }),
    ],
    ['another id', (stage) => sealed(stage, { ...body, id: 'other' })],
    ['no JSON', () => 'x'],
  ];

  test.each(KEYS)('with %s: the pass ends, the old keys and all data stay', async (_, payload) => {
    const stage = await synced();
    const [user] = stage.servers.world.store.users.values();
    const good = user?.collections.get('crypto')?.get('keys', stage.servers.nowMs)?.payload ?? '';
    write(stage, 'crypto', 'keys', payload(stage));
    const { agent } = await boot(stage);
    expect((await agent.sync()).error?.code).toBe('keyMismatch');
    expect(agent.status().collections.history).toMatchObject({ held: 5, pending: 1 });
    write(stage, 'crypto', 'keys', good);
    expect(await agent.sync()).toMatchObject({ ok: true });
    expect(await disagreements(agent, secondDevice(stage.servers))).toEqual([]);
  });

  test('an account without data is told so, and nothing is written', async () => {
    for (const name of ['meta', 'crypto']) {
      const servers = thaw(START);
      const [user] = servers.world.store.users.values();
      user?.deleteCollection(name, servers.nowMs);
      const before = freeze(servers);
      const { agent } = await boot({ servers, storage: new MemoryStorage() });
      expect((await agent.enable()).error?.code).toBe('noSyncData');
      expect(freeze(servers)).toBe(before);
    }
  });
});
