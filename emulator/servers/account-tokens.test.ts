import { describe, expect, test } from 'vitest';
import { hawkHeader, signIn, startAccounts } from '../../test/support/accounts.ts';
import { OLDSYNC_SCOPE } from './onepw.ts';
import { TEST_NOW_MS } from './testing.ts';

describe('a session that signs with Hawk', () => {
  test('is believed, with and without a body', async () => {
    const { ask } = startAccounts();
    const { session, json } = await signIn(ask);
    const header = hawkHeader(session, 'session/status', undefined, TEST_NOW_MS);
    expect(await ask('session/status', undefined, header)).toEqual({
      status: 200,
      json: { state: 'verified', uid: json.uid },
    });
    const body = { scope: OLDSYNC_SCOPE, client_id: 'c' };
    const signed = hawkHeader(session, 'account/scoped-key-data', body, TEST_NOW_MS);
    expect((await ask('account/scoped-key-data', body, signed)).status).toBe(200);
  });

  test.each([
    [
      'another path',
      (session: string) => hawkHeader(session, 'account/devices', undefined, TEST_NOW_MS),
      109,
    ],
    [
      'two minutes off',
      (session: string) => hawkHeader(session, 'session/status', undefined, TEST_NOW_MS - 120_000),
      111,
    ],
    [
      'another session',
      () => hawkHeader('00'.repeat(32), 'session/status', undefined, TEST_NOW_MS),
      110,
    ],
  ])('is refused for %s', async (_, header, errno) => {
    const { ask } = startAccounts();
    const { session } = await signIn(ask);
    const answer = await ask('session/status', undefined, header(session));
    expect([answer.status, answer.json.errno]).toEqual([401, errno]);
  });

  test('is refused when the body is not what was signed', async () => {
    const { ask } = startAccounts();
    const { session } = await signIn(ask);
    const body = { scope: OLDSYNC_SCOPE };
    const header = hawkHeader(session, 'account/scoped-key-data', body, TEST_NOW_MS, ' ');
    expect((await ask('account/scoped-key-data', body, header)).json.errno).toBe(109);
  });
});
