// The records of an account as they are on the server, opened with the account's key: the other
// side of every comparison. Independent of the agent: node:crypto and the servers' own store. A
// record that does not open is passed over; the agent has to report it, nobody else.

import { createDecipheriv, createHmac } from 'node:crypto';
import type { Holdings, Page } from './expected.ts';
import { isDeleted, isForDevices, pageOf, type ServerRecord, shownOf } from './record-rules.ts';
import type { Collection, User } from './servers/store.ts';
import type { SeedAccount } from './servers/store-file.ts';
import { accountKeys, type KeyPair, keyFingerprint } from './servers/sync-keys.ts';

type Body = Readonly<Record<string, unknown>>;

/** Records by id, and the pages and sites that they are of. */
export interface Changed {
  readonly ids: ReadonlySet<string>;
  readonly addresses: ReadonlySet<string>;
}

/** What a device shows of the live pages and logins that the server holds for the account. */
export function serverHoldings(account: SeedAccount, nowMs: number): Holdings {
  return shownOf(liveRecords(account, 'history', nowMs), liveRecords(account, 'passwords', nowMs));
}

/** The live records of an app's own collection, as the server holds them. */
export function serverBodies(account: SeedAccount, name: string, nowMs: number): Body[] {
  return [...liveRecords(account, name, nowMs)].map(({ body }) => body);
}

/**
 * The records of these collections that are not the same in both views of the account, or only in
 * one.
 */
export function changedBetween(
  before: SeedAccount,
  after: SeedAccount,
  names: readonly string[],
  nowMs: number,
): Changed {
  const ids = new Set<string>();
  const addresses = new Set<string>();
  for (const name of before === after ? [] : names) {
    const found: string[] = [];
    for (const [one, other] of [
      [before, after],
      [after, before],
    ] as const) {
      const known = collectionOf(other, name);
      for (const bso of collectionOf(one, name)?.inArrivalOrder(nowMs) ?? []) {
        const same = known?.get(bso.id, nowMs);
        if (same?.modifiedMs !== bso.modifiedMs || same.payload !== bso.payload) found.push(bso.id);
      }
    }
    for (const account of [before, after]) {
      for (const { id, body } of recordsOf(account, name, nowMs, found)) {
        ids.add(id);
        const address = body?.histUri ?? body?.hostname;
        if (typeof address === 'string') addresses.add(address);
      }
    }
  }
  return { ids, addresses };
}

/** What the account's devices call themselves. */
export function deviceNames(account: SeedAccount, nowMs: number): unknown[] {
  return [...liveRecords(account, 'clients', nowMs)].map(({ body }) => body.name);
}

export interface OpenedRecord {
  readonly id: string;
  readonly modifiedMs: number;
  readonly payloadChars: number;
  /** Null: it does not prove itself, or is no JSON object. */
  readonly body: Body | null;
}

/** Every record of a collection, tombstones too. `only`: those of these ids that there are. */
export function* recordsOf(
  account: SeedAccount,
  name: string,
  nowMs: number,
  only: readonly string[] | null = null,
): Generator<OpenedRecord> {
  const keys = collectionKeys(account, name, nowMs);
  const collection = collectionOf(account, name);
  const found = only?.flatMap((id) => collection?.get(id, nowMs) ?? []);
  for (const { id, modifiedMs, payload } of found ?? collection?.inArrivalOrder(nowMs) ?? []) {
    yield { id, modifiedMs, payloadChars: payload.length, body: openPayload(keys, payload) };
  }
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
    const page = body === null || isDeleted(body) ? null : pageOf(body);
    if (page !== null) pages.push(page);
  }
  return pages;
}

function* liveRecords(account: SeedAccount, name: string, nowMs: number): Generator<ServerRecord> {
  for (const { id, modifiedMs, body } of recordsOf(account, name, nowMs)) {
    if (body === null || isDeleted(body) || !isForDevices(name, id, body)) continue;
    yield { body, modifiedMs };
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
    const body: unknown = JSON.parse(Buffer.concat(cleartext).toString());
    return typeof body === 'object' && body !== null && !Array.isArray(body)
      ? (body as Body)
      : null;
  } catch {
    return null;
  }
}
