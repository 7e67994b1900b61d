// Where a request goes: to a bucket, a collection, a record, or a list of them. Users may do
// everything with what they have made, and nothing with the rest. A missing bucket is forbidden, a
// missing collection is not there.

import { HttpError, pathSegments } from '../http.ts';
import { type Answer, type Asked, isChange } from './asked.ts';
import { kintoError } from './errors.ts';
import { listed } from './listing.ts';
import { checkTags, onObject } from './objects.ts';
import type { Data, Place } from './place.ts';
import type { Bucket, KintoStore } from './store.ts';

export interface Rules {
  /** The URL of the API, with its version. */
  readonly base: URL;
  readonly batchRequests: number;
  /** `paginate_by`; null: pages are as long as they were asked for. */
  readonly pageRecords: number | null;
  nowMs(): number;
  isReadOnly(): boolean;
  isFull(): boolean;
}

/** Errors: HttpError of the request's refusal. */
export function answerTo(store: KintoStore, rules: Rules, asked: Asked): Answer {
  const segments = pathSegments(asked.url, rules.base) ?? ['?'];
  const [root, bucketId, kind = 'collections', collectionId, records = 'records', id] = segments;
  if (root === undefined) return { status: 200, headers: {}, json: hello(rules, asked) };
  const isKnown = kind === 'collections' && records === 'records' && segments.length <= 6;
  if (root !== 'buckets' || !isKnown) throw kintoError('unknown');
  if (asked.user === null) throw kintoError('missingToken');
  if (isChange(asked) && rules.isReadOnly()) throw kintoError('notAllowed');
  if (isChange(asked) && asked.method !== 'DELETE' && rules.isFull()) throw kintoError('full');
  if (bucketId === undefined) {
    return list(rules, asked, store.names, ({ id }) => store.buckets.get(id)?.owner === asked.user);
  }
  if (segments.length === 2) return onBucket(store, asked, asked.user, bucketId);
  const bucket = store.buckets.get(bucketId);
  if (bucket?.owner !== asked.user) throw kintoError('forbidden');
  if (collectionId === undefined) return list(rules, asked, bucket.names);
  if (segments.length === 4) return onCollection(store, asked, bucket, collectionId);
  const place = bucket.collections.get(collectionId);
  if (place === undefined) throw kintoError('missing');
  return id === undefined ? onRecords(rules, asked, place) : onObject(asked, place, id);
}

function hello({ base, batchRequests, isReadOnly }: Rules, { user }: Asked): object {
  return {
    project_name: 'kinto',
    http_api_version: '1.23',
    url: `${base.href}/`,
    settings: {
      explicit_permissions: true,
      batch_max_requests: batchRequests,
      readonly: isReadOnly(),
    },
    capabilities: {},
    ...(user !== null && { user: { id: user, principals: [user, 'system.Authenticated'] } }),
  };
}

function list(
  { nowMs, pageRecords }: Rules,
  asked: Asked,
  place: Place,
  isTheirs: (data: Data) => boolean = () => true,
): Answer {
  if (isChange(asked)) throw kintoError('notAllowed');
  checkTags(asked, place.stampMs, null);
  const { data, headers, total } = listed(place, asked.url, pageRecords, nowMs(), isTheirs);
  if (asked.method === 'GET') return { status: 200, headers, json: { data } };
  const totals = { 'Total-Objects': `${total}`, 'Total-Records': `${total}` };
  return { status: 200, headers: { ...headers, ...totals } };
}

function onRecords(rules: Rules, asked: Asked, place: Place): Answer {
  if (asked.method !== 'DELETE') return list(rules, asked, place);
  checkTags(asked, place.stampMs, null);
  return {
    status: 200,
    headers: {},
    json: { data: place.live().map(({ id }) => place.delete(id)) },
  };
}

function onBucket(store: KintoStore, asked: Asked, user: string, id: string): Answer {
  const bucket = store.buckets.get(id);
  const isHere = bucket !== undefined;
  if (isHere ? bucket.owner !== user : asked.method !== 'PUT') throw kintoError('forbidden');
  const answer = onObject(asked, store.names, id);
  if (asked.method === 'DELETE') store.buckets.delete(id);
  else if (!isHere) store.makeBucket(id, user);
  return answer;
}

function onCollection(store: KintoStore, asked: Asked, bucket: Bucket, id: string): Answer {
  const answer = onObject(asked, bucket.names, id);
  if (asked.method === 'DELETE') bucket.collections.delete(id);
  else if (!bucket.collections.has(id)) store.makeCollection(bucket, id);
  return answer;
}

/** An answer that is a refusal, too. */
export function answered(run: () => Answer): Answer {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    const { status, headers, json } = error;
    return { status, headers, json };
  }
}
