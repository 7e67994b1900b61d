// What a person can do about a failure, in one line: by the word of the token server if it said
// one, by what lies below the error (a code of the system), by what the server answered, else by
// the error's code. Nothing for what passes by itself.
// Source: Tokenserver API 1.0 (`status` of an answer).

import type { Status } from '../../../agent/index.ts';

type ShownError = NonNullable<Status['error']>;

/** Advice for an error; null when there is nothing to do but wait. */
export function adviceFor({ code, message, cause }: ShownError): string | null {
  const word = [...BY_WORD.keys()].find((known) => message.includes(known));
  if (word !== undefined) return BY_WORD.get(word) ?? null;
  return byCause(cause) ?? byAnswer(code, message) ?? ADVICE_BY_CODE[code];
}

/** What a server answered tells more than the code of the error. */
function byAnswer(code: string, message: string): string | undefined {
  return BY_ANSWER.find(([codes, words]) => codes.includes(code) && words.test(message))?.[2];
}

/** Codes, and what the message of such an error says. The first that fits. */
const BY_ANSWER: readonly (readonly [codes: string, message: RegExp, advice: string])[] = [
  [
    'damaged',
    /^the stored state /,
    'whose data it is is lost: `kitsync sign-out` empties the folder, and a sync fetches all anew',
  ],
  [
    'badResponse',
    /sends elsewhere/,
    'the server sends to another address: give that one, or sign in to the network first',
  ],
  [
    'badResponse unavailable',
    /a page of HTML/,
    'a web page answers instead of the server: ' +
      'the network wants a sign-in, or a proxy has an error',
  ],
  [
    'badResponse',
    /accounts server|configuration:/,
    'check that --accounts is the address of an accounts server',
  ],
  [
    'badResponse',
    /^kinto: /,
    'check the address of the Kinto: with it, the one that ends in /v1/ shows JSON in a browser',
  ],
  [
    'badResponse',
    /token server|^hello: /,
    'check that --token-server is the address of a token server ' +
      '(with syncto: of a Syncto server, with kinto: of a Kinto)',
  ],
  [
    'unauthorized',
    /^kinto: the (name|token)/,
    'try again; the owner of the server can give the user another',
  ],
  [
    'unauthorized',
    /^kinto: /,
    'sign in again with `kitsync sign-in --kinto`: the password was changed, or the account has ' +
      'gone; what waits here is sent then',
  ],
  [
    'signedOut unauthorized',
    /^certificate: |a new login is refused/,
    'sign in again: `kitsync sign-in --owa`; what waits here is sent then',
  ],
  [
    'unauthorized',
    /^verify: /,
    'sign in again with `kitsync sign-in --owa`; if that does not help, the server trusts ' +
      'another accounts server, or is reached by an address that it does not know as its own',
  ],
  [
    'badResponse',
    /^(verify|document): /,
    'check the address of the server of Open Web Apps: a login is there, at .../verify',
  ],
  ['serviceGone', /^kinto: /, 'the server has closed: sign in to another one'],
  [
    'keyMismatch',
    /epoch does not open/,
    'the data there is under another key: `kitsync sign-in --kinto` with --code asks for its ' +
      'recovery code',
  ],
  [
    'readOnly',
    /lets this user not make it/,
    'its owner has to allow that (kinto.bucket_create_principals); what waits here is sent then',
  ],
  [
    'unauthorized',
    /status 403/,
    'the server lets this sign-in nowhere: ask its owner whether the user may sync there',
  ],
  [
    'unauthorized',
    /accounts server/,
    'the accounts server takes this sign-in no more, or never did: ' +
      '`kitsync sign-in` makes a new one',
  ],
  ['unauthorized', /^login: /, 'check the password and the address of the account'],
  [
    'unavailable',
    /^storage: .*status 40[13]/,
    'the storage refuses what the token server gave: ' +
      'its owner has to look whether both have one secret and one time',
  ],
  [
    'storageFailed',
    /credentials|cannot (read|write)/,
    'mend what the message names; the sync goes on then',
  ],
];

function byCause(cause = ''): string | undefined {
  return BY_CAUSE.find(([codes]) => codes.test(cause))?.[1];
}

/** By the code that a cause begins with: those of Node.js, its `fetch`, and OpenSSL. */
export const BY_CAUSE: readonly (readonly [codes: RegExp, advice: string])[] = [
  [/^ENOTFOUND /, 'check the name of the server; no name server knows it'],
  [/^EAI_AGAIN /, 'no name server answers: check the network of this machine'],
  [/^ECONNREFUSED /, 'nothing listens there: check that the server runs, and its port'],
  [
    /^(UND_ERR_SOCKET|ECONNRESET) /,
    'the server, or something on the way, ends the connection; ' +
      'at an http:// address it may want https://',
  ],
  [
    /^(ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT) /,
    'nothing answers there: check the address, the network, and firewalls',
  ],
  [
    /^ENOTENCRYPTED /,
    'a server on another machine would be asked without encryption: ' +
      'use https, or allow it with --allow-http',
  ],
  [/^(ENETUNREACH|EHOSTUNREACH) /, 'there is no way to the server: check the network'],
  [/^BAD_PORT /, 'no program may use this port for the web: choose another'],
  [/^CERT_HAS_EXPIRED /, "the server's certificate has expired: renew it, or set this clock"],
  [/^CERT_NOT_YET_VALID /, "the server's certificate begins later: set this machine's clock"],
  [/^ERR_TLS_CERT_ALTNAME_INVALID /, "the server's certificate is for another name: check it"],
  [
    /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_[A-Z_]+) /,
    "this machine does not trust the server's certificate: " +
      "name its authority's file in NODE_EXTRA_CA_CERTS",
  ],
  [/^(ERR_SSL_[A-Z_]+|EPROTO) /, 'the server speaks no TLS there: http:// instead of https://?'],
  [
    /^HPE_[A-Z_]+ /,
    'what answers there is no web server, or speaks TLS: https:// instead of http://?',
  ],
];

/** By the word of a token server. */
export const BY_WORD: ReadonlyMap<string, string> = new Map([
  [
    'invalid-credentials',
    'sign in again; if that does not help, ' +
      'the token server trusts another accounts server than the one you sign in to',
  ],
  ['invalid-generation', 'the password was changed since: sign in again'],
  [
    'invalid-client-state',
    'the key is not the one that the account syncs with: ' +
      'sign in again, and check that no other account used this uid on the server',
  ],
  ['invalid-keysChangedAt', 'the key is older than one that the server has seen: sign in again'],
  [
    'invalid-key-id',
    'the server wants a key id that this key has not: check `key.kid` in the credentials file',
  ],
  ['invalid-timestamp', "the server's clock and that of the accounts server differ: check both"],
  ['new-users-disabled', 'the server takes no new users: allow them, or let its owner add you'],
]);

/**
 * For each code of the agent: there is none without. Null: it passes by itself, or the message says
 * all.
 */
export const ADVICE_BY_CODE: { readonly [code in ShownError['code']]: string | null } = {
  offline: 'check the network: `kitsync doctor` looks at each step on the way to the server',
  timeout: 'the way to the server is slow: `kitsync doctor` looks at each step on it',
  truncated: null,
  backoff: null,
  unavailable: null,
  unauthorized:
    'sign in again: `kitsync sign-in`; check that --token-server is the one of this account',
  signedOut: 'sign in again: `kitsync sign-in`',
  unverified: 'confirm the account with the message in its mailbox',
  accountChanged: 'sign out, and sign in to the account that is meant',
  keyMismatch: 'the key of the account was changed: sign in again',
  badResponse: 'the server answers as none should: tell its owner, or look for a newer Kitsync',
  conflict: null,
  overQuota: 'the room on the server is used up: delete something, or ask its owner for more',
  storageReset: null,
  noSyncData:
    'with syncto, check --token-server; ' +
    'else sync with a browser first, or run `kitsync sync --initialize`',
  clientTooOld: 'this program is too old for the data of the account: install a newer one',
  serviceGone: 'the server has closed: choose another --token-server',
  storageFull: 'make room on the disk that has the folder',
  storageFailed: 'check the disk, and the rights of the folder',
  damaged: '`kitsync check` tells what is damaged, and the next sync fetches it again',
  deviceFailed: 'this is a fault of Kitsync, or of its Node.js: report it with the message',
  outOfMemory: 'give Node.js more memory: NODE_OPTIONS=--max-old-space-size=512',
  badInput: null,
  notFound: null,
  tooLarge: 'make the record smaller: no browser would take it',
  readOnly: 'the folder was synced with --read-only, or the server takes no writes from this user',
  disabled: 'run `kitsync sync` on the folder first',
  aborted: null,
};
