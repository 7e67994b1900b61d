import { describe, expect, test } from 'vitest';
import { memoryPlatform } from '../../platform/memory/platform.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { appSecret, followKey } from './app-secret.ts';

const KEYS = ['00'.repeat(32), '01'.repeat(32)];

/** A device whose account manager tells this key, refuses (null), or never answers. */
function device(storage = new MemoryStorage()) {
  const told: { kB: string | null | undefined } = { kB: KEYS[0] };
  let asked = 0;
  const platform = memoryPlatform({
    storage,
    fetch: async () => new Response(),
    identity: {
      account: async () => ({ uid: '1', email: '' }),
      assertion: async () => '',
      accessToken: async () => ({ token: '' }),
      syncKey: async () => {
        asked++;
        const { kB } = told;
        if (kB === undefined) return new Promise(() => undefined);
        if (kB === null) throw Object.assign(new Error('away'), { code: 'signedOut' });
        return { kB };
      },
    },
    nowMs: 1,
    random: (count) => new Uint8Array(count),
  });
  return { platform, storage, told, asked: () => asked };
}

describe('the secret of apps’ names', () => {
  test('is the same on all devices of a user, and asked for once', async () => {
    const [a, b] = [device(), device()];
    const secret = await appSecret(a.platform, '1');
    expect(await appSecret(b.platform, '1')).toEqual(secret);
    a.told.kB = null;
    expect(await appSecret(a.platform, '1')).toEqual(secret);
    expect(a.asked()).toBe(1);
    const kept = JSON.stringify(a.storage.snapshot());
    expect(kept).not.toContain(Buffer.from(secret).toString('base64url').slice(0, 12));
  });

  test('is another one under another key, and of another generation asked for anew', async () => {
    const { platform, told } = device();
    const secret = await appSecret(platform, '1');
    told.kB = KEYS[1];
    expect(await appSecret(platform, '1')).toEqual(secret);
    expect(await appSecret(platform, '2')).not.toEqual(secret);
    expect(await followKey(platform, '1')).toBe(true);
    expect(await appSecret(platform, '1')).toEqual(await appSecret(platform, '2'));
    expect(await followKey(platform, '1')).toBe(false);
  });

  test('stays where nobody tells a key, or none that is one', async () => {
    const { platform, told } = device();
    await appSecret(platform, '1');
    for (const kB of [null, 'no key']) {
      told.kB = kB;
      expect(await followKey(platform, '1')).toBe(false);
    }
    told.kB = undefined;
    const waiting = followKey(platform, '1');
    await platform.time.advance(20_000);
    expect(await waiting).toBe(false);
  });

  test('that is wanted and cannot be made fails with the reason', async () => {
    const { platform, told } = device();
    told.kB = null;
    await expect(appSecret(platform, '1')).rejects.toMatchObject({ code: 'signedOut' });
    told.kB = 'no key';
    await expect(appSecret(platform, '1')).rejects.toMatchObject({ code: 'keyMismatch' });
    told.kB = undefined;
    const waiting = expect(appSecret(platform, '1')).rejects.toMatchObject({
      ...{ code: 'deviceFailed', message: 'syncKey: no answer for 20000 ms' },
    });
    for (let n = 0; n < 3; n++) await platform.time.advance(20_000);
    await waiting;
  });

  test('whose value was damaged is made anew', async () => {
    const { platform, storage } = device();
    const secret = await appSecret(platform, '1');
    await storage.commit([['1.i', new Uint8Array([0, 1, 2])]]);
    expect(await appSecret(platform, '1')).toEqual(secret);
  });
});
