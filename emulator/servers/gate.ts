// Who may ask the servers over a socket, and how much at a time. A page of any site can make a
// browser on this machine send requests here, and can give its own name this machine's address:
// so a request must be for a name of this machine, and from no page that is not on the list.
// It knows nothing of what is asked.

import type { IncomingHttpHeaders } from 'node:http';
import type { HeaderValues } from './http.ts';
import type { ServerName } from './world.ts';

export interface GateOptions {
  /** Names besides those of the loopback interface, without a port. */
  readonly hosts: readonly string[];
  /** The servers' own origin, where it is not that of the port. */
  readonly own?: string;
  /** Origins of pages whose scripts may ask, as browsers write them. */
  readonly origins: readonly string[];
  /** The whitelist of the OWA server: its pages may ask that one, and no others may. */
  readonly audiences?: readonly string[];
  /** The longest request that the storage takes, where that is more than by default. */
  readonly storageBytesMax?: number;
}

interface Asked {
  readonly method: string;
  /** The request target. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
}

interface Verdict {
  /** What is answered instead of asking a server; null: it is asked. */
  readonly answer: { readonly status: number; readonly text: string } | null;
  /** Of any answer. */
  readonly headers: HeaderValues;
  /** The longest body that is taken; null: whoever answers reads it as it comes, and judges it. */
  readonly bodyBytesMax: number | null;
}

/** Judges a request by its head. */
export function judge(asked: Asked, options: GateOptions): Verdict {
  const { target, headers } = asked;
  const name = SERVERS.find((server) => new RegExp(`^/${server}([/?]|$)`).test(target));
  const bodyBytesMax = bodyBytesMaxOf(name, options);
  const refuse = (status: number, text: string): Verdict => ({
    answer: { status, text },
    headers: {},
    bodyBytesMax: 0,
  });
  if (!target.startsWith('/')) return refuse(400, 'the target of a request must be a path');
  if (!isKnownHost(headers.host, options.hosts)) {
    return refuse(421, 'this machine has no such name here: see --host');
  }
  const announced = Number(headers['content-length'] ?? 0);
  if (bodyBytesMax !== null && announced > bodyBytesMax) return refuse(413, TOO_LARGE);
  const { origin } = headers;
  // No page, or one of these servers' own.
  if (origin === undefined || origin === `http://${headers.host}` || origin === options.own) {
    return { answer: null, headers: {}, bodyBytesMax };
  }
  if (!mayAsk(name, origin, options)) {
    const option = name === 'owa' ? '--audience' : '--allow-origin';
    return refuse(403, `a page of this origin may not ask here: see ${option}`);
  }
  const isPreflight =
    asked.method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;
  return {
    answer: isPreflight ? { status: 204, text: '' } : null,
    headers: { ...corsOf(origin), ...(isPreflight ? PREFLIGHT : {}) },
    bodyBytesMax,
  };
}

function bodyBytesMaxOf(name: ServerName | undefined, options: GateOptions): number | null {
  if (name === 'owa') return null;
  if (name === undefined) return NO_BODY_BYTES_MAX;
  const { storageBytesMax = 0 } = options;
  return Math.max(BODY_BYTES_MAX[name], name === 'sync15' ? storageBytesMax : 0);
}

function mayAsk(name: ServerName | undefined, origin: string, options: GateOptions): boolean {
  const { origins, audiences = [] } = options;
  if (name === 'owa') return audiences.includes(origin);
  const isAllowed = origins.includes(origin) || origins.includes(ANY_ORIGIN);
  return isAllowed && name !== undefined && FOR_PAGES.includes(name);
}

/** In the place of an origin: pages of any, as on Mozilla's servers. */
export const ANY_ORIGIN = '*';

/** What is answered with 413. */
export const TOO_LARGE = 'the body is longer than this server takes';
/** What is answered with 405 where nothing has such a method. */
export const NO_SUCH_METHOD = 'nothing here has this method';

const SERVERS: readonly ServerName[] = ['accounts', 'token', 'sync15', 'syncto', 'picl', 'owa'];

/** A Syncto gateway was for devices alone. */
const FOR_PAGES: readonly ServerName[] = ['accounts', 'token', 'sync15'];

/** For whoever only has something to say about it. */
const NO_BODY_BYTES_MAX = 1_024;

const BODY_BYTES_MAX: { readonly [name in Exclude<ServerName, 'owa'>]: number } = {
  // The longest question holds a sealed key.
  accounts: 65_536,
  token: NO_BODY_BYTES_MAX,
  // Above the reference server's max_request_bytes, which the storage judges itself.
  sync15: 4_194_304,
  // A batch of as many records as Syncto takes, with the answers of the storage around them.
  syncto: 8_388_608,
  // Above what the storage takes, which it judges itself.
  picl: 2_097_152,
};

/** Whether a Host header names this machine: by a loopback name, or one that was given. */
export function isKnownHost(host: string | undefined, hosts: readonly string[]): boolean {
  const name = (host ?? '').replace(/:\d*$/, '').toLowerCase();
  return LOOPBACK_NAMES.includes(name) || hosts.some((known) => known.toLowerCase() === name);
}

const LOOPBACK_NAMES = ['127.0.0.1', 'localhost', '[::1]'];

/** No cookies and no passwords of the browser: every request proves itself. */
function corsOf(origin: string): HeaderValues {
  return {
    'access-control-allow-origin': origin,
    'access-control-expose-headers': READABLE.join(', '),
    vary: 'Origin',
  };
}

const READABLE = [
  ...['Retry-After', 'Timestamp', 'X-Authorization-Update', 'X-Backoff', 'X-Last-Modified'],
  ...['X-Precondition', 'X-Timestamp'],
  ...['X-Weave-Alert', 'X-Weave-Backoff', 'X-Weave-Next-Offset', 'X-Weave-Quota-Remaining'],
  ...['X-Weave-Records', 'X-Weave-Timestamp'],
];

const PREFLIGHT: HeaderValues = {
  'access-control-allow-methods': 'GET, PUT, POST, DELETE',
  'access-control-allow-headers': [
    ...['Accept', 'Authorization', 'Content-Type', 'X-Client-State', 'X-If-Modified-Since'],
    ...['X-If-Unmodified-Since', 'X-KeyID', 'X-Weave-Bytes', 'X-Weave-Records'],
    ...['X-Weave-Total-Bytes', 'X-Weave-Total-Records'],
  ].join(', '),
  // Chromium asks before a page of the network reaches this machine.
  'access-control-allow-private-network': 'true',
  'access-control-max-age': '600',
};
