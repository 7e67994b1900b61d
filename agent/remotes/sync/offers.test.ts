// What Firefox Sync offers of the collections: nothing that nobody wants, and all of it anew where
// the account was started anew.

import { beforeEach, describe, expect, test } from 'vitest';
import { device, fails, NOW_MS, newWorld, world } from '../../../test/support/pass.ts';
import { crypto, DEFAULT_KEYS, keyPair, META, SYNC_KEY } from '../../../test/support/server.ts';
import { listAll, localWith, pageBody, putEntries } from '../../../test/support/store.ts';
import { READ_ONLY_RECHECK_MS } from '../../limits.ts';
import { updateState } from '../../store/rewrite.ts';
import { cursorOf, positionOf } from './cursor.ts';
import { stored } from './storage.ts';

beforeEach(newWorld);

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
    world.server.setMeta(meta);
    const { run, history: pages, passwords: logins } = await device();
    expect((await run()).log).not.toContain('changes history');
    expect([pages.state.held, logins.state.held]).toEqual([0, 1]);
  });

  test('is added last where the account only does not list it', async () => {
    world.server.setMeta({ ...META, engines: { passwords: META.engines.passwords } });
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
    world.server.results = (records) => records.map(() => ({ kind: 'readOnly' }));
    expect((await run()).failure).toMatchObject({ code: 'readOnly' });
    expect(pages.state).toMatchObject({ pending: 1, readOnlyAtMs: NOW_MS });
    expect(await run()).toMatchObject({ log: ['poll'], failure: null });
    later(READ_ONLY_RECHECK_MS);
    world.server.results = (records) => records.map(() => stored(9_000));
    expect((await run()).log).toContain('upload history');
    expect(pages.state).toMatchObject({ pending: 0, readOnlyAtMs: 0 });
  });

  test('is tried again when the clock went back behind the refusal', async () => {
    const { run, later, history: pages } = await device();
    await run();
    await putEntries(pages, { BBBBBBBBBBBB: { local: localWith(pageBody(2)) } });
    world.server.results = (records) => records.map(() => ({ kind: 'readOnly' }));
    await run();
    later(-1_000);
    expect((await run()).log).toContain('upload history');
  });
});

describe('an account that was started anew', () => {
  test.each<[string, () => unknown]>([
    ['its syncID changed', () => world.server.setMeta({ ...META, syncID: 'sync-2' }, 5_000)],
    [
      'an engine’s syncID changed',
      () => {
        const engines = { ...META.engines, history: { version: 1, syncID: 'history-2' } };
        world.server.setMeta({ ...META, engines }, 5_000);
      },
    ],
  ])('is read whole again, and gets what it lost: %s', async (_, change) => {
    const { run, history: pages } = await device();
    await run();
    change();
    world.server.collections.delete('history');
    const { log, failure } = await run();
    expect(failure).toBeNull();
    expect(log).toEqual(expect.arrayContaining(['changes history', 'upload history', 'add 1']));
    expect(pages.state).toMatchObject({ held: 1, pending: 0, epoch: 1, resetting: false });
  });

  test('with new keys is read whole again', async () => {
    const { run } = await device();
    await run();
    await world.server.setKeys({ ...DEFAULT_KEYS, collections: { history: keyPair(7) } }, 5_000);
    world.server.collections.delete('history');
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
    world.server.where = 'https://there.test';
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
    world.server.setMeta({ ...META, syncID: 'sync-2' }, 5_000);
    world.server.instead.set('changes history', fails('offline'));
    await run();
    expect(await listAll(pages)).toHaveLength(1);
    world.server.instead.clear();
    expect((await run()).failure).toBeNull();
    expect(await listAll(pages)).toHaveLength(1);
  });
});

test('a listing that was not finished is taken up, although nothing moved', async () => {
  const { run, history: pages } = await device();
  await run();
  const cursor = cursorOf(pages.state.position);
  const position = positionOf({ ...cursor, page: 'next', stampMs: cursor.sinceMs });
  await updateState(pages, () => ({ position }));
  expect((await run()).log).toEqual(['poll', 'changes history']);
});

test('keys are looked at once more in a pass, for however many collections', async () => {
  const { run } = await device();
  for (const name of ['history', 'passwords']) {
    const [payload = ''] = await crypto.seal(SYNC_KEY, ['{"id":"BBBBBBBBBBBB"}']);
    const records = world.server.collections.get(name);
    records?.push({ id: 'BBBBBBBBBBBB', modifiedMs: 9_000, payload });
  }
  const { log, report } = await run();
  expect(report.collections).toMatchObject({
    history: { quarantined: 1 },
    passwords: { quarantined: 1 },
  });
  expect(log.filter((line) => line === 'fetch crypto/keys')).toHaveLength(2);
});
