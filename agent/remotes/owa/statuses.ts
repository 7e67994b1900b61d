// What a status of HTTP means to a server of this protocol, and which headers are read beside an
// answer.

import type { SyncError } from '../../errors.ts';
import { type Answer, notedHeaders, refusalOf } from '../../wire/http.ts';

/** `X-Timestamp` says the server's time more precisely than `Date`. */
export const NOTED = /* @__PURE__ */ notedHeaders('x-timestamp', '', 'x-');

/** The statuses that end a pass whatever was asked for; null: whoever asked reads the answer. */
export function ending(answered: Answer): SyncError | null {
  const { status } = answered;
  if (status === 401) return refusalOf(answered, 'unauthorized', 'owa');
  return outage(answered);
}

/** The server cannot answer now. */
export function outage(answered: Answer): SyncError | null {
  const { status } = answered;
  if (status === 507) return refusalOf(answered, 'overQuota', 'owa');
  const isOut = status === 429 || status >= 500;
  return isOut ? refusalOf(answered, 'unavailable', 'owa') : null;
}

/** For callers that got a status they have no use for; `what` was asked for. */
export function unexpected(answered: Answer, what: string): SyncError {
  return refusalOf(answered, 'badResponse', what);
}
