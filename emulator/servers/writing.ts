// What a request of a storage node changes in a collection: records that are posted, put and
// deleted, each under its conditions, before anything is written.

import { type Answer, checkPreconditions } from './answer.ts';
import { checkAnnounced, post } from './batch.ts';
import { CODE, changeBytes, faultOf, type Limits, limitsOf, parseBody, toChange } from './bso.ts';
import type { UserWriter } from './bso-storage.ts';
import { type HeaderValues, HttpError } from './http.ts';
import { idsParameter } from './selection.ts';

export interface Writing {
  readonly user: UserWriter;
  readonly name: string;
  readonly request: Request;
  readonly query: URLSearchParams;
  readonly body: Uint8Array;
  readonly nowMs: number;
  readonly limits: Limits;
  /** Headers for so many bytes more. Errors: HttpError 400 where that is over the quota. */
  quota(bytes: number): Promise<HeaderValues>;
  newId(): string;
}

/** Errors: HttpError 400, 412, 415. */
export async function postRecords(writing: Writing): Promise<Answer> {
  const { user, name, request, body } = writing;
  const modifiedMs = (await user.stampOf(name)) ?? 0;
  checkAnnounced(request.headers, limitsOf(writing.limits, name));
  checkPreconditions(request, modifiedMs);
  const list = parseBody(request.headers.get('content-type'), body, true);
  const headers = await writing.quota(body.length);
  const result = await post({ ...writing, list });
  const { success, failed } = result;
  if ('batch' in result)
    return { status: 202, json: { batch: result.batch, success, failed }, modifiedMs, headers };
  const { stampMs } = result;
  return { json: { modified: stampMs / 1000, success, failed }, modifiedMs: stampMs, headers };
}

/** Errors: HttpError 400, 412, 413, 415. */
export async function putRecord(writing: Writing, id: string): Promise<Answer> {
  const { user, name, request, body } = writing;
  const [old] = await user.get(name, [id]);
  checkPreconditions(request, old?.modifiedMs ?? 0);
  const bso = parseBody(request.headers.get('content-type'), body, false);
  if (faultOf(bso, name) !== null) throw new HttpError(400, CODE.invalidBso);
  const change = toChange(bso, id);
  const bytes = changeBytes(change);
  const { max_record_payload_bytes } = limitsOf(writing.limits, name);
  if (bytes > max_record_payload_bytes) throw new HttpError(413, CODE.sizeLimit);
  const headers = await writing.quota(bytes);
  const stampMs = await user.write(name, [change]);
  return { json: stampMs / 1000, modifiedMs: stampMs, headers };
}

/** Of the whole collection, or of the ids that the query names. Errors: HttpError 400, 412. */
export async function deleteCollection({ user, name, request, query }: Writing): Promise<number> {
  checkPreconditions(request, (await user.stampOf(name)) ?? 0);
  const ids = idsParameter(query);
  return ids ? user.deleteRecords(name, ids) : user.deleteCollection(name);
}

/** Errors: HttpError 404, 412. */
export async function deleteRecord({ user, name, request }: Writing, id: string): Promise<number> {
  const [old] = await user.get(name, [id]);
  if (old === undefined) throw new HttpError(404, CODE.unknown);
  checkPreconditions(request, old.modifiedMs);
  return user.deleteRecords(name, [id]);
}
