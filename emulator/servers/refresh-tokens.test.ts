import { expect, test } from 'vitest';
import { EMAIL, grantTokens, OFFLINE, signIn, startAccounts } from '../../test/support/accounts.ts';
import { OLDSYNC_SCOPE } from './onepw.ts';

const exchange = (subject_token: unknown, change: object = {}) => ({
  grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
  subject_token_type: 'urn:ietf:params:oauth:token-type:refresh_token',
  ...{ subject_token, scope: OLDSYNC_SCOPE, ...change },
});

test('a refresh token is changed for one with more rights once; its device goes over', async () => {
  const { ask, accounts } = startAccounts();
  const { session } = await signIn(ask);
  const scope = `${OLDSYNC_SCOPE} a`;
  const { refresh_token } = (await grantTokens(ask, session, { ...OFFLINE, scope })).json;
  const device = await ask('account/device', { name: 'tv', type: 'tv' }, `Bearer ${refresh_token}`);
  const { json } = await ask('oauth/token', exchange(refresh_token, { scope: 'b' }));
  expect(json).toMatchObject({ scope: `${scope} b`, refresh_token: expect.any(String) });
  expect(accounts.devices(EMAIL)).toMatchObject([{ id: device.json.id, name: 'tv' }]);
  expect((await ask('oauth/token', exchange(refresh_token))).json.errno).toBe(108);
  const renewed = { grant_type: 'refresh_token', client_id: 'c' };
  const now = { ...renewed, refresh_token: json.refresh_token };
  expect((await ask('oauth/token', now)).json.scope).toBe(`${scope} b`);
});

test.each([
  [{ subject_token_type: 'x' }, 109],
  [{ client_id: 'other' }, 108],
  [{ subject_token: 'x' }, 108],
  [{ scope: undefined }, 108],
])('a refresh token is not changed with %j, and stays good', async (change, errno) => {
  const { ask } = startAccounts();
  const { refresh_token } = (await grantTokens(ask, (await signIn(ask)).session, OFFLINE)).json;
  expect((await ask('oauth/token', exchange(refresh_token, change))).json.errno).toBe(errno);
  expect((await ask('introspect', { token: refresh_token })).json.active).toBe(true);
});
