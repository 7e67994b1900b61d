import { describe, expect, test } from 'vitest';
import { accountsJwk } from './access-tokens.ts';
import { accountClient } from './account-client.ts';
import { verifyAssertion } from './browserid.ts';
import { verifyJws } from './jws.ts';
import { OLDSYNC_SCOPE } from './onepw.ts';
import { startWorld, TEST_KB, TEST_NOW_MS } from './testing.ts';

const AUDIENCE = 'https://token.test/';

function verify(assertion: string, nowMs: number) {
  return verifyAssertion(assertion, {
    accountsKey: accountsJwk(),
    issuer: 'accounts.test',
    audiences: [AUDIENCE],
    nowMs,
  });
}

describe('the account manager of a device', () => {
  test('signs in and finds the key that the account was made with', async () => {
    const { device } = startWorld();
    expect(await device.syncKey()).toEqual({ kB: TEST_KB });
    expect((await device.account()).email).toBe('user@example.test');
  });

  test('signs in once, however many ask', async () => {
    const asked: string[] = [];
    const world = startWorld({
      intercept: (_server, request) => {
        asked.push(new URL(request.url).pathname);
        return null;
      },
    });
    await Promise.all([
      world.device.account(),
      world.device.syncKey(),
      world.device.accessToken(false),
    ]);
    expect(asked).toEqual([
      '/v1/account/login',
      '/v1/account/keys',
      '/v1/oauth/token',
      '/v1/account/scoped-key-data',
    ]);
  });

  test('mints assertions that are believed, even with a clock of 1970', async () => {
    const world = startWorld();
    const { fetch, urls, account } = world;
    const device = accountClient({
      fetch,
      baseUrl: urls.accounts,
      credentials: { email: account.email, kB: TEST_KB },
      nowMs: () => 0,
    });
    expect(verify(await device.assertion(AUDIENCE, false), TEST_NOW_MS)).toMatchObject({
      uid: (await device.account()).uid,
    });
  });

  test('keeps an assertion until it is about to expire, and makes another when asked', async () => {
    const { device, clock } = startWorld();
    const first = await device.assertion(AUDIENCE, false);
    expect(await device.assertion(AUDIENCE, false)).toBe(first);
    expect(await device.assertion('https://other.test/', false)).not.toBe(first);
    const fresh = await device.assertion(AUDIENCE, true);
    expect(fresh).not.toBe(first);
    expect(await device.assertion(AUDIENCE, false)).toBe(fresh);
    clock.nowMs += 14 * 60_000 + 10;
    const later = await device.assertion(AUDIENCE, false);
    expect(later).not.toBe(fresh);
    expect(typeof verify(later, clock.nowMs)).toBe('object');
    clock.nowMs += 24 * 3600_000;
    expect(typeof verify(await device.assertion(AUDIENCE, false), clock.nowMs)).toBe('object');
  });

  test('keeps an access token in the same way', async () => {
    const { device, clock } = startWorld({ accounts: { accessTokenSeconds: 600 } });
    const { token } = await device.accessToken(false);
    expect((await device.accessToken(false)).token).toBe(token);
    expect((await device.accessToken(true)).token).not.toBe(token);
    const claims = verifyJws(accountsJwk(), token)?.payload;
    expect(claims).toMatchObject({
      iss: 'https://accounts.test',
      sub: (await device.account()).uid,
      scope: OLDSYNC_SCOPE,
      exp: TEST_NOW_MS / 1000 + 600,
      'fxa-generation': expect.any(Number),
    });
    const kept = (await device.accessToken(false)).token;
    clock.nowMs += 541_000;
    expect((await device.accessToken(false)).token).not.toBe(kept);
  });

  test('says signedOut when the password is wrong or the session has ended', async () => {
    const world = startWorld();
    const wrong = accountClient({
      fetch: world.fetch,
      baseUrl: world.urls.accounts,
      credentials: { email: world.account.email, password: 'wrong' },
      nowMs: () => TEST_NOW_MS,
    });
    await expect(wrong.account()).rejects.toMatchObject({ code: 'signedOut' });
    await world.device.account();
    world.accounts.changePassword(world.account.email, 'new');
    await expect(world.device.accessToken(true)).rejects.toMatchObject({ code: 'signedOut' });
  });

  test('says offline when there is no server, and tries again later', async () => {
    let isDown = true;
    const { device } = startWorld({
      intercept: () => (isDown ? new Response('busy', { status: 503 }) : null),
    });
    await expect(device.syncKey()).rejects.toMatchObject({ code: 'offline' });
    isDown = false;
    expect(await device.syncKey()).toEqual({ kB: TEST_KB });
  });
});

describe('the accounts server', () => {
  const post = async (path: string, body: unknown, headers: Record<string, string> = {}) => {
    const { fetch, urls } = startWorld();
    const init = { method: 'POST', body: JSON.stringify(body), headers };
    const response = await fetch(new Request(`${urls.accounts}${path}`, init));
    return { status: response.status, json: (await response.json()) as Record<string, unknown> };
  };

  test.each([
    ['/v1/account/login', { email: 'nobody@example.test', authPW: '' }, 400, 102],
    ['/v1/account/login', { email: 'user@example.test', authPW: '00' }, 400, 103],
    ['/v1/account/login', { email: 'user@example.test' }, 400, 108],
    ['/v1/account/login', [], 400, 106],
    ['/v1/certificate/sign', {}, 401, 110],
    ['/v1/oauth/token', { grant_type: 'fxa-credentials' }, 401, 110],
    ['/v1/oauth/token', { grant_type: 'password' }, 400, 109],
    ['/v1/nothing', {}, 404, 999],
  ])('POST %s %j is %i with errno %i', async (path, body, status, errno) => {
    const answer = await post(path, body);
    expect([answer.status, answer.json.errno]).toEqual([status, errno]);
  });

  test('tells clients where everything is and what it signs with', async () => {
    const { fetch, urls } = startWorld();
    const get = async (path: string) =>
      (await fetch(new Request(urls.accounts + path))).json() as Promise<Record<string, unknown>>;
    expect(await get('/.well-known/fxa-client-configuration')).toEqual({
      auth_server_base_url: 'https://accounts.test',
      oauth_server_base_url: 'https://accounts.test',
      sync_tokenserver_base_url: 'https://token.test',
    });
    const { jwks_uri } = await get('/.well-known/openid-configuration');
    expect(jwks_uri).toBe('https://accounts.test/v1/jwks');
    const { keys } = await get('/v1/jwks');
    expect(keys).toEqual([expect.objectContaining({ kty: 'RSA', kid: expect.any(String) })]);
    expect(JSON.stringify(keys)).not.toContain('"d"');
    expect(await get('/.well-known/browserid')).toHaveProperty('public-key.algorithm', 'RS');
  });

  test('answers a key fetch token once', async () => {
    const requests: Request[] = [];
    const world = startWorld({
      intercept: (_server, request) => {
        requests.push(request.clone());
        return null;
      },
    });
    await world.device.syncKey();
    const keyFetch = requests.find(({ url }) => url.endsWith('/v1/account/keys')) as Request;
    expect((await world.fetch(keyFetch)).status).toBe(401);
  });
});
