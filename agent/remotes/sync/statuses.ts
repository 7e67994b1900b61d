// What a status of HTTP, and a header, means to Firefox Sync's servers: storage 1.5, its token
// server, and Syncto.

import type { SyncError, SyncErrorCode } from '../../errors.ts';
import { type Answer, notedHeaders, refusalOf } from '../../wire/http.ts';

/** What they say beside their answers. */
export const NOTED = notedHeaders('x-weave-timestamp', '', 'x-', 'x-weave-');

/** The statuses that end a pass whatever was asked for; null: whoever asked reads the answer. */
export function ending(answered: Answer): SyncError | null {
  const code = codeOf(answered.status);
  return code === 'unauthorized' || code === 'serviceGone' ? unexpected(answered, 'sync') : null;
}

/** For callers that got a status they have no use for; `what` was asked for. */
export function unexpected(answered: Answer, what: string): SyncError {
  return refusalOf(answered, codeOf(answered.status), what);
}

function codeOf(status: number): SyncErrorCode {
  if (status === 401 || status === 403) return 'unauthorized';
  if (status === 410 || status === 513) return 'serviceGone';
  return status === 409 || status === 429 || status >= 500 ? 'unavailable' : 'badResponse';
}
