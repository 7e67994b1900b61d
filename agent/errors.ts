// The one error class of the agent: a closed set of codes, a hint what to do, and a safe JSON form.
// Operating errors only: a programmer's mistake throws a plain Error and is never turned into one.
// A message names fields, sizes and limits; never a key, a token, a payload or a URL with a query.

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
  | 'deviceFailed'
  // the caller
  | 'badInput'
  | 'notFound'
  | 'tooLarge'
  | 'readOnly'
  | 'disabled'
  | 'busy'
  | 'aborted';

/** `later`: by itself, after a wait. `afterUser`: somebody must sign in or update. `never`: not this request. */
export type RetryHint = 'later' | 'afterUser' | 'never';

export interface SyncErrorDetail {
  readonly collection?: string;
  readonly recordId?: string;
  readonly status?: number;
  /** The server's own word for its refusal, one of a list that its protocol has. */
  readonly reason?: string;
  /** The server asked for this wait. */
  readonly retryAfterMs?: number;
}

const RETRY: ReadonlyMap<SyncErrorCode, RetryHint> = new Map([
  ['unauthorized', 'afterUser'],
  ['signedOut', 'afterUser'],
  ['unverified', 'afterUser'],
  ['keyMismatch', 'afterUser'],
  ['noSyncData', 'afterUser'],
  ['clientTooOld', 'afterUser'],
  ['serviceGone', 'never'],
  ['badInput', 'never'],
  ['notFound', 'never'],
  ['tooLarge', 'never'],
  ['readOnly', 'never'],
  ['disabled', 'afterUser'],
]);

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
    return RETRY.get(this.code) ?? 'later';
  }

  toJSON(): object {
    return { code: this.code, message: this.message, retry: this.retry, ...this.detail };
  }
}

const KNOWN_CODES: ReadonlyMap<string, SyncErrorCode> = new Map([
  ['full', 'storageFull'],
  ['failed', 'storageFailed'],
  ['offline', 'offline'],
  ['timeout', 'timeout'],
  ['truncated', 'truncated'],
  ['encoding', 'badResponse'],
  ['signedOut', 'signedOut'],
  ['unverified', 'unverified'],
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

/** What a port or crypto/ threw, as a SyncError. Anything else is thrown again as it is. */
export function fromPort(error: unknown): SyncError {
  if (error instanceof SyncError) return error;
  if (error instanceof Error) {
    const code = KNOWN_CODES.get((error as { code?: unknown }).code as string);
    if (code !== undefined) return new SyncError(code, error.message);
  }
  throw error;
}
