import { describe, expect, test } from 'vitest';
import { syncKeyBundle } from '../../../crypto/keys.ts';
import { MemoryStorage } from '../../../platform/memory/storage.ts';
import { json, remoteBench } from '../../../test/support/remote.ts';
import {
  DEFAULT_BUNDLE,
  DEFAULT_KEYS,
  keyPair,
  META,
  SYNC_KEY,
  testServer,
} from '../../../test/support/server.ts';
import { GENERATION, testVault } from '../../../test/support/store.ts';
import { openAccount } from './documents.ts';

/** Nobody has given the pass up. */
const RUNNING = { aborted: false };

async function setUp() {
  const storage = new MemoryStorage();
  const server = await testServer();
  const { platform, config } = remoteBench(() => json({})).options;
  const kept = { platform: { ...platform, storage }, config, vault: testVault() };
  const open = () => openAccount({ ...kept, generation: GENERATION });
  return { storage, server, open, account: await open() };
}

/** What is understood of a `meta/global` with this payload. */
async function metaOf(payload: unknown) {
  const { account, server } = await setUp();
  server.setMeta(payload);
  await account.refreshMeta(server);
  return account.meta;
}

describe('meta/global', () => {
  test('says which account this is and what it syncs', async () => {
    expect(await metaOf({ ...META, declined: ['addons', 'prefs'] })).toEqual({
      place: 'https://here.test',
      modifiedMs: 1_000,
      syncId: 'sync-1',
      engines: [
        { name: 'history', version: 1, syncId: 'history-1' },
        { name: 'passwords', version: 1, syncId: 'passwords-1' },
      ],
      declined: ['addons', 'prefs'],
    });
  });

  test('survives a reboot', async () => {
    const { account, server, open } = await setUp();
    await account.refreshMeta(server);
    expect((await open()).meta).toEqual(account.meta);
  });

  test.each([
    ['versions as text', { ...META, storageVersion: '5' }],
    ['no engines', { syncID: 'sync-1', storageVersion: 5 }],
    ['engines that are a list', { ...META, engines: [] }],
    ['an engine that is none', { ...META, engines: { history: null } }],
    ['nothing declined', { ...META, declined: undefined }],
    ['declined what is no name', { ...META, declined: [1, null, 'tabs'] }],
    ['declined no list', { ...META, declined: 'tabs' }],
    ['members that nobody knows', { ...META, future: { x: 1 } }],
  ])('is understood with %s', async (_, payload) => {
    expect(await metaOf(payload)).toMatchObject({ syncId: 'sync-1' });
  });

  test('may hold an engine with any name, and one without a syncID', async () => {
    const text = `{"syncID":"s","storageVersion":5,"engines":{"__proto__":{"version":"2"}}}`;
    expect(await metaOf(text)).toMatchObject({
      engines: [{ name: '__proto__', version: 2, syncId: '' }],
    });
  });

  test.each([
    ['clientTooOld', { ...META, storageVersion: 6 }],
    ['clientTooOld', { ...META, storageVersion: '7' }],
    ['noSyncData', { ...META, storageVersion: 4 }],
    ['badResponse', { ...META, storageVersion: 'x' }],
    ['badResponse', { ...META, storageVersion: -1 }],
    ['badResponse', { ...META, storageVersion: undefined }],
    ['badResponse', { ...META, syncID: undefined }],
    ['badResponse', { ...META, syncID: 7 }],
    ['badResponse', []],
    ['badResponse', 'null'],
    ['badResponse', 'no JSON'],
    ['badResponse', '['.repeat(1_000)],
  ])('ends the pass as %s: %j', async (code, payload) => {
    await expect(metaOf(payload)).rejects.toMatchObject({ code });
  });

  test('that is missing means that there is no Sync data', async () => {
    const { account, server } = await setUp();
    server.documents.clear();
    await expect(account.refreshMeta(server)).rejects.toMatchObject({ code: 'noSyncData' });
  });

  test('that cannot be used leaves what was known before', async () => {
    const { account, server, open } = await setUp();
    await account.refreshMeta(server);
    server.setMeta({ ...META, storageVersion: 6 }, 2_000);
    await expect(account.refreshMeta(server)).rejects.toThrow();
    expect(account.meta).toMatchObject({ syncId: 'sync-1', modifiedMs: 1_000 });
    expect((await open()).meta).toEqual(account.meta);
  });
});

describe('crypto/keys', () => {
  test('are read with the key of the account, and known after a reboot', async () => {
    const { account, server, open } = await setUp();
    expect(() => account.bundle('history')).toThrow(
      expect.objectContaining({ code: 'keyMismatch' }),
    );
    expect(await account.refreshKeys(server, SYNC_KEY, RUNNING)).toBe(true);
    for (const one of [account, await open()]) {
      expect(one.keysModifiedMs).toBe(1_000);
      expect(one.bundle('history').encKey).toEqual(DEFAULT_BUNDLE.encKey);
      expect(one.bundle('history').macKey).toEqual(DEFAULT_BUNDLE.macKey);
    }
  });

  test('may be others for some collections, whose fingerprint differs', async () => {
    const { account, server } = await setUp();
    await server.setKeys({ ...DEFAULT_KEYS, collections: { passwords: keyPair(7) } });
    await account.refreshKeys(server, SYNC_KEY, RUNNING);
    expect(account.bundle('passwords').encKey).toEqual(new Uint8Array(32).fill(7));
    expect(account.bundle('history').encKey).toEqual(DEFAULT_BUNDLE.encKey);
    expect(account.fingerprint('passwords')).not.toBe(account.fingerprint('history'));
    expect(account.fingerprint('history')).toBe(account.fingerprint('tabs'));
  });

  test('that change are told from those that were only written again', async () => {
    const { account, server, storage } = await setUp();
    await account.refreshKeys(server, SYNC_KEY, RUNNING);
    const fingerprint = account.fingerprint('history');
    const { commits } = storage;
    expect(await account.refreshKeys(server, SYNC_KEY, RUNNING)).toBe(false);
    expect(storage.commits).toBe(commits);
    await server.setKeys(DEFAULT_KEYS, 2_000);
    expect(await account.refreshKeys(server, SYNC_KEY, RUNNING)).toBe(false);
    expect([account.keysModifiedMs, account.fingerprint('history')]).toEqual([2_000, fingerprint]);
    await server.setKeys({ ...DEFAULT_KEYS, default: keyPair(9) }, 3_000);
    expect(await account.refreshKeys(server, SYNC_KEY, RUNNING)).toBe(true);
    expect(account.fingerprint('history')).not.toBe(fingerprint);
  });

  test('that are missing mean that there is no Sync data', async () => {
    const { account, server } = await setUp();
    server.documents.delete('crypto/keys');
    const read = account.refreshKeys(server, SYNC_KEY, RUNNING);
    await expect(read).rejects.toMatchObject({ code: 'noSyncData' });
  });

  test.each<[string, object]>([
    ['no default', { collections: {} }],
    ['half a default', { default: [keyPair(1)[0]], collections: {} }],
    ['a key that is too short', { default: ['AAAA', 'AAAA'], collections: {} }],
    ['a collection without a pair', { ...DEFAULT_KEYS, collections: { history: 'x' } }],
  ])('with %s are not used, the known ones stay', async (_, value) => {
    const { account, server } = await setUp();
    await account.refreshKeys(server, SYNC_KEY, RUNNING);
    await server.setKeys(value, 2_000);
    const read = account.refreshKeys(server, SYNC_KEY, RUNNING);
    await expect(read).rejects.toMatchObject({ code: 'keyMismatch' });
    expect(account.bundle('history').encKey).toEqual(DEFAULT_BUNDLE.encKey);
    expect(account.keysModifiedMs).toBe(1_000);
  });

  test('of another password do not open, and no message tells a key', async () => {
    const { account, server } = await setUp();
    await server.setKeys(DEFAULT_KEYS, 1_000, syncKeyBundle({ kB: '77'.repeat(32) }));
    const error = await account.refreshKeys(server, SYNC_KEY, RUNNING).catch((why: Error) => why);
    expect(error).toMatchObject({
      code: 'keyMismatch',
      message: expect.stringContaining('badMac'),
    });
  });

  test('lie sealed on the storage', async () => {
    const { account, server, storage } = await setUp();
    await account.refreshKeys(server, SYNC_KEY, RUNNING);
    const [value] = await storage.get([`${GENERATION}.k`]);
    expect(value).toBeInstanceOf(Uint8Array);
    expect(Buffer.from(value ?? '').includes(keyPair(1)[0])).toBe(false);
  });

  test('that were damaged on the storage are read anew', async () => {
    const { account, server, storage, open } = await setUp();
    await account.refreshKeys(server, SYNC_KEY, RUNNING);
    await storage.commit([[`${GENERATION}.k`, Uint8Array.of(1, 2, 3)]]);
    const again = await open();
    expect(again.keysModifiedMs).toBeNull();
    expect(await again.refreshKeys(server, SYNC_KEY, RUNNING)).toBe(true);
  });
});

test('what is forgotten was never read', async () => {
  const { account, server, storage, open } = await setUp();
  await account.refreshMeta(server);
  await account.refreshKeys(server, SYNC_KEY, RUNNING);
  await account.forget();
  expect([account.meta, account.keysModifiedMs]).toEqual([null, null]);
  expect((await open()).meta).toBeNull();
  expect(storage.snapshot()).toEqual([]);
});

test('a storage without room is told, and what was read counts', async () => {
  const { account, server, storage } = await setUp();
  storage.commit = async () => {
    throw Object.assign(new Error('x'), { code: 'full' });
  };
  await expect(account.refreshMeta(server)).rejects.toMatchObject({ code: 'storageFull' });
});
