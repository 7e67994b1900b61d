// The account manager of a device: what it asks the accounts server for, what it keeps and how
// long, and what it says of a server that refuses or is not there.

import { expect, test } from 'vitest';
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

/** A world that notes the paths that are asked for, and answers some of them as it is told. */
function watched(answers: Record<string, () => Response> = {}) {
  const asked: string[] = [];
  const world = startWorld({
    intercept(_server, request) {
      const path = new URL(request.url).pathname.slice('/v1/'.length);
      asked.push(path);
      return answers[path]?.() ?? null;
    },
  });
  return { ...world, asked };
}

test('one certificate serves for as many assertions as it outlives', async () => {
  const { device, clock, asked } = watched();
  const certificates = () => asked.filter((path) => path === 'certificate/sign').length;
  await device.assertion(AUDIENCE, true);
  clock.nowMs += 11 * 3600_000;
  await device.assertion(AUDIENCE, true);
  expect(certificates()).toBe(1);
  // Good for less than an assertion and a minute.
  clock.nowMs += 44 * 60_000;
  const last = await device.assertion(AUDIENCE, false);
  expect(certificates()).toBe(2);
  expect(typeof verify(last, clock.nowMs)).toBe('object');
});

test('asks for the time of the key with a new access token, not with a kept one', async () => {
  const { device, asked } = watched();
  const { keysChangedAtMs } = await device.accessToken(false);
  expect(keysChangedAtMs).toBe(await device.keysChangedAtMs());
  expect(keysChangedAtMs).toBeGreaterThan(0);
  asked.length = 0;
  expect((await device.accessToken(false)).keysChangedAtMs).toBe(keysChangedAtMs);
  expect(asked).toEqual([]);
  await device.accessToken(true);
  expect(asked).toEqual(['oauth/token', 'account/scoped-key-data']);
});

test('a key that the server does not know of was never changed', async () => {
  const { device } = watched({ 'account/scoped-key-data': () => Response.json({}) });
  expect(await device.keysChangedAtMs()).toBe(0);
});

test.each([
  [400, {}, 'signedOut'],
  [401, {}, 'signedOut'],
  [499, {}, 'signedOut'],
  [500, {}, 'offline'],
  [503, {}, 'offline'],
  [200, ['no', 'object'], 'offline'],
  [200, null, 'offline'],
])('an answer %i of %j is %s, and names what was asked', async (status, body, code) => {
  const answer = () => Response.json(body, { status });
  const { device } = watched({ 'oauth/token': answer });
  const failure = await device.accessToken(false).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code, message: expect.stringContaining('oauth/token') });
  expect((failure as Error).message).toContain(String(status));
});

test('a key that was damaged on its way is not taken', async () => {
  const { device } = watched({
    'account/keys': () => Response.json({ bundle: '00'.repeat(96) }),
  });
  await expect(device.syncKey()).rejects.toMatchObject({
    ...{ code: 'offline', message: 'the key bundle is damaged' },
  });
});
