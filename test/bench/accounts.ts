// What an accounts server on a database costs: sign-ups and sign-ins a second, by how many accounts
// there are. The database is of an older version at first, so that taking it over is measured, too.
// Passwords are stretched as if for trying: what a guess costs is no cost of the storage.

import { randomBytes } from 'node:crypto';
import { type AccountState, EMPTY_STATE } from '../../emulator/servers/account-state.ts';
import { type AccountsServer, createAccounts } from '../../emulator/servers/accounts.ts';
import { keptAccounts } from '../../emulator/servers/storage/kept-accounts.ts';
import type { ServerStorage } from '../../emulator/servers/storage/server-storage.ts';

interface AccountCost {
  readonly users: number;
  /** Until the first request is answered. */
  readonly takeoverMs: number;
  readonly signUpsPerSecond: number;
  /** Each of another user, with the key. */
  readonly signInsPerSecond: number;
}

const BASE = 'https://accounts.test';
const ASK_MS = 2_000;
const CLIENTS = 10;
const AUTH_PW = 'ab'.repeat(32);

export async function accountCost(storage: ServerStorage, users: number): Promise<AccountCost> {
  const options = {
    ...{ baseUrl: BASE, tokenUrl: 'https://token.test', accounts: [], signUp: true },
    ...{ nowMs: Date.now, random: (count: number) => randomBytes(count) },
  };
  const server = createAccounts(options);
  const old = JSON.stringify({ version: 2, ...(await madeUp(createAccounts(options), users)) });
  await storage.transaction('old', async (tx) => tx.put('sign-ins', old));
  const startMs = performance.now();
  const handle = keptAccounts(storage, server, options);
  const ask = async (path: string, email: string): Promise<void> => {
    const body = JSON.stringify({ email, authPW: AUTH_PW });
    const request = new Request(`${BASE}/v1/account/${path}?keys=true`, { method: 'POST', body });
    const { status } = await handle(request);
    if (status !== 200) throw new Error(`${path} was answered with ${status}`);
  };
  await ask('login', emailOf(0));
  const takeoverMs = performance.now() - startMs;
  let made = users;
  const signUpsPerSecond = await rateOf(() => ask('create', emailOf(made++)));
  let signedIn = 0;
  const signInsPerSecond = await rateOf(() => ask('login', emailOf(signedIn++ % users)));
  return { users, takeoverMs, signUpsPerSecond, signInsPerSecond };
}

const emailOf = (index: number): string => `user${index}@example.test`;

/** So many accounts, each with a session, as an older version kept them. */
async function madeUp(server: AccountsServer, users: number): Promise<AccountState> {
  const body = JSON.stringify({ email: emailOf(0), authPW: AUTH_PW });
  await server.handle(new Request(`${BASE}/v1/account/create`, { method: 'POST', body }));
  const { accounts, tokens } = server.state();
  const numbers = Array.from({ length: users }, (_, index) => index);
  const each = <T extends { readonly email: string }>([one]: readonly T[], change: () => object) =>
    numbers.map((index) => ({ ...(one as T), ...change(), email: emailOf(index) }));
  const newId = (bytes: number) => randomBytes(bytes).toString('hex');
  return {
    ...EMPTY_STATE,
    accounts: each(accounts, () => ({ uid: newId(16) })),
    tokens: each(tokens, () => ({ id: newId(32) })),
  };
}

async function rateOf(ask: () => Promise<void>): Promise<number> {
  const startMs = performance.now();
  let answers = 0;
  const one = async (): Promise<void> => {
    while (performance.now() - startMs < ASK_MS) {
      await ask();
      answers++;
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, one));
  return (answers / (performance.now() - startMs)) * 1_000;
}
