import { beforeEach, describe, expect, test } from 'vitest';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { remoteBench } from '../../test/support/remote.ts';
import {
  crypto,
  DEFAULT_BUNDLE,
  DEFAULT_KEYS,
  keyPair,
  META,
  SYNC_KEY,
  type TestServer,
  testServer,
} from '../../test/support/server.ts';
import {
  GENERATION,
  listAll,
  localWith,
  mirrorWith,
  openTestStore,
  pageBody,
  putEntries,
  testPass,
  testVault,
} from '../../test/support/store.ts';
import { syncOptions } from '../../test/support/sync.ts';
import { history } from '../collections/history.ts';
import { passwords } from '../collections/passwords.ts';
import { SyncError, type SyncErrorCode } from '../errors.ts';
import { READ_ONLY_RECHECK_MS } from '../limits.ts';
import { cursorOf, positionOf } from '../remotes/sync/cursor.ts';
import { engineOf, openAccount } from '../remotes/sync/documents.ts';
import { stored } from '../remotes/sync/storage.ts';
import { openSync } from '../remotes/sync/sync.ts';
import type { PassReport } from '../status.ts';
import { resetCollection } from '../store/reset.ts';
import type { CollectionStore } from '../store/store.ts';
import { collectionStatus, type PassInput, runPass } from './pass.ts';

const nobody = (): never => {
  throw new TypeError('fetch failed');
};
const LOGIN = { hostname: 'https://a', formSubmitURL: 'https://a', password: 'p' };
const NOW_MS = 1_795_330_000_000;

let server: TestServer;
beforeEach(async () => {
  server = await testServer();
  await server.put('history', 'AAAAAAAAAAAA', pageBody(1), 2_000);
  await server.put('passwords', '{1}', LOGIN, 3_000);
});

/** A device of that server; `run` is one pass over both collections. */
async function device(storage = new MemoryStorage()) {
  const stores = {
    history: await openTestStore(storage, history),
    passwords: await openTestStore(storage, passwords),
  };
  const { platform, ...shared } = testPass(stores.history);
  let nowMs = NOW_MS;
  platform.clock.nowMs = () => nowMs;
  const config = { ...shared.config, historyRecordsMax: 100 };
  const context = { ...shared, platform, config };
  const account = await openAccount({
    ...{ platform: { ...platform, storage }, config, vault: testVault(), generation: GENERATION },
  });
  const wanted = (store: CollectionStore, readOnly = false) => ({ store, readOnly });
  const all = [stores.history, stores.passwords];
  /** As the session does: the device keeps its records, and forgets what was agreed on. */
  const startOver = async (): Promise<void> => {
    for (const store of all) await resetCollection(store, store.state.origin);
    await account.forget();
  };
  const run = async (change: Partial<Pick<PassInput, 'wanted'>> = {}) => {
    const report: PassReport = { ok: false, error: null, requests: 0, collections: {} };
    server.log.length = 0;
    const options = { ...remoteBench(nobody).options, ...context };
    const remote = openSync(syncOptions(options, account, { stores: all, startOver }), server);
    const input = { context: { ...context, remote }, wanted: all.map((store) => wanted(store)) };
    const failure = await runPass({ ...input, ...change }, report).then(
      () => null,
      (error: unknown) => error,
    );
    return { report, failure, log: [...server.log] };
  };
  const later = (byMs: number) => {
    nowMs += byMs;
  };
  return { ...stores, account, context, run, later, wanted, storage };
}

const fails = (code: SyncErrorCode) => () => {
  throw new SyncError(code, 'as told');
};

describe('a pass', () => {
  test('of a new device reads the account, then its collections in order', async () => {
    const { run, history: pages, passwords: logins } = await device();
    const { log, failure, report } = await run();
    expect(failure).toBeNull();
    expect(log).toEqual([
      'fetch meta/global',
      'fetch crypto/keys',
      'changes history',
      'changes passwords',
    ]);
    expect(report.collections).toMatchObject({ history: { pulled: 1 }, passwords: { pulled: 1 } });
    expect([pages.state.held, logins.state.held]).toEqual([1, 1]);
  });

  test('that finds nothing new is one request, and writes nothing', async () => {
    const { run, storage } = await device();
    await run();
    const { commits } = storage;
    expect((await run()).log).toEqual(['poll']);
    expect(storage.commits).toBe(commits);
  });

  test('fetches what moved and nothing else', async () => {
    const { run, passwords: logins } = await device();
    await run();
    await server.put('passwords', '{2}', { ...LOGIN, hostname: 'https://b' }, 4_000);
    expect((await run()).log).toEqual(['poll', 'changes passwords']);
    expect(logins.state.held).toBe(2);
    server.setMeta(META, 5_000);
    expect((await run()).log).toEqual(['poll', 'fetch meta/global']);
    await server.setKeys(DEFAULT_KEYS, 6_000);
    expect((await run()).log).toEqual(['poll', 'fetch crypto/keys']);
  });

  test('sends a local change, then looks again', async () => {
    const { run, history: pages } = await device();
    await run();
    await putEntries(pages, { BBBBBBBBBBBB: { local: localWith(pageBody(2)) } });
    const { log, report } = await run();
    expect(log).toEqual(['poll', 'upload history', 'add 1', 'changes history']);
    expect(report.collections.history).toMatchObject({ pushed: 1 });
    expect(pages.state.pending).toBe(0);
  });

  test('pulls before it pushes', async () => {
    const { run, history: pages } = await device();
    await putEntries(pages, { BBBBBBBBBBBB: { local: localWith(pageBody(2)) } });
    const { log } = await run();
    expect(log.filter((line) => /history|add/.test(line)).slice(0, 3)).toEqual([
      'changes history',
      'upload history',
      'add 1',
    ]);
  });

  test('takes a listing up that was not finished, although nothing moved', async () => {
    const { run, history: pages } = await device();
    await run();
    const transaction = pages.begin();
    const cursor = cursorOf(pages.state.position);
    const position = positionOf({ ...cursor, page: 'next', stampMs: cursor.sinceMs });
    transaction.update({ position });
    await transaction.commit();
    expect((await run()).log).toEqual(['poll', 'changes history']);
  });
});

describe('what the user or the account does not want', () => {
  test('is left alone: a collection that is switched off', async () => {
    const { run, wanted, passwords: logins } = await device();
    const { log, report } = await run({ wanted: [wanted(logins)] });
    expect(log.some((line) => line.includes('history'))).toBe(false);
    expect(Object.keys(report.collections)).toEqual(['passwords']);
  });

  test.each<[string, object]>([
    ['declined', { ...META, declined: ['history'] }],
    ['newer', { ...META, engines: { ...META.engines, history: { version: 2, syncID: 'x' } } }],
  ])('is left alone: an engine that is %s', async (_, meta) => {
    server.setMeta(meta);
    const { run, history: pages, passwords: logins } = await device();
    expect((await run()).log).not.toContain('changes history');
    expect([pages.state.held, logins.state.held]).toEqual([0, 1]);
  });

  test('is added last where the account only does not list it', async () => {
    server.setMeta({ ...META, engines: { passwords: META.engines.passwords } });
    const { run, history: pages } = await device();
    expect((await run()).log).toEqual([
      ...['fetch meta/global', 'fetch crypto/keys', 'changes passwords'],
      ...['fetch meta/global', 'fetch meta/global', 'write meta/global', 'changes history'],
    ]);
    expect(pages.state.held).toBe(1);
  });

  test('is not written: a collection that is read-only', async () => {
    const { run, wanted, history: pages } = await device();
    await putEntries(pages, { BBBBBBBBBBBB: { local: localWith(pageBody(2)) } });
    const { log, failure } = await run({ wanted: [wanted(pages, true)] });
    expect(failure).toBeNull();
    expect(log).toContain('changes history');
    expect(log).not.toContain('upload history');
    expect(pages.state.pending).toBe(1);
  });

  test('is not written for a day: a collection that the server refused to take', async () => {
    const { run, later, history: pages } = await device();
    await run();
    await putEntries(pages, { BBBBBBBBBBBB: { local: localWith(pageBody(2)) } });
    server.results = (records) => records.map(() => ({ kind: 'readOnly' }));
    expect((await run()).failure).toMatchObject({ code: 'readOnly' });
    expect(pages.state).toMatchObject({ pending: 1, readOnlyAtMs: NOW_MS });
    expect(await run()).toMatchObject({ log: ['poll'], failure: null });
    later(READ_ONLY_RECHECK_MS);
    server.results = (records) => records.map(() => stored(9_000));
    expect((await run()).log).toContain('upload history');
    expect(pages.state).toMatchObject({ pending: 0, readOnlyAtMs: 0 });
  });

  test('is tried again when the clock went back behind the refusal', async () => {
    const { run, later, history: pages } = await device();
    await run();
    await putEntries(pages, { BBBBBBBBBBBB: { local: localWith(pageBody(2)) } });
    server.results = (records) => records.map(() => ({ kind: 'readOnly' }));
    await run();
    later(-1_000);
    expect((await run()).log).toContain('upload history');
  });
});

describe('a failure', () => {
  test.each<SyncErrorCode>([
    ...(['badResponse', 'conflict', 'keyMismatch', 'overQuota'] as const),
    ...(['tooLarge', 'unavailable'] as const),
  ])('of one collection keeps no other from its turn, and is told: %s', async (code) => {
    server.instead.set('changes history', fails(code));
    const { run, passwords: logins } = await device();
    const { failure, report } = await run();
    expect(failure).toMatchObject({ code });
    expect(logins.state.held).toBe(1);
    expect(report.collections).toMatchObject({
      history: { pulled: 0 },
      passwords: { pulled: 1 },
    });
  });

  test.each<SyncErrorCode>([
    'offline',
    'timeout',
    'unauthorized',
    'backoff',
    'storageFull',
    'aborted',
  ])('that is nobody’s alone ends the pass: %s', async (code) => {
    server.instead.set('changes history', fails(code));
    const { run } = await device();
    const { failure, log } = await run();
    expect(failure).toMatchObject({ code });
    expect(log).not.toContain('changes passwords');
  });

  test('of the program is no failure of a collection', async () => {
    server.instead.set('changes history', () => {
      throw new TypeError('undefined is not a function');
    });
    const { run } = await device();
    const { failure, log } = await run();
    expect(failure).toBeInstanceOf(TypeError);
    expect(log).not.toContain('changes passwords');
  });

  test('of several is the first', async () => {
    server.instead.set('changes history', fails('conflict'));
    server.instead.set('changes passwords', fails('unavailable'));
    const { run } = await device();
    expect((await run()).failure).toMatchObject({ code: 'conflict' });
  });

  test('of the account’s documents comes before everything else', async () => {
    server.setMeta({ ...META, storageVersion: 6 });
    const { run } = await device();
    const { failure, log } = await run();
    expect(failure).toMatchObject({ code: 'clientTooOld' });
    expect(log).toEqual(['fetch meta/global']);
  });
});

describe('a server that asks for a pause', () => {
  test('gets it before the next collection', async () => {
    const { run, context } = await device();
    server.instead.set('changes history', () => {
      context.notes.waitMs = 5_000;
    });
    const { failure, log } = await run();
    expect(failure).toMatchObject({ code: 'backoff', detail: { retryAfterMs: 5_000 } });
    expect(log).not.toContain('changes passwords');
  });

  test('gets it before local changes go up', async () => {
    const { run, context, history: pages } = await device();
    await putEntries(pages, { BBBBBBBBBBBB: { local: localWith(pageBody(2)) } });
    server.instead.set('changes history', () => {
      context.notes.waitMs = 5_000;
    });
    expect((await run()).log).not.toContain('upload history');
    expect(pages.state.pending).toBe(1);
  });

  test('gets no error when there was nothing left to ask', async () => {
    const { run, context } = await device();
    await run();
    server.instead.set('poll', () => {
      context.notes.waitMs = 5_000;
    });
    expect(await run()).toMatchObject({ failure: null, log: ['poll'] });
  });
});

describe('an account that was started anew', () => {
  test.each<[string, () => unknown]>([
    ['its syncID changed', () => server.setMeta({ ...META, syncID: 'sync-2' }, 5_000)],
    [
      'an engine’s syncID changed',
      () => {
        const engines = { ...META.engines, history: { version: 1, syncID: 'history-2' } };
        server.setMeta({ ...META, engines }, 5_000);
      },
    ],
  ])('is read whole again, and gets what it lost: %s', async (_, change) => {
    const { run, history: pages } = await device();
    await run();
    change();
    server.collections.delete('history');
    const { log, failure } = await run();
    expect(failure).toBeNull();
    expect(log).toEqual(expect.arrayContaining(['changes history', 'upload history', 'add 1']));
    expect(pages.state).toMatchObject({ held: 1, pending: 0, epoch: 1, resetting: false });
  });

  test('with new keys is read whole again', async () => {
    const { run } = await device();
    await run();
    await server.setKeys({ ...DEFAULT_KEYS, collections: { history: keyPair(7) } }, 5_000);
    server.collections.delete('history');
    const { log } = await run();
    expect(log).toEqual([
      'poll',
      'fetch crypto/keys',
      'changes history',
      'upload history',
      'add 1',
      'changes history',
    ]);
  });

  test('at another place is read whole again, with all that the device holds', async () => {
    const { run, history: pages, passwords: logins } = await device();
    await run();
    server.where = 'https://there.test';
    const { log } = await run();
    expect(log.slice(0, 2)).toEqual(['fetch meta/global', 'fetch crypto/keys']);
    expect([pages.state, logins.state]).toMatchObject([
      { held: 1, pending: 0, resetting: false },
      { held: 1, pending: 0, resetting: false },
    ]);
  });

  test('and in the same way keeps everything that apps see meanwhile', async () => {
    const { run, history: pages } = await device();
    await run();
    server.setMeta({ ...META, syncID: 'sync-2' }, 5_000);
    server.instead.set('changes history', fails('offline'));
    await run();
    expect(await listAll(pages)).toHaveLength(1);
    server.instead.clear();
    expect((await run()).failure).toBeNull();
    expect(await listAll(pages)).toHaveLength(1);
  });
});

test('records that do not open are set aside, and the keys are looked at once more', async () => {
  const { run, history: pages } = await device();
  const [payload = ''] = await crypto.seal(SYNC_KEY, ['{"id":"BBBBBBBBBBBB"}']);
  server.collections.get('history')?.push({ id: 'BBBBBBBBBBBB', modifiedMs: 2_500, payload });
  const { failure, log, report } = await run();
  expect(failure).toBeNull();
  expect(report.collections.history).toMatchObject({ pulled: 1, quarantined: 1 });
  expect(pages.state).toMatchObject({ held: 1, quarantined: 1 });
  expect(log.filter((line) => line === 'fetch crypto/keys')).toHaveLength(2);
});

describe('a collection as people see it', () => {
  const settings = { enabled: true, readOnly: false };

  test('counts, and says what keeps it from being synced', async () => {
    const { run, account, history: pages } = await device();
    const status = () => collectionStatus(pages, settings, account.standing(history));
    expect(status()).toMatchObject({ declined: false });
    await run();
    await putEntries(pages, { a: { mirror: mirrorWith(pageBody(3)), local: localWith(null) } });
    expect(status()).toEqual({
      enabled: true,
      readOnly: false,
      declined: false,
      absent: false,
      stopped: null,
      held: 1,
      pending: 1,
      quarantined: 0,
      unknownForm: 0,
      damaged: 0,
      lost: 0,
    });
    const { engines, ...rest } = META;
    server.setMeta({ ...rest, engines: {}, declined: ['prefs'] }, 2_000);
    await account.refreshMeta(server);
    expect(status()).toMatchObject({ declined: false, absent: true });
    server.setMeta({ ...META, declined: ['history'] }, 3_000);
    await account.refreshMeta(server);
    expect(status()).toMatchObject({ declined: true, absent: false });
    server.setMeta({ ...META, engines: { ...engines, history: { version: 2 } } }, 4_000);
    await account.refreshMeta(server);
    expect(status()).toMatchObject({ stopped: 'clientTooOld' });
    const off = { enabled: false, readOnly: true };
    expect(collectionStatus(pages, off, account.standing(history))).toMatchObject({
      enabled: false,
      readOnly: true,
    });
  });

  test('has an engine only where the account has one', async () => {
    const { run, account } = await device();
    await run();
    expect(engineOf(account.meta, 'history')).toMatchObject({ syncId: 'history-1' });
    expect(engineOf(account.meta, 'tabs')).toBeNull();
    expect(engineOf(null, 'history')).toBeNull();
  });
});

test('the keys of the account are those that records are sealed with', async () => {
  const sent: string[] = [];
  const { run, history: pages } = await device();
  await putEntries(pages, { BBBBBBBBBBBB: { local: localWith(pageBody(2)) } });
  server.results = (records) => {
    sent.push(...records.map(({ payload }) => payload ?? ''));
    return records.map(() => stored(9_000));
  };
  await run();
  const [opened] = await crypto.open(DEFAULT_BUNDLE, [
    { id: 'BBBBBBBBBBBB', payload: sent[0] ?? '' },
  ]);
  expect(opened).toMatchObject({
    ok: true,
    body: { id: 'BBBBBBBBBBBB', histUri: 'https://example.com/2' },
  });
});
