// What a password guards: another password, an account that is made and taken away.

import { describe, expect, test } from 'vitest';
import {
  type Ask,
  authPW,
  bearer,
  EMAIL,
  hawkHeader,
  keyOf,
  PASSWORD,
  signIn,
  startAccounts,
} from '../../test/support/accounts.ts';
import { passwordKeys, xor } from './onepw.ts';
import { TEST_KB, TEST_NOW_MS } from './testing.ts';

describe('another password', () => {
  const change = async (ask: Ask, session: string, more: object = {}) => {
    const begun = await ask(
      'password/change/start',
      { email: EMAIL, oldAuthPW: authPW(PASSWORD) },
      bearer(session),
    );
    const kB = await keyOf(ask, begun.json.keyFetchToken, PASSWORD);
    const wrapKb = xor(kB, passwordKeys(EMAIL, 'second').unwrapBKey).toString('hex');
    const body = { authPW: authPW('second'), wrapKb, ...more };
    const token = begun.json.passwordChangeToken;
    const header = bearer(token, 'fxpc_', 'passwordChangeToken');
    return { body, header, finish: () => ask('password/change/finish?keys=true', body, header) };
  };

  test('keeps the key, ends all sessions, and goes on with a new one', async () => {
    const { ask } = startAccounts();
    const { session } = await signIn(ask);
    const other = await signIn(ask);
    const { json } = await (await change(ask, session)).finish();
    for (const ended of [session, other.session])
      expect((await ask('session/status', undefined, bearer(ended))).json.errno).toBe(110);
    expect((await ask('session/status', undefined, bearer(json.sessionToken))).status).toBe(200);
    expect((await keyOf(ask, json.keyFetchToken, 'second')).toString('hex')).toBe(TEST_KB);
    expect((await signIn(ask)).json.errno).toBe(103);
    expect((await signIn(ask, 'second')).status).toBe(200);
  });

  test('is set once for each time that the old one was shown', async () => {
    const { ask } = startAccounts();
    const { finish } = await change(ask, (await signIn(ask)).session);
    expect((await finish()).status).toBe(200);
    expect((await finish()).json.errno).toBe(110);
  });

  test.each([
    [{ wrapKb: 'x' }, 107],
    [{ authPW: undefined }, 108],
    [{ authPWVersion2: '00' }, 107],
  ])('is not set with %j, and the old one goes on', async (more, errno) => {
    const { ask } = startAccounts();
    const { finish } = await change(ask, (await signIn(ask)).session, more);
    expect((await finish()).json.errno).toBe(errno);
    expect((await signIn(ask)).status).toBe(200);
  });

  test('outlives a restart, and no password is in what is kept', async () => {
    const before = startAccounts();
    const { session } = await signIn(before.ask);
    const { json } = await (await change(before.ask, session)).finish();
    const state = before.accounts.state();
    expect(JSON.stringify(state)).not.toContain(authPW('second'));
    const { ask } = startAccounts({ state });
    expect((await ask('session/status', undefined, bearer(json.sessionToken))).status).toBe(200);
    const header = hawkHeader(String(json.sessionToken), 'session/status', undefined, TEST_NOW_MS);
    expect((await ask('session/status', undefined, header)).status).toBe(200);
    expect((await signIn(ask)).json.errno).toBe(103);
    expect((await signIn(ask, 'second')).status).toBe(200);
  });
});

describe('an account that is made here', () => {
  const NEW = 'new@example.test';
  const signUp = (ask: Ask, change: object = {}) =>
    ask('account/create?keys=true', { email: NEW, authPW: authPW('p', NEW), ...change });

  test('needs a server that takes them', async () => {
    expect(await signUp(startAccounts().ask)).toMatchObject({ status: 503, json: { errno: 202 } });
  });

  test('has a key that is the same for every sign-in, also after a restart', async () => {
    const first = startAccounts({ signUp: true });
    const key = await keyOf(first.ask, (await signUp(first.ask)).json.keyFetchToken, 'p', NEW);
    const { ask } = startAccounts({ signUp: true, state: first.accounts.state() });
    const { keys } = await signIn(ask, 'p', NEW);
    expect((await keyOf(ask, keys, 'p', NEW)).equals(key)).toBe(true);
    expect((await signUp(ask)).json.errno).toBe(101);
    expect((await signUp(ask, { email: NEW.toUpperCase() })).json.errno).toBe(101);
  });

  test.each([
    [{ email: 'nobody' }, 107],
    [{ email: `${'a'.repeat(250)}@b.test` }, 107],
    [{ email: 5 }, 108],
    [{ authPW: '00' }, 107],
    [{ wrapKbVersion2: '00' }, 107],
  ])('is refused with %j', async (change, errno) => {
    expect((await signUp(startAccounts({ signUp: true }).ask, change)).json.errno).toBe(errno);
  });

  test('is taken away by its user, with everything that was signed in', async () => {
    const { ask } = startAccounts({ signUp: true });
    const { sessionToken } = (await signUp(ask)).json;
    const other = await signIn(ask);
    const destroy = (email: string, password: string) =>
      ask('account/destroy', { email, authPW: authPW(password, email) }, bearer(sessionToken));
    expect((await destroy(NEW, 'wrong')).json.errno).toBe(103);
    expect((await destroy(EMAIL, PASSWORD)).json.errno).toBe(102);
    expect((await destroy(NEW, 'p')).status).toBe(200);
    expect((await ask('session/status', undefined, bearer(sessionToken))).json.errno).toBe(110);
    expect((await signIn(ask, 'p', NEW)).json.errno).toBe(102);
    expect((await ask('session/status', undefined, bearer(other.session))).status).toBe(200);
  });
});
