import { beforeEach, describe, expect, test } from 'vitest';
import { device, fails, LOGIN, newWorld, world } from '../../test/support/pass.ts';
import { crypto, DEFAULT_BUNDLE, DEFAULT_KEYS, META, SYNC_KEY } from '../../test/support/server.ts';
import { localWith, mirrorWith, pageBody, putEntries } from '../../test/support/store.ts';
import { history } from '../collections/history.ts';
import type { SyncErrorCode } from '../errors.ts';
import { cursorOf, positionOf } from '../remotes/sync/cursor.ts';
import { engineOf } from '../remotes/sync/documents.ts';
import { stored } from '../remotes/sync/storage.ts';
import { collectionStatus } from './pass.ts';

beforeEach(newWorld);

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
    await world.server.put('passwords', '{2}', { ...LOGIN, hostname: 'https://b' }, 4_000);
    expect((await run()).log).toEqual(['poll', 'changes passwords']);
    expect(logins.state.held).toBe(2);
    world.server.setMeta(META, 5_000);
    expect((await run()).log).toEqual(['poll', 'fetch meta/global']);
    await world.server.setKeys(DEFAULT_KEYS, 6_000);
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

describe('a failure', () => {
  test.each<SyncErrorCode>([
    ...(['badResponse', 'conflict', 'keyMismatch', 'overQuota'] as const),
    ...(['tooLarge', 'unavailable'] as const),
  ])('of one collection keeps no other from its turn, and is told: %s', async (code) => {
    world.server.instead.set('changes history', fails(code));
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
    world.server.instead.set('changes history', fails(code));
    const { run } = await device();
    const { failure, log } = await run();
    expect(failure).toMatchObject({ code });
    expect(log).not.toContain('changes passwords');
  });

  test('of the program is no failure of a collection', async () => {
    world.server.instead.set('changes history', () => {
      throw new TypeError('undefined is not a function');
    });
    const { run } = await device();
    const { failure, log } = await run();
    expect(failure).toBeInstanceOf(TypeError);
    expect(log).not.toContain('changes passwords');
  });

  test('of several is the first', async () => {
    world.server.instead.set('changes history', fails('conflict'));
    world.server.instead.set('changes passwords', fails('unavailable'));
    const { run } = await device();
    expect((await run()).failure).toMatchObject({ code: 'conflict' });
  });

  test('of the account’s documents comes before everything else', async () => {
    world.server.setMeta({ ...META, storageVersion: 6 });
    const { run } = await device();
    const { failure, log } = await run();
    expect(failure).toMatchObject({ code: 'clientTooOld' });
    expect(log).toEqual(['fetch meta/global']);
  });
});

describe('a server that asks for a pause', () => {
  test('gets it before the next collection', async () => {
    const { run, context } = await device();
    world.server.instead.set('changes history', () => {
      context.notes.waitMs = 5_000;
    });
    const { failure, log } = await run();
    expect(failure).toMatchObject({ code: 'backoff', detail: { retryAfterMs: 5_000 } });
    expect(log).not.toContain('changes passwords');
  });

  test('gets it before local changes go up', async () => {
    const { run, context, history: pages } = await device();
    await putEntries(pages, { BBBBBBBBBBBB: { local: localWith(pageBody(2)) } });
    world.server.instead.set('changes history', () => {
      context.notes.waitMs = 5_000;
    });
    expect((await run()).log).not.toContain('upload history');
    expect(pages.state.pending).toBe(1);
  });

  test('at the beginning is asked for one collection all the same, each has its turn', async () => {
    const { run, context, history: pages, passwords: logins } = await device();
    await run();
    world.server.instead.set('poll', () => {
      context.notes.waitMs = 5_000;
    });
    const read = new Set<string | undefined>();
    for (let n = 1; n <= 12; n++) {
      context.notes.waitMs = 0;
      // Both have news each time, and changes that wait here.
      await putEntries(pages, { [`page${n}`]: { local: localWith(pageBody(n)) } });
      await putEntries(logins, { [`{l${n}}`]: { local: localWith(LOGIN) } });
      await world.server.put('history', 'AAAAAAAAAAAA', pageBody(n), 10_000 * n);
      await world.server.put('passwords', '{1}', { ...LOGIN, password: `${n}` }, 10_000 * n);
      const { failure, log } = await run();
      expect(failure).toMatchObject({ code: 'backoff', detail: { retryAfterMs: 5_000 } });
      const names = log.flatMap((line) => /^(?:changes|upload) (.*)/.exec(line)?.[1] ?? []);
      expect(new Set(names).size).toBe(1);
      expect(log.some((line) => line.startsWith('upload'))).toBe(true);
      read.add(names[0]);
    }
    expect([...read].sort()).toEqual(['history', 'passwords']);
  });

  test('gets no error when there was nothing left to ask', async () => {
    const { run, context } = await device();
    await run();
    world.server.instead.set('poll', () => {
      context.notes.waitMs = 5_000;
    });
    expect(await run()).toMatchObject({ failure: null, log: ['poll'] });
  });
});

test('records that do not open are set aside, and the keys are looked at once more', async () => {
  const { run, history: pages } = await device();
  const [payload = ''] = await crypto.seal(SYNC_KEY, ['{"id":"BBBBBBBBBBBB"}']);
  world.server.collections.get('history')?.push({ id: 'BBBBBBBBBBBB', modifiedMs: 2_500, payload });
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
    const status = () => collectionStatus(pages, settings, account.standing(history, pages.state));
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
    world.server.setMeta({ ...rest, engines: {}, declined: ['prefs'] }, 2_000);
    await account.refreshMeta(world.server);
    expect(status()).toMatchObject({ declined: false, absent: true });
    world.server.setMeta({ ...META, declined: ['history'] }, 3_000);
    await account.refreshMeta(world.server);
    expect(status()).toMatchObject({ declined: true, absent: false });
    world.server.setMeta({ ...META, engines: { ...engines, history: { version: 2 } } }, 4_000);
    await account.refreshMeta(world.server);
    expect(status()).toMatchObject({ stopped: 'clientTooOld' });
    const off = { enabled: false, readOnly: true };
    expect(collectionStatus(pages, off, account.standing(history, pages.state))).toMatchObject({
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
  world.server.results = (records) => {
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
