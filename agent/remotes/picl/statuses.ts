// What a status of HTTP means to a PiCL storage, and which headers are read beside an answer.

import type { SyncError, SyncErrorCode } from '../../errors.ts';
import { type Answer, notedHeaders, refusalOf } from '../../wire/http.ts';

/** Servers of this family ask for a pause under one of these, on any status. */
export const NOTED = /* @__PURE__ */ notedHeaders('x-timestamp', '', 'x-', 'x-weave-');

/** The statuses that end a pass whatever was asked for; null: whoever asked reads the answer. */
export function ending(answered: Answer): SyncError | null {
  const { status } = answered;
  if (status === 507) return unexpected(answered, 'picl');
  return status === 401 || status === 429 || status >= 500 ? unexpected(answered, 'picl') : null;
}

/** For callers that got a status they have no use for; `what` was asked for. */
export function unexpected(answered: Answer, what: string): SyncError {
  return refusalOf(answered, codeOf(answered.status), what);
}

function codeOf(status: number): SyncErrorCode {
  if (status === 401) return 'unauthorized';
  if (status === 507) return 'overQuota';
  return status === 429 || status >= 500 ? 'unavailable' : 'badResponse';
}
