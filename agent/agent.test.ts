// The state machine and what outlives a pass, over a server in the same process.

import { beforeEach, describe, expect, test } from 'vitest';
import { syncKeyBundle } from '../crypto/keys.ts';
import { createRandom } from '../emulator/device/random.ts';
import { type MemoryPlatform, memoryPlatform } from '../platform/memory/platform.ts';
import { MemoryStorage } from '../platform/memory/storage.ts';
import type { Identity, SyncKey } from '../platform/ports.ts';
import { KB } from '../test/support/remote.ts';
import {
  DEFAULT_KEYS,
  META,
  SYNC_KEY,
  type TestServer,
  testServer,
} from '../test/support/server.ts';
import { pageBody } from '../test/support/store.ts';
import { history } from './collections/history.ts';
import { passwords } from './collections/passwords.ts';
import type { AgentConfig } from './config.ts';
import { SyncError, type SyncErrorCode } from './errors.ts';
import { type Agent, createAgent } from './index.ts';
import { CHANGE_DELAY_MS, INTERVAL_SPREAD, NETWORK_RECHECK_MS, SPREAD_MS } from './limits.ts';
import { syncDriver } from './remotes/sync/driver.ts';
import type { StorageOptions } from './remotes/sync/storage.ts';
import type { AgentEvent, Status } from './status.ts';
import { NEW_STATE, openStates } from './store/state.ts';
import { stopIfAborted } from './wire/http.ts';

const NOW_MS = 1_795_330_000_000;
const HOUR_MS = 3_600_000;
const PAGE = { url: 'https://mine.example/', title: 'mine' };
const LOGIN = { origin: 'https://a.test', formActionOrigin: 'https://a.test', password: 'p' };

interface Device {
  readonly agent: Agent;
  readonly platform: MemoryPlatform;
  readonly storage: MemoryStorage;
  /** The states that were shown, in order. */
  states(): string[];
  events(kind: AgentEvent['kind']): AgentEvent[];
  status(): Status;
}

/** The user, as the account manager knows them. */
interface User {
  uid: string;
  key: SyncKey;
  fails: string | null;
}

let server: TestServer;
let user: User;
/** What happens at the start of every request. */
let atRequest: (options: StorageOptions, line: string) => Promise<void> | void;

beforeEach(async () => {
  server = await testServer();
  await server.put('history', 'AAAAAAAAAAAA', pageBody(1), 2_000);
  user = { uid: 'u1', key: { kB: KB }, fails: null };
  atRequest = () => undefined;
});

function identity(): Omit<Identity, 'deviceKey'> {
  const answered = <T>(value: T): T => {
    if (user.fails !== null) throw Object.assign(new Error('no'), { code: user.fails });
    return value;
  };
  return {
    account: async () => answered({ uid: user.uid, email: `${user.uid}@example.test` }),
    assertion: async () => answered('a'),
    accessToken: async () => answered({ token: 't' }),
    syncKey: async () => answered(user.key),
  };
}

function boot(storage = new MemoryStorage(), change: Partial<AgentConfig> = {}, seed = 1): Device {
  const random = createRandom(seed);
  const platform = memoryPlatform({
    storage,
    fetch: async () => Response.error(),
    identity: identity(),
    nowMs: NOW_MS,
    random: (count) => random.bytes(count),
  });
  const config: AgentConfig = {
    profile: 'test',
    remote: { protocol: 'test', serverUrl: '', audience: '', auth: 'bearer' },
    collections: {
      history: { enabled: true, readOnly: false },
      passwords: { enabled: true, readOnly: false },
    },
    intervalMs: HOUR_MS,
    spreadMs: 0,
    wifiOnly: false,
    historyRecordsMax: 1_000,
    recordCharsMax: 400_000,
    ...change,
  };
  const open = (options: StorageOptions) => ({
    ...server,
    poll: async (items: Parameters<TestServer['poll']>[0]) => {
      await asked(options, 'poll');
      return server.poll(items);
    },
    fetch: async (collection: string, id: string) => {
      await asked(options, `fetch ${collection}`);
      return server.fetch(collection, id);
    },
  });
  const agent = createAgent(platform, config, {
    drivers: [syncDriver('test', open)],
    collections: [history, passwords],
  });
  const events = (): AgentEvent[] => platform.events.map((json) => JSON.parse(json));
  return {
    agent,
    platform,
    storage,
    states: () => events().flatMap((event) => (event.kind === 'state' ? [event.state] : [])),
    events: (kind) => events().filter((event) => event.kind === kind),
    status: () => JSON.parse(platform.statuses.at(-1) ?? 'null'),
  };
}

async function asked(options: StorageOptions, line: string): Promise<void> {
  stopIfAborted(options.abort);
  options.notes.requests++;
  await atRequest(options, line);
}

/** A device that has signed in; its events so far are forgotten. */
async function signedIn(change: Partial<AgentConfig> = {}): Promise<Device> {
  const device = boot(new MemoryStorage(), change);
  await device.agent.start();
  expect(await device.agent.enable()).toMatchObject({ ok: true });
  device.platform.events.length = 0;
  return device;
}

/** The same device after its power was cut. */
async function rebooted({ storage }: Device): Promise<Device> {
  const device = boot(storage.fork());
  await device.agent.start();
  return device;
}

const asks =
  (waitMs: number) =>
  ({ notes }: StorageOptions) => {
    notes.waitMs = waitMs;
  };
const failing = (code: SyncErrorCode) => () => {
  throw new SyncError(code, 'as told');
};
const saved = async ({ storage }: Device) => (await openStates(storage).load()).state;
/** A request that is under way until it is let go. */
function held() {
  let reached: () => void = () => undefined;
  let letGo: () => void = () => undefined;
  const isReached = new Promise<void>((resolve) => {
    reached = resolve;
  });
  const gate = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  atRequest = () => {
    reached();
    return gate;
  };
  return { isReached, letGo };
}

/** An edit whose sealing takes until it is let go; it resolves to its error, too. */
async function slowPut({ agent, platform }: Device) {
  const { pause } = platform.clock;
  let letGo: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  platform.clock.pause = () => gate;
  const put = agent.put('passwords', LOGIN).catch((error: unknown) => error);
  await new Promise(setImmediate);
  platform.clock.pause = pause;
  return { put, letGo };
}

describe('disabled', () => {
  test('is how a device begins: nothing is asked of anybody, and nothing is there', async () => {
    const { agent, storage, status } = boot();
    await agent.start();
    expect(agent.status()).toMatchObject({ state: 'disabled', account: null, collections: {} });
    for (const call of [
      () => agent.sync(),
      () => agent.list('history', { limit: 1 }),
      () => agent.get('history', 'a'),
      () => agent.put('history', PAGE),
      () => agent.delete('history', 'a'),
    ]) {
      await expect(call()).rejects.toMatchObject({ code: 'disabled' });
    }
    expect([server.log, storage.commits, status()]).toEqual([[], 0, null]);
  });

  test('to enabling to enabled: a user signs in', async () => {
    const device = boot();
    await device.agent.start();
    const during: string[] = [];
    atRequest = async () => void during.push(await saved(device));
    expect(await device.agent.enable()).toMatchObject({ ok: true, error: null });
    expect(device.states()).toEqual(['enabling', 'enabled']);
    expect(during[0]).toBe('enabling');
    expect(await saved(device)).toBe('enabled');
    expect(device.status()).toMatchObject({
      state: 'enabled',
      account: 'u1@example.test',
      lastSyncMs: NOW_MS,
      error: null,
      notBeforeMs: null,
      collections: { history: { held: 1, pending: 0, quarantined: 0, declined: false } },
    });
  });
});

describe('enabling', () => {
  test.each([
    ['signedOut', 'signedOut'],
    ['unverified', 'unverified'],
    ['offline', 'offline'],
  ])('to errored: the account manager says %s', async (code, meaning) => {
    const device = boot();
    await device.agent.start();
    user.fails = code;
    const report = await device.agent.enable();
    expect(report).toMatchObject({ ok: false, error: { code: meaning } });
    expect(device.states()).toEqual(['enabling', 'errored']);
    expect(device.status().error).toMatchObject({ code: meaning });
    expect(await saved(device)).toBe('errored');
  });

  test('to errored: the account has no Sync data', async () => {
    const device = boot();
    await device.agent.start();
    server.documents.clear();
    expect(await device.agent.enable()).toMatchObject({ error: { code: 'noSyncData' } });
    expect(device.states()).toEqual(['enabling', 'errored']);
  });

  /** The power goes at the first request of a sign-in whose answer nobody has seen. */
  const cutWhileEnabling = async (line: string): Promise<Device> => {
    const device = boot();
    await device.agent.start();
    let isReached = (): void => undefined;
    const reached = new Promise<void>((resolve) => {
      isReached = resolve;
    });
    atRequest = (_, asked) => {
      if (asked !== line) return undefined;
      isReached();
      return new Promise(() => undefined);
    };
    void device.agent.enable();
    await reached;
    atRequest = () => undefined;
    return device;
  };

  test.each(['fetch meta', 'fetch crypto'])(
    'at a boot goes on by itself: the power went at %s',
    async (line) => {
      const again = await rebooted(await cutWhileEnabling(line));
      expect(again.agent.status()).toMatchObject({ state: 'enabling', account: 'u1@example.test' });
      await again.platform.time.advance(0);
      expect(again.states()).toEqual(['enabling', 'enabled']);
      expect(again.agent.status()).toMatchObject({
        state: 'enabled',
        collections: { history: { held: 1 } },
      });
    },
  );

  test('at a boot goes on although the power went before anybody was asked', async () => {
    const storage = new MemoryStorage();
    await openStates(storage).save({ ...NEW_STATE, state: 'enabling' });
    const again = boot(storage);
    await again.agent.start();
    await again.platform.time.advance(0);
    expect(again.agent.status()).toMatchObject({ state: 'enabled', account: 'u1@example.test' });
  });

  test('at a boot is a request of the user still, answered by this pass or the next', async () => {
    const again = await rebooted(await cutWhileEnabling('fetch crypto'));
    expect(await again.agent.enable()).toMatchObject({ ok: true });
    expect(again.states()).toEqual(['enabling', 'enabled']);
  });

  test('at a boot with another account is disabled: nobody has asked for that one', async () => {
    const device = await cutWhileEnabling('fetch crypto');
    user = { ...user, uid: 'u2' };
    const again = await rebooted(device);
    await again.platform.time.advance(0);
    expect(again.agent.status()).toMatchObject({ state: 'disabled', account: null });
    expect(again.storage.snapshot().map(([key]) => key)).toEqual(['s']);
    await again.platform.time.advance(48 * HOUR_MS);
    expect(again.states()).toEqual(['enabling', 'disabled']);
    expect(await again.agent.enable()).toMatchObject({ ok: true });
  });

  test('at a boot without a network waits for one', async () => {
    const device = boot((await cutWhileEnabling('fetch meta')).storage.fork());
    device.platform.connected = 'none';
    await device.agent.start();
    await device.platform.time.advance(HOUR_MS);
    expect(device.states()).toEqual(['enabling']);
    device.platform.connected = 'wifi';
    await device.platform.time.advance(NETWORK_RECHECK_MS);
    expect(device.states()).toEqual(['enabling', 'enabled']);
  });
});

describe('enabled', () => {
  test('to syncing to enabled: a pass', async () => {
    const { agent, states } = await signedIn();
    expect(await agent.sync()).toMatchObject({ ok: true, requests: 1 });
    expect(states()).toEqual(['syncing', 'enabled']);
  });

  test('to disabling to disabled: a user signs out, and all data and keys go', async () => {
    const device = await signedIn();
    await device.agent.put('passwords', LOGIN);
    await device.agent.disable();
    expect(device.states()).toEqual(['disabling', 'disabled']);
    expect(device.agent.status()).toMatchObject({ state: 'disabled', account: null });
    expect(device.storage.snapshot().map(([key]) => key)).toEqual(['s']);
    await expect(device.agent.sync()).rejects.toMatchObject({ code: 'disabled' });
  });

  test('a sign-in that is repeated is a pass', async () => {
    const { agent, states } = await signedIn();
    expect(await agent.enable()).toMatchObject({ ok: true });
    expect(states()).toEqual(['syncing', 'enabled']);
  });

  test('at a boot is enabled, and syncs', async () => {
    const device = await rebooted(await signedIn());
    expect(device.agent.status()).toMatchObject({ state: 'enabled', account: 'u1@example.test' });
    await device.platform.time.advance(0);
    expect(device.states()).toEqual(['enabled', 'syncing', 'enabled']);
  });
});

describe('syncing', () => {
  test('to errored to syncing to enabled: a failure, and a user who tries again', async () => {
    const device = await signedIn();
    atRequest = failing('unavailable');
    expect(await device.agent.sync()).toMatchObject({ ok: false, error: { code: 'unavailable' } });
    expect(device.status()).toMatchObject({ state: 'errored', error: { code: 'unavailable' } });
    atRequest = () => undefined;
    expect(await device.agent.sync()).toMatchObject({ ok: true });
    expect(device.states()).toEqual(['syncing', 'errored', 'syncing', 'enabled']);
    expect(device.status()).toMatchObject({ state: 'enabled', error: null, notBeforeMs: null });
  });

  test('is one pass at a time: a second one begins when the first is over', async () => {
    const { agent, states } = await signedIn();
    const { isReached, letGo } = held();
    const both = [agent.sync(), agent.sync()];
    await isReached;
    expect(states()).toEqual(['syncing']);
    letGo();
    expect(await Promise.all(both)).toMatchObject([{ ok: true }, { ok: true }]);
    expect(states()).toEqual(['syncing', 'enabled', 'syncing', 'enabled']);
  });

  test('to enabled: a pass that is cancelled is no error, and no reason to wait', async () => {
    const device = await signedIn();
    await server.put('history', 'BBBBBBBBBBBB', pageBody(2), 4_000);
    server.setMeta(META, 5_000);
    atRequest = () => device.agent.cancel();
    expect(await device.agent.sync()).toMatchObject({ ok: false, error: { code: 'aborted' } });
    expect(device.states()).toEqual(['syncing', 'enabled']);
    expect(device.status()).toMatchObject({ error: null, notBeforeMs: null });
    atRequest = () => undefined;
    expect(await device.agent.sync()).toMatchObject({ ok: true });
  });

  test('a cancel when there is no pass does nothing to the next one', async () => {
    const { agent } = await signedIn();
    agent.cancel();
    expect(await agent.sync()).toMatchObject({ ok: true });
  });

  test('at a boot is enabled: the pass begins anew', async () => {
    const device = await signedIn();
    const { isReached } = held();
    void device.agent.sync();
    await isReached;
    expect(await saved(device)).toBe('enabled');
    const again = await rebooted(device);
    expect(again.agent.status().state).toBe('enabled');
  });

  test('to disabling to disabled: signing out ends the pass first', async () => {
    const device = await signedIn();
    server.setMeta(META, 5_000);
    const { isReached, letGo } = held();
    const pass = device.agent.sync();
    await isReached;
    const gone = device.agent.disable();
    await new Promise(setImmediate);
    expect(device.states()).toEqual(['syncing', 'disabling']);
    letGo();
    await gone;
    expect(await pass).toMatchObject({ ok: false, error: { code: 'aborted' } });
    expect(device.states()).toEqual(['syncing', 'disabling', 'disabled']);
    expect(device.storage.snapshot().map(([key]) => key)).toEqual(['s']);
  });

  test('a pass that ends well while the user signs out brings nothing back', async () => {
    const device = await signedIn();
    const { isReached, letGo } = held();
    // The last request of the pass: nothing after it could notice that it is unwanted.
    const pass = device.agent.sync();
    await isReached;
    const gone = device.agent.disable();
    letGo();
    await Promise.all([pass, gone]);
    expect(device.states()).toEqual(['syncing', 'disabling', 'disabled']);
    expect(await saved(device)).toBe('disabled');
  });
});

describe('disabling', () => {
  test('at a boot goes on: the power may go at any commit of a sign-out', async () => {
    const device = await signedIn();
    await device.agent.put('passwords', LOGIN);
    for (let atCommit = 1, isOver = false; !isOver; atCommit++) {
      const cut = boot(device.storage.fork({ atCommit, when: 'after' }));
      await cut.agent.start();
      isOver = await cut.agent.disable().then(
        () => true,
        () => false,
      );
      const again = await rebooted(cut);
      expect(again.agent.status()).toMatchObject({ state: 'disabled', account: null });
      expect(again.storage.snapshot().map(([key]) => key)).toEqual(['s']);
    }
  });

  test('takes edits along that were not finished', async () => {
    const device = await signedIn();
    const { put, letGo } = await slowPut(device);
    await device.agent.disable();
    letGo();
    expect(await put).toMatchObject({ code: 'disabled' });
    expect(device.storage.snapshot().map(([key]) => key)).toEqual(['s']);
  });

  test('takes no edit any more', async () => {
    const device = await signedIn();
    const gone = device.agent.disable();
    await expect(device.agent.put('history', PAGE)).rejects.toMatchObject({ code: 'disabled' });
    await gone;
    expect(device.storage.snapshot().map(([key]) => key)).toEqual(['s']);
  });

  test('leaves nothing for the next one who signs in, but the switches of the device', async () => {
    const device = await signedIn();
    await device.agent.put('history', PAGE);
    await device.agent.configure({ wifiOnly: true });
    await device.agent.disable();
    user = { ...user, uid: 'u2' };
    server.collections.clear();
    expect(await device.agent.enable()).toMatchObject({ ok: true });
    expect(device.agent.status().account).toBe('u2@example.test');
    expect(await device.agent.list('history', { limit: 9 })).toEqual({ records: [], next: null });
  });
});

describe('errored', () => {
  test.each<SyncErrorCode>(['unauthorized', 'keyMismatch', 'clientTooOld', 'serviceGone'])(
    'at a boot stays so until it has asked again, or the user has: %s',
    async (code) => {
      const device = await signedIn();
      atRequest = failing(code);
      await device.agent.sync();
      const again = await rebooted(device);
      expect(again.agent.status()).toMatchObject({ state: 'errored', error: { code } });
      await again.platform.time.advance(24 * HOUR_MS);
      expect(again.states()).toEqual(['errored', 'syncing', 'errored']);
      atRequest = () => undefined;
      expect(await again.agent.enable()).toMatchObject({ ok: true });
    },
  );

  test('at a boot tries again, when the address may have been confirmed', async () => {
    const device = boot();
    await device.agent.start();
    user.fails = 'unverified';
    await device.agent.enable();
    user.fails = null;
    const again = await rebooted(device);
    await again.platform.time.advance(24 * HOUR_MS);
    expect(again.states().at(-1)).toBe('enabled');
    expect(again.agent.status().collections.history).toMatchObject({ held: 1 });
  });

  test('at a boot waits as long as before, then tries again by itself', async () => {
    const device = await signedIn();
    atRequest = failing('unavailable');
    await device.agent.sync();
    const again = await rebooted(device);
    expect(again.agent.status()).toMatchObject({
      state: 'errored',
      error: { code: 'unavailable' },
      notBeforeMs: expect.any(Number),
    });
    atRequest = () => undefined;
    await again.platform.time.advance(30_000);
    expect(again.states()).toEqual(['errored']);
    await again.platform.time.advance(60_000);
    expect(again.states()).toEqual(['errored', 'syncing', 'enabled']);
  });

  test('to enabling to enabled, and to disabling to disabled', async () => {
    const device = await signedIn();
    atRequest = failing('unauthorized');
    await device.agent.sync();
    atRequest = () => undefined;
    await device.agent.enable();
    atRequest = failing('unauthorized');
    await device.agent.sync();
    await device.agent.disable();
    expect(device.states()).toEqual([
      ...['syncing', 'errored', 'enabling', 'enabled'],
      ...['syncing', 'errored', 'disabling', 'disabled'],
    ]);
  });

  test('still shows and takes what apps ask for', async () => {
    const device = await signedIn();
    atRequest = failing('unauthorized');
    await device.agent.sync();
    await device.agent.put('history', PAGE);
    const { records } = await device.agent.list('history', { limit: 9 });
    expect(records).toHaveLength(2);
    expect(device.agent.status().collections.history).toMatchObject({ pending: 1 });
  });
});

describe('a store that is damaged', () => {
  const damaged = async (end: string, value = '{"generation":'): Promise<Device> => {
    const { storage } = await signedIn();
    const [key = ''] = storage.snapshot().find(([name]) => name.endsWith(end)) ?? [];
    await storage.commit([[key, value]]);
    return boot(storage);
  };

  test('at its state, which cannot be fetched again, is not gone on with', async () => {
    const device = await damaged('s');
    const before = device.storage.snapshot();
    await expect(device.agent.start()).rejects.toMatchObject({
      code: 'damaged',
      detail: { stored: 'state' },
    });
    expect(device.storage.snapshot()).toEqual(before);
  });

  test.each([
    'b{"state":"enabled"}',
    '{"settings":{"collections":[null]}}',
    '{"backoff":null}',
    'a{}',
    'B{}',
  ])('whose state is %s is refused, and nothing is written to it', async (value) => {
    const device = await damaged('s', value);
    const before = device.storage.snapshot();
    await expect(device.agent.start()).rejects.toMatchObject({ code: 'damaged' });
    await expect(device.agent.enable()).rejects.toMatchObject({ code: 'damaged' });
    await expect(device.agent.configure({ wifiOnly: true })).rejects.toMatchObject({
      code: 'damaged',
    });
    expect(device.agent.status().error).toMatchObject({ code: 'damaged' });
    expect(device.storage.snapshot()).toEqual(before);
    // Whoever signs out gives it up.
    await device.agent.disable();
    expect(device.agent.status()).toMatchObject({ state: 'disabled', error: null });
  });

  test('at what the server has is mended from there', async () => {
    const device = await damaged('.m');
    await device.agent.start();
    expect(await device.agent.sync()).toMatchObject({ ok: true });
    expect(device.agent.status().collections.history).toMatchObject({ held: 1, declined: false });
  });
});

describe('a new key of the same user', () => {
  const NEW_KEY: SyncKey = { kB: '77'.repeat(32) };
  /** The server has an account under the new key, and nothing in it. */
  const changeKey = async (): Promise<void> => {
    user = { ...user, key: NEW_KEY };
    server.collections.clear();
    await server.setKeys(DEFAULT_KEYS, 9_000, syncKeyBundle(NEW_KEY));
    server.setMeta({ ...META, syncID: 'sync-2' }, 9_000);
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

  test('keeps it also when the account has nothing yet', async () => {
    const device = await signedIn();
    await device.agent.put('history', PAGE);
    await changeKey();
    server.documents.clear();
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
    user = { ...user, key: { kty: 'oct', kid: kidOf(1_700_000_000_000), k } };
    const device = await signedIn();
    const key: SyncKey = { kty: 'oct', kid: kidOf(1_600_000_000_000), k };
    user = { ...user, key };
    const before = device.storage.snapshot().filter(([name]) => name !== 's');
    const report = await device.agent.sync();
    expect(report).toMatchObject({ error: { code: 'keyMismatch' }, requests: 0 });
    expect(device.storage.snapshot().filter(([name]) => name !== 's')).toEqual(before);
    user = { ...user, key: { ...key, kid: kidOf(1_800_000_000_000) } };
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

describe('another account', () => {
  test('begins with nothing of the one before', async () => {
    const device = await signedIn();
    await device.agent.put('history', PAGE);
    const generationBefore = (await openStates(device.storage).load()).generation;
    user = { ...user, uid: 'u2' };
    server.collections.clear();
    await device.agent.sync();
    const state = await openStates(device.storage).load();
    expect(state).toMatchObject({ uid: user.uid, generation: generationBefore + 1 });
    const keys = device.storage.snapshot().map(([key]) => key);
    expect(keys.filter((key) => key.startsWith(`${generationBefore.toString(36)}.`))).toEqual([]);
    expect(await device.agent.list('history', { limit: 9 })).toEqual({ records: [], next: null });
  });

  test('the power may go at any commit of the change', async () => {
    const device = await signedIn();
    await device.agent.put('history', PAGE);
    user = { ...user, uid: 'u2' };
    server.collections.clear();
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
    user = { ...user, uid: 'u2' };
    expect(await device.agent.sync()).toMatchObject({ ok: true });
    const keys = device.storage.snapshot().map(([key]) => key);
    letGo();
    expect(await put).toMatchObject({ code: 'disabled' });
    expect(device.storage.snapshot().map(([key]) => key)).toEqual(keys);
  });

  test('comes while an app looks: the app never gets both mixed', async () => {
    const device = await signedIn();
    await device.agent.put('history', PAGE);
    user = { ...user, uid: 'u2' };
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

test('an app that comes while the store is opened gets the same store as the pass', async () => {
  const device = boot();
  await device.agent.start();
  const { identity } = device.platform;
  const { deviceKey } = identity;
  let openedCount = 0;
  identity.deviceKey = async () => {
    openedCount++;
    await new Promise(setImmediate);
    return deviceKey.call(identity);
  };
  const pass = device.agent.enable();
  const puts: Promise<unknown>[] = [];
  for (let n = 0; n < 20; n++) {
    await new Promise(setImmediate);
    const page = { url: `https://a.test/${n}` };
    puts.push(device.agent.put('history', page).catch((error: unknown) => error));
  }
  await pass;
  const stored = (await Promise.all(puts)).filter((id) => typeof id === 'string').length;
  expect([openedCount, stored > 0]).toEqual([1, true]);
  expect(device.agent.status().collections.history).toMatchObject({ held: stored + 1 });
  const again = await rebooted(device);
  expect(again.agent.status().collections.history).toMatchObject({ held: stored + 1 });
});

describe('a user’s switches', () => {
  test('count at once, and after a reboot', async () => {
    const device = await signedIn();
    await device.agent.configure({ collections: { history: { enabled: false } } });
    expect(device.status().collections.history).toMatchObject({ enabled: false });
    const again = await rebooted(device);
    await server.put('history', 'BBBBBBBBBBBB', pageBody(2), 4_000);
    expect((await again.agent.sync()).collections).not.toHaveProperty('history');
    await again.agent.configure({ collections: { history: { enabled: true } } });
    expect((await again.agent.sync()).collections.history).toMatchObject({ pulled: 1 });
  });

  test('keep apps from writing what is read-only, and the device from sending it', async () => {
    const { agent } = await signedIn();
    const id = await agent.put('history', PAGE);
    await agent.configure({ collections: { history: { readOnly: true } } });
    await expect(agent.put('history', PAGE)).rejects.toMatchObject({ code: 'readOnly' });
    await expect(agent.delete('history', id)).rejects.toMatchObject({ code: 'readOnly' });
    server.log.length = 0;
    await agent.sync();
    expect(server.log).not.toContain('upload history');
    expect(await agent.put('passwords', LOGIN)).toMatch(/^\{/);
  });

  test('are refused when they are none, and stay as they were', async () => {
    const { agent, storage } = await signedIn();
    const before = storage.commits;
    await expect(agent.configure({ intervalMs: 0 })).rejects.toMatchObject({ code: 'badInput' });
    expect(storage.commits).toBe(before);
  });

  test('name a collection of this build, or it is bad input', async () => {
    const { agent } = await signedIn();
    for (const name of ['tabs', '__proto__', '']) {
      await expect(agent.list(name, { limit: 1 })).rejects.toMatchObject({
        code: 'badInput',
        message: 'collection: not one of history, passwords',
      });
    }
  });
});

describe('a wait', () => {
  test('that the server asked for holds for the user too, without a request', async () => {
    const device = await signedIn();
    atRequest = asks(5 * HOUR_MS);
    expect(await device.agent.sync()).toMatchObject({ ok: true });
    expect(device.status().notBeforeMs).toBe(NOW_MS + 5 * HOUR_MS);
    server.log.length = 0;
    expect(await device.agent.sync()).toMatchObject({ ok: false, error: { code: 'backoff' } });
    expect(device.agent.status()).toMatchObject({ state: 'enabled', error: { code: 'backoff' } });
    const again = await rebooted(device);
    expect(await again.agent.sync()).toMatchObject({ error: { code: 'backoff' } });
    expect(server.log).toEqual([]);
    atRequest = () => undefined;
    await again.platform.time.advance(10 * HOUR_MS);
    expect(again.agent.status()).toMatchObject({
      state: 'enabled',
      error: null,
      notBeforeMs: null,
    });
  });

  test('of our own after failures doubles, and a user may pass it over', async () => {
    const device = await signedIn();
    atRequest = failing('unavailable');
    const waits: number[] = [];
    for (let n = 0; n < 3; n++) {
      await device.agent.sync();
      waits.push((device.agent.status().notBeforeMs ?? 0) - NOW_MS);
    }
    for (const [index, wait] of waits.entries()) {
      expect(wait).toBeGreaterThanOrEqual(60_000 * 2 ** index);
      expect(wait).toBeLessThanOrEqual(60_000 * 2 ** (index + 1));
    }
  });

  test('that a wrong clock set ends in its own time when the clock is set right', async () => {
    const device = await signedIn();
    atRequest = asks(60_000);
    await device.agent.sync();
    atRequest = () => undefined;
    device.platform.time.set(NOW_MS - 4 * 365 * 24 * HOUR_MS);
    expect(await device.agent.sync()).toMatchObject({ error: { code: 'backoff' } });
    await device.platform.time.advance(60_000);
    expect(await device.agent.sync()).toMatchObject({ ok: true });
  });
});

describe('by itself the device syncs', () => {
  const passes = (device: Device): number => device.events('pass').length;

  test('every interval', async () => {
    const device = await signedIn();
    await device.platform.time.advance(HOUR_MS - 1);
    expect(passes(device)).toBe(0);
    await device.platform.time.advance(HOUR_MS * INTERVAL_SPREAD);
    expect(passes(device)).toBe(1);
    await device.platform.time.advance(HOUR_MS * (1 + INTERVAL_SPREAD));
    expect(passes(device)).toBe(2);
  });

  test('after a failure as soon as its caution allows, not at the next interval', async () => {
    const device = await signedIn();
    atRequest = failing('unavailable');
    await device.agent.sync();
    atRequest = () => undefined;
    const waitMs = (device.agent.status().notBeforeMs ?? 0) - NOW_MS;
    await device.platform.time.advance(waitMs - 1);
    expect(passes(device)).toBe(1);
    await device.platform.time.advance(1);
    expect(passes(device)).toBe(2);
    expect(device.agent.status()).toMatchObject({ state: 'enabled', error: null });
  });

  test('at once when the network is back that it failed for', async () => {
    const device = await signedIn();
    atRequest = failing('offline');
    await device.agent.sync();
    await device.agent.sync();
    atRequest = () => undefined;
    device.agent.connectionChanged();
    await device.platform.time.advance(0);
    expect(passes(device)).toBe(3);
    expect(device.agent.status()).toMatchObject({ state: 'enabled', error: null });
  });

  test('less and less often with a server that asks for a second each time', async () => {
    const device = await signedIn();
    atRequest = asks(1_000);
    await device.agent.put('history', PAGE);
    for (let n = 0; n < 24 * 60; n++) await device.platform.time.advance(HOUR_MS / 60);
    expect(passes(device)).toBeLessThan(20);
    expect(passes(device)).toBeGreaterThan(5);
  });

  test('at the interval that the user chose', async () => {
    const device = await signedIn();
    await device.agent.configure({ intervalMs: 600_000 });
    await device.platform.time.advance(600_000 * (1 + INTERVAL_SPREAD));
    expect(passes(device)).toBe(1);
  });

  test('soon after the first of many local changes, once, with one timer', async () => {
    const device = await signedIn();
    let timers = 0;
    const { sleep } = device.platform.clock;
    device.platform.clock.sleep = (delayMs) => {
      timers++;
      return sleep(delayMs);
    };
    for (let n = 0; n < 20; n++) await device.agent.put('history', { url: `https://a.test/${n}` });
    expect(timers).toBe(1);
    await device.platform.time.advance(CHANGE_DELAY_MS);
    expect(passes(device)).toBe(1);
    await device.platform.time.advance(CHANGE_DELAY_MS);
    expect(passes(device)).toBe(1);
    expect(device.agent.status().collections.history).toMatchObject({ pending: 0 });
  });

  test('for an edit when a wait is over, though a user asked for nothing meanwhile', async () => {
    const device = await signedIn();
    atRequest = asks(600_000);
    await device.agent.sync();
    atRequest = () => undefined;
    await device.agent.put('history', PAGE);
    expect(await device.agent.sync()).toMatchObject({ error: { code: 'backoff' } });
    const before = passes(device);
    // A wait of the server is longer by up to as much, for passes that nobody has asked for.
    await device.platform.time.advance(2 * 600_000);
    expect(passes(device)).toBe(before + 1);
    expect(device.agent.status().collections.history).toMatchObject({ pending: 0 });
  });

  test('not after a put that says what is there, which is no news for apps either', async () => {
    const device = await signedIn();
    const id = await device.agent.put('history', PAGE);
    await device.agent.sync();
    device.agent.observe('history', true);
    device.platform.events.length = 0;
    const [page] = (await device.agent.list('history', { prefix: PAGE.url, limit: 1 })).records;
    expect(await device.agent.put('history', page ?? {})).toBe(id);
    await device.platform.time.advance(CHANGE_DELAY_MS);
    expect(device.platform.events).toEqual([]);
    expect(device.agent.status().collections.history).toMatchObject({ pending: 0 });
  });

  test('with a network that it may use, as soon as there is one', async () => {
    const device = await signedIn({ wifiOnly: true });
    for (const connection of ['none', 'metered'] as const) {
      device.platform.connected = connection;
      await device.platform.time.advance(HOUR_MS);
      expect(passes(device)).toBe(0);
    }
    device.platform.connected = 'wifi';
    device.agent.connectionChanged();
    await device.platform.time.advance(0);
    expect(passes(device)).toBe(1);
  });

  test('over a network that costs money if it may, and when the user says so', async () => {
    const device = await signedIn({ wifiOnly: true });
    device.platform.connected = 'metered';
    expect(await device.agent.sync()).toMatchObject({ ok: true });
    await device.agent.configure({ wifiOnly: false });
    await device.platform.time.advance(HOUR_MS * (1 + INTERVAL_SPREAD));
    expect(passes(device)).toBe(2);
  });

  test('never while it is signed out', async () => {
    const device = await signedIn();
    await device.agent.disable();
    await device.platform.time.advance(24 * HOUR_MS);
    expect(passes(device)).toBe(0);
  });
});

describe('many devices at once', () => {
  const SPREAD = { spreadMs: SPREAD_MS };
  const STEP_MS = 1_000;

  /** Seconds until the next pass of each of so many devices that were made the same way. */
  const secondsUntilPass = async (
    seeds: number,
    made: (seed: number) => Promise<Device>,
    again: (device: Device) => void = () => undefined,
  ): Promise<number[]> => {
    const seconds: number[] = [];
    for (let seed = 1; seed <= seeds; seed++) {
      const device = await made(seed);
      again(device);
      const before = device.events('pass').length;
      let waited = 0;
      while (device.events('pass').length === before && waited < 4 * 3_600) {
        await device.platform.time.advance(STEP_MS);
        waited++;
      }
      seconds.push(waited);
    }
    return seconds;
  };
  const booted = async (seed: number): Promise<Device> => {
    const { storage } = await signedIn();
    const device = boot(storage.fork(), SPREAD, seed);
    await device.agent.start();
    return device;
  };
  const areSpread = (seconds: readonly number[], mostMs: number): void => {
    expect(new Set(seconds).size).toBeGreaterThan(seconds.length / 2);
    expect(Math.max(...seconds)).toBeLessThanOrEqual(mostMs / 1_000 + 1);
    expect(Math.max(...seconds) - Math.min(...seconds)).toBeGreaterThan(mostMs / 4_000);
  };

  test('that boot are spread over ten minutes, or what their configuration says', async () => {
    areSpread(await secondsUntilPass(12, booted), SPREAD_MS);
    const { storage } = await signedIn();
    const short = boot(storage.fork(), { spreadMs: 5_000 }, 3);
    await short.agent.start();
    await short.platform.time.advance(5_000);
    await short.platform.time.advance(0);
    expect(short.events('pass')).toHaveLength(1);
  });

  test('that boot with a change do not come sooner for it', async () => {
    const seconds = await secondsUntilPass(12, async (seed) => {
      const device = await booted(seed);
      await device.agent.put('history', PAGE);
      return device;
    });
    areSpread(seconds, SPREAD_MS);
  });

  test('whose network is back are spread likewise, though it comes and goes', async () => {
    const seconds = await secondsUntilPass(12, async (seed) => {
      const device = await booted(seed);
      device.platform.connected = 'none';
      await device.platform.time.advance(SPREAD_MS);
      device.platform.connected = 'wifi';
      device.agent.connectionChanged();
      await device.platform.time.advance(STEP_MS);
      device.agent.connectionChanged();
      return device;
    });
    areSpread(seconds, SPREAD_MS);
  });

  test('that a server told to wait come back over as long again', async () => {
    const seconds = await secondsUntilPass(12, async (seed) => {
      const device = await booted(seed);
      atRequest = asks(HOUR_MS);
      await device.agent.sync();
      atRequest = () => undefined;
      return device;
    });
    expect(Math.min(...seconds)).toBeGreaterThanOrEqual(3_600);
    areSpread(
      seconds.map((second) => second - 3_600),
      HOUR_MS,
    );
  });

  test('do at once what a person asks for, and from then on what their apps write', async () => {
    const device = await booted(1);
    expect(await device.agent.sync()).toMatchObject({ ok: true });
    await device.agent.put('history', PAGE);
    await device.platform.time.advance(CHANGE_DELAY_MS);
    expect(device.events('pass')).toHaveLength(2);
    const fresh = boot(new MemoryStorage(), SPREAD);
    await fresh.agent.start();
    expect(await fresh.agent.enable()).toMatchObject({ ok: true });
  });
});

describe('what apps are told', () => {
  test('are the changes of the collections that they watch', async () => {
    const device = await signedIn();
    await device.agent.put('history', PAGE);
    device.agent.observe('history', true);
    const id = await device.agent.put('history', { ...PAGE, title: 'again' });
    await device.agent.put('passwords', LOGIN);
    await device.agent.delete('history', id);
    device.agent.observe('history', false);
    await device.agent.put('history', PAGE);
    expect(device.events('record')).toEqual([
      { kind: 'record', collection: 'history', id, change: 'put' },
      { kind: 'record', collection: 'history', id, change: 'delete' },
    ]);
  });

  test('is every pass, with what it did or why it failed', async () => {
    const device = await signedIn();
    await device.agent.put('history', PAGE);
    await device.agent.sync();
    atRequest = failing('timeout');
    await device.agent.sync();
    expect(device.events('pass')).toMatchObject([
      { report: { ok: true, requests: 1, collections: { history: { pushed: 1 } } } },
      { report: { ok: false, error: { code: 'timeout', message: 'as told' } } },
    ]);
  });

  test('is what the server says to its users', async () => {
    const device = await signedIn();
    atRequest = ({ notes }) => {
      notes.alert = 'down on Sunday';
      notes.quotaRemainingBytes = 1_024;
    };
    await device.agent.sync();
    expect(device.status()).toMatchObject({ alert: 'down on Sunday', quotaRemainingBytes: 1_024 });
  });

  test('is that the service ends', async () => {
    const device = await signedIn();
    atRequest = ({ notes }) => {
      notes.gone = true;
    };
    expect(await device.agent.sync()).toMatchObject({ ok: false, error: { code: 'serviceGone' } });
    expect(device.status()).toMatchObject({ state: 'errored', error: { code: 'serviceGone' } });
  });
});

describe('the storage', () => {
  test('is left alone by a pass that finds nothing new', async () => {
    const { agent, storage } = await signedIn();
    const before = storage.commits;
    await agent.sync();
    expect(storage.commits).toBe(before);
  });

  test.each([
    ['full', 'storageFull'],
    ['failed', 'storageFailed'],
  ])('that is %s makes a pass fail, and is tried again later', async (code, meaning) => {
    const device = await signedIn();
    await server.put('history', 'BBBBBBBBBBBB', pageBody(2), 4_000);
    const { commit } = device.storage;
    device.storage.commit = async () => {
      throw Object.assign(new Error('x'), { code });
    };
    expect(await device.agent.sync()).toMatchObject({ ok: false, error: { code: meaning } });
    expect(device.agent.status()).toMatchObject({ state: 'errored', error: { code: meaning } });
    device.storage.commit = commit;
    await device.platform.time.advance(2 * HOUR_MS);
    expect(device.agent.status()).toMatchObject({ state: 'enabled', error: null });
    expect(device.agent.status().collections.history).toMatchObject({ held: 2 });
  });
});

test('a mistake of the program is no error of the sync: it comes out as it is', async () => {
  const { agent } = await signedIn();
  atRequest = () => {
    throw new TypeError('undefined is not a function');
  };
  await expect(agent.sync()).rejects.toBeInstanceOf(TypeError);
});

test('a pass that a mistake of the program broke off is not the last one', async () => {
  const { agent, platform } = await signedIn();
  atRequest = () => {
    throw new TypeError('undefined is not a function');
  };
  await agent.sync().catch(() => undefined);
  expect(agent.status()).toMatchObject({ state: 'errored', error: { code: 'deviceFailed' } });
  atRequest = () => undefined;
  await platform.time.advance(2 * HOUR_MS);
  expect(agent.status()).toMatchObject({ state: 'enabled', error: null });
});

describe('whatever a pass ends with, there is a next one', () => {
  /** How each code comes about; null: at a request, as the server's doing. */
  const CONDITIONS: { readonly [code in SyncErrorCode]: (() => void) | null } = {
    ...{ offline: null, timeout: null, truncated: null },
    ...{ backoff: null, unavailable: null },
    ...{ unauthorized: null, keyMismatch: null },
    signedOut: () => {
      user.fails = 'signedOut';
    },
    unverified: () => {
      user.fails = 'unverified';
    },
    ...{ badResponse: null, conflict: null, overQuota: null, storageReset: null },
    noSyncData: () => {
      server.documents.delete('meta/global');
    },
    ...{ clientTooOld: null, serviceGone: null },
    ...{ storageFull: null, storageFailed: null, deviceFailed: null, outOfMemory: null },
    damaged: null,
    ...{ badInput: null, notFound: null, tooLarge: null, readOnly: null },
    ...{ disabled: null, busy: null, aborted: null },
  };
  const CODES = Object.keys(CONDITIONS) as SyncErrorCode[];
  const STEP_MS = HOUR_MS / 6;

  /** Lets the condition begin; returns what ends it. */
  const begin = (code: SyncErrorCode): (() => void) => {
    const meta = server.documents.get('meta/global');
    const own = CONDITIONS[code];
    if (own !== null) own();
    else atRequest = failing(code);
    return () => {
      user.fails = null;
      atRequest = () => undefined;
      if (meta !== undefined) server.documents.set('meta/global', meta);
    };
  };

  /** The times of the passes of so many hours, in hours. */
  const hoursOfPasses = async (device: Device, hours: number): Promise<number[]> => {
    const times: number[] = [];
    for (let atMs = 0; atMs < hours * HOUR_MS; atMs += STEP_MS) {
      const before = device.events('pass').length;
      await device.platform.time.advance(STEP_MS);
      const passes = device.events('pass').length - before;
      for (let n = 0; n < passes; n++) times.push((atMs + STEP_MS) / HOUR_MS);
    }
    return times;
  };

  /** At least once a day, and hardly more often than every hour after fifty. */
  const areRarer = (times: readonly number[]): void => {
    const gaps = times.map((hour, index) => hour - (times[index - 1] ?? 0));
    expect(Math.max(...gaps, 50 - (times.at(-1) ?? 0))).toBeLessThanOrEqual(24);
    expect(times.length).toBeLessThanOrEqual(50);
    expect(times.filter((hour) => hour > 25).length).toBeLessThanOrEqual(25);
  };

  test.each(CODES)('%s for fifty hours, then good again', async (code) => {
    const device = await signedIn();
    const end = begin(code);
    const times = await hoursOfPasses(device, 50);
    areRarer(times);
    expect(device.events('pass').at(-1)).toMatchObject({ report: { error: { code } } });
    end();
    await hoursOfPasses(device, 24);
    expect(device.agent.status()).toMatchObject({ state: 'enabled', error: null });
  });

  test.each(CODES)('%s for fifty hours, then a reboot, then good again', async (code) => {
    const device = await signedIn();
    await device.agent.put('history', PAGE);
    const end = begin(code);
    await hoursOfPasses(device, 50);
    const again = await rebooted(device);
    areRarer(await hoursOfPasses(again, 50));
    const last = await rebooted(again);
    end();
    await hoursOfPasses(last, 24);
    expect(last.agent.status()).toMatchObject({
      state: 'enabled',
      error: null,
      collections: { history: { pending: 0 } },
    });
  });

  test.each(CODES)('%s at the sign-in', async (code) => {
    const device = boot();
    await device.agent.start();
    const end = begin(code);
    await device.agent.enable();
    areRarer(await hoursOfPasses(device, 50));
    end();
    await hoursOfPasses(device, 24);
    expect(device.agent.status()).toMatchObject({ state: 'enabled', error: null });
  });

  test('a server that asks for a day each time is asked once a day', async () => {
    const device = await signedIn();
    atRequest = (options) => {
      asks(Number.MAX_VALUE)(options);
      throw new SyncError('unavailable', 'as told');
    };
    const times = await hoursOfPasses(device, 100);
    expect(times.length).toBeGreaterThanOrEqual(4);
    expect(times.length).toBeLessThanOrEqual(6);
  });

  test('but after a sign-out there is none', async () => {
    const device = await signedIn();
    await device.agent.disable();
    expect(await hoursOfPasses(device, 50)).toEqual([]);
    expect(await hoursOfPasses(await rebooted(device), 50)).toEqual([]);
  });

  test('a network that comes without a word of it is found', async () => {
    const device = await signedIn();
    device.platform.connected = 'none';
    expect(await hoursOfPasses(device, 5)).toEqual([]);
    device.platform.connected = 'wifi';
    expect((await hoursOfPasses(device, 5)).length).toBeGreaterThanOrEqual(4);
  });
});

test('a build without the protocol of its configuration says so', async () => {
  const device = boot(new MemoryStorage(), {
    remote: { protocol: 'other', serverUrl: '', audience: '', auth: 'bearer' },
  });
  await device.agent.start();
  await expect(device.agent.enable()).rejects.toThrow('other');
});
