// How Syncto refuses: the error bodies of its framework, `{code, errno, error, message}`.

import { STATUS_CODES } from 'node:http';
import type { HeaderValues } from '../http.ts';

export const UNREACHABLE =
  'Unable to reach the service. Check your internet connection or firewall configuration.';
export const OVERLOADED =
  'Service temporary unavailable due to overloading or maintenance, please retry later.';
const INVALID = 'Invalid parameters';
/** Where the framework sends people who met a fault of it. */
const FAULT_INFO = 'https://github.com/mozilla-services/cliquet/issues/';

/** What is wrong with a request: the part of it, the name in it if it has one, and why. */
export interface Fault {
  readonly location: 'body' | 'header' | 'headers' | 'querystring';
  readonly name: string | null;
  readonly description: string;
}

/** What a refusal may say besides. */
interface Besides {
  readonly headers?: HeaderValues;
  /** In place of the status's own words. */
  readonly error?: string;
  readonly details?: readonly Fault[];
  readonly info?: string;
}

/** A refusal. */
export class SynctoError extends Error {
  readonly status: number;
  readonly errno: number;
  readonly #besides: Besides;

  /** `message` is empty where there is nothing to say. */
  constructor(status: number, errno: number, message: string, besides: Besides = {}) {
    super(message);
    this.status = status;
    this.errno = errno;
    this.#besides = besides;
  }

  /** Faults of the request, which a part of a batch is refused with as any request is. */
  get isInvalid(): boolean {
    return this.#besides.details !== undefined;
  }

  /** The answer; an outage asks the client to come back after a while. */
  toResponse(retryAfterSeconds: number): Response {
    const { status, errno, message } = this;
    const { error = STATUS_CODES[status], details, info } = this.#besides;
    const headers = new Headers(this.#besides.headers);
    if (status === 503) headers.set('Retry-After', String(retryAfterSeconds));
    // What its framework says, though it takes no passwords.
    if (status === 401) headers.set('WWW-Authenticate', 'Basic realm="Realm"');
    if (status === 304) return new Response(null, { status, headers });
    headers.set('Content-Type', JSON_TYPE);
    const body = {
      code: status,
      errno,
      error,
      ...(message === '' ? {} : { message }),
      ...(info === undefined ? {} : { info }),
      ...(details === undefined ? {} : { details }),
    };
    return new Response(JSON.stringify(body), { status, headers });
  }
}

export const JSON_TYPE = 'application/json; charset=UTF-8';

/** A fault of the gateway itself, as its framework words it. */
export function internalError(): SynctoError {
  const message = 'A programmatic error occured, developers have been informed.';
  return new SynctoError(500, 999, message, { info: FAULT_INFO });
}

/** What an answer's body leads to that broke off, or that is not what it should be. */
export function bodyFault(error: unknown): SynctoError {
  if (error instanceof SynctoError) return error;
  const isWrong = error instanceof SyntaxError || error instanceof RangeError;
  return isWrong ? internalError() : new SynctoError(503, 201, UNREACHABLE);
}

/**
 * A request that is wrong in itself. All faults are listed, and that is the message whose name
 * comes first.
 */
export function badRequest(...faults: readonly Fault[]): SynctoError {
  const sorted = [...faults].sort((one, two) => (nameOf(one) < nameOf(two) ? -1 : 1));
  const message = sorted[0] === undefined ? '' : messageOf(sorted[0]);
  return new SynctoError(400, 107, message, { error: INVALID, details: faults });
}

/** As its framework sorts: no name is called None there. */
function nameOf({ name }: Fault): string {
  return name ?? 'None';
}

function messageOf({ location, name, description }: Fault): string {
  if (name === null) return `${location}: ${description}`;
  return description.includes(name) ? description : `${name} in ${location}: ${description}`;
}

export function unauthorized(message: string): SynctoError {
  return new SynctoError(401, 104, message);
}
