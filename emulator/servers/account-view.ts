// An account on servers outside of this process, as another client of its user reads it: signed in
// with the same credentials, over token server and Sync 1.5 storage. It only reads. What it holds
// may be old by the next line.

import { randomBytes } from 'node:crypto';
import type { AccountClient } from './account-client.ts';
import { signHawk } from './hawk.ts';
import type { Handler } from './http.ts';
import { Collection, Store } from './store.ts';
import type { SeedAccount } from './store-file.ts';
import { keyFingerprint } from './sync-keys.ts';

const ALWAYS = ['meta', 'crypto', 'clients', 'history', 'passwords'];
const PAGE_RECORDS = 1_000;

interface Pass {
  readonly id: string;
  readonly key: string;
  readonly api_endpoint: string;
}

/** The account cannot be read; the message is one line. */
export class ViewError extends Error {}

/** Reads `collections`, and what is needed to open and to judge them. Errors: `ViewError`. */
export async function accountView(
  fetch: Handler,
  tokenUrl: string,
  client: AccountClient,
  collections: readonly string[],
): Promise<SeedAccount> {
  try {
    return await readAll(fetch, tokenUrl, client, new Set([...ALWAYS, ...collections]));
  } catch (error) {
    throw new ViewError(`the account cannot be read: ${(error as Error).message}`);
  }
}

async function readAll(
  fetch: Handler,
  tokenUrl: string,
  client: AccountClient,
  collections: ReadonlySet<string>,
): Promise<SeedAccount> {
  const { kB } = await client.syncKey();
  const { token, keysChangedAtMs } = await client.accessToken(false);
  const headers = {
    Authorization: `Bearer ${token}`,
    'X-KeyID': `${keysChangedAtMs}-${keyFingerprint(kB)}`,
  };
  const url = `${tokenUrl}/1.0/sync/1.5`;
  const pass = (await answerOf(fetch, new Request(url, { headers }))).json as Pass;
  const store = new Store();
  const user = store.addUser(keyFingerprint(kB));
  for (const name of collections) user.collections.set(name, await read(fetch, pass, name));
  return { kB, store };
}

interface Bso {
  readonly id: string;
  readonly modified: number;
  readonly payload: string;
}

async function read(fetch: Handler, pass: Pass, name: string): Promise<Collection> {
  const collection = new Collection();
  for (let offset: string | null = ''; offset !== null; ) {
    const place = `${pass.api_endpoint}/storage/${name}?full=1&limit=${PAGE_RECORDS}`;
    const url = new URL(offset === '' ? place : `${place}&offset=${encodeURIComponent(offset)}`);
    const nonce = randomBytes(6).toString('hex');
    const header = signHawk({ method: 'GET', url }, pass, Date.now(), nonce);
    const request = new Request(url, { headers: { Authorization: header } });
    const { json, next } = await answerOf(fetch, request);
    for (const { id, modified, payload } of json as Bso[]) {
      const modifiedMs = Math.round(modified * 1000);
      collection.set({ id, modifiedMs, payload, sortindex: null, expiresMs: null });
    }
    offset = next;
  }
  return collection;
}

async function answerOf(
  fetch: Handler,
  request: Request,
): Promise<{ json: unknown; next: string | null }> {
  const response = await fetch(request);
  const text = await response.text();
  if (response.status !== 200) {
    throw new Error(`${new URL(request.url).host} answered ${response.status}`);
  }
  return { json: JSON.parse(text) as unknown, next: response.headers.get('X-Weave-Next-Offset') };
}
