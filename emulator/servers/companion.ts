// The person with the phone: opens the address that a device shows, signs in, agrees, and brings
// back what the browser ended at. It sees the address and the code, and nothing else.

import type { Credentials } from './account-client.ts';
import { passwordForKey } from './account-list.ts';
import type { Handler } from './http.ts';
import { BEARER_PREFIX, passwordKeys, tokenKeys } from './onepw.ts';

/**
 * Approves the sign-in of another device at `url`. Errors: an Error with the accounts server's
 * answer when it refuses the person or the request.
 */
export async function companion(
  fetch: Handler,
  url: string,
  credentials: Credentials,
): Promise<{ code: string; state: string }> {
  const [base = ''] = url.split('/authorization?');
  const { email } = credentials;
  const password =
    'password' in credentials ? credentials.password : passwordForKey(credentials.kB);
  const authPW = passwordKeys(email, password).authPW.toString('hex');
  const body = JSON.stringify({ email, authPW });
  const login = await fetch(new Request(`${base}/v1/account/login`, { method: 'POST', body }));
  if (login.status !== 200) throw new Error(`companion: ${await login.text()}`);
  const { sessionToken } = (await login.json()) as { sessionToken: string };
  const { id } = tokenKeys(Buffer.from(sessionToken, 'hex'), 'sessionToken');
  const headers = { Authorization: `Bearer ${BEARER_PREFIX.sessionToken}${id}` };
  const page = await fetch(new Request(url, { headers, redirect: 'manual' }));
  if (page.status !== 302) throw new Error(`companion: ${await page.text()}`);
  const { searchParams } = new URL(page.headers.get('location') ?? '');
  return { code: searchParams.get('code') ?? '', state: searchParams.get('state') ?? '' };
}
