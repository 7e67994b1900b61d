// What an OWA server refuses with: a status, and a word for the reason with what belongs to it. The
// seed names statuses alone; the words are ours, and clients may do without.

import { type HeaderValues, HttpError } from '../http.ts';

const STATUSES = {
  'bad-header': 400,
  'bad-json': 400,
  'not-an-object': 400,
  'too-deep': 400,
  unauthorized: 401,
  'not-found': 404,
  'method-not-allowed': 405,
  'precondition-failed': 412,
  'too-large': 413,
  overloaded: 503,
} as const;

/** `details`: members beside the word. */
export function refusal(
  error: keyof typeof STATUSES,
  details: Readonly<Record<string, unknown>> = {},
  headers: HeaderValues = {},
): HttpError {
  return new HttpError(STATUSES[error], { error, ...details }, headers);
}

/** A limit that what was sent goes beyond; `field`: what of it. */
export function tooLarge(field: string, limit: number, name?: string): HttpError {
  return refusal('too-large', { field, limit, ...(name === undefined ? {} : { name }) });
}
