import { expect, test } from 'vitest';
import { namesIn } from './account-names.ts';

const jws = (payload: object): string =>
  [{ alg: 'RS256' }, payload]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .concat('c2ln')
    .join('.');

const names = (route: string, body: object = {}, Authorization?: string) => {
  const [method = 'GET', path = ''] = route.split(' ');
  const headers = Authorization === undefined ? {} : { Authorization };
  const request = new Request(`https://accounts.test/${path}`, { method, headers });
  return namesIn(request, path.split('?')[0] ?? '', JSON.stringify(body));
};

test.each([
  ['POST v1/account/login', { email: 'a@b.test' }, undefined, { email: 'a@b.test' }],
  ['POST v1/account/login', { email: 5 }, 'Bearer fxs_a', { email: '', secrets: [] }],
  ['GET v1/account/status?uid=u', {}, undefined, { uid: 'u' }],
  ['POST v1/account/status', { uid: 'u', email: 'e' }, undefined, { uid: 'u', email: null }],
  ['GET v1/session/status', {}, 'Bearer fxs_a', { secrets: expect.arrayContaining(['a']) }],
  ['GET v1/session/status', {}, 'Hawk id="a", ts="1"', { secrets: ['a'] }],
  ['POST v1/oauth/token', { code: 'c' }, 'Bearer fxs_a', { secrets: ['c'] }],
  ['POST v1/token', { grant_type: 'refresh_token', refresh_token: 'r' }, '', { secrets: ['r'] }],
  ['POST v1/oauth/token', { grant_type: 'x', subject_token: 's' }, '', { secrets: ['s'] }],
  [
    'POST v1/oauth/token',
    { grant_type: 'fxa-credentials', code: 'c' },
    'Bearer a',
    { secrets: ['a'] },
  ],
  ['POST v1/verify', { token: 'r' }, 'Bearer a', { secrets: ['r'], accessTokenId: null }],
  ['POST v1/destroy', { token: jws({ sub: 'u', jti: 'j' }) }, '', { uid: 'u', accessTokenId: 'j' }],
  ['GET v1/profile', {}, `Bearer ${jws({ sub: 'u', jti: 'j' })}`, { uid: 'u', secrets: [] }],
])('%s with %j and %j names %j', (route, body, header, expected) => {
  expect(names(route, body, header)).toMatchObject(expected);
});

test('what lists or ends all is about all, and nothing else is', () => {
  const isAboutAll = (route: string) => names(route, {}, 'Bearer a')?.isAboutAll;
  expect(isAboutAll('GET v1/account/devices')).toBe(true);
  expect(isAboutAll('POST v1/password/change/finish')).toBe(true);
  expect(isAboutAll('POST v1/account/device')).toBe(false);
});

test.each(['GET v1/jwks', 'POST v1/get_random_bytes', 'GET v1/session/status', 'POST v1/nothing'])(
  '%s without a header is about nobody',
  (route) => {
    expect(names(route)).toBeNull();
  },
);
