// What a PiCL server refuses with: a status, and a word for the reason with what belongs to it. The
// proposal names statuses alone; the words are ours, and clients may do without.

import { refusals } from '../refusals.ts';

const STATUSES = {
  'bad-json': 400,
  'bad-body': 400,
  'bad-change': 400,
  'bad-key': 400,
  'bad-parameter': 400,
  'bad-precondition': 400,
  unauthorized: 401,
  'not-found': 404,
  'no-such-collection': 404,
  'no-such-record': 404,
  'method-not-allowed': 405,
  'precondition-failed': 412,
  'bad-chain': 412,
  'too-large': 413,
  'history-compacted': 416,
  'future-seqnum': 416,
  'precondition-required': 428,
  overloaded: 503,
  'seqnum-exhausted': 507,
} as const;

export const refusal = refusals(STATUSES);
