// A platform in memory hands on what its test gives it.

import { expect, test } from 'vitest';
import { memoryPlatform } from './platform.ts';
import { MemoryStorage } from './storage.ts';

const identity = {
  account: async () => ({ uid: '1', email: 'user@example.test' }),
  assertion: async (audience: string, fresh: boolean) => `${audience} ${fresh}`,
  accessToken: async (fresh: boolean) => ({ token: `${fresh}` }),
  syncKey: async () => ({ kB: '00'.repeat(32) }),
};
const made = (more: Partial<Parameters<typeof memoryPlatform>[0]> = {}) =>
  memoryPlatform({
    ...{ storage: new MemoryStorage(), nowMs: 5, identity },
    fetch: async () => new Response('answered'),
    random: (count) => new Uint8Array(count).fill(3),
    ...more,
  });

test('an account manager is asked as it is, for a password if it has one', async () => {
  const { identity: own } = made();
  expect(own.credentials).toBeUndefined();
  expect(await own.assertion('a', true)).toBe('a true');
  expect(await own.accessToken(false)).toEqual({ token: 'false' });
  expect(await own.deviceKey()).toEqual(new Uint8Array(32).fill(7));
  await own.forget?.();
  const credentials = async (fresh: boolean) => ({ name: 'bob', password: `${fresh}` });
  const { identity: other } = made({ identity: { ...identity, credentials } });
  expect(await other.credentials?.(true)).toEqual({ name: 'bob', password: 'true' });
});

test('the device key, the network and the cryptography are those that were given', async () => {
  const key = new Uint8Array(32).fill(9);
  const crypto = {} as never;
  const platform = made({ deviceKey: key, crypto });
  expect(await platform.identity.deviceKey()).toBe(key);
  expect(platform.crypto).toBe(crypto);
  expect(made()).not.toHaveProperty('crypto');
  expect(platform.power.connection()).toBe('wifi');
  platform.connected = 'none';
  expect(platform.power.connection()).toBe('none');
});
