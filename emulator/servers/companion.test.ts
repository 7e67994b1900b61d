// The person with the phone: what they show to the accounts server, what they bring back, and what
// they are told when it refuses.

import { expect, test } from 'vitest';
import { companion } from './companion.ts';
import { startWorld } from './testing.ts';

const KEY = Buffer.from('{"kty":"EC"}').toString('base64url');

function begun(change: Record<string, string | null> = {}) {
  const asked: Request[] = [];
  const world = startWorld({
    intercept(_server, request) {
      asked.push(request.clone());
      return null;
    },
  });
  const query = new URLSearchParams({
    ...{ client_id: 'c', scope: 'profile', state: 'a state & more', response_type: 'code' },
    ...{ redirect_uri: 'https://accounts.test/oauth/success', access_type: 'offline' },
    ...{ code_challenge_method: 'S256', code_challenge: 'x'.repeat(43) },
  });
  for (const [name, value] of Object.entries(change))
    if (value === null) query.delete(name);
    else query.set(name, value);
  return { ...world, asked, url: `${world.urls.accounts}/authorization?${query}` };
}

test('brings back the code and the state that the browser ended with', async () => {
  const { fetch, url, account, accounts } = begun();
  const { code, state } = await companion(fetch, url, account);
  expect(state).toBe('a state & more');
  expect(accounts.state().codes).toMatchObject([{ code, email: account.email, scope: 'profile' }]);
});

test('proves the password and never says it, and opens the page as it was shown', async () => {
  const { fetch, url, account, asked } = begun();
  await companion(fetch, url, account);
  expect(asked.map((request) => `${request.method} ${request.url}`)).toEqual([
    'POST https://accounts.test/v1/account/login',
    `GET ${url}`,
  ]);
  const login = (await asked[0]?.text()) ?? '';
  expect(JSON.parse(login)).toEqual({
    email: account.email,
    authPW: expect.stringMatching(/^[\da-f]{64}$/),
  });
  expect(login).not.toContain(account.password);
  expect(asked[1]?.redirect).toBe('manual');
  expect(asked[1]?.headers.get('authorization')).toMatch(/^Bearer fxs_[\da-f]{64}$/);
});

test('of whom only the key is known, the password follows from it', async () => {
  const { fetch, url, account } = begun();
  const { email, kB } = account;
  expect((await companion(fetch, url, { email, kB })).code).toMatch(/^[\da-f]{64}$/);
});

test('a wrong password ends before the page is opened, with what the server said', async () => {
  const { fetch, url, account, asked } = begun();
  const person = { email: account.email, password: 'wrong' };
  await expect(companion(fetch, url, person)).rejects.toThrow(/^companion: .*Incorrect password/);
  expect(asked).toHaveLength(1);
});

test.each([
  [{ response_type: 'token' }, 'response_type'],
  [{ code_challenge_method: 'plain' }, 'PKCE'],
  [{ state: null }, 'state'],
  [{ keys_jwk: KEY }, 'keys_jwk'],
])('a page with %j is refused, with what the server said', async (change, said) => {
  const { fetch, url, account } = begun(change);
  await expect(companion(fetch, url, account)).rejects.toThrow(/^companion: /);
  await expect(companion(fetch, url, account)).rejects.toThrow(said);
});

test('where the browser ended without code or state, there is none', async () => {
  const { fetch, url, account } = begun();
  const answer = await companion(
    (request) =>
      request.url === url
        ? Promise.resolve(new Response(null, { status: 302, headers: { Location: 'tv:end' } }))
        : fetch(request),
    url,
    account,
  );
  expect(answer).toEqual({ code: '', state: '' });
});
