// What is kept of a sign-in comes back on this device, and nowhere else.

import { expect, test } from 'vitest';
import { memoryPlatform } from '../../platform/memory/platform.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { openSafe } from './safe.ts';

const KEY = 'i';

function safeOn(storage: MemoryStorage, deviceKey = new Uint8Array(32).fill(1)) {
  let drawn = 0;
  const platform = memoryPlatform({
    ...{ storage, deviceKey, nowMs: 1 },
    fetch: async () => new Response(),
    identity: {} as never,
    random: (count) => new Uint8Array(count).fill(++drawn),
  });
  return { platform, safe: openSafe(platform) };
}

test('a value comes back after a reboot, and is not to be read meanwhile', async () => {
  const storage = new MemoryStorage();
  const { safe } = safeOn(storage);
  expect(await safe.load(KEY)).toBeNull();
  await safe.commit(await safe.sealed(KEY, { password: 'secret' }));
  expect(await safeOn(storage).safe.load(KEY)).toEqual({ password: 'secret' });
  const texts = storage.snapshot().map(([, value]) => Buffer.from(value).toString('latin1'));
  expect(texts.filter((text) => text.includes('secret'))).toEqual([]);
});

test('under another device’s key, in another place, or as a plain text it is damaged', async () => {
  const storage = new MemoryStorage();
  const { safe } = safeOn(storage);
  await safe.commit(await safe.sealed(KEY, { a: 1 }));
  const other = safeOn(storage, new Uint8Array(32).fill(2)).safe;
  await expect(other.load(KEY)).rejects.toMatchObject({ code: 'damaged' });
  const [[, box]] = storage.snapshot() as [[string, Uint8Array]];
  await storage.commit([['j', box]]);
  await expect(safe.load('j')).rejects.toMatchObject({ code: 'damaged' });
  await storage.commit([['j', '{"a":1}']]);
  await expect(safe.load('j')).rejects.toMatchObject({ code: 'damaged' });
});

test('a device that did not say its key is asked again', async () => {
  const { safe, platform } = safeOn(new MemoryStorage());
  const { deviceKey } = platform.identity;
  platform.identity.deviceKey = () => Promise.reject(new Error('locked'));
  await expect(safe.sealed(KEY, {})).rejects.toBeDefined();
  platform.identity.deviceKey = deviceKey;
  expect(await safe.sealed(KEY, {})).toHaveLength(2);
});
