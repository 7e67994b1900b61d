// What is said of a part before it is loaded is true of what is loaded then.

import { expect, test, vi } from 'vitest';
import { memoryPlatform } from '../../platform/memory/platform.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { strategies as loadedStrategies } from '../api/conflicts.ts';
import { settings as loadedSettings } from '../collections/settings.ts';
import { installed as loadedInstalled } from '../installed/installed.ts';
import { openKeeper } from '../signin/keeper.ts';
import { openSafe } from '../signin/safe.ts';
import { SIGNED_IN_KEY } from '../store/layout.ts';
import { apps as loadedApps } from './apps.ts';
import { kintoSignIn } from './kinto-sign-in.ts';
import {
  addresses,
  apps,
  bookmarks,
  clients,
  contacts,
  eitherSignIn,
  extensionStorage,
  forms,
  history,
  installed,
  installedApps,
  kinto,
  owa,
  passwordSignIn,
  passwords,
  picl,
  readingList,
  recoverySignIn,
  settings,
  signIn,
  strategies,
  sync15,
  syncto,
  tabs,
} from './lazy.ts';

const collections = [
  ...[history, passwords, bookmarks, tabs, forms, addresses, extensionStorage],
  ...[settings, readingList, contacts, installedApps],
];

test.each([syncto, sync15, kinto, picl, owa])(
  '$name is the protocol of this name',
  async (part) => {
    expect((await part.load()).protocol).toBe(part.name);
  },
);

test.each(collections)('$name is a collection of this name and letter', async (part) => {
  expect(await part.load()).toMatchObject({ name: part.name, letter: part.letter });
});

test("the user's apps on the system are looked after by what is there at once", () => {
  expect(installed).toBe(loadedInstalled);
});

test("clients are the account's devices", async () => {
  expect((await clients.load()).collection.name).toBe(clients.name);
});

test('strategies are those that are loaded, and are called as they are', async () => {
  const config = { strategies: { settings: 'localWins' } } as never;
  const chosen = await strategies.chosen(loadedSettings, config);
  expect(chosen.merge).not.toBe(loadedSettings.merge);
  const of = [{}, {}] as never as Parameters<typeof strategies.open>;
  const loaded = loadedStrategies.open(...of);
  expect(Object.keys(strategies.open(...of)).sort()).toEqual(Object.keys(loaded).sort());
});

test('extension storage is called as what is loaded is', async () => {
  const of = [{}, {}, 'an extension'] as never as Parameters<typeof extensionStorage.openStorage>;
  const loaded = (await extensionStorage.load()).openStorage(...of);
  expect(Object.keys(extensionStorage.openStorage(...of)).sort()).toEqual(
    Object.keys(loaded).sort(),
  );
});

test('what apps have for themselves is called as what is loaded is', () => {
  const place = { one: {}, origin: 'https://a.example' } as never as Parameters<
    typeof apps.open
  >[0];
  expect(Object.keys(apps).sort()).toEqual(Object.keys(loadedApps).sort());
  expect(Object.keys(apps.open(place)).sort()).toEqual(Object.keys(loadedApps.open(place)).sort());
});

test.each([
  [signIn, openKeeper],
  [recoverySignIn, kintoSignIn],
  [eitherSignIn, kintoSignIn],
])('signing in is called as what is loaded is: $0.name', (lazy, loading) => {
  const of = [{ identity: {} }, {}] as never as Parameters<typeof openKeeper>;
  const [keeper, loaded] = [lazy(...of), loading(...of)];
  for (const member of ['identity', 'signIn'] as const) {
    expect(Object.keys(keeper[member]).sort()).toEqual(Object.keys(loaded[member]).sort());
  }
});

test('who signs in is kept once, however many ask before it is loaded', async () => {
  const deviceKey = vi.fn(async () => new Uint8Array(32));
  const storage = { get: async () => [new Uint8Array(40)] };
  const clock = { sleep: () => new Promise(() => undefined) };
  const device = { identity: { deviceKey }, storage, clock };
  const of = [device, {}] as never as Parameters<typeof openKeeper>;
  const { identity } = signIn(...of);
  const asked = [identity.account(), identity.syncKey(), identity.accessToken(false)];
  await Promise.allSettled(asked);
  expect(deviceKey).toHaveBeenCalledTimes(1);
});

test('who has signed in by a recovery code has the name and the password of then', async () => {
  const platform = memoryPlatform({
    ...{ storage: new MemoryStorage(), nowMs: 1, random: (count) => new Uint8Array(count) },
    fetch: async () => new Response('{"data":[]}'),
    identity: {} as never,
  });
  const config = { accountsUrl: 'https://kinto.test', clientId: '', redirectUrl: '' };
  const given = { call: 'password', email: 'ada', password: 'pw' } as never;
  expect(await recoverySignIn(platform, config).signIn.call(given)).toHaveProperty('code');
  const { identity } = recoverySignIn(platform, config);
  expect(await identity.credentials?.(false)).toEqual({ name: 'ada', password: 'pw' });
});

test('who signed in by one kind is nobody where the remote is for the other', async () => {
  const storage = new MemoryStorage();
  const asked: string[] = [];
  const booted = (clientId: string) => {
    const platform = memoryPlatform({
      ...{ storage, nowMs: 1, random: (count) => new Uint8Array(count) },
      fetch: async ({ url }) => {
        asked.push(url);
        return new Response('{"data":[]}');
      },
      identity: {} as never,
    });
    return eitherSignIn(platform, { accountsUrl: 'https://a.test', clientId, redirectUrl: '' });
  };
  const given = { call: 'password', email: 'ada', password: 'pw' } as never;
  await booted('').signIn.call(given);
  const byAccount = booted('a client').identity;
  await expect(byAccount.account()).rejects.toMatchObject({ code: 'signedOut' });
  await expect(byAccount.syncKey()).rejects.toMatchObject({ code: 'signedOut' });
  expect(await booted('').identity.account()).toMatchObject({ uid: 'ada' });
  asked.length = 0;
  await byAccount.forget?.();
  expect(asked).toEqual([]);
  await expect(booted('').identity.account()).rejects.toMatchObject({ code: 'signedOut' });
  await keepAccount(storage);
  await expect(booted('').identity.account()).rejects.toMatchObject({ code: 'signedOut' });
  await expect(booted('').identity.credentials?.(false)).rejects.toMatchObject({
    code: 'signedOut',
  });
});

/** As the account manager leaves it. */
async function keepAccount(storage: MemoryStorage): Promise<void> {
  const identity = { deviceKey: async () => new Uint8Array(32).fill(7) } as never;
  const platform = memoryPlatform({
    ...{ storage, nowMs: 1, random: (count) => new Uint8Array(count), identity },
    fetch: () => Promise.reject(new Error('nobody is asked')),
  });
  const safe = openSafe(platform);
  const client = { apiUrl: 'https://a.test', clientId: 'a client' };
  const credentials = { uid: 'u', refreshToken: 'r', key: {} };
  await safe.commit(await safe.sealed(SIGNED_IN_KEY, { client, credentials, email: 'a' }));
}

test('a password that cannot be one is refused by what is loaded', async () => {
  const [device, request] = [{}, { email: '\ud800', password: '' }] as never as Parameters<
    typeof passwordSignIn
  >;
  await expect(passwordSignIn(device, request)).rejects.toThrow('half a surrogate pair');
});
