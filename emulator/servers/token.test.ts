import { describe, expect, test } from 'vitest';
import { accountClient } from './account-client.ts';
import { signJws } from './jws.ts';
import { OLDSYNC_SCOPE } from './onepw.ts';
import { clientState, keyFingerprint } from './sync-keys.ts';
import { ACCOUNTS_TEST_KEY, CLIENT_TEST_KEY } from './test-keys.ts';
import {
  askToken,
  type Pass,
  startWorld,
  TEST_KB,
  TEST_NOW_MS,
  type TestWorld,
} from './testing.ts';

const NEW_KB = '11'.repeat(32);

interface Claims {
  generation?: number;
  keysChangedAtMs?: number;
  kB?: string;
}

/** Asks with a token that says what the test wants, signed by the accounts server. */
async function ask(world: TestWorld, claims: Claims, headers: Record<string, string> = {}) {
  const { generation = 100, keysChangedAtMs = 50, kB = TEST_KB } = claims;
  const response = await askToken(world, world.device, {
    Authorization: `Bearer ${accessToken({ 'fxa-generation': generation })}`,
    'X-KeyID': `${keysChangedAtMs}-${keyFingerprint(kB)}`,
    ...headers,
  });
  return { status: response.status, json: (await response.json()) as Record<string, unknown> };
}

function accessToken(claims: Record<string, unknown>, key = ACCOUNTS_TEST_KEY): string {
  return signJws(key, {
    iss: 'https://accounts.test',
    sub: 'user',
    exp: TEST_NOW_MS / 1000 + 60,
    scope: OLDSYNC_SCOPE,
    ...claims,
  });
}

async function pass(response: Response): Promise<Pass> {
  expect(response.status).toBe(200);
  return (await response.json()) as Pass;
}

async function askWithAssertion(
  world: TestWorld,
  audience: string,
  headers: Record<string, string> = {},
): Promise<Response> {
  const assertion = await world.device.assertion(audience, true);
  const sent = {
    Authorization: `BrowserID ${assertion}`,
    'X-Client-State': clientState(TEST_KB),
    ...headers,
  };
  return world.fetch(new Request('https://token.test/1.0/sync/1.5', { headers: sent }));
}

describe('credentials', () => {
  test('come for an access token with the key id', async () => {
    const world = startWorld();
    const response = await askToken(world, world.device);
    expect(response.headers.get('x-timestamp')).toBe(String(TEST_NOW_MS / 1000));
    expect(await pass(response)).toEqual({
      id: expect.stringMatching(/^[\w-]+$/),
      key: expect.stringMatching(/^[\w-]{43}$/),
      uid: 1,
      api_endpoint: 'https://sync15.test/1.5/1',
      duration: 3600,
      hashed_fxa_uid: expect.stringMatching(/^[0-9a-f]{32}$/),
      hashalg: 'sha256',
      node_type: 'mysql',
    });
  });

  test('come for an assertion with the client state, to the same place', async () => {
    const world = startWorld();
    const { uid } = await pass(await askWithAssertion(world, 'https://token.test/'));
    expect(uid).toBe((await pass(await askToken(world, world.device))).uid);
  });

  test('last as long as was asked, up to what the server allows', async () => {
    const world = startWorld();
    const duration = async (query: string) =>
      (await pass(await askToken(world, world.device, {}, query))).duration;
    expect(await duration('?duration=300')).toBe(300);
    expect(await duration('?duration=9999')).toBe(3600);
    expect(await duration('?duration=0')).toBe(3600);
    expect(await duration('?duration=-5')).toBe(3600);
    expect(await duration('?duration=long')).toBe(3600);
  });

  test('differ every time', async () => {
    const world = startWorld();
    const one = await pass(await askToken(world, world.device));
    const two = await pass(await askToken(world, world.device));
    expect([one.id === two.id, one.key === two.key]).toEqual([false, false]);
  });
});

describe('a request is refused', () => {
  test.each<[string, Record<string, string>, string]>([
    ['without a known scheme', { Authorization: 'Basic dTpw' }, 'error'],
    ['with half of a header', { Authorization: 'Bearer' }, 'error'],
    [
      'with a token of somebody else',
      { Authorization: `Bearer ${accessToken({}, CLIENT_TEST_KEY)}` },
      'invalid-credentials',
    ],
    [
      'with an expired token',
      { Authorization: `Bearer ${accessToken({ exp: TEST_NOW_MS / 1000 })}` },
      'invalid-credentials',
    ],
    [
      'with a token for something else',
      { Authorization: `Bearer ${accessToken({ scope: 'profile' })}` },
      'invalid-credentials',
    ],
    [
      'with a token for two scopes',
      { Authorization: `Bearer ${accessToken({ scope: `profile ${OLDSYNC_SCOPE}` })}` },
      'invalid-credentials',
    ],
    [
      'with a token of another issuer',
      { Authorization: `Bearer ${accessToken({ iss: 'https://evil.test' })}` },
      'invalid-credentials',
    ],
    ['with an odd key id', { 'X-KeyID': 'x' }, 'invalid-credentials'],
    ['with another client state', { 'X-Client-State': '0'.repeat(32) }, 'invalid-client-state'],
    ['with an odd client state', { 'X-Client-State': 'xyz' }, 'invalid-client-state'],
  ])('%s', async (_what, headers, status) => {
    const world = startWorld();
    const response = await askToken(world, world.device, headers);
    expect(response.status).toBe(401);
    expect(response.headers.get('x-timestamp')).toBe(String(TEST_NOW_MS / 1000));
    expect(await response.json()).toEqual({
      status,
      errors: [
        { location: expect.any(String), name: expect.any(String), description: expect.any(String) },
      ],
    });
  });

  test.each([
    [{ Authorization: 'Basic dTpw' }, 'body', '', 'Unsupported'],
    [{ Authorization: '' }, 'body', '', 'Unauthorized'],
    [{ Authorization: 'Bearer x' }, 'body', '', 'Unauthorized'],
    [{ 'X-KeyID': '1-x' }, 'body', '', 'Unauthorized'],
    [{ 'X-KeyID': '1-x', Authorization: 'Bearer x' }, 'body', '', 'Unauthorized'],
    [{ 'X-Client-State': '0'.repeat(32) }, 'header', 'X-Client-State', 'Is not that of X-KeyID'],
  ])('with %j in the words of the reference', async (headers, location, name, description) => {
    const world = startWorld();
    const answer = await askToken(world, world.device, headers as Record<string, string>);
    const { errors } = (await answer.json()) as { errors: unknown };
    expect(errors).toEqual([{ location, name, description }]);
  });

  test('without a key id, which is named', async () => {
    const world = startWorld();
    const { token } = await world.device.accessToken(false);
    const url = `${world.urls.token}/1.0/sync/1.5`;
    const ask = (place: string) =>
      world.fetch(new Request(place, { headers: { Authorization: `Bearer ${token}` } }));
    expect(await (await ask(url)).json()).toMatchObject({ status: 'invalid-key-id' });
    expect((await ask(`${url}/`)).status).toBe(404);
  });

  test('with an assertion for another audience', async () => {
    const response = await askWithAssertion(startWorld(), 'https://syncto.test/');
    expect([response.status, await response.json()]).toMatchObject([
      401,
      { status: 'invalid-credentials' },
    ]);
  });

  test('with an assertion that has expired, in its own word', async () => {
    const world = startWorld();
    const assertion = await world.device.assertion('https://token.test/', false);
    world.clock.nowMs += 3600_000;
    const headers = { Authorization: `BrowserID ${assertion}` };
    const response = await world.fetch(new Request('https://token.test/1.0/sync/1.5', { headers }));
    expect([response.status, await response.json()]).toMatchObject([
      401,
      { status: 'invalid-timestamp' },
    ]);
  });

  test('for another application or by another method', async () => {
    const { fetch } = startWorld();
    expect((await fetch(new Request('https://token.test/1.0/sync/1.1'))).status).toBe(404);
    const post = new Request('https://token.test/1.0/sync/1.5', { method: 'POST' });
    expect((await fetch(post)).status).toBe(405);
  });
});

describe('what was seen of an account never goes back', () => {
  test.each<[string, Claims, string]>([
    ['an older generation', { generation: 99 }, 'invalid-generation'],
    ['an older key time', { keysChangedAtMs: 49 }, 'invalid-keysChangedAt'],
    ['a key time after its generation', { keysChangedAtMs: 101 }, 'invalid-keysChangedAt'],
    ['another key of the same password', { kB: NEW_KB }, 'invalid-client-state'],
    [
      'a newer key of the same password',
      { kB: NEW_KB, keysChangedAtMs: 60 },
      'invalid-client-state',
    ],
    ['another key of the same time', { kB: NEW_KB, generation: 101 }, 'invalid-client-state'],
  ])('%s', async (_what, claims, status) => {
    const world = startWorld();
    expect((await ask(world, {})).status).toBe(200);
    expect(await ask(world, claims)).toMatchObject({ status: 401, json: { status } });
    expect((await ask(world, {})).status).toBe(200);
  });

  test('a new key leads to a new, empty place, and the old one is refused then', async () => {
    const world = startWorld();
    const old = await ask(world, {});
    const renewed = await ask(world, { kB: NEW_KB, generation: 200, keysChangedAtMs: 200 });
    expect(renewed.status).toBe(200);
    expect(renewed.json.api_endpoint).not.toBe(old.json.api_endpoint);
    const back = await ask(world, { generation: 300, keysChangedAtMs: 300 });
    expect(back).toMatchObject({ status: 401, json: { status: 'invalid-client-state' } });
  });

  test('an empty client state after one is refused', async () => {
    const world = startWorld();
    expect((await askWithAssertion(world, 'https://token.test/')).status).toBe(200);
    const response = await askWithAssertion(world, 'https://token.test/', { 'X-Client-State': '' });
    expect(await response.json()).toMatchObject({ status: 'invalid-client-state' });
  });

  test('after a reset of the password the user starts anew with the new key', async () => {
    const world = startWorld();
    const { uid } = await pass(await askToken(world, world.device));
    world.accounts.resetPassword(world.account.email, 'new', NEW_KB);
    const device = accountClient({
      fetch: world.fetch,
      baseUrl: world.urls.accounts,
      credentials: { email: world.account.email, password: 'new' },
      nowMs: () => TEST_NOW_MS,
    });
    expect(await device.syncKey()).toEqual({ kB: NEW_KB });
    expect((await pass(await askToken(world, device))).uid).not.toBe(uid);
  });
});

describe('the operator', () => {
  test('can close the door to new users', async () => {
    const world = startWorld({ token: { allowNewUsers: false } });
    expect((await ask(world, {})).status).toBe(200);
    const answer = await ask(world, { kB: NEW_KB, generation: 200, keysChangedAtMs: 200 });
    expect(answer).toMatchObject({ status: 403, json: { status: 'new-users-disabled' } });
  });

  test('can send clients away for a while', async () => {
    const world = startWorld({ token: { health: () => ({ refuse: 503, backoffSeconds: 90 }) } });
    const response = await askToken(world, world.device);
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('90');
    expect(response.headers.get('x-backoff')).toBe('90');
  });
});
