// What the parts of the accounts server share: an account, a request, and how a request is refused.

import { HttpError } from './http.ts';

export interface Account {
  readonly uid: string;
  readonly email: string;
  /** What proves the password, without saying it. */
  verifier: Verifier;
  /** The key, wrapped with the password: 64 hex digits. */
  wrapKb: string;
  /** The key itself, where the server was begun with it; null: only its user knows it. */
  kB: string | null;
  /** In milliseconds; it rises with every change of the password. */
  generation: number;
  keysChangedAtMs: number;
}

/** scrypt of an authPW (r = 8, p = 1, 32 bytes); texts are hex digits. */
export interface Verifier {
  readonly salt: string;
  /** scrypt's N. */
  readonly cost: number;
  readonly hash: string;
}

export type Body = Readonly<Record<string, unknown>>;

/** A request that has reached one of the server's parts. */
export interface Call {
  readonly request: Request;
  readonly url: URL;
  /** The body as it came; `body` is the object that it holds. */
  readonly text: string;
  readonly body: Body;
}

/** A member of a request that must be there. Errors: HttpError 400, errno 108. */
export function textOf(body: Body, name: string): string {
  const value = body[name];
  if (typeof value !== 'string')
    throw problem(400, 108, `Missing parameter in request body: ${name}`);
  return value;
}

/** A member that must be 64 hex digits. Errors: HttpError 400, errno 107 or 108. */
export function keyOf(body: Body, name: string): string {
  const value = textOf(body, name);
  if (!/^[0-9a-f]{64}$/i.test(value))
    throw problem(400, 107, `Invalid parameter in request body: ${name}`);
  return value.toLowerCase();
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  503: 'Service Unavailable',
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
