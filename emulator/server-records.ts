// The records of an account as they are on the server, opened with the account's key: the other side of
// every comparison. Independent of the agent: node:crypto and the servers' own store.
// A record that does not open is passed over; the agent has to report it, nobody else.

import { createDecipheriv, createHmac } from 'node:crypto';
import type { Holdings, Login, Page, Visit } from './expected.ts';
import type { Collection, User } from './servers/store.ts';
import type { SeedAccount } from './servers/store-file.ts';
import { accountKeys, type KeyPair, keyFingerprint } from './servers/sync-keys.ts';

type Body = Readonly<Record<string, unknown>>;

/** Live pages (with at least one visit) and logins that the server holds for the account. */
export function serverHoldings(account: SeedAccount, nowMs: number): Holdings {
  return {
    history: [...liveBodies(account, 'history', nowMs)]
      .map(toPage)
      .filter((page) => page.visits.length > 0),
    logins: [...liveBodies(account, 'passwords', nowMs)].map(toLogin),
  };
}

/** What the account's devices call themselves. */
export function deviceNames(account: SeedAccount, nowMs: number): unknown[] {
  return [...liveBodies(account, 'clients', nowMs)].map(({ name }) => name);
}

/** How many records of a collection are stored, tombstones included. */
export function storedCount(account: SeedAccount, name: string, nowMs: number): number {
  return collectionOf(account, name)?.count(nowMs) ?? 0;
}

/** `count` pages spread evenly over the collection, for accounts too large to be read whole. */
export function samplePages(account: SeedAccount, count: number, nowMs: number): Page[] {
  const keys = collectionKeys(account, 'history', nowMs);
  const records = collectionOf(account, 'history')?.oldestFirst(nowMs);
  const length = records?.length ?? 0;
  const pages: Page[] = [];
  for (let i = 0; i < Math.min(count, length); i++) {
    const bso = records?.at(Math.floor((i * length) / Math.min(count, length)));
    const body = bso === undefined ? null : openPayload(keys, bso.payload);
    if (body !== null && !body.deleted) pages.push(toPage(body));
  }
  return pages;
}

function* liveBodies(account: SeedAccount, name: string, nowMs: number): Generator<Body> {
  const keys = collectionKeys(account, name, nowMs);
  for (const bso of collectionOf(account, name)?.inArrivalOrder(nowMs) ?? []) {
    const body = openPayload(keys, bso.payload);
    if (body !== null && !body.deleted && body.id === bso.id) yield body;
  }
}

function userOf(account: SeedAccount): User | undefined {
  const fingerprint = keyFingerprint(account.kB);
  return [...account.store.users.values()].find((user) => user.keyFingerprint === fingerprint);
}

function collectionOf(account: SeedAccount, name: string): Collection | undefined {
  return userOf(account)?.collections.get(name);
}

/** The collection's own keys, else the default ones of `crypto/keys`. */
function collectionKeys(account: SeedAccount, name: string, nowMs: number): KeyPair {
  const bso = collectionOf(account, 'crypto')?.get('keys', nowMs);
  const master = accountKeys(account.kB);
  const document = bso === undefined ? null : openPayload(master, bso.payload);
  const pair = (document?.collections as Record<string, string[]> | undefined)?.[name] ??
    (document?.default as string[] | undefined) ?? ['', ''];
  const [encKey = '', macKey = ''] = pair;
  return { encKey: Buffer.from(encKey, 'base64'), macKey: Buffer.from(macKey, 'base64') };
}

/** Null: the payload does not prove itself, or is not a sealed object at all. */
function openPayload(keys: KeyPair, payload: string): Body | null {
  try {
    const { ciphertext, IV, hmac } = JSON.parse(payload) as Record<string, string>;
    const mac = createHmac('sha256', keys.macKey)
      .update(ciphertext ?? '')
      .digest('hex');
    if (mac !== hmac) return null;
    const decipher = createDecipheriv('aes-256-cbc', keys.encKey, Buffer.from(IV ?? '', 'base64'));
    const cleartext = [decipher.update(ciphertext ?? '', 'base64'), decipher.final()];
    return JSON.parse(Buffer.concat(cleartext).toString()) as Body;
  } catch {
    return null;
  }
}

function toPage(body: Body): Page {
  return {
    guid: String(body.id),
    url: String(body.histUri),
    title: (body.title ?? null) as string | null,
    visits: (Array.isArray(body.visits) ? body.visits : []) as Visit[],
  };
}

function toLogin(body: Body): Login {
  const text = (name: string) => (body[name] ?? '') as string;
  const textOrNull = (name: string) => (body[name] ?? null) as string | null;
  const number = (name: string) => (body[name] ?? 0) as number;
  return {
    guid: text('id'),
    origin: text('hostname'),
    formActionOrigin: textOrNull('formSubmitURL'),
    httpRealm: textOrNull('httpRealm'),
    username: text('username'),
    password: text('password'),
    usernameField: text('usernameField'),
    passwordField: text('passwordField'),
    timeCreated: number('timeCreated'),
    timePasswordChanged: number('timePasswordChanged'),
  };
}
