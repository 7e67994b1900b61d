// POST /v1/batch: several requests in one body, `{defaults?, requests}`, as requests of their own.
// Each inherits the headers of the outer one. A batch in a batch is refused.

import { isObject } from '../http.ts';
import { badRequest } from './errors.ts';
import { bodyObject } from './mapping.ts';

/** A request, whole or a part of a batch. */
export interface Asked {
  readonly method: string;
  /** Path and query behind the gateway's own URL, as they were sent. */
  readonly target: string;
  readonly headers: Headers;
  text(): Promise<string>;
}

const METHODS = ['GET', 'HEAD', 'DELETE', 'TRACE', 'POST', 'PUT', 'PATCH'];
const VERSION = '/v1';

/** The requests of a batch. Errors: SynctoError 400. */
export async function parseBatch(outer: Asked, requestsMax: number): Promise<Asked[]> {
  const text = await outer.text();
  const body = bodyObject(text, outer.headers.get('content-type'), 'requests');
  if (body.requests === undefined) throw wrong('requests', 'requests is missing');
  if (!Array.isArray(body.requests)) throw wrong('requests', 'requests is not a list');
  const defaults = body.defaults ?? {};
  if (!isObject(defaults)) throw wrong('defaults', 'defaults is not an object');
  const parts = (body.requests as unknown[]).map((part, index) => {
    if (!isObject(part)) throw wrong('requests', `requests.${index} is not an object`);
    checkPart(merged(defaults, part), `requests.${index}`);
    return merged(defaults, part);
  });
  checkPart({ path: '/', ...defaults }, 'defaults');
  if (parts.length > requestsMax)
    throw wrong('requests', `Number of requests is limited to ${requestsMax}`);
  if (parts.some(({ path }) => String(path).includes('/batch')))
    throw wrong('requests', 'Recursive call on /batch endpoint is forbidden.');
  return parts.map((part) => toAsked(part, outer));
}

type Part = Readonly<Record<string, unknown>>;

/** What a part does not say is as the defaults say, member by member. */
function merged(defaults: Part, part: Part): Part {
  const both = new Map(Object.entries(part));
  for (const [name, value] of Object.entries(defaults)) {
    const own = both.get(name);
    if (own === undefined) both.set(name, value);
    else if (isObject(value) && isObject(own)) both.set(name, merged(value, own));
  }
  return Object.fromEntries(both);
}

/** Syncto fails at these, and says 500. */
function checkPart({ method, path, headers, body }: Part, where: string): void {
  if (typeof path !== 'string' || !path.startsWith('/'))
    throw wrong('requests', `${where}.path does not begin with a slash`);
  if (method != null && method !== '' && !METHODS.includes(String(method)))
    throw wrong('requests', `${where}.method is not one of ${METHODS.join(', ')}`);
  if (headers !== undefined && !isObject(headers))
    throw wrong('requests', `${where}.headers is not an object`);
  for (const [name, value] of Object.entries(headers ?? {}))
    if (typeof value !== 'string') throw wrong('requests', `${where}.headers.${name} is not text`);
  if (body !== undefined && !isObject(body))
    throw wrong('requests', `${where}.body is not an object`);
}

function toAsked({ method, path, headers, body }: Part, outer: Asked): Asked {
  const all = new Headers(outer.headers);
  all.delete('content-length');
  for (const [name, value] of Object.entries(headers ?? {}))
    setIfSendable(all, name, String(value));
  const hasBody = isObject(body) && Object.keys(body).length > 0;
  if (hasBody) all.set('content-type', 'application/json; charset=utf-8');
  const text = hasBody ? JSON.stringify(body) : '';
  const target = String(path);
  return {
    method: String(method || 'GET'),
    target: target.startsWith(VERSION) ? target : VERSION + target,
    headers: all,
    text: async () => text,
  };
}

/** No header of this name, or with this value, means anything here. */
function setIfSendable(headers: Headers, name: string, value: string): void {
  try {
    headers.set(name, value);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
}

function wrong(name: string, description: string) {
  return badRequest({ location: 'body', name, description });
}
