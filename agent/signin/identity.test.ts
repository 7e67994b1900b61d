// The Identity port over a sign-in: how often the server is asked, and how it ends.

import { describe, expect, it } from 'vitest';
import { changing, failure, type SignInWorld, startSignIn } from '../../test/support/signin.ts';
import type { Credentials } from './credentials.ts';
import { createIdentity, type IdentityOptions } from './identity.ts';
import { signInWithPassword } from './password.ts';

async function start(more: Partial<IdentityOptions> = {}) {
  const world = startSignIn({ accounts: { accessTokenSeconds: 3600 } });
  const { device, client } = world;
  const signedIn = await signInWithPassword(device, { ...client, ...world.account });
  const changes: Credentials[] = [];
  const identity = createIdentity({
    device,
    client,
    credentials: signedIn,
    email: 'user@example.test',
    deviceKey: async () => new Uint8Array(32).fill(7),
    changed: async (credentials) => void changes.push(credentials),
    ...more,
  });
  world.sent.length = 0;
  return { world, signedIn, identity, changes };
}

it('answers account, key and device key without asking anybody', async () => {
  const { world, identity, signedIn } = await start();
  expect(await identity.account()).toEqual({ uid: signedIn.uid, email: 'user@example.test' });
  expect(await identity.syncKey()).toEqual(signedIn.key);
  expect(await identity.deviceKey()).toEqual(new Uint8Array(32).fill(7));
  expect(world.sent).toEqual([]);
});

it('makes no BrowserID assertions', async () => {
  const { identity } = await start();
  expect((await failure(identity.assertion('https://token.test/', false))).code).toBe('signedOut');
});

describe('an access token', () => {
  it('is that of the sign-in until a minute before its end', async () => {
    const { world, identity, signedIn } = await start();
    expect(await identity.accessToken(false)).toEqual({ token: signedIn.accessToken });
    world.clock.nowMs += 3_539_000;
    expect(await identity.accessToken(false)).toEqual({ token: signedIn.accessToken });
    world.clock.nowMs += 1_000;
    const { token } = await identity.accessToken(false);
    expect(token).not.toBe(signedIn.accessToken);
    expect(await identity.accessToken(false)).toEqual({ token });
    expect(world.sent.length).toBe(1);
  });

  it('is asked for at first use when only the refresh token was kept', async () => {
    const { world, signedIn } = await start();
    const { uid, refreshToken, key } = signedIn;
    const identity = createIdentity({
      device: world.device,
      client: world.client,
      credentials: { uid, refreshToken, key },
      deviceKey: async () => new Uint8Array(32),
    });
    expect((await identity.account()).email).toBe('');
    expect((await identity.accessToken(false)).token).toMatch(/^ey/);
    expect(world.sent.length).toBe(1);
  });

  it('is a new one when asked for a fresh one, one request however many ask', async () => {
    const { world, identity, signedIn } = await start();
    const tokens = await Promise.all(
      [true, true, true].map((fresh) => identity.accessToken(fresh)),
    );
    expect(world.sent.length).toBe(1);
    expect(new Set(tokens.map(({ token }) => token)).size).toBe(1);
    expect(tokens[0]?.token).not.toBe(signedIn.accessToken);
    await identity.accessToken(true);
    expect(world.sent.length).toBe(2);
  });

  it('is replaced when the clock jumps ahead, as on a television that finds the time', async () => {
    const { world, identity, signedIn } = await start();
    world.clock.nowMs += 50 * 365 * 86_400_000;
    expect((await identity.accessToken(false)).token).not.toBe(signedIn.accessToken);
  });
});

describe('a sign-in that the server took back', () => {
  it('is signedOut, and the server is not asked again', async () => {
    const { world, identity } = await start();
    world.accounts.changePassword(world.account.email, 'new');
    const error = await failure(identity.accessToken(true));
    expect(error).toMatchObject({ code: 'signedOut', retry: 'afterUser' });
    expect(error.message).toContain('(Invalid token)');
    expect((await failure(identity.accessToken(false))).code).toBe('signedOut');
    expect((await failure(identity.accessToken(true))).code).toBe('signedOut');
    expect(world.sent.length).toBe(1);
    expect(await identity.syncKey()).toHaveProperty('kty', 'oct');
  });
});

describe('a server in trouble', () => {
  it.each<[string, ResponseInit | null]>([
    ['no connection', null],
    ['503', { status: 503, headers: { 'Retry-After': '60' } }],
    ['429', { status: 429, headers: { 'Retry-After': '60' } }],
    ["a hotel's page", { status: 200 }],
    ["a proxy's refusal", { status: 403 }],
  ])('(%s) is offline, and asked again at the next call', async (_, init) => {
    const { world, identity } = await start();
    world.middle = async () => {
      if (init === null) throw new TypeError('fetch failed');
      return new Response('<html>', init);
    };
    const error = await failure(identity.accessToken(true));
    expect(error).toMatchObject({ code: 'offline', retry: 'later' });
    if (init?.headers) expect(error.printed).toContain('"retryAfterMs":60000');
    world.middle = (request, servers) => servers(request);
    expect((await identity.accessToken(true)).token).toMatch(/^ey/);
  });

  it('leaves the old token in use while it lives', async () => {
    const { world, identity, signedIn } = await start();
    world.middle = async () => new Response('', { status: 500 });
    await failure(identity.accessToken(true));
    expect(await identity.accessToken(false)).toEqual({ token: signedIn.accessToken });
  });
});

describe('a refresh token that the server changes', () => {
  it('is kept before its access token is used, and sent the next time', async () => {
    const { world, identity, signedIn, changes } = await start();
    world.middle = changing('/token', (json) => ({ ...json, refresh_token: 'the-next' }));
    await identity.accessToken(true);
    const { uid, key } = signedIn;
    expect(changes).toEqual([{ uid, key, refreshToken: 'the-next' }]);
    await identity.accessToken(true).catch(() => null);
    expect(JSON.parse(world.sent[1]?.body ?? '').refresh_token).toBe('the-next');
  });

  it('is not used while the platform cannot keep it, and offered again until it can', async () => {
    const { world, signedIn } = await start();
    const offered: string[] = [];
    let isFull = true;
    const identity = createIdentity({
      device: world.device,
      client: world.client,
      credentials: signedIn,
      deviceKey: async () => new Uint8Array(32),
      async changed({ refreshToken }, before) {
        offered.push(`${before} to ${refreshToken}`);
        if (isFull) throw new Error('the disk is full');
      },
    });
    world.middle = changing('/token', (json) => ({ ...json, refresh_token: 'the-next' }));
    await expect(identity.accessToken(true)).rejects.toThrow('the disk is full');
    await expect(identity.accessToken(false)).rejects.toThrow('the disk is full');
    isFull = false;
    expect((await identity.accessToken(false)).token).toMatch(/^ey/);
    await identity.accessToken(false);
    expect(offered).toEqual(Array(3).fill(`${signedIn.refreshToken} to the-next`));
    expect(world.sent.length).toBe(1);
  });
});

describe('a device that is described', () => {
  const describe = { name: 'Küche', type: 'tv' };
  const listed = ({ accounts, account }: SignInWorld) =>
    accounts.devices(account.email) as { readonly id: string }[];

  it('registers before its account is told, once, and keeps the id', async () => {
    const { world, identity, signedIn, changes } = await start({ describe });
    const [first, second] = await Promise.all([identity.account(), identity.account()]);
    const [{ id: deviceId } = { id: '' }, ...others] = listed(world);
    expect(others).toEqual([]);
    expect(listed(world)).toMatchObject([describe]);
    expect([first, second, await identity.account()]).toEqual(
      Array(3).fill({ uid: signedIn.uid, email: 'user@example.test', deviceId }),
    );
    const { uid, key, refreshToken } = signedIn;
    expect(changes).toEqual([{ uid, key, refreshToken, deviceId }]);
    const lines = world.sent.map(({ line }) => line);
    expect(lines).toEqual(['GET /v1/account/devices', 'POST /v1/account/device']);
  });

  it('asks nobody when its credentials have the id', async () => {
    const deviceId = 'ab'.repeat(16);
    const { signedIn } = await start();
    const { world, identity } = await start({ describe, credentials: { ...signedIn, deviceId } });
    expect(await identity.account()).toMatchObject({ uid: signedIn.uid, deviceId });
    expect(world.sent).toEqual([]);
  });

  it.each<[string, SignInWorld['middle']]>([
    ['no connection', () => Promise.reject(new TypeError('fetch failed'))],
    ['a server without devices', async () => Response.json({ errno: 999 }, { status: 404 })],
    ['a sign-in that was taken back', async () => Response.json({ errno: 110 }, { status: 401 })],
    ['nonsense', async () => new Response('<html>')],
  ])('(%s) has no id until the next boot, and nothing else fails', async (_, middle) => {
    const { world, identity, signedIn, changes } = await start({ describe });
    world.middle = middle;
    const account = { uid: signedIn.uid, email: 'user@example.test' };
    expect(await identity.account()).toEqual(account);
    world.middle = (request, servers) => servers(request);
    expect(await identity.account()).toEqual(account);
    expect((await identity.accessToken(false)).token).toBe(signedIn.accessToken);
    expect(world.sent.length).toBe(1);
    expect([listed(world), changes]).toEqual([[], []]);
  });

  it('has its id also where it cannot be kept, and the same one after a boot', async () => {
    const full = async () => {
      throw new Error('the disk is full');
    };
    const { world, identity, signedIn } = await start({ describe, changed: full });
    const { deviceId } = await identity.account();
    expect(deviceId).toMatch(/^[\da-f]{32}$/);
    expect((await identity.accessToken(false)).token).toBe(signedIn.accessToken);
    const { device, client } = world;
    const deviceKey = async () => new Uint8Array(32);
    const next = createIdentity({ device, client, credentials: signedIn, describe, deviceKey });
    expect((await next.account()).deviceId).toBe(deviceId);
    expect(listed(world).length).toBe(1);
  });

  it('keeps the id when the refresh token changes', async () => {
    const { world, identity, changes } = await start({ describe });
    const { deviceId } = await identity.account();
    world.middle = changing('/token', (json) => ({ ...json, refresh_token: 'the-next' }));
    await identity.accessToken(true);
    expect(changes.at(-1)).toMatchObject({ refreshToken: 'the-next', deviceId });
  });
});
