import { describe, expect, test } from 'vitest';
import { type Ask, bearer, signIn, startAccounts } from '../../test/support/accounts.ts';

async function accessToken(ask: Ask, scope: string): Promise<string> {
  const body = { grant_type: 'fxa-credentials', client_id: 'c', scope };
  const { session } = await signIn(ask);
  return String((await ask('oauth/token', body, bearer(session))).json.access_token);
}

describe('the profile', () => {
  test.each([
    ['profile', ['amrValues', 'email', 'locale', 'sub', 'twoFactorAuthentication', 'uid']],
    ['profile:uid', ['sub', 'uid']],
    ['x profile:email', ['email']],
  ])('says for the scope %s no more than %j', async (scope, members) => {
    const { ask } = startAccounts();
    const header = `Bearer ${await accessToken(ask, scope)}`;
    const { status, json } = await ask('profile', undefined, header);
    expect([status, Object.keys(json).sort()]).toEqual([200, members]);
  });

  test('says nothing for other scopes', async () => {
    const { ask } = startAccounts();
    for (const scope of ['mail', 'profile:locale', 'profiles'])
      expect(
        (await ask('profile', undefined, `Bearer ${await accessToken(ask, scope)}`)).status,
      ).toBe(403);
  });
});

describe('a token that is not good', () => {
  test.each([
    ['verify', 400],
    ['introspect', 200],
    ['destroy', 400],
  ])('is nothing to %s', async (path, status) => {
    const { ask } = startAccounts();
    for (const token of ['x', '', await accessToken(ask, 'a').then((good) => `${good}x`)]) {
      const answer = await ask(path, { token });
      expect(answer).toMatchObject(
        status === 200 ? { status, json: { active: false } } : { status, json: { errno: 108 } },
      );
    }
    expect((await ask(path, {})).json.errno).toBe(108);
  });
});

test('a client is known by its id alone', async () => {
  const { ask } = startAccounts();
  expect((await ask('client/5882386c6d801776')).json).toMatchObject({ id: '5882386c6d801776' });
  expect(await ask('client/nobody')).toMatchObject({ status: 400, json: { errno: 101 } });
});
