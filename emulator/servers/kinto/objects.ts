// One object of a place: read, replaced, changed or deleted under the conditions of its request.
// Source: Kinto HTTP API 1.x (records, timestamps, preconditions).

import { isDeepStrictEqual } from 'node:util';

import { HttpError, isObject, parseObject } from '../http.ts';
import { type Answer, type Asked, isChange } from './asked.ts';
import { kintoError } from './errors.ts';
import type { Data, Place } from './place.ts';

const ID = /^[a-zA-Z0-9][a-zA-Z0-9_-]*$/;

/** Errors: HttpError 304, 400, 404, 405, 412. */
export function onObject(asked: Asked, place: Place, id: string): Answer {
  if (!ID.test(id)) throw kintoError('badBody', { message: 'path: Invalid object id' });
  const existing = place.get(id);
  const { method } = asked;
  if (method !== 'PUT' && existing === null) throw kintoError('missing');
  checkTags(asked, existing?.last_modified ?? null, existing);
  if (!isChange(asked) && existing !== null) return answerOf(200, existing);
  if (method === 'DELETE') return answerOf(200, place.delete(id));
  if (method !== 'PUT' && method !== 'PATCH') throw kintoError('notAllowed');
  const changes = membersOf(asked.text);
  if (method === 'PUT' || existing === null) {
    return answerOf(existing === null ? 201 : 200, place.put(id, changes));
  }
  const after = place.put(id, { ...existing, ...changes });
  return shortened(answerOf(200, after), asked, { existing, changes, after });
}

type Members = Readonly<Record<string, unknown>>;

/** What a change is answered with: all, what it has changed, or what came out otherwise. */
function shortened(
  answer: Answer,
  { headers }: Asked,
  { existing, changes, after }: { existing: Members; changes: Members; after: Members },
): Answer {
  const behaviour = headers.get('response-behavior')?.toLowerCase() ?? 'full';
  if (behaviour !== 'light' && behaviour !== 'diff') return answer;
  const names = Object.keys(changes).filter((name) => {
    if (isDeepStrictEqual(existing[name], after[name])) return false;
    return behaviour === 'light' || !isDeepStrictEqual(changes[name], after[name]);
  });
  return {
    ...answer,
    json: { data: Object.fromEntries(names.map((name) => [name, after[name]])) },
  };
}

/**
 * 304 and 412, judged by the stamp of what is addressed; null: it is not there. `existing`: the
 * object that a refusal shows; a list has none.
 */
export function checkTags(asked: Asked, stampMs: number | null, existing: Data | null): void {
  const { headers } = asked;
  const match = headers.get('if-match');
  const none = headers.get('if-none-match');
  for (const tag of [match, none]) {
    if (tag === null || tag === '*' || /^"\d+"$/.test(tag)) continue;
    throw kintoError('badBody', { message: 'headers: Invalid value for an entity tag' });
  }
  const own = stampMs === null ? null : `"${stampMs}"`;
  const tags = own === null ? {} : { ETag: own };
  const isRefused =
    (match !== null && match !== '*' && match !== own) || (none === '*' && own !== null);
  if (isRefused)
    throw kintoError('modified', { details: existing ? { existing } : {}, headers: tags });
  if (none !== null && none === own && !isChange(asked)) throw new HttpError(304, undefined, tags);
}

function answerOf(status: number, data: Data): Answer {
  const headers = {
    ETag: `"${data.last_modified}"`,
    'Last-Modified': new Date(data.last_modified).toUTCString(),
  };
  return { status, headers, json: { data, permissions: {} } };
}

function membersOf(text: string): Record<string, unknown> {
  const body = text === '' ? {} : parseObject(text);
  if (body === null) throw kintoError('notJson');
  const odd = Object.keys(body).find((name) => name !== 'data' && name !== 'permissions');
  if (odd !== undefined) {
    throw kintoError('badBody', { message: `${odd} in body: Unrecognized keys in mapping` });
  }
  const { data = {} } = body;
  if (!isObject(data)) throw kintoError('badBody', { message: 'data in body: not a mapping' });
  return data;
}
