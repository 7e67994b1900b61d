// The paths that Syncto knows, what may be done there, and what pages of the web may do and see.
// A path without the version, or with a slash at its end, is sent to where the client meant.

import type { HeaderValues } from '../http.ts';
import { badRequest, type Fault, JSON_TYPE } from './errors.ts';

type ServiceName = 'hello' | 'heartbeat' | 'batch' | 'records' | 'record';

interface Service {
  readonly name: ServiceName;
  /** OPTIONS last, which all have. */
  readonly methods: readonly string[];
  /** What scripts of a page may read, besides what any answer may have. */
  readonly readable: readonly string[];
}

/** Where a request leads. */
export type Route =
  | { readonly to: 'service'; readonly service: Service; readonly names: Names }
  | { readonly to: 'redirect'; readonly target: string }
  | { readonly to: 'nothing'; readonly errno: 111 | 116 };

/** Empty where the path has none. */
interface Names {
  readonly bucket: string;
  readonly collection: string;
  readonly id: string;
}

const READABLE = ['Alert', 'Backoff', 'Content-Length', 'Retry-After'];
const ON_RECORDS = ['ETag', 'Last-Modified'];
const PREFLIGHT_SECONDS = '3600';

const SERVICES: readonly (readonly [RegExp, Service])[] = [
  [/^\/$/, { name: 'hello', methods: ['GET', 'HEAD', 'OPTIONS'], readable: [] }],
  [/^\/__heartbeat__$/, { name: 'heartbeat', methods: ['GET', 'HEAD', 'OPTIONS'], readable: [] }],
  [/^\/batch$/, { name: 'batch', methods: ['POST', 'OPTIONS'], readable: [] }],
  [
    /^\/buckets\/([^/]+)\/collections\/([^/]+)\/records$/,
    {
      name: 'records',
      methods: ['GET', 'HEAD', 'OPTIONS'],
      readable: [...ON_RECORDS, 'Next-Page', 'Quota-Remaining', 'Total-Records'],
    },
  ],
  [
    /^\/buckets\/([^/]+)\/collections\/([^/]+)\/records\/([^/]+)$/,
    {
      name: 'record',
      methods: ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'],
      readable: ON_RECORDS,
    },
  ],
];

/** `target` is the path behind the gateway's own, as it was sent, and the query. */
export function routeOf(target: string): Route {
  const [path = '', ...more] = target.split('?');
  const query = more.length === 0 ? '' : `?${more.join('?')}`;
  // What stands before it is a path for some, and a host for others.
  const known = path.replace(/^\/+/, '/');
  const decoded = unquoted(known);
  if (decoded === null) return { to: 'nothing', errno: 111 };
  if (!/^\/v\d/.test(decoded)) return { to: 'redirect', target: `/v1${known}${query}` };
  const [, below] = /^\/v1(\/.*)$/s.exec(decoded) ?? [];
  if (below === undefined) return { to: 'nothing', errno: decoded.startsWith('/v1') ? 111 : 116 };
  // A line's end behind the slash counts for nothing: its framework looks with a `$`.
  if (/^\/.+\/\n?$/s.test(below))
    return { to: 'redirect', target: known.replace(/\/(%0a)?$/i, '') + query };
  for (const [pattern, service] of SERVICES) {
    const [found, bucket = '', collection = '', id = ''] = pattern.exec(below) ?? [];
    if (found !== undefined) return { to: 'service', service, names: { bucket, collection, id } };
  }
  return { to: 'nothing', errno: 111 };
}

/** The path that a target names, as batches repeat it. */
export function pathOf(target: string): string {
  const [path = ''] = target.split('?');
  return unquoted(path) ?? path;
}

/** A path without its escapes; what is no escape stays. Null: it is no UTF-8. */
function unquoted(path: string): string | null {
  try {
    return path.replace(/(%[\da-f]{2})+/gi, decodeURIComponent);
  } catch {
    return null;
  }
}

/** What a page's script may know of an answer. */
export function corsOf(
  service: Service | null,
  method: string,
  origin: string | null,
): HeaderValues {
  const allowed = origin === null ? {} : { 'Access-Control-Allow-Origin': service ? '*' : origin };
  const isPreflight = service !== null && method === 'OPTIONS';
  if (isPreflight || (service !== null && !service.methods.includes(method))) return allowed;
  const readable = [...READABLE, ...(service?.readable ?? [])].sort();
  return { ...allowed, 'Access-Control-Expose-Headers': readable.join(', ') };
}

/** The answer to OPTIONS. Errors: SynctoError 400. */
export function preflight(service: Service, headers: Headers): Response {
  const method = headers.get('access-control-request-method') ?? '';
  const missing = ['Origin', 'Access-Control-Request-Method'].filter((name) => !headers.get(name));
  const faults = missing.map((name) => preflightFault(name, 'this header is mandatory'));
  if (faults.length > 0) throw badRequest(...faults);
  if (!service.methods.includes(method))
    throw badRequest(preflightFault('Access-Control-Request-Method', 'Method not allowed'));
  const asked = headers.get('access-control-request-headers') ?? '';
  const wanted = asked === '' ? [] : asked.split(', ').map((name) => name.trim());
  const allowed = new Set([...READABLE, ...service.readable, ...wanted]);
  return new Response('null', {
    headers: {
      'Access-Control-Allow-Headers': [...allowed].join(','),
      'Access-Control-Allow-Methods': service.methods.join(','),
      'Access-Control-Max-Age': PREFLIGHT_SECONDS,
      'Content-Type': JSON_TYPE,
    },
  });
}

function preflightFault(name: string, description: string): Fault {
  return { location: 'header', name, description };
}
