// Whose data a pass is about: a new key of the same user, and another user.

import { beforeEach, describe, expect, test } from 'vitest';
import { syncKeyBundle } from '../crypto/keys.ts';
import type { SyncKey } from '../platform/ports.ts';
import {
  boot,
  type Device,
  newWorld,
  PAGE,
  rebooted,
  signedIn,
  slowPut,
  world,
} from '../test/support/agent.ts';
import { DEFAULT_KEYS, META, SYNC_KEY } from '../test/support/server.ts';
import { openStates } from './store/state.ts';

beforeEach(newWorld);

describe('a new key of the same user', () => {
  const NEW_KEY: SyncKey = { kB: '77'.repeat(32) };
  /** The server has an account under the new key, and nothing in it. */
  const changeKey = async (): Promise<void> => {
    world.user = { ...world.user, key: NEW_KEY };
    world.server.collections.clear();
    await world.server.setKeys(DEFAULT_KEYS, 9_000, syncKeyBundle(NEW_KEY));
    world.server.setMeta({ ...META, syncID: 'sync-2' }, 9_000);
  };
  const urlsOf = async ({ agent }: Device): Promise<unknown[]> =>
    (await agent.list('history', { limit: 9 })).records.map(({ url }) => url).sort();

  test('keeps the data, and sends all of it to where it is missing now', async () => {
    const device = await signedIn();
    await device.agent.put('history', PAGE);
    const before = await urlsOf(device);
    await changeKey();
    const report = await device.agent.sync();
    expect(report).toMatchObject({ ok: true, collections: { history: { pushed: 2 } } });
    expect(await urlsOf(device)).toEqual(before);
    expect(before).toHaveLength(2);
  });

  test('sends it also where the account looks under the new key as it did before', async () => {
    const device = await signedIn();
    await device.agent.put('history', PAGE);
    await device.agent.sync();
    world.user = { ...world.user, key: NEW_KEY };
    world.server.collections.clear();
    await world.server.setKeys(DEFAULT_KEYS, 1_000, syncKeyBundle(NEW_KEY));
    const report = await device.agent.sync();
    expect(report).toMatchObject({ ok: true, collections: { history: { pushed: 2 } } });
  });

  test('keeps it also when the account has nothing yet', async () => {
    const device = await signedIn();
    await device.agent.put('history', PAGE);
    await changeKey();
    world.server.documents.clear();
    const report = await device.agent.sync();
    expect(report).toMatchObject({ ok: false, error: { code: 'noSyncData' } });
    expect(await urlsOf(device)).toHaveLength(2);
  });

  test('that is older than one already seen is refused, and nothing changes', async () => {
    const { clientState } = await signedInState();
    const kidOf = (ms: number): string =>
      `${ms}-${Buffer.from(clientState, 'hex').toString('base64url')}`;
    const { encKey, macKey } = SYNC_KEY;
    const k = Buffer.concat([encKey, macKey]).toString('base64url');
    world.user = { ...world.user, key: { kty: 'oct', kid: kidOf(1_700_000_000_000), k } };
    const device = await signedIn();
    const key: SyncKey = { kty: 'oct', kid: kidOf(1_600_000_000_000), k };
    world.user = { ...world.user, key };
    const before = device.storage.snapshot().filter(([name]) => name !== 's');
    const report = await device.agent.sync();
    expect(report).toMatchObject({ error: { code: 'keyMismatch' }, requests: 0 });
    expect(device.storage.snapshot().filter(([name]) => name !== 's')).toEqual(before);
    world.user = { ...world.user, key: { ...key, kid: kidOf(1_800_000_000_000) } };
    expect(await device.agent.sync()).toMatchObject({ ok: true });
    expect(await openStates(device.storage).load()).toMatchObject({
      kid: kidOf(1_800_000_000_000),
    });
  });

  const signedInState = async () => {
    const { clientState } = await openStates((await signedIn()).storage).load();
    return { clientState: clientState ?? '' };
  };
});

describe('what the protocol has learned of the server', () => {
  /** What it had learned of the first user's when it is asked for the next one. */
  const known = async (next: Partial<typeof world.user>): Promise<object> => {
    const device = await signedIn();
    world.atRequest = ({ memory }) => {
      memory.learned = 7;
    };
    await device.agent.sync();
    const again = await rebooted(device);
    world.user = { ...world.user, ...next };
    let first: object | null = null;
    world.atRequest = ({ memory }) => {
      first ??= { ...memory };
    };
    await again.agent.sync();
    return first ?? {};
  };

  test('outlives a reboot', async () => {
    expect(await known({})).toEqual({ learned: 7 });
  });

  test('is nothing that holds for another user, or under another key', async () => {
    expect(await known({ uid: 'u2' })).toEqual({});
    expect(await known({ key: { kB: '77'.repeat(32) } })).toEqual({});
  });
});

describe('another account', () => {
  test('begins with nothing of the one before', async () => {
    const device = await signedIn();
    await device.agent.put('history', PAGE);
    const generationBefore = (await openStates(device.storage).load()).generation;
    world.user = { ...world.user, uid: 'u2' };
    world.server.collections.clear();
    await device.agent.sync();
    const state = await openStates(device.storage).load();
    expect(state).toMatchObject({ uid: world.user.uid, generation: generationBefore + 1 });
    const keys = device.storage.snapshot().map(([key]) => key);
    expect(keys.filter((key) => key.startsWith(`${generationBefore.toString(36)}.`))).toEqual([]);
    expect(await device.agent.list('history', { limit: 9 })).toEqual({ records: [], next: null });
  });

  test('the power may go at any commit of the change', async () => {
    const device = await signedIn();
    await device.agent.put('history', PAGE);
    world.user = { ...world.user, uid: 'u2' };
    world.server.collections.clear();
    for (let atCommit = 1, isOver = false; !isOver; atCommit++) {
      const cut = boot(device.storage.fork({ atCommit, when: 'after' }));
      await cut.agent.start();
      isOver = (await cut.agent.sync().catch(() => ({ ok: false }))).ok;
      const again = await rebooted(cut);
      expect(await again.agent.sync()).toMatchObject({ ok: true });
      const { records } = await again.agent.list('history', { limit: 9 });
      expect(records).toEqual([]);
      expect(again.agent.status().collections.history).toMatchObject({ held: 0, pending: 0 });
    }
  });

  test('does not get the edit that was made for the one before', async () => {
    const device = await signedIn();
    const { put, letGo } = await slowPut(device);
    world.user = { ...world.user, uid: 'u2' };
    expect(await device.agent.sync()).toMatchObject({ ok: true });
    const keys = device.storage.snapshot().map(([key]) => key);
    letGo();
    expect(await put).toMatchObject({ code: 'disabled' });
    expect(device.storage.snapshot().map(([key]) => key)).toEqual(keys);
  });

  test('comes while an app looks: the app never gets both mixed', async () => {
    const device = await signedIn();
    await device.agent.put('history', PAGE);
    world.user = { ...world.user, uid: 'u2' };
    const pass = device.agent.sync();
    const lists = await Promise.all(
      Array.from({ length: 5 }, () => device.agent.list('history', { limit: 9 })),
    );
    await pass;
    for (const { records } of lists) expect([0, 1, 2]).toContain(records.length);
    const { records } = await device.agent.list('history', { limit: 9 });
    expect(records.map(({ guid }) => guid)).toEqual(['AAAAAAAAAAAA']);
    expect(device.agent.status().collections.history).toMatchObject({ held: 1, pending: 0 });
  });
});
