// POST /v1/batch: several requests in one body, `{defaults?, requests}`, as requests of their own.
// Each inherits the headers of the outer one. A batch in a batch is refused by the gateway.

import { isObject, parseObject } from '../http.ts';
import { badRequest } from './errors.ts';

interface BatchPart {
  /** With the version before it: what the answer repeats. */
  readonly path: string;
  readonly request: Request;
}

const METHODS = new Set(['GET', 'PUT', 'POST', 'DELETE']);

/** The requests of a batch. `base` is the URL of the version's root. Errors: SynctoError 400. */
export function parseBatch(
  text: string,
  outer: Headers,
  base: URL,
  maxRequests: number,
): BatchPart[] {
  const body = parseObject(text);
  if (!body || !Array.isArray(body.requests)) throw badRequest('body', 'requests is missing');
  if (body.requests.length > maxRequests)
    throw badRequest('body', `Number of requests is limited to ${maxRequests}`);
  const defaults = isObject(body.defaults) ? body.defaults : {};
  return (body.requests as unknown[]).map((part, index) => {
    if (!isObject(part)) throw badRequest('body', `requests.${index} is not an object`);
    const headers = { ...objectOf(defaults.headers), ...objectOf(part.headers) };
    return toPart({ ...defaults, ...part, headers }, outer, base, `requests.${index}`);
  });
}

function toPart(
  part: Readonly<Record<string, unknown>>,
  outer: Headers,
  base: URL,
  where: string,
): BatchPart {
  const { method = 'GET', path, headers, body } = part;
  if (typeof path !== 'string' || !path.startsWith('/'))
    throw badRequest('body', `${where}.path does not begin with a slash`);
  if (typeof method !== 'string' || !METHODS.has(method))
    throw badRequest('body', `${where}.method is not one of ${[...METHODS].join(', ')}`);
  if (body !== undefined && !isObject(body))
    throw badRequest('body', `${where}.body is not an object`);
  const unversioned = path.replace(/^\/v1(?=\/)/, '');
  const url = new URL(base.href + unversioned);
  const merged = new Headers(outer);
  merged.delete('content-length');
  for (const [name, value] of Object.entries(objectOf(headers))) {
    if (typeof value !== 'string') throw badRequest('body', `${where}.headers.${name} is not text`);
    merged.set(name, value);
  }
  const hasBody = body !== undefined && method !== 'GET';
  const init = { method, headers: merged, ...(hasBody ? { body: JSON.stringify(body) } : {}) };
  return { path: `/v1${unversioned}`, request: new Request(url, init) };
}

function objectOf(value: unknown): Record<string, unknown> {
  return isObject(value) ? value : {};
}
