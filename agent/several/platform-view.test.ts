// The device as one of its remotes sees it: nothing of the others, and nothing that they could
// open.

import { describe, expect, test } from 'vitest';
import { memoryPlatform } from '../../platform/memory/platform.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import type { Identity, Platform } from '../../platform/ports.ts';
import type { AgentConfig } from '../config.ts';
import { placeOf, viewOf } from './platform-view.ts';

const CONFIG = { signIn: undefined } as unknown as AgentConfig;
const SIGNING_IN = { signIn: {} } as unknown as AgentConfig;

const user = (uid: string): Identity => ({
  account: async () => ({ uid, email: '' }),
  assertion: async () => uid,
  accessToken: async () => ({ token: uid }),
  syncKey: async () => ({ kB: uid }),
  deviceKey: async () => new Uint8Array(32).fill(7),
});

function device(change: Partial<Platform> = {}) {
  const storage = new MemoryStorage();
  const memory = memoryPlatform({
    ...{ storage, nowMs: 0, identity: user('own') },
    fetch: async () => Response.error(),
    random: (count) => new Uint8Array(count),
  });
  const platform = Object.assign(memory, change);
  const view = (name: string, config = CONFIG): Platform =>
    viewOf(platform, name, config, { prefixes: [], lost: () => undefined });
  return { storage, platform, view };
}

test('the first remote’s place is the storage itself, another one’s is its own', async () => {
  expect([placeOf('first'), placeOf('work')]).toEqual(['', ':work:']);
  const { storage, view } = device({ identityOf: user });
  await view('first').storage.commit([['s', 'first']]);
  await view('work').storage.commit([['s', 'work']]);
  expect(storage.snapshot()).toEqual([
    [':work:s', 'work'],
    ['s', 'first'],
  ]);
  expect(await view('work').storage.get(['s'])).toEqual(['work']);
});

describe('the user', () => {
  const uidOf = async ({ identity }: Platform): Promise<string> => (await identity.account()).uid;

  test('of the first remote is the device’s, of another one who is signed in there', async () => {
    const { view } = device({ identityOf: user });
    expect(await Promise.all(['first', 'work'].map((name) => uidOf(view(name))))).toEqual([
      'own',
      'work',
    ]);
    const { identity } = view('work');
    expect(await identity.assertion('', false)).toBe('work');
    expect(await identity.accessToken(false)).toEqual({ token: 'work' });
    expect(await identity.syncKey()).toEqual({ kB: 'work' });
    expect(await identity.forget?.()).toBeUndefined();
  });

  test('signs in by the agent where the platform knows nobody', async () => {
    expect(await uidOf(device().view('work', SIGNING_IN))).toBe('own');
  });

  test('cannot be anybody where neither knows one', () => {
    expect(() => device().view('work')).toThrow(
      'remotes.work: this platform has no sign-in for it',
    );
  });
});

test('each remote has a key of its own for what is at rest, always the same', async () => {
  const { view } = device({ identityOf: user });
  const keyOf = async (name: string): Promise<string> =>
    Buffer.from(await view(name).identity.deviceKey()).toString('hex');
  const keys = await Promise.all(['first', 'work', 'home', 'work'].map(keyOf));
  expect(keys[0]).toBe('07'.repeat(32));
  expect(new Set(keys).size).toBe(3);
  expect(keys[3]).toBe(keys[1]);
});

test('the shell is told whose event it is, and a status as it comes', () => {
  const { platform, view } = device({ identityOf: user });
  view('first').shell.event('{"kind":"state"}');
  view('work').shell.event('{"kind":"state"}');
  view('work').shell.status('{"state":"of all"}');
  expect(platform.events).toEqual(['{"kind":"state"}', '{"kind":"state","remote":"work"}']);
  expect(platform.statuses).toEqual(['{"state":"of all"}']);
});
