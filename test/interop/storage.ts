// What the tests themselves ask the user's storage, over the same wire as the devices: when a
// collection was written last, and to delete everything. Who the user is, they know from our
// accounts server.

import { randomUUID } from 'node:crypto';
import { type AccountClient, accountClient } from '../../emulator/servers/account-client.ts';
import { signHawk } from '../../emulator/servers/hawk.ts';
import type { Serving } from '../../emulator/servers/serve.ts';
import { accountKeys, keyFingerprint } from '../../emulator/servers/sync-keys.ts';

/** What a sign-in leaves on a device. */
interface SignedInUser {
  readonly uid: string;
  readonly email: string;
  readonly accessToken: string;
  /** A JWK without its type. */
  readonly scopedKey: { readonly kid: string; readonly k: string };
}

/** The user's account manager, who has not signed in yet. */
function accountOf({ world }: Serving): AccountClient {
  const { email, password } = world.account;
  return accountClient({
    fetch: world.fetch,
    baseUrl: world.urls.accounts,
    credentials: { email, password },
    nowMs: Date.now,
  });
}

export async function signedInUser(serving: Serving): Promise<SignedInUser> {
  const { kB } = serving.world.account;
  const client = accountOf(serving);
  const { encKey, macKey } = accountKeys(kB);
  return {
    ...(await client.account()),
    accessToken: (await client.accessToken(true)).token,
    scopedKey: {
      kid: `${await client.keysChangedAtMs()}-${keyFingerprint(kB)}`,
      k: Buffer.concat([encKey, macKey]).toString('base64url'),
    },
  };
}

export function tokenUrlOf({ world }: Serving): string {
  return `${world.urls.token}/1.0/sync/1.5`;
}

/** When each of the collections was written last; one that was never written is left out. */
export async function lastWrites(
  serving: Serving,
  names: readonly string[],
): Promise<Record<string, number>> {
  const response = await ask(serving, 'GET', '/info/collections');
  const stamps = Object.entries((await response.json()) as Record<string, number>);
  return Object.fromEntries(stamps.filter(([name]) => names.includes(name)));
}

export async function deleteAll(serving: Serving): Promise<void> {
  await ask(serving, 'DELETE', '/storage');
}

async function ask(serving: Serving, method: string, path: string): Promise<Response> {
  const { accessToken, scopedKey } = await signedInUser(serving);
  const headers = { Authorization: `Bearer ${accessToken}`, 'X-KeyID': scopedKey.kid };
  const answer = await checked(await fetch(tokenUrlOf(serving), { headers }));
  const token = (await answer.json()) as { id: string; key: string; api_endpoint: string };
  const url = new URL(token.api_endpoint + path);
  const authorization = signHawk({ method, url }, token, Date.now(), randomUUID());
  return checked(await fetch(url, { method, headers: { Authorization: authorization } }));
}

async function checked(response: Response): Promise<Response> {
  if (response.ok) return response;
  throw new Error(`${response.url} answered ${response.status}: ${await response.text()}`);
}
