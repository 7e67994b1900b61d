import { expect, test } from 'vitest';
import {
  bearer,
  grantTokens,
  OFFLINE,
  signIn,
  startAccounts,
} from '../../test/support/accounts.ts';

test('sessions and refresh tokens are listed, and can be ended one by one', async () => {
  const { ask } = startAccounts();
  const { session } = await signIn(ask);
  const other = await signIn(ask);
  await ask('account/device', { name: 'box', type: 'cli' }, bearer(other.session));
  const { refresh_token } = (await grantTokens(ask, session, OFFLINE)).json;
  const list = async () =>
    (await ask('account/attached_clients', undefined, bearer(session))).json as unknown as {
      [member: string]: unknown;
    }[];
  const clients = await list();
  expect(clients).toMatchObject([
    { isCurrentSession: true, name: null },
    { isCurrentSession: false, name: 'box', deviceType: 'cli' },
    { clientId: 'c', scope: ['profile'] },
  ]);
  expect(JSON.stringify(clients)).not.toContain(String(refresh_token));
  for (const { sessionTokenId, refreshTokenId } of clients.slice(1)) {
    const body = { sessionTokenId, refreshTokenId };
    expect((await ask('account/attached_client/destroy', body, bearer(session))).status).toBe(200);
  }
  expect(await list()).toHaveLength(1);
  expect((await ask('session/status', undefined, bearer(other.session))).json.errno).toBe(110);
  expect((await ask('introspect', { token: refresh_token })).json).toEqual({ active: false });
});
