// Two processes of an accounts server, and one that starts later, on one storage.

import { createHash, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { MemoryStorage } from '../../../platform/memory/storage.ts';
import { accountsContract } from '../../../test/contract/accounts.ts';
import { type Ask, authPW, bearer, signIn, startAccounts } from '../../../test/support/accounts.ts';
import { temporaryFolder } from '../../../test/support/folders.ts';
import { OLDSYNC_SCOPE } from '../onepw.ts';
import { keptAccounts } from './kept-accounts.ts';
import { localStorage, memoryStorage, openSqliteStorage } from './local-storage.ts';
import type { ServerStorage } from './server-storage.ts';

accountsContract('accounts in memory', async () => memoryStorage());
accountsContract('accounts on SQLite', () => openSqliteStorage(temporaryFolder()));

const VERIFIER = 'v'.repeat(43);
const CODE = {
  ...{ client_id: 'c', state: 's', response_type: 'code', scope: OLDSYNC_SCOPE },
  ...{ access_type: 'offline', code_challenge_method: 'S256' },
  code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
};

const random = (count: number) => randomBytes(count);
const startOn = (storage: ServerStorage) =>
  startAccounts({ random, signUp: true }, (...server) => keptAccounts(storage, ...server));
const statusOf = async (ask: Ask, session: string) =>
  (await ask('session/status', undefined, bearer(session))).status;

test('who signs in at one process is signed in at all, and out at all', async () => {
  const storage = memoryStorage();
  const [a, b] = [startOn(storage), startOn(storage)];
  const { session } = await signIn(a.ask);
  const other = await signIn(b.ask);
  expect(await statusOf(b.ask, session)).toBe(200);
  expect(await statusOf(a.ask, other.session)).toBe(200);
  expect(await statusOf(startOn(storage).ask, session)).toBe(200);
  await b.ask('session/destroy', {}, bearer(session));
  expect([await statusOf(a.ask, session), await statusOf(a.ask, other.session)]).toEqual([
    401, 200,
  ]);
});

test('a code of one process is redeemed once, at another one', async () => {
  const storage = memoryStorage();
  const [a, b] = [startOn(storage), startOn(storage)];
  const { session } = await signIn(a.ask);
  const { json } = await a.ask('oauth/authorization', CODE, bearer(session));
  // The process that made it learns of something else meanwhile.
  await signIn(b.ask);
  await signIn(a.ask);
  const grant = { grant_type: 'authorization_code', client_id: 'c', code: json.code };
  const redeem = ({ ask }: { ask: Ask }) =>
    ask('oauth/token', { ...grant, code_verifier: VERIFIER });
  const redeemed = await redeem(b);
  expect(redeemed.json).toMatchObject({ refresh_token: expect.any(String) });
  expect((await redeem(a)).json.errno).toBe(105);
  const { access_token: token } = redeemed.json;
  const isGood = async ({ ask }: { ask: Ask }) => (await ask('introspect', { token })).json.active;
  expect([await isGood(a), await isGood(startOn(storage))]).toEqual([true, true]);
  await a.ask('oauth/destroy', { client_id: 'c', token });
  expect([await isGood(b), await isGood(startOn(storage))]).toEqual([false, false]);
});

test('an account that is made at one process is there at all, with its password', async () => {
  const storage = memoryStorage();
  const [a, b] = [startOn(storage), startOn(storage)];
  const [email, password] = ['second@example.test', 'second'];
  const made = await a.ask('account/create', { email, authPW: authPW(password, email) });
  expect(made.status).toBe(200);
  expect((await signIn(b.ask, password, email)).status).toBe(200);
  expect((await signIn(startOn(storage).ask, 'wrong', email)).json.errno).toBe(103);
  expect((await signIn(startOn(storage).ask)).status).toBe(200);
});

test('a sign-in that could not be kept has not been', async () => {
  const below = new MemoryStorage();
  let isFull = false;
  const commit: MemoryStorage['commit'] = (changes) =>
    isFull ? Promise.reject(new Error('no room')) : below.commit(changes);
  const storage = localStorage(
    { get: (keys) => below.get(keys), scan: (range) => below.scan(range), commit },
    () => undefined,
  );
  const { ask } = startOn(storage);
  await signIn(ask);
  const before = below.snapshot();
  isFull = true;
  await expect(signIn(ask)).rejects.toThrow('no room');
  isFull = false;
  expect((await ask('account/devices', undefined, bearer('00'.repeat(32)))).status).toBe(401);
  expect(below.snapshot()).toEqual(before);
});
