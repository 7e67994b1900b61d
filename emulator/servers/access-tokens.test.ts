import { expect, test } from 'vitest';
import { EMAIL, grantTokens, OFFLINE, signIn, startAccounts } from '../../test/support/accounts.ts';

test('an access token says whose it is until it is destroyed or has expired', async () => {
  const { ask, clock } = startAccounts();
  const { session, json } = await signIn(ask);
  const grant = async () =>
    (await grantTokens(ask, session, { ...OFFLINE, ttl: 60 })).json.access_token as string;
  const [first, second] = [await grant(), await grant()];
  expect((await ask('verify', { token: first })).json).toMatchObject({ user: json.uid });
  expect((await ask('profile', undefined, `Bearer ${first}`)).json.email).toBe(EMAIL);
  expect(await ask('destroy', { token: first })).toEqual({ status: 200, json: {} });
  expect((await ask('verify', { token: first })).json.errno).toBe(108);
  expect((await ask('profile', undefined, `Bearer ${first}`)).status).toBe(401);
  expect((await ask('verify', { token: second })).status).toBe(200);
  clock.nowMs += 61_000;
  expect((await ask('introspect', { token: second })).json).toEqual({ active: false });
});
