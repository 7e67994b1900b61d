// The records of an account as they are on the server, opened with the account's key: the other side of
// every comparison. Independent of the agent: node:crypto and the servers' own store.
// A record that does not open is passed over; the agent has to report it, nobody else.

import { createDecipheriv, createHmac } from 'node:crypto';
import type { Holdings, Page } from './expected.ts';
import { pageOf, type ServerRecord, shownOf } from './record-rules.ts';
import type { Collection, User } from './servers/store.ts';
import type { SeedAccount } from './servers/store-file.ts';
import { accountKeys, type KeyPair, keyFingerprint } from './servers/sync-keys.ts';

type Body = Readonly<Record<string, unknown>>;

/** What a device shows of the live pages and logins that the server holds for the account. */
export function serverHoldings(account: SeedAccount, nowMs: number): Holdings {
  return shownOf(liveRecords(account, 'history', nowMs), liveRecords(account, 'passwords', nowMs));
}

/** What the account's devices call themselves. */
export function deviceNames(account: SeedAccount, nowMs: number): unknown[] {
  return [...liveRecords(account, 'clients', nowMs)].map(({ body }) => body.name);
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
    const page = body === null || body.deleted ? null : pageOf(body);
    if (page !== null) pages.push(page);
  }
  return pages;
}

function* liveRecords(account: SeedAccount, name: string, nowMs: number): Generator<ServerRecord> {
  const keys = collectionKeys(account, name, nowMs);
  for (const bso of collectionOf(account, name)?.inArrivalOrder(nowMs) ?? []) {
    const body = openPayload(keys, bso.payload);
    if (body === null || body.deleted || body.id !== bso.id) continue;
    yield { body, modifiedMs: bso.modifiedMs };
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
