// Sign-in with a companion, from the device's first number to a record on the storage server, and
// everything that somebody in between, an old code or a hostile server could make of it.

import { describe, expect, it } from 'vitest';
import { openJwe } from '../../crypto/jwe.ts';
import { syncKeyBundle } from '../../crypto/keys.ts';
import { companion } from '../../emulator/servers/companion.ts';
import { type Pass, storageClient, TEST_KB } from '../../emulator/servers/testing.ts';
import { changing, failure, type SignInWorld, startSignIn } from '../../test/support/signin.ts';
import { beginSignIn, finishSignIn, readRedirect } from './companion.ts';
import { refreshAccessToken } from './tokens.ts';

const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'base64url'));

async function begun(world = startSignIn()) {
  const start = await beginSignIn(world.device, world.request);
  const answer = await companion(world.fetch, start.url, world.account);
  return { world, start, answer, secret: start.secret };
}

/** Credentials of the storage server for an access token. */
async function askToken(world: SignInWorld, token: string, kid: string): Promise<Response> {
  const headers = { Authorization: `Bearer ${token}`, 'X-KeyID': kid };
  return world.fetch(new Request(`${world.urls.token}/1.0/sync/1.5`, { headers }));
}

describe('a device without a keyboard', () => {
  it('is signed in by a companion, and its token and key open the storage', async () => {
    const { world, secret, answer } = await begun();
    const signedIn = await finishSignIn(world.device, secret, answer);
    expect(syncKeyBundle(signedIn.key).encKey).toEqual(syncKeyBundle({ kB: TEST_KB }).encKey);
    expect(signedIn.expiresAtMs).toBe(world.clock.nowMs + 6 * 3_600_000);
    expect(signedIn.uid).toMatch(/^[\da-f]{32}$/);
    const token = await askToken(world, signedIn.accessToken, signedIn.key.kid);
    expect(token.status).toBe(200);
    const pass = (await token.json()) as Pass;
    const storage = storageClient(world, pass, () => world.clock.nowMs);
    const put = await storage('PUT', 'storage/tabs/me', { body: { payload: 'sealed' } });
    expect(put.status).toBe(200);
    expect((await storage('GET', 'storage/tabs/me')).json.payload).toBe('sealed');
  });

  it('shows a page address that the companion can open and that fits a QR code', async () => {
    const world = startSignIn();
    const { url, state } = await beginSignIn(world.device, world.request);
    expect(url.length).toBeLessThan(900);
    const { origin, pathname, searchParams } = new URL(url);
    expect(origin + pathname).toBe('https://accounts.test/authorization');
    expect(Object.fromEntries(searchParams)).toEqual({
      client_id: '3c49430b43dfba77',
      redirect_uri: 'https://accounts.test/oauth/success',
      scope: 'https://identity.mozilla.com/apps/oldsync',
      state,
      response_type: 'code',
      access_type: 'offline',
      action: 'email',
      code_challenge_method: 'S256',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      keys_jwk: expect.stringMatching(/^[\w-]+$/),
    });
    expect(world.sent).toEqual([]);
  });

  it('keeps the secret through a reboot as plain JSON', async () => {
    const { world, secret, answer } = await begun();
    const kept = JSON.parse(JSON.stringify(secret));
    expect((await finishSignIn(world.device, kept, answer)).key.kty).toBe('oct');
  });

  it('makes another state, verifier and key for every sign-in', async () => {
    const world = startSignIn();
    const [one, other] = [
      await beginSignIn(world.device, world.request),
      await beginSignIn(world.device, world.request),
    ];
    for (const name of ['state', 'verifier', 'privateKey'] as const) {
      expect(one.secret[name]).not.toBe(other.secret[name]);
    }
  });

  it.each([
    ['zeros', () => new Uint8Array(96)],
    ['the same byte', () => new Uint8Array(96).fill(7)],
    ['all ones', () => new Uint8Array(96).fill(255)],
    ['too few bytes', () => new Uint8Array(64).map((_, at) => at)],
    ['those of the key again', () => new Uint8Array(96).map((_, at) => 1 + ((at >> 5) % 2))],
    ['those of the verifier again', () => new Uint8Array(96).map((_, at) => (at >> 5 ? 1 : 2))],
  ])('does not begin with random numbers that are %s', async (_, random) => {
    const { device, request } = startSignIn();
    const begin = beginSignIn({ ...device, entropy: { random } }, request);
    expect((await failure(begin)).code).toBe('deviceFailed');
  });
});

describe('who sees what the companion sees', () => {
  it('can neither use the code nor open the key', async () => {
    const { world, start, secret, answer } = await begun();
    const seen = `${start.url} ${JSON.stringify(answer)}`;
    expect(seen).not.toContain(secret.verifier);
    expect(seen).not.toContain(secret.privateKey);

    // The eavesdropper tries every part of the address as the verifier, then as the private key.
    const known = [...new URL(start.url).searchParams.values(), answer.code];
    const jwk = JSON.parse(Buffer.from(known.at(-2) ?? '', 'base64url').toString());
    const tries = [...known, jwk.x, jwk.y].filter((text) => bytes(text).length === 32);
    expect(tries.length).toBeGreaterThan(3);
    for (const verifier of tries) {
      const stolen = finishSignIn(world.device, { ...secret, verifier }, answer);
      expect((await failure(stolen)).code).toBe('unauthorized');
    }
    let jwe = '';
    world.middle = changing('/token', (json) => {
      jwe = String(json.keys_jwe);
      return json;
    });
    await finishSignIn(world.device, secret, answer);
    const open = (key: string) => openJwe(jwe, bytes(key), async () => {});
    for (const key of tries) expect((await open(key)).ok).toBe(false);
    expect((await open(secret.privateKey)).ok).toBe(true);
  });

  it('finds no secret in what the device sends, but the verifier beside the code', async () => {
    const { world, secret, answer } = await begun();
    await finishSignIn(world.device, secret, answer);
    expect(world.sent.map(({ line }) => line)).toEqual(['POST /v1/oauth/token']);
    const [{ text, body }] = world.sent as [(typeof world.sent)[0]];
    expect(text).not.toContain(secret.privateKey);
    expect(JSON.parse(body)).toEqual({
      client_id: '3c49430b43dfba77',
      grant_type: 'authorization_code',
      code: answer.code,
      code_verifier: secret.verifier,
    });
  });
});

describe('a sign-in is refused', () => {
  it('without a request when the state is that of another one', async () => {
    const { world, secret, answer } = await begun();
    const other = { ...answer, state: `${answer.state}x` };
    expect((await failure(finishSignIn(world.device, secret, other))).code).toBe('badInput');
    const empty = { ...answer, code: '' };
    expect((await failure(finishSignIn(world.device, secret, empty))).code).toBe('badInput');
    expect(world.sent).toEqual([]);
  });

  it('when the verifier is wrong, and the right one still works', async () => {
    const { world, secret, answer } = await begun();
    const wrong = { ...secret, verifier: secret.privateKey };
    const error = await failure(finishSignIn(world.device, wrong, answer));
    expect(error).toMatchObject({ code: 'unauthorized', retry: 'afterUser' });
    expect(error.message).toContain('(Incorrect code_challenge)');
    expect((await finishSignIn(world.device, secret, answer)).key.kty).toBe('oct');
  });

  it('when the code comes a second time', async () => {
    const { world, secret, answer } = await begun();
    await finishSignIn(world.device, secret, answer);
    const error = await failure(finishSignIn(world.device, secret, answer));
    expect(error.code).toBe('unauthorized');
    expect(error.message).toContain('(Unknown code)');
  });

  it('when the code is older than 15 minutes', async () => {
    const { world, secret, answer } = await begun();
    world.clock.nowMs += 15 * 60_000 + 1;
    const error = await failure(finishSignIn(world.device, secret, answer));
    expect(error.message).toContain('(Expired code)');
  });

  it('when the password was changed meanwhile', async () => {
    const { world, secret, answer } = await begun();
    world.accounts.changePassword(world.account.email, 'new');
    const error = await failure(finishSignIn(world.device, secret, answer));
    expect(error.code).toBe('unauthorized');
  });

  it('when the code was made for another client', async () => {
    const { world, secret, answer } = await begun();
    const other = { ...secret, clientId: 'another' };
    const error = await failure(finishSignIn(world.device, other, answer));
    expect(error.message).toContain('(Incorrect code)');
  });

  it.each<[string, (jwe: string) => unknown, string, string]>([
    [
      'was tampered with',
      (jwe) => `${jwe.slice(0, -30)}AAAA${jwe.slice(-26)}`,
      'keyMismatch',
      'badTag',
    ],
    ['is no JWE', () => 'nothing', 'keyMismatch', 'badShape'],
    [
      'has another algorithm',
      (jwe) => `e30${jwe.slice(jwe.indexOf('.'))}`,
      'keyMismatch',
      'badHeader',
    ],
    ['is missing', () => undefined, 'badResponse', 'keys_jwe'],
    ['is no text', () => 7, 'badResponse', 'keys_jwe'],
  ])('when the sealed key %s, and the token is given back', async (_, change, code, words) => {
    const { world, secret, answer } = await begun();
    let refreshToken = '';
    world.middle = changing('/token', (json) => {
      refreshToken = String(json.refresh_token);
      return { ...json, keys_jwe: change(String(json.keys_jwe)) };
    });
    const error = await failure(finishSignIn(world.device, secret, answer));
    expect(error.code).toBe(code);
    expect(error.message).toContain(words);
    expect(error.printed).not.toContain(refreshToken);
    world.middle = (request, servers) => servers(request);
    const refresh = refreshAccessToken(world.device, world.client, refreshToken);
    expect((await failure(refresh)).code).toBe('signedOut');
  });

  it("when the key was sealed for another device's sign-in", async () => {
    const { world, secret, answer } = await begun();
    const { secret: other } = await beginSignIn(world.device, world.request);
    const mixed = { ...secret, privateKey: other.privateKey };
    const error = await failure(finishSignIn(world.device, mixed, answer));
    expect(error).toMatchObject({ code: 'keyMismatch', retry: 'afterUser' });
    expect(error.message).toContain('badTag');
  });

  it('when the key is older than the one that the device had', async () => {
    const { world, secret, answer } = await begun();
    const { key } = await finishSignIn(world.device, secret, answer);
    const again = await begun(world);
    const newer = key.kid.replace(/^1/, '2');
    const error = await failure(finishSignIn(world.device, again.secret, again.answer, newer));
    expect(error.code).toBe('keyMismatch');
    expect(error.message).toContain('older');
    const third = await begun(world);
    expect((await finishSignIn(world.device, third.secret, third.answer, key.kid)).key).toEqual(
      key,
    );
  });

  it('with the same words when the token cannot even be given back', async () => {
    const { world, secret, answer } = await begun();
    const tamper = changing('/token', (json) => ({ ...json, keys_jwe: 'nothing' }));
    world.middle = async (request, servers) => {
      if (request.url.endsWith('/destroy')) throw new TypeError('fetch failed');
      return tamper(request, servers);
    };
    expect((await failure(finishSignIn(world.device, secret, answer))).message).toContain(
      'badShape',
    );
  });

  it('without a secret in the error, whatever the server says', async () => {
    const { world, secret, answer } = await begun();
    world.middle = async (request) => {
      const { code_verifier, code } = (await request.json()) as Record<string, string>;
      const message = `no such code: ${code}, nor ${code_verifier}`;
      return new Response(JSON.stringify({ errno: 105, message }), { status: 400 });
    };
    const { printed } = await failure(finishSignIn(world.device, secret, answer));
    expect(printed).toContain('no such code');
    for (const word of [answer.code, secret.verifier, secret.privateKey]) {
      expect(printed).not.toContain(word);
    }
  });
});

describe('the companion', () => {
  it('is refused with the wrong password', async () => {
    const world = startSignIn();
    const { url } = await beginSignIn(world.device, world.request);
    const wrong = { email: world.account.email, password: 'wrong' };
    await expect(companion(world.fetch, url, wrong)).rejects.toThrow('Incorrect password');
  });

  it.each([
    ['code_challenge', 'PKCE'],
    ['state', 'state'],
    ['redirect_uri', 'redirect_uri'],
    ['client_id', 'client_id'],
    ['response_type', 'response_type'],
    ['scope', 'scope'],
  ])('is refused a page without %s', async (name, words) => {
    const world = startSignIn();
    const url = new URL((await beginSignIn(world.device, world.request)).url);
    url.searchParams.delete(name);
    await expect(companion(world.fetch, url.href, world.account)).rejects.toThrow(words);
  });
});

describe('the address that the browser ended at', () => {
  it('has code and state in either order', () => {
    expect(readRedirect('https://a.test/done?code=c0de&state=st-_')).toEqual({
      code: 'c0de',
      state: 'st-_',
    });
    expect(readRedirect('https://a.test/done?x=1&state=s&code=c#end')).toEqual({
      code: 'c',
      state: 's',
    });
  });

  it.each(['', 'https://a.test/', 'https://a.test/?code=c', '?state=s', '?code=a b&state=s'])(
    'is none without both (%s)',
    (url) => {
      expect(readRedirect(url)).toBeNull();
    },
  );
});
