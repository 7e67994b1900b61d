// What an OWA server refuses with: a status, and a word for the reason with what belongs to it. The
// seed names statuses alone; the words are ours, and clients may do without.

import type { HttpError } from '../http.ts';
import { refusals } from '../refusals.ts';

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

export const refusal = refusals(STATUSES);

/** A limit that what was sent goes beyond; `field`: what of it. */
export function tooLarge(field: string, limit: number, name?: string): HttpError {
  return refusal('too-large', { field, limit, ...(name === undefined ? {} : { name }) });
}
