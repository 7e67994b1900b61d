// How Syncto refuses: the error bodies of its framework, `{code, errno, error, message}`.

import { STATUS_CODES } from 'node:http';

export const UNREACHABLE =
  'Unable to reach the service. Check your internet connection or firewall configuration.';

/** A refusal. */
export class SynctoError extends Error {
  readonly status: number;
  readonly errno: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    errno: number,
    message: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.status = status;
    this.errno = errno;
    this.headers = headers;
  }

  /** The answer; one in the 500s asks the client to come back after a while. */
  toResponse(retryAfterSeconds: number): Response {
    const { status, errno, message } = this;
    const headers = new Headers(this.headers);
    if (status >= 500) headers.set('Retry-After', String(retryAfterSeconds));
    if (status === 401) headers.set('WWW-Authenticate', 'BrowserID');
    if (status === 304) return new Response(null, { status, headers });
    headers.set('Content-Type', 'application/json');
    const body = { code: status, errno, error: STATUS_CODES[status], message };
    return new Response(JSON.stringify(body), { status, headers });
  }
}

/** A fault of the gateway itself, as its framework words it. */
export function internalError(): SynctoError {
  return new SynctoError(500, 999, 'A programmatic error occured, developers have been informed.');
}

/** What an answer's body leads to that broke off, or that is not what it should be. */
export function bodyFault(error: unknown): SynctoError {
  const isWrong = error instanceof SyntaxError || error instanceof RangeError;
  return isWrong ? internalError() : new SynctoError(503, 201, UNREACHABLE);
}

/** A request that is wrong in itself. `where` is the part: header, querystring, body. */
export function badRequest(where: string, what: string): SynctoError {
  return new SynctoError(400, 107, `${where}: ${what}`);
}
