// Codes, tokens and devices of the accounts server: what it refuses, and what ends with what.

import { createHash, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { companion } from './companion.ts';
import { OLDSYNC_SCOPE } from './onepw.ts';
import { startWorld, type TestWorld } from './testing.ts';

const VERIFIER = 'v'.repeat(43);
const KEY = createPublicKey(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey).export({
  format: 'jwk',
});

const query = {
  client_id: 'tv',
  redirect_uri: 'https://tv.test/done',
  scope: OLDSYNC_SCOPE,
  state: 's',
  response_type: 'code',
  access_type: 'offline',
  code_challenge_method: 'S256',
  code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
};

const pageOf = (world: TestWorld, change: Record<string, string> = {}) =>
  `${world.urls.accounts}/authorization?${new URLSearchParams({ ...query, ...change })}`;

async function post(world: TestWorld, path: string, body: unknown, bearer?: unknown) {
  const headers = bearer === undefined ? {} : { Authorization: `Bearer ${bearer}` };
  const init = { method: 'POST', headers, body: JSON.stringify(body) };
  const response = await world.fetch(new Request(`${world.urls.accounts}${path}`, init));
  return { status: response.status, json: (await response.json()) as Record<string, unknown> };
}

async function redeem(world: TestWorld, page = pageOf(world), change: object = {}) {
  const { code } = await companion(world.fetch, page, world.account);
  const grant = { grant_type: 'authorization_code', client_id: 'tv', code };
  return post(world, '/v1/oauth/token', { ...grant, code_verifier: VERIFIER, ...change });
}

const refresh = (world: TestWorld, token: unknown, change: object = {}) =>
  post(world, '/v1/oauth/token', {
    grant_type: 'refresh_token',
    client_id: 'tv',
    refresh_token: token,
    ...change,
  });

describe('a code', () => {
  test('gives an access token, and no more than was asked for', async () => {
    const world = startWorld();
    const { json } = await redeem(world, pageOf(world, { access_type: 'online' }));
    expect(Object.keys(json).sort()).toEqual([
      'access_token',
      'auth_at',
      'expires_in',
      'scope',
      'token_type',
    ]);
  });

  test.each([
    [{ scope: OLDSYNC_SCOPE }, 109],
    [{ refresh_token: 'x' }, 109],
    [{ code_verifier: undefined }, 108],
    [{ code_verifier: 'w'.repeat(43) }, 117],
    [{ client_id: 'phone' }, 106],
    [{ code: 'x' }, 105],
  ])('is not changed with %j: errno %i', async (change, errno) => {
    const world = startWorld();
    const { status, json } = await redeem(world, pageOf(world), change);
    expect([status, json.errno]).toEqual([400, errno]);
  });

  test('ends with the password', async () => {
    const world = startWorld();
    const { code } = await companion(world.fetch, pageOf(world), world.account);
    world.accounts.changePassword(world.account.email, 'new');
    const grant = { grant_type: 'authorization_code', client_id: 'tv', code };
    const { json } = await post(world, '/v1/oauth/token', { ...grant, code_verifier: VERIFIER });
    expect(json.errno).toBe(105);
  });
});

describe('the page', () => {
  test('is for a person who is signed in', async () => {
    const world = startWorld();
    expect((await world.fetch(new Request(pageOf(world)))).status).toBe(401);
  });

  test.each([
    ['no key', { kty: 'EC' }],
    ['a key beside the curve', { ...KEY, y: KEY.x }],
    ['another curve', { ...KEY, crv: 'P-384' }],
  ])('seals nothing for %s', async (_, key) => {
    const world = startWorld();
    const keys_jwk = Buffer.from(JSON.stringify(key)).toString('base64url');
    const page = pageOf(world, { keys_jwk });
    await expect(companion(world.fetch, page, world.account)).rejects.toThrow('keys_jwk');
  });

  test('has no key of Sync for who asks for something else', async () => {
    const world = startWorld();
    const { json } = await redeem(world, pageOf(world, { scope: 'profile' }));
    expect(json.scope).toBe('profile');
  });
});

describe('a refresh token', () => {
  test('gives access tokens until it is destroyed by its own client', async () => {
    const world = startWorld();
    const { refresh_token } = (await redeem(world)).json;
    expect((await refresh(world, refresh_token)).status).toBe(200);
    const destroy = (client_id: string) =>
      post(world, '/v1/oauth/destroy', { client_id, token: refresh_token });
    expect(await destroy('phone')).toEqual({ status: 200, json: {} });
    expect((await refresh(world, refresh_token)).status).toBe(200);
    expect(await destroy('tv')).toEqual({ status: 200, json: {} });
    expect((await refresh(world, refresh_token)).json.errno).toBe(108);
    expect(await destroy('tv')).toEqual({ status: 200, json: {} });
  });

  test('is good for its own client and its own scopes', async () => {
    const world = startWorld();
    const scope = `${OLDSYNC_SCOPE} profile`;
    const { refresh_token } = (await redeem(world, pageOf(world, { scope }))).json;
    expect((await refresh(world, refresh_token, { client_id: 'phone' })).json.errno).toBe(108);
    expect((await refresh(world, refresh_token, { scope: 'mail' })).json.errno).toBe(114);
    expect((await refresh(world, refresh_token, { scope: 'profile' })).json.scope).toBe('profile');
    expect((await refresh(world, refresh_token)).json.scope).toBe(scope);
  });

  test('ends with the password', async () => {
    const world = startWorld();
    const { refresh_token } = (await redeem(world)).json;
    world.accounts.changePassword(world.account.email, 'new');
    expect((await refresh(world, refresh_token)).json.errno).toBe(108);
  });
});

describe('a device', () => {
  const TV = { name: 'Küche', type: 'tv' };
  const signedIn = async (world: TestWorld) => (await redeem(world)).json.refresh_token;
  const register = (world: TestWorld, token: unknown, body: object = TV) =>
    post(world, '/v1/account/device', body, token);
  const listed = async (world: TestWorld, bearer: unknown) => {
    const headers = { Authorization: `Bearer ${bearer}` };
    const url = `${world.urls.accounts}/v1/account/devices`;
    return (await world.fetch(new Request(url, { headers }))).json() as Promise<unknown>;
  };

  test('is listed under its id, with its own name and type, and may change both', async () => {
    const world = startWorld();
    const [mine, other] = [await signedIn(world), await signedIn(world)];
    const { id } = (await register(world, mine)).json;
    expect(id).toMatch(/^[\da-f]{32}$/);
    await register(world, other, { name: 'Flur', type: 'mobile' });
    expect((await register(world, mine, { id, name: 'Bad' })).json.id).toBe(id);
    expect((await register(world, mine, { type: 'tablet' })).json.id).toBe(id);
    const ours = { id, name: 'Bad', type: 'tablet', lastAccessTime: world.clock.nowMs };
    const devices = [ours, { name: 'Flur', type: 'mobile' }];
    expect(await listed(world, mine)).toMatchObject([{ isCurrentDevice: true }, {}]);
    expect(await listed(world, other)).toMatchObject([{ isCurrentDevice: false }, {}]);
    expect(world.accounts.devices(world.account.email)).toMatchObject(devices);
  });

  test('is gone with its refresh token', async () => {
    const world = startWorld();
    const [mine, other] = [await signedIn(world), await signedIn(world)];
    await register(world, mine);
    await post(world, '/v1/oauth/destroy', { client_id: 'tv', token: mine });
    expect(await listed(world, other)).toEqual([]);
    await register(world, other);
    world.accounts.endSessions(world.account.email);
    expect(world.accounts.devices(world.account.email)).toEqual([]);
    expect(await listed(world, other)).toMatchObject({ errno: 110 });
  });

  test.each([
    [{ ...TV, pushKey: 'x' }, 107],
    [{ ...TV, name: '' }, 107],
    [{ ...TV, name: 'n'.repeat(256) }, 107],
    [{ ...TV, type: 5 }, 107],
    [{ ...TV, id: '0'.repeat(32) }, 123],
  ])('%j is refused: errno %i', async (body, errno) => {
    const world = startWorld();
    const { status, json } = await register(world, await signedIn(world), body);
    expect([status, json.errno]).toEqual([400, errno]);
    expect(world.accounts.devices(world.account.email)).toEqual([]);
  });

  test('needs a sign-in for Sync', async () => {
    const world = startWorld();
    const { refresh_token } = (await redeem(world, pageOf(world, { scope: 'profile' }))).json;
    for (const token of [refresh_token, 'x', '']) {
      expect((await register(world, token)).status).toBe(401);
    }
  });
});
