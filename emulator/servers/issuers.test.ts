import { generateKeyPairSync, type JsonWebKey } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { askedIssuer, isSafe, issuerOfFile, keyFor } from './issuers.ts';
import { signJws } from './jws.ts';
import { OLDSYNC_SCOPE } from './onepw.ts';
import { keyFingerprint } from './sync-keys.ts';
import { startWorld, TEST_KB, TEST_NOW_MS } from './testing.ts';

const URL_ = 'https://accounts.example';
const JWKS = 'https://oauth.example/jwks';

function newKey(kid: string) {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    private: privateKey.export({ format: 'jwk' }),
    public: { ...publicKey.export({ format: 'jwk' }), kid } as JsonWebKey,
  };
}

const [FIRST, SECOND] = [newKey('first'), newKey('second')];

/** An issuer's web pages, and who has asked for them. */
function outside(pages: Record<string, unknown>) {
  const clock = { nowMs: 1_000_000 };
  const asked: string[] = [];
  const fetch = async ({ url }: Request) => {
    asked.push(url);
    const page = pages[url];
    return page instanceof Response ? page.clone() : Response.json(page ?? {});
  };
  return { clock, asked, pages, issuer: askedIssuer(URL_, { fetch, nowMs: () => clock.nowMs }) };
}

const pagesOf = (...keys: JsonWebKey[]): Record<string, unknown> => ({
  [`${URL_}/.well-known/openid-configuration`]: { issuer: URL_, jwks_uri: JWKS },
  [JWKS]: { keys },
});

describe('an issuer that is asked', () => {
  test('is asked once for an hour, by whoever comes at once', async () => {
    const { issuer, asked, clock } = outside(pagesOf(FIRST.public));
    await Promise.all([keyFor(issuer, 'first'), keyFor(issuer, 'first')]);
    clock.nowMs += 3_599_999;
    expect(await keyFor(issuer, 'first')).toEqual(FIRST.public);
    expect(asked).toHaveLength(2);
    clock.nowMs += 1;
    await keyFor(issuer, 'first');
    expect(asked).toHaveLength(4);
  });

  test('is asked again for a key that is new, and not more than once a minute', async () => {
    const { issuer, asked, clock, pages } = outside(pagesOf(FIRST.public));
    await keyFor(issuer, 'first');
    Object.assign(pages, pagesOf(FIRST.public, SECOND.public));
    for (let time = 0; time < 5; time++) expect(await keyFor(issuer, 'second')).toBeUndefined();
    expect(asked).toHaveLength(2);
    clock.nowMs += 60_000;
    expect(await keyFor(issuer, 'second')).toEqual(SECOND.public);
    expect(await keyFor(issuer, 'first')).toEqual(FIRST.public);
  });

  test('that is away goes on with the keys it had, and a new one with none', async () => {
    const { issuer, clock, pages } = outside(pagesOf(FIRST.public));
    await keyFor(issuer, 'first');
    pages[JWKS] = new Response('', { status: 500 });
    clock.nowMs += 7_200_000;
    expect(await keyFor(issuer, 'first')).toEqual(FIRST.public);
    expect(await keyFor(issuer, 'second')).toBe('unavailable');
    expect(await keyFor(outside({}).issuer, 'first')).toBe('unavailable');
  });

  test.each([
    ['another issuer', { issuer: 'https://other.example', jwks_uri: JWKS }],
    ['keys that travel in the clear', { issuer: URL_, jwks_uri: 'http://oauth.example/jwks' }],
    ['no place of keys', { issuer: URL_ }],
  ])('is not believed when its page names %s', async (_, page) => {
    const place = `${URL_}/.well-known/openid-configuration`;
    const { issuer } = outside({ ...pagesOf(FIRST.public), [place]: page });
    expect(await keyFor(issuer, 'first')).toBe('unavailable');
  });

  test('is not read to the end when it says too much', async () => {
    const { issuer } = outside({ ...pagesOf(), [JWKS]: { keys: [], long: 'x'.repeat(70_000) } });
    expect(await keyFor(issuer, 'first')).toBe('unavailable');
  });
});

test.each([
  ['', /issuer is not a URL/],
  ['{"issuer": "x", "keys": []}', /issuer is not a URL/],
  ['{"issuer": "https://a.example", "keys": [{"kty": "EC"}]}', /keys has no RSA key/],
])('a file %j is refused', (text, why) => {
  expect(() => issuerOfFile(text)).toThrow(why);
});

test('only what nobody on the way can read is asked', () => {
  const urls = ['https://a.example', 'http://127.0.0.1:9', 'http://a.example', 'file:///etc', ''];
  expect(urls.map(isSafe)).toEqual([true, true, false, false, false]);
});

describe('a token server that believes an issuer', () => {
  const KEY_ID = `1-${keyFingerprint('11'.repeat(32))}`;
  const file = JSON.stringify({ issuer: URL_, keys: [FIRST.public] });
  const ask = async (
    world: ReturnType<typeof startWorld>,
    change: object = {},
    key = FIRST,
    keyId = KEY_ID,
  ) => {
    const claims = {
      ...{ iss: URL_, sub: 'somebody', scope: OLDSYNC_SCOPE, 'fxa-generation': 1 },
      ...{ exp: TEST_NOW_MS / 1000 + 60, ...change },
    };
    const headers = {
      Authorization: `Bearer ${signJws(key.private, claims, { kid: 'first' })}`,
      'X-KeyID': keyId,
    };
    return world.fetch(new Request(`${world.urls.token}/1.0/sync/1.5`, { headers }));
  };

  test('gives its users places of their own', async () => {
    const world = startWorld({ token: { issuers: [issuerOfFile(file)] } });
    const answer = await ask(world);
    expect(answer.status).toBe(200);
    const own = (await answer.json()) as { uid: number };
    await world.signIn();
    const { uid } = await world.device.account();
    const keyId = `1-${keyFingerprint(TEST_KB)}`;
    for (const sub of [uid, 'somebody else']) {
      const given = await ask(world, { sub }, FIRST, keyId);
      expect(given.status).toBe(200);
      const other = (await given.json()) as { uid: number };
      expect([own.uid, 1]).not.toContain(other.uid);
    }
  });

  test.each([
    ['another issuer', { iss: 'https://other.example' }, FIRST],
    ['another scope', { scope: 'profile' }, FIRST],
    ['an expired token', { exp: TEST_NOW_MS / 1000 }, FIRST],
    ['nobody', { sub: '' }, FIRST],
    ['a key of somebody else', {}, SECOND],
  ])('refuses %s', async (_, change, key) => {
    const world = startWorld({ token: { issuers: [issuerOfFile(file)] } });
    expect((await ask(world, change, key)).status).toBe(401);
  });

  test('says that it is busy when the issuer cannot be asked', async () => {
    const { issuer } = outside({});
    const answer = await ask(startWorld({ token: { issuers: [issuer] } }));
    expect([answer.status, answer.headers.has('retry-after')]).toEqual([503, true]);
  });
});
