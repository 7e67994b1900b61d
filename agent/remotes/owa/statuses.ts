// What a status of HTTP means to a server of this protocol, and which headers are read beside an
// answer.

import { jsonOf } from '../../../crypto/engine.ts';
import { SyncError } from '../../errors.ts';
import { DOCUMENT_CHARS_MAX } from '../../limits.ts';
import { member, readDocument } from '../../wire/document.ts';
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

/**
 * Why a server has not taken a document: which part of it, and the limit, where it says so in words
 * that may be shown. Reads the answer.
 */
export async function tooMuch(answered: Answer): Promise<SyncError> {
  const { status } = answered;
  const said = jsonOf(await readDocument(() => answered.read(), DOCUMENT_CHARS_MAX));
  const [field, limit] = [member(said, 'field'), member(said, 'limit')];
  const isField = typeof field === 'string' && /^[\w .-]{1,40}$/.test(field);
  const what = isField ? `the ${field}` : 'the document';
  const most = typeof limit === 'number' ? `, at most ${limit}` : '';
  const code = status === 413 ? 'tooLarge' : 'badResponse';
  return new SyncError(code, `${what} is not taken${most}: status ${status}`, { status });
}

/** For callers that got a status they have no use for; `what` was asked for. */
export function unexpected(answered: Answer, what: string): SyncError {
  return refusalOf(answered, 'badResponse', what);
}
