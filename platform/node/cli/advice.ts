// What a person can do about a failure, in one line: by the word of the token server if it said one, else by the
// error's code. Nothing for what passes by itself.
// Source: Tokenserver API 1.0 (`status` of an answer).

import type { Status } from '../../../agent/index.ts';

/** Advice for an error; null when there is nothing to do but wait. */
export function adviceFor({ code, message }: NonNullable<Status['error']>): string | null {
  const word = [...BY_WORD.keys()].find((known) => message.includes(known));
  return (word === undefined ? BY_CODE.get(code) : BY_WORD.get(word)) ?? null;
}

const BY_WORD: ReadonlyMap<string, string> = new Map([
  [
    'invalid-credentials',
    'sign in again; if that does not help, the token server trusts another accounts server than the one you sign in to',
  ],
  ['invalid-generation', 'the password was changed since: sign in again'],
  [
    'invalid-client-state',
    'the key is not the one that the account syncs with: sign in again, and check that no other account used this uid on the server',
  ],
  ['invalid-keysChangedAt', 'the key is older than one that the server has seen: sign in again'],
  [
    'invalid-key-id',
    'the server wants a key id that this key has not: check `key.kid` in the credentials file',
  ],
  ['invalid-timestamp', "the server's clock and that of the accounts server differ: check both"],
  ['new-users-disabled', 'the server takes no new users: allow them, or let its owner add you'],
]);

const BY_CODE: ReadonlyMap<string, string> = new Map([
  ['unauthorized', 'sign in again, and check that --token-server is the one of this account'],
  ['signedOut', 'sign in again: `kitsync sign-in`'],
  ['unverified', 'confirm the account with the message in its mailbox'],
  ['keyMismatch', 'the key of the account was changed: sign in again'],
  ['noSyncData', 'sync with a browser first, or run `kitsync sync --initialize`'],
  ['clientTooOld', 'this program is too old for the data of the account: install a newer one'],
  ['serviceGone', 'the server has closed: choose another --token-server'],
  ['badResponse', 'check that --token-server is the address of a token server'],
  ['storageFull', 'make room on the disk'],
  ['overQuota', 'the room on the server is used up: delete something, or ask its owner for more'],
]);
