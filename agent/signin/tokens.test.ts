// Grants become tokens: what a device asks for, and what it takes for an answer.

import { describe, expect, it } from 'vitest';
import { answering, failure, type startSignIn } from '../../test/support/signin.ts';
import { refreshAccessToken, revokeToken, signedIn } from './tokens.ts';

const REFRESH_TOKEN = 'c0ffee'.repeat(10);
const OLDSYNC = 'https://identity.mozilla.com/apps/oldsync';
const good = {
  access_token: 'an-access-token',
  token_type: 'bearer',
  expires_in: 3600,
  scope: OLDSYNC,
};

const refresh = ({ device, client }: ReturnType<typeof startSignIn>) =>
  refreshAccessToken(device, client, REFRESH_TOKEN);

describe('a refresh', () => {
  it('asks for Sync alone and answers a token with the end of its life', async () => {
    const world = answering(good);
    expect(await refresh(world)).toEqual({
      accessToken: 'an-access-token',
      expiresAtMs: world.clock.nowMs + 3_600_000,
      refreshToken: REFRESH_TOKEN,
      keysJwe: null,
    });
    expect(JSON.parse(world.sent[0]?.body ?? '')).toEqual({
      client_id: '3c49430b43dfba77',
      grant_type: 'refresh_token',
      refresh_token: REFRESH_TOKEN,
      scope: OLDSYNC,
    });
    expect(world.sent[0]?.line).toBe('POST /v1/oauth/token');
  });

  it('answers the successor when the server changes the refresh token', async () => {
    const { refreshToken } = await refresh(answering({ ...good, refresh_token: 'the-next' }));
    expect(refreshToken).toBe('the-next');
  });

  it('believes no life longer than a year', async () => {
    const world = answering({ ...good, expires_in: 1e300 });
    expect((await refresh(world)).expiresAtMs).toBe(world.clock.nowMs + 366 * 86_400_000);
  });

  it.each<[string, unknown]>([
    ['no JSON', '<html>'],
    ['no object', []],
    ['null', null],
    ['no access token', { ...good, access_token: undefined }],
    ['an access token that would break a header', { ...good, access_token: 'a\r\nX: y' }],
    ['an access token without end', { ...good, access_token: 'a'.repeat(5000) }],
    ['no life', { ...good, expires_in: undefined }],
    ['a life in words', { ...good, expires_in: '3600' }],
    ['a life of nothing', { ...good, expires_in: 0 }],
    ['a refresh token that is none', { ...good, refresh_token: 7 }],
    ['a document without end', `{"access_token":"${'a'.repeat(40_000)}"}`],
    ['brackets without end', '['.repeat(20_000)],
  ])('calls %s a bad response', async (_, body) => {
    expect((await failure(refresh(answering(body)))).code).toBe('badResponse');
  });

  it('wants access to Sync', async () => {
    const error = await failure(refresh(answering({ ...good, scope: 'profile' })));
    expect(error.code).toBe('unauthorized');
  });
});

describe('giving a token back', () => {
  it('names it in the body', async () => {
    const world = answering({});
    await revokeToken(world.device, world.client, REFRESH_TOKEN);
    expect(world.sent[0]?.line).toBe('POST /v1/oauth/destroy');
    expect(JSON.parse(world.sent[0]?.body ?? '')).toEqual({
      client_id: '3c49430b43dfba77',
      token: REFRESH_TOKEN,
      token_type_hint: 'refresh_token',
    });
  });
});

describe('what a sign-in ends with', () => {
  const key = {
    kty: 'oct',
    kid: `1700000000000-${Buffer.alloc(16, 9).toString('base64url')}`,
    k: '',
  } as const;
  const granted = { accessToken: 'opaque', expiresAtMs: 5, keysJwe: null };

  it('has a name of the account beside its tokens', () => {
    expect(signedIn({ ...granted, refreshToken: 'r' }, key)).toEqual({
      ...{ accessToken: 'opaque', expiresAtMs: 5, refreshToken: 'r', key },
      uid: '09'.repeat(16),
    });
  });

  it('is nothing without a refresh token: the next boot would be signed out', () => {
    expect(() => signedIn({ ...granted, refreshToken: null }, key)).toThrow(
      expect.objectContaining({ code: 'badResponse' }),
    );
  });
});
