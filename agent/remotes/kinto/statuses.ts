// What a status of HTTP means to a Kinto. 403 is "you may not", and never "sign in again".

import type { SyncError, SyncErrorCode } from '../../errors.ts';
import { type Answer, refusalOf } from '../../wire/http.ts';

/** The statuses that end a pass whatever was asked for; null: whoever asked reads the answer. */
export function ending(answered: Answer): SyncError | null {
  const { status } = answered;
  return status === 401 || status === 410 ? unexpected(answered, 'kinto') : null;
}

/** For callers that got a status they have no use for; `what` was asked for. */
export function unexpected(answered: Answer, what: string): SyncError {
  return refusalOf(answered, codeOf(answered.status), what);
}

function codeOf(status: number): SyncErrorCode {
  if (status === 401) return 'unauthorized';
  if (status === 410) return 'serviceGone';
  if (status === 507) return 'overQuota';
  return status === 409 || status === 429 || status >= 500 ? 'unavailable' : 'badResponse';
}
