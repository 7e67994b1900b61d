// The one error class of the agent: a closed set of codes, a hint what to do, and a safe JSON form.
// Operating errors only: a programmer's mistake throws a plain Error and is never turned into one.
// A message names fields, sizes and limits; never a key, a token, a payload or a URL with a query.

import { isEngineFailure } from '../crypto/engine.ts';

export type SyncErrorCode =
  // the network
  /** No connection could be made, or it broke before the answer began. */
  | 'offline'
  /** A server took longer than it may, to begin its answer or to go on with it. */
  | 'timeout'
  /** An answer broke off, or is shorter than announced. What came before is kept. */
  | 'truncated'
  // the server asks for time
  /** A server asked to be left alone for a time, which is not over. */
  | 'backoff'
  /** A server says that it cannot answer now. */
  | 'unavailable'
  // who we are
  /** A server does not take the sign-in. */
  | 'unauthorized'
  /** Nobody is signed in, or the sign-in was given back or taken away. */
  | 'signedOut'
  /** The account is not confirmed yet. */
  | 'unverified'
  /**
   * The server has signed the same person in to another account than before. Nothing of the two
   * becomes one: whoever signs out and in again has the other one.
   */
  | 'accountChanged'
  /** The key does not open what the account holds, or is not the one that the server knows. */
  | 'keyMismatch'
  // what the server said
  /** What a server answered cannot be used; the message says what it was. */
  | 'badResponse'
  /** The server's data was changed by somebody else meanwhile, again and again. */
  | 'conflict'
  /** The server has no more room for this user. */
  | 'overQuota'
  /** The account was moved to another server; everything is read again there. */
  | 'storageReset'
  /** The account has no Sync data: no browser has synced with it yet. */
  | 'noSyncData'
  /** The data has a newer form than this program knows. It is left as it is. */
  | 'clientTooOld'
  /** The server has closed for good. It is asked now and then whether that is still so. */
  | 'serviceGone'
  // the device
  /** The device has no room. Nothing is half written. */
  | 'storageFull'
  /** The device's storage cannot be used. */
  | 'storageFailed'
  /** What is stored is not what was written. It is set aside and fetched again. */
  | 'damaged'
  /** The program or its platform has a fault. */
  | 'deviceFailed'
  /** The engine was refused memory. It is tried again. */
  | 'outOfMemory'
  // the caller
  /** What was asked for cannot be done as it was given; the message names the member. */
  | 'badInput'
  /** There is no such record. */
  | 'notFound'
  /** A record is longer, or takes more memory, than it may. */
  | 'tooLarge'
  /** Nothing may be changed here: by a setting, or because the server takes no changes. */
  | 'readOnly'
  /** Nobody is signed in to sync here. */
  | 'disabled'
  /** The sync was ended before it was done, by a person or another device. */
  | 'aborted';

/**
 * `later`: it passes by itself. `afterUser`: a person can mend it (sign in, update, move). `never`:
 * not this request. It is for those who show an error or ask again themselves: the device's own
 * passes go on whatever a pass ended with, ever more rarely, since a server may be wrong in all
 * that it says.
 */
type RetryHint = 'later' | 'afterUser' | 'never';

/** What a stored value is; errors name it. */
export type StoredKind = 'state' | 'signIn' | 'collection' | 'mirror' | 'outbox' | 'quarantine';

export interface SyncErrorDetail {
  /** Of a `damaged` value: what it is. */
  readonly stored?: StoredKind;
  readonly collection?: string;
  readonly recordId?: string;
  readonly status?: number;
  /** The server's own word for its refusal, one of a list that its protocol has. */
  readonly reason?: string;
  /** The server asked for this wait. */
  readonly retryAfterMs?: number;
  /**
   * What lies below, in a few words of the device (ports.ts, `PortError`). Never a path, a query, a
   * token.
   */
  readonly cause?: string;
}

const AFTER_USER: ReadonlySet<SyncErrorCode> = new Set([
  'unauthorized',
  'signedOut',
  'unverified',
  'accountChanged',
  'keyMismatch',
  'noSyncData',
  'clientTooOld',
  'serviceGone',
  'disabled',
]);
const NEVER: ReadonlySet<SyncErrorCode> = new Set(['badInput', 'notFound', 'tooLarge', 'readOnly']);

/** An error for those who are shown it. */
export interface StatusError {
  readonly code: SyncErrorCode;
  readonly message: string;
  /** As in `SyncErrorDetail`. */
  readonly cause?: string;
}

export class SyncError extends Error {
  readonly code: SyncErrorCode;
  readonly detail: SyncErrorDetail;

  constructor(code: SyncErrorCode, message: string, detail: SyncErrorDetail = {}) {
    super(message);
    this.name = 'SyncError';
    this.code = code;
    this.detail = detail;
  }

  get retry(): RetryHint {
    if (NEVER.has(this.code)) return 'never';
    return AFTER_USER.has(this.code) ? 'afterUser' : 'later';
  }

  /** As the status, a report and an application show it. */
  get shown(): StatusError {
    const { code, message, detail } = this;
    const { cause } = detail;
    return { code, message, ...(cause && { cause }) };
  }

  toJSON(): object {
    return { code: this.code, message: this.message, retry: this.retry, ...this.detail };
  }
}

/** What a server said cannot be used; `message` says what and why. */
export function badResponse(message: string, detail?: SyncErrorDetail): SyncError {
  return new SyncError('badResponse', message, detail);
}

/** What a caller gave cannot be used; `message` names the field and the limit. */
export function badInput(message: string, detail?: SyncErrorDetail): SyncError {
  return new SyncError('badInput', message, detail);
}

export function notEnabled(): SyncError {
  return new SyncError('disabled', 'nobody is signed in to sync');
}

/** Codes of ports that are the agent's own. */
const SAME_CODES: readonly SyncErrorCode[] = [
  'damaged',
  'offline',
  'timeout',
  'truncated',
  'signedOut',
  'unverified',
];
const KNOWN_CODES: ReadonlyMap<unknown, SyncErrorCode> = new Map([
  ...SAME_CODES.map((code) => [code, code] as const),
  ['full', 'storageFull'],
  ['failed', 'storageFailed'],
  ['encoding', 'badResponse'],
  ['unsupported', 'deviceFailed'],
  // crypto/error.ts
  ['badKey', 'keyMismatch'],
  ['badKeys', 'keyMismatch'],
  ['badEntropy', 'deviceFailed'],
  ['badUrl', 'badResponse'],
]);

/** What the work of a port resolves to, or a SyncError. */
export function ported<T>(work: Promise<T>): Promise<T> {
  return work.catch(refuse);
}

function refuse(error: unknown): never {
  throw fromPort(error);
}

/**
 * What a port, crypto/ or the engine itself threw, as a SyncError. Anything else is thrown again as
 * it is.
 */
export function fromPort(error: unknown): SyncError {
  if (error instanceof SyncError) return error;
  if (error instanceof Error) {
    const code = KNOWN_CODES.get((error as { code?: unknown }).code);
    if (code !== undefined) return new SyncError(code, error.message, causeOf(error.cause));
  }
  if (isEngineFailure(error)) {
    const what = error instanceof Error ? error.message : 'out of memory';
    return new SyncError('outOfMemory', `the device's engine failed: ${what}`);
  }
  throw error;
}

/** A code and a host have no other characters: what has some is no word that may be shown. */
const CAUSE = /^[\w .:()[\]-]{1,120}$/;

function causeOf(cause: unknown): SyncErrorDetail {
  return typeof cause === 'string' && CAUSE.test(cause) ? { cause } : {};
}
