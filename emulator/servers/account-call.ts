// What the parts of the accounts server share: an account, a request, and how a request is refused.

import { HttpError } from './http.ts';

export interface Account {
  readonly uid: string;
  readonly email: string;
  password: string;
  kB: string;
  /** In milliseconds; it rises with every change of the password. */
  generation: number;
  keysChangedAtMs: number;
}

export type Body = Readonly<Record<string, unknown>>;

/** A member of a request that must be there. Errors: HttpError 400, errno 108. */
export function textOf(body: Body, name: string): string {
  const value = body[name];
  if (typeof value !== 'string')
    throw problem(400, 108, `Missing parameter in request body: ${name}`);
  return value;
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  404: 'Not Found',
};

/** A refusal in the form of Firefox Accounts. */
export function problem(
  code: number,
  errno: number,
  message: string,
  members: Readonly<Record<string, unknown>> = {},
): HttpError {
  return new HttpError(code, { code, errno, error: REASONS[code], message, ...members });
}
