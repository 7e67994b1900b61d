// The one error class of the agent: a closed set of codes, a hint what to do, and a safe JSON form.
// Operating errors only: a programmer's mistake throws a plain Error and is never turned into one.
// A message names fields, sizes and limits; never a key, a token, a payload or a URL with a query.

import { isEngineFailure } from '../crypto/engine.ts';
import type { StoredKind } from './keys.ts';

export type SyncErrorCode =
  // the network
  | 'offline'
  | 'timeout'
  | 'truncated'
  // the server asks for time
  | 'backoff'
  | 'unavailable'
  // who we are
  | 'unauthorized'
  | 'signedOut'
  | 'unverified'
  | 'keyMismatch'
  // what the server said
  | 'badResponse'
  | 'conflict'
  | 'overQuota'
  | 'storageReset'
  | 'noSyncData'
  | 'clientTooOld'
  | 'serviceGone'
  // the device
  | 'storageFull'
  | 'storageFailed'
  | 'damaged'
  | 'deviceFailed'
  | 'outOfMemory'
  // the caller
  | 'badInput'
  | 'notFound'
  | 'tooLarge'
  | 'readOnly'
  | 'disabled'
  | 'busy'
  | 'aborted';

/**
 * `later`: it passes by itself. `afterUser`: a person can mend it (sign in, update, move). `never`: not this request.
 * It is for those who show an error or ask again themselves: the device's own passes go on whatever a pass ended with,
 * ever more rarely, since a server may be wrong in all that it says.
 */
export type RetryHint = 'later' | 'afterUser' | 'never';

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
  // crypto/error.ts
  ['badKey', 'keyMismatch'],
  ['badKeys', 'keyMismatch'],
  ['badEntropy', 'deviceFailed'],
  ['badUrl', 'badResponse'],
]);

/** What the work of a port resolves to, or a SyncError. */
export async function ported<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw fromPort(error);
  }
}

/** What a port, crypto/ or the engine itself threw, as a SyncError. Anything else is thrown again as it is. */
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
