// Sign-in with a password: what it ends with, what the server gets to see, and what may go wrong.

import { pbkdf2Sync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { passwordKeys, type TokenKeys, tokenKeys } from '../../crypto/onepw.ts';
import { companion } from '../../emulator/servers/companion.ts';
import { sealKeyBundle, passwordKeys as serverKeys, xor } from '../../emulator/servers/onepw.ts';
import { emptyAccount, TEST_KB, TEST_NOW_MS } from '../../emulator/servers/testing.ts';
import { changing, failure, type SignInWorld, startSignIn } from '../../test/support/signin.ts';
import { beginSignIn, finishSignIn } from './companion.ts';
import { signInWithPassword } from './password.ts';
import { refreshAccessToken } from './tokens.ts';

const PASSWORD = 'pässwörd 😀';

function start(email = 'user@example.test'): SignInWorld {
  return startSignIn({ account: { ...emptyAccount(), email, password: PASSWORD } });
}

const signIn = (world: SignInWorld, change: object = {}, knownKid?: string) => {
  const { email, password } = world.account;
  return signInWithPassword(
    world.device,
    { ...world.client, email, password, ...change },
    knownKid,
  );
};

it('ends with the same account and key as a sign-in by a companion', async () => {
  const world = start();
  const signedIn = await signIn(world);
  const begun = await beginSignIn(world.device, world.request);
  const code = await companion(world.fetch, begun.url, world.account);
  const other = await finishSignIn(world.device, begun.secret, code);
  expect(signedIn.key).toEqual(other.key);
  expect(signedIn.uid).toBe(other.uid);
  expect(signedIn.expiresAtMs).toBe(TEST_NOW_MS + 6 * 3_600_000);
  const { accessToken } = await refreshAccessToken(
    world.device,
    world.client,
    signedIn.refreshToken,
  );
  expect(accessToken).not.toBe(signedIn.accessToken);
});

it('shows the server no password nor what unwraps the key, and ends its session', async () => {
  const world = start();
  await signIn(world);
  expect(world.sent.map(({ line }) => line)).toEqual([
    'POST /v1/account/credentials/status',
    'POST /v1/account/login?keys=true',
    'GET /v1/account/keys',
    'POST /v1/account/scoped-key-data',
    'POST /v1/oauth/token',
    'POST /v1/session/destroy',
  ]);
  const sent = JSON.stringify(world.sent);
  for (const word of [PASSWORD, encodeURIComponent(PASSWORD), TEST_KB]) {
    expect(sent).not.toContain(word);
  }
});

it('finds the address as it was written when the account was made', async () => {
  const world = start('User@Example.test');
  const { key } = await signIn(world, { email: 'user@example.TEST' });
  expect(key).toEqual((await signIn(world)).key);
  const logins = world.sent.filter(({ line }) => line.includes('login'));
  expect(logins.map(({ body }) => JSON.parse(body).email)).toEqual([
    'user@example.TEST',
    'User@Example.test',
    'User@Example.test',
  ]);
});

it('does not stretch the password with an address of the server’s choice', async () => {
  const world = start();
  const logins = () => world.sent.filter(({ line }) => line.includes('/login')).length;
  world.middle = async () =>
    new Response(JSON.stringify({ errno: 120, email: 'other@example.test' }), { status: 400 });
  expect((await failure(signIn(world))).code).toBe('unauthorized');
  expect(logins()).toBe(1);
  world.middle = async (request) => {
    const { email } = (await request.json()) as { email: string };
    const turned = email === email.toLowerCase() ? email.toUpperCase() : email.toLowerCase();
    return new Response(JSON.stringify({ errno: 120, email: turned }), { status: 400 });
  };
  world.sent.length = 0;
  expect((await failure(signIn(world))).code).toBe('unauthorized');
  expect(logins()).toBe(2);
});

it.each([
  [{ password: 'wrong' }, 'unauthorized', 'the password is wrong'],
  [{ email: 'nobody@example.test' }, 'unauthorized', 'no account with this address'],
  [{ password: 'half \ud800' }, 'badInput', 'surrogate'],
])('is refused with %j', async (change, code, words) => {
  const error = await failure(signIn(start(), change));
  expect(error.code).toBe(code);
  expect(error.message).toContain(words);
});

it.each<[string, string, object, string, string]>([
  ['waits for a confirmation', '/login', { verified: false }, 'unverified', 'by mail'],
  [
    'wants a second factor',
    '/login',
    { verified: false, verificationMethod: 'totp-2fa' },
    'unverified',
    'second factor',
  ],
  ['gives no session', '/login', { sessionToken: 'xyz' }, 'badResponse', 'sessionToken'],
  ['gives a short token', '/login', { keyFetchToken: '00' }, 'badResponse', 'keyFetchToken'],
  ['gives another bundle', '/keys', { bundle: '00'.repeat(96) }, 'badResponse', 'damaged'],
  ['gives a short bundle', '/keys', { bundle: '00' }, 'badResponse', 'bundle'],
  [
    'gives no refresh token',
    '/token',
    { refresh_token: undefined },
    'badResponse',
    'refresh_token',
  ],
])('fails when the server %s', async (_, path, change, code, words) => {
  const world = start();
  world.middle = changing(path, (json) => ({ ...json, ...change }));
  const error = await failure(signIn(world));
  expect(error.code).toBe(code);
  expect(error.message).toContain(words);
});

it('ends a session that it cannot use', async () => {
  const world = start();
  world.middle = changing('/login', (json) => ({ ...json, verified: false }));
  await failure(signIn(world));
  expect(world.sent.at(-1)?.line).toBe('POST /v1/session/destroy');
});

it.each([[{}], [{ keyRotationTimestamp: '1' }], [{ keyRotationTimestamp: -1 }], [7]])(
  'fails when the time of the key is told as %j',
  async (data) => {
    const world = start();
    const scope = 'https://identity.mozilla.com/apps/oldsync';
    world.middle = changing('/scoped-key-data', () => ({ [scope]: data }));
    expect((await failure(signIn(world))).code).toBe('badResponse');
    expect(world.sent.at(-1)?.line).toBe('POST /v1/session/destroy');
  },
);

it('refuses a key that is older than the one that the device had', async () => {
  const world = start();
  const { key } = await signIn(world);
  expect((await failure(signIn(world, {}, `2${key.kid.slice(1)}`))).code).toBe('keyMismatch');
  expect((await signIn(world, {}, key.kid)).key).toEqual(key);
});

it('succeeds though the session cannot be ended', async () => {
  const world = start();
  world.middle = async (request, servers) => {
    if (request.url.endsWith('/session/destroy')) throw new TypeError('fetch failed');
    return servers(request);
  };
  expect((await signIn(world)).key.kty).toBe('oct');
});

describe('an account whose password is stretched in the second way', () => {
  const SALT = `identity.mozilla.com/picl/v1/quickStretchV2:${'0123456789abcdef'.repeat(2)}`;
  const pbkdf2 = async (password: Uint8Array, salt: Uint8Array, rounds: number) =>
    new Uint8Array(pbkdf2Sync(password, salt, rounds, 32, 'sha256'));

  /** What stands between turns what the server knows into the second way and back. */
  async function startV2(clientSalt: unknown = SALT): Promise<SignInWorld> {
    const world = start();
    const utf8 = (text: string) => new TextEncoder().encode(text);
    const second = passwordKeys(await pbkdf2(utf8(PASSWORD), utf8(SALT), 650_000));
    const { authPW } = serverKeys(world.account.email, PASSWORD);
    let keyFetch: TokenKeys | undefined;
    world.middle = async (request, servers) => {
      const { url, method } = request;
      if (url.endsWith('/credentials/status')) {
        return Response.json({ currentVersion: 'v2', upgradeNeeded: false, clientSalt });
      }
      if (url.endsWith('/account/keys')) {
        const wrapKb = xor(Buffer.from(TEST_KB, 'hex'), second.unwrapBKey);
        const keys = Buffer.concat([Buffer.alloc(32), wrapKb]);
        const bundle = sealKeyBundle(keyFetch?.bundleKey ?? new Uint8Array(32), keys);
        return Response.json({ bundle: bundle.toString('hex') });
      }
      if (!url.includes('/login')) return servers(request);
      const json = (await request.json()) as { authPW: string };
      if (json.authPW === Buffer.from(second.authPW).toString('hex')) {
        json.authPW = authPW.toString('hex');
      }
      const answer = await servers(new Request(url, { method, body: JSON.stringify(json) }));
      const body = (await answer.json()) as { keyFetchToken: string };
      if (answer.ok) keyFetch = tokenKeys(Buffer.from(body.keyFetchToken, 'hex'), 'keyFetchToken');
      return Response.json(body, { status: answer.status });
    };
    return world;
  }

  it('signs in where the device can compute it', async () => {
    const { key } = await signIn(start());
    const world = await startV2();
    expect((await signIn(world, { pbkdf2 })).key).toEqual(key);
    const error = await failure(signIn(world, { pbkdf2, password: 'wrong' }));
    expect(error.message).toBe('login: the password is wrong');
  });

  it('is refused where the device cannot, before anything of the password is sent', async () => {
    const world = await startV2();
    expect(await failure(signIn(world))).toMatchObject({ code: 'badInput', retry: 'never' });
    expect(world.sent.map(({ line }) => line)).toEqual(['POST /v1/account/credentials/status']);
  });

  it.each([undefined, 7, 'identity.mozilla.com/picl/v1/quickStretch:user@example.test'])(
    'is refused with a salt that is none (%s)',
    async (salt) => {
      const error = await failure(signIn(await startV2(salt ?? null), { pbkdf2 }));
      expect(error.code).toBe('badResponse');
    },
  );
});
