// Which key of a ServerStorage holds what of an accounts server. Hashes are SHA-256 of a name, in
// hex; OWNER is that of an account's address in small letters, and of its lock.
//
//   ac/OWNER           an account: there is one of an address, whoever makes it
//   au/HASH            of a uid: its owner
//   at/HASH            a session or another token, a refresh token or a code: what it is good for
//   al/OWNER/HASH      the same, by owner: all that is signed in
//   ad/HASH            of the id of an access token that was destroyed before it expires
//   ax/TIME/KEY        what expires then and may go, unless it has been used since
//
// A row of a token names its owner, so that a request is answered from the rows that it names.

import { createHash } from 'node:crypto';
import type { Account } from '../account-call.ts';
import type { AccountState } from '../account-state.ts';
import { type KeptToken, tokenEndMs } from '../account-tokens.ts';
import { isObject, parseObject } from '../http.ts';
import type { KeptCode } from '../oauth.ts';
import type { KeptGrant } from '../refresh-tokens.ts';
import { damaged, under } from './bso-keys.ts';
import type { KeyRange, Transaction } from './server-storage.ts';

/** What a row says of what an account is signed in with. */
type Held =
  | { readonly kind: 'token'; readonly value: KeptToken }
  | { readonly kind: 'grant'; readonly value: KeptGrant }
  | { readonly kind: 'code'; readonly value: KeptCode };

interface HeldRow {
  readonly owner: string;
  readonly held: Held;
}

type DestroyedRow = AccountState['destroyed'][number];

export const accountKey = (owner: string): string => `ac/${owner}`;
export const uidKey = (uid: string): string => `au/${hash(uid)}`;
export const heldKey = (secret: string): string => `at/${hash(secret)}`;
export const destroyedKey = (tokenId: string): string => `ad/${hash(tokenId)}`;
export const lockOf = (owner: string): string => `account/${owner}`;

export function ownerOf(email: string): string {
  return hash(email.toLowerCase());
}

/** Of the row of a token, the one by owner. */
function listedKey(owner: string, key: string): string {
  return `al/${owner}/${key.slice('at/'.length)}`;
}

/** All that is signed in to an account. */
export function listedRange(owner: string): KeyRange {
  return under(`al/${owner}/`, HELD_MAX);
}

/** The keys of the rows that are listed so. */
export function heldKeys(listed: readonly string[]): string[] {
  return listed.map((key) => `at/${key.slice(key.lastIndexOf('/') + 1)}`);
}

/** More than fit in what one transaction changes. */
const HELD_MAX = 100_000;

/** All rows of a state, by key. Errors: Error where something in it is nobody's. */
export function rowsOf({ accounts, tokens, grants, codes, destroyed }: AccountState) {
  const rows = new Map<string, string>();
  for (const account of accounts) {
    rows.set(accountKey(ownerOf(account.email)), JSON.stringify(account));
    rows.set(uidKey(account.uid), ownerOf(account.email));
  }
  const add = (secret: string, held: Held): void => {
    const row: HeldRow = { owner: ownerOf(held.value.email), held };
    rows.set(heldKey(secret), JSON.stringify(row));
  };
  for (const value of tokens) add(value.id, { kind: 'token', value });
  for (const value of grants) add(value.token, { kind: 'grant', value });
  for (const value of codes) add(value.code, { kind: 'code', value });
  for (const one of destroyed) rows.set(destroyedKey(one[0]), JSON.stringify(one));
  return rows as ReadonlyMap<string, string>;
}

/** What rows hold. Errors: Error for one that holds something else. */
export function stateOf(rows: Iterable<readonly [key: string, text: string]>): AccountState {
  const state = {
    ...{ accounts: [] as Account[], tokens: [] as KeptToken[], grants: [] as KeptGrant[] },
    ...{ codes: [] as KeptCode[], destroyed: [] as DestroyedRow[] },
  };
  for (const [key, text] of rows) {
    if (key.startsWith('ac/')) state.accounts.push(readAccountRow(key, text));
    else if (key.startsWith('ad/')) state.destroyed.push(readDestroyedRow(key, text));
    else {
      const { held } = readHeldRow(key, text);
      if (held.kind === 'token') state.tokens.push(held.value);
      else if (held.kind === 'grant') state.grants.push(held.value);
      else state.codes.push(held.value);
    }
  }
  // As they were made: a list of devices begins with the oldest.
  state.tokens.sort((a, b) => a.createdAtMs - b.createdAtMs);
  state.grants.sort((a, b) => a.createdAtMs - b.createdAtMs);
  return state;
}

function readAccountRow(key: string, text: string): Account {
  const account = parseObject(text);
  if (typeof account?.email !== 'string' || !isObject(account.verifier)) throw damaged(key);
  return account as unknown as Account;
}

export function readHeldRow(key: string, text: string): HeldRow {
  const row = parseObject(text);
  const isWhole = typeof row?.owner === 'string' && isObject(row.held) && isObject(row.held.value);
  if (!isWhole) throw damaged(key);
  return row as unknown as HeldRow;
}

function readDestroyedRow(key: string, text: string): DestroyedRow {
  const one: unknown = JSON.parse(text);
  if (!Array.isArray(one) || typeof one[0] !== 'string' || typeof one[1] !== 'number')
    throw damaged(key);
  return [one[0], one[1]];
}

/** When a row is worth nothing any more, and whose it is; null: it stays. */
export function endOf(key: string, text: string): { endMs: number | null; owner: string } {
  if (key.startsWith('ad/')) return { endMs: readDestroyedRow(key, text)[1] * 1_000, owner: '' };
  if (!key.startsWith('at/')) return { endMs: null, owner: '' };
  const { owner, held } = readHeldRow(key, text);
  if (held.kind === 'grant') return { endMs: null, owner };
  return { endMs: held.kind === 'code' ? held.value.expiresMs : tokenEndMs(held.value), owner };
}

/** Of a row that ends. */
export function endKey(endMs: number, key: string): string {
  return `ax/${String(endMs).padStart(15, '0')}/${key}`;
}

/** The row that it is about. */
export function keyOfEnd(endKey: string): string {
  return endKey.split('/').slice(2).join('/');
}

/** Entries of what has ended. */
export function endedRange(nowMs: number, limit: number): KeyRange {
  return { from: 'ax/', to: endKey(nowMs + 1, ''), limit };
}

/** What a new row needs besides; whether it ends. */
export function addRow(tx: Transaction, key: string, text: string): boolean {
  const { endMs, owner } = endOf(key, text);
  if (owner !== '') tx.put(listedKey(owner, key), '');
  if (endMs !== null) tx.put(endKey(endMs, key), '');
  return endMs !== null;
}

/** Takes a row away, with what it needs besides; that it ends is found out later. */
export function removeRow(tx: Transaction, key: string, text: string): void {
  tx.remove(key);
  if (key.startsWith('at/')) tx.remove(listedKey(readHeldRow(key, text).owner, key));
  if (key.startsWith('ac/')) tx.remove(uidKey(readAccountRow(key, text).uid));
}

function hash(name: string): string {
  return createHash('sha256').update(name).digest('hex');
}
