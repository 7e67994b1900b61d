// POST /v1/batch: several requests in one body, each with the headers of the outer one. A refusal
// of one stops no other; an outage of one is one of the batch.

import { isObject, parseObject } from '../http.ts';
import type { Answer, Asked } from './asked.ts';
import { kintoError } from './errors.ts';

/** Errors: HttpError 400, and 500 where a part is answered 304, which no batch can hold. */
export function onBatch(
  outer: Asked,
  { base, batchRequests }: { readonly base: URL; readonly batchRequests: number },
  answerTo: (part: Asked) => Answer,
): Answer {
  const body = parseObject(outer.text);
  if (body === null) throw kintoError('notJson');
  const { requests, defaults = {} } = body;
  if (!Array.isArray(requests) || !isObject(defaults)) {
    throw kintoError('badBody', { message: 'requests in body: Required' });
  }
  if (requests.length > batchRequests) {
    const message = `Number of requests is limited to ${batchRequests}`;
    throw kintoError('badBody', { message });
  }
  const responses = requests.map((part: unknown) => {
    const asked = partOf(outer, base, isObject(part) ? { ...defaults, ...part } : {});
    const { status, headers, json } = answerTo(asked);
    if (status === 304) throw kintoError('broken');
    if (status >= 500) throw kintoError(status === 507 ? 'full' : 'down');
    return { path: asked.url.pathname, status, headers, body: json ?? '' };
  });
  return { status: 200, headers: {}, json: { responses } };
}

function partOf(outer: Asked, base: URL, part: Readonly<Record<string, unknown>>): Asked {
  const { method = 'GET', path, headers = {}, body } = part;
  if (typeof path !== 'string' || !path.startsWith('/')) {
    throw kintoError('badBody', { message: 'requests.path in body: Required' });
  }
  const all = new Headers(outer.headers);
  for (const [name, value] of Object.entries(isObject(headers) ? headers : {})) {
    all.set(name, String(value));
  }
  const url = new URL(base.href + (path.startsWith('/v1/') ? path.slice(3) : path));
  const text = body === undefined ? '' : JSON.stringify(body);
  return { method: String(method), url, headers: all, user: outer.user, text };
}
