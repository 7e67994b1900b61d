import { expect, it, test } from 'vitest';
import { beginSession } from '../../../agent/signin/session.ts';
import { verifyAssertion } from '../../../emulator/servers/browserid.ts';
import { ACCOUNTS_TEST_KEY } from '../../../emulator/servers/test-keys.ts';
import { startWorld } from '../../../emulator/servers/testing.ts';
import { nodeMachine } from '../platform.ts';
import { sessionAssertion } from './assertions.ts';

const AUDIENCE = 'https://o.example/';

async function signedIn() {
  const { urls, account, fetch, clock } = startWorld();
  const machine = nodeMachine({ fetch });
  const apiUrl = urls.accounts;
  const { bearer: session, uid } = await beginSession(machine, { apiUrl, ...account });
  return { machine, token: { session, accountsUrl: apiUrl }, uid, urls, clock };
}

const SAID = (urls: { readonly accounts: string }) => ({
  ...{ accountsKey: ACCOUNTS_TEST_KEY, issuer: new URL(urls.accounts).host },
  audiences: [AUDIENCE],
});

it('is what a server believes, by the clock of the accounts server, for some minutes', async () => {
  const { machine, token, uid, urls, clock } = await signedIn();
  const text = await sessionAssertion(machine, token, AUDIENCE);
  const said = SAID(urls);
  expect(verifyAssertion(text, { ...said, nowMs: clock.nowMs })).toMatchObject({ uid });
  expect(verifyAssertion(text, { ...said, nowMs: clock.nowMs + 300_000 })).toBe('expired');
  const other = { ...said, audiences: ['https://p.example/'], nowMs: clock.nowMs };
  expect(verifyAssertion(text, other)).toBe('audience');
  // Nobody has the key of the one before.
  expect(await sessionAssertion(machine, token, AUDIENCE)).not.toBe(text);
});

test.each([
  ['signedOut', () => Response.json({ errno: 110, message: 'no' }, { status: 401 })],
  ['unverified', () => Response.json({ errno: 104 }, { status: 400 })],
  ['offline', () => new Response('', { status: 503 })],
  ['offline', () => Response.json({ cert: 'none' })],
  ['offline', () => Response.json(null)],
  ['offline', () => Promise.reject(new TypeError('fetch failed'))],
])('%s is one of the words for an account manager', async (code, answer) => {
  const machine = nodeMachine({ fetch: async () => answer() });
  const token = { session: 'fxs_0', accountsUrl: 'https://a.example' };
  await expect(sessionAssertion(machine, token, AUDIENCE)).rejects.toMatchObject({ code });
});
