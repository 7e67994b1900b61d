// What a person can do about a failure, in one line: by the word of the token server if it said one, else by the
// error's code. Nothing for what passes by itself.
// Source: Tokenserver API 1.0 (`status` of an answer).

import type { Status } from '../../../agent/index.ts';

/** Advice for an error; null when there is nothing to do but wait. */
export function adviceFor({ code, message, cause }: NonNullable<Status['error']>): string | null {
  const word = [...BY_WORD.keys()].find((known) => message.includes(known));
  if (word !== undefined) return BY_WORD.get(word) ?? null;
  return byCause(cause) ?? BY_CODE.get(code) ?? null;
}

function byCause(cause = ''): string | undefined {
  return BY_CAUSE.find(([codes]) => codes.test(cause))?.[1];
}

/** By the code that a cause begins with: those of Node.js, its `fetch`, and OpenSSL. */
const BY_CAUSE: readonly (readonly [codes: RegExp, advice: string])[] = [
  [/^ENOTFOUND /, 'check the name of the server; no name server knows it'],
  [/^EAI_AGAIN /, 'no name server answers: check the network of this machine'],
  [/^ECONNREFUSED /, 'nothing listens there: check that the server runs, and its port'],
  [/^(ENETUNREACH|EHOSTUNREACH) /, 'there is no way to the server: check the network'],
  [/^BAD_PORT /, 'no program may use this port for the web: choose another'],
  [/^CERT_HAS_EXPIRED /, "the server's certificate has expired: renew it, or set this clock"],
  [/^CERT_NOT_YET_VALID /, "the server's certificate begins later: set this machine's clock"],
  [/^ERR_TLS_CERT_ALTNAME_INVALID /, "the server's certificate is for another name: check it"],
  [
    /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_[A-Z_]+) /,
    "this machine does not trust the server's certificate: name its authority's file in NODE_EXTRA_CA_CERTS",
  ],
  [/^(ERR_SSL_[A-Z_]+|EPROTO) /, 'the server speaks no TLS there: http:// instead of https://?'],
  [
    /^HPE_[A-Z_]+ /,
    'what answers there is no web server, or speaks TLS: https:// instead of http://?',
  ],
];

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
