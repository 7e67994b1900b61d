// A Sync 1.5 storage node (Mozilla "SyncStorage API v1.5"): one fetch handler over the store.
// Every request is checked for its Hawk signature before anything else is looked at; what is
// written is written in one go, after the body has arrived. It keeps no state but open batches.

import { Batches, checkAnnounced } from './batch.ts';
import {
  CODE,
  changeBytes,
  DEFAULT_LIMITS,
  faultOf,
  isBsoId,
  type Limits,
  limitsOf,
  parseBody,
  toChange,
} from './bso.ts';
import { isSignedBy, readHawk } from './hawk.ts';
import {
  authorization,
  type Handler,
  type HeaderValues,
  type Health,
  HttpError,
  pathSegments,
} from './http.ts';
import { idsParameter, parseSeconds, selectPage } from './selection.ts';
import { openStorageToken, type StorageSecret } from './storage-token.ts';
import { type Bso, type Store, toStampMs, type User } from './store.ts';

export interface Sync15Options {
  /** The node's URL; users live under `/1.5/<uid>`. */
  readonly baseUrl: string;
  readonly store: Store;
  readonly secret: StorageSecret;
  nowMs(): number;
  random(count: number): Uint8Array;
  readonly limits?: Partial<Limits>;
  /** Bytes of payload that a user may hold. */
  readonly quotaBytes?: number;
  /** Asked at every request. */
  health?(): Health;
}

/** An answer before it is put in words. */
interface Answer {
  readonly status?: number;
  readonly json?: unknown;
  /** Sent as a list, or one by line where the client accepts that. */
  readonly list?: readonly unknown[];
  readonly modifiedMs?: number;
  readonly headers?: HeaderValues;
}

/** One request of a user that has proved itself. */
interface Call {
  readonly user: User;
  readonly request: Request;
  readonly query: URLSearchParams;
  readonly body: Uint8Array;
  readonly nowMs: number;
}

const COLLECTION_NAME = /^[A-Za-z0-9._-]{1,32}$/;
const CONFLICT_RETRY_SECONDS = 10;
const OVERLOAD_RETRY_SECONDS = 60;

/** The storage node. */
export function createSync15(options: Sync15Options): Handler {
  const node = new StorageNode(options);
  return (request) => node.handle(request);
}

/** A stamp as decimal seconds with two digits, as headers carry it. */
function formatSeconds(timeMs: number): string {
  return (timeMs / 1000).toFixed(2);
}

class StorageNode {
  readonly #options: Sync15Options;
  readonly #base: URL;
  readonly #limits: Limits;
  readonly #batches: Batches;

  constructor(options: Sync15Options) {
    this.#options = options;
    this.#base = new URL(options.baseUrl);
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#batches = new Batches(this.#limits, () =>
      Buffer.from(options.random(9)).toString('base64url'),
    );
  }

  async handle(request: Request): Promise<Response> {
    const body = new Uint8Array(await request.arrayBuffer());
    const nowMs = this.#options.nowMs();
    const health = this.#options.health?.() ?? {};
    try {
      return finish(request, this.#answer(request, body, nowMs, health), nowMs, health);
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      return finish(request, error, nowMs, health);
    }
  }

  #answer(request: Request, body: Uint8Array, nowMs: number, health: Health): Answer {
    if (health.refuse) throw refusal(health.refuse, health.backoffSeconds);
    const url = new URL(request.url);
    const [version, uid, ...path] = pathSegments(url, this.#base) ?? [];
    const { max_request_bytes } = limitsOf(this.#limits, path[1] ?? '');
    if (body.length > max_request_bytes) throw new HttpError(413, CODE.sizeLimit);
    if (version === '__heartbeat__') return { json: { status: 'Ok' } };
    if (version !== '1.5' || uid === undefined) throw new HttpError(404, CODE.unknown);
    const mayBeExpired = path.join('/') === 'info/collections';
    const user = this.#authenticate(request, url, uid, body, nowMs, mayBeExpired);
    const call: Call = { user, request, query: url.searchParams, body, nowMs };
    return this.#route(call, path);
  }

  #authenticate(
    request: Request,
    url: URL,
    uid: string,
    body: Uint8Array,
    nowMs: number,
    mayBeExpired: boolean,
  ): User {
    const { scheme, value } = authorization(request);
    const attributes = readHawk(scheme === 'hawk' ? value : '');
    const token = openStorageToken(this.#options.secret, attributes.get('id') ?? '');
    const contentType = request.headers.get('content-type') ?? '';
    const signed = { method: request.method, url, contentType, body };
    const user = token && this.#options.store.users.get(token.claims.uid);
    const isBelieved =
      token &&
      isSignedBy(signed, attributes, token.key, nowMs) &&
      token.claims.node === this.#options.baseUrl &&
      String(token.claims.uid) === uid &&
      (mayBeExpired || token.claims.expiresMs > nowMs);
    if (!user || !isBelieved)
      throw new HttpError(401, CODE.unknown, { 'WWW-Authenticate': 'Hawk' });
    return user;
  }

  #route(call: Call, path: readonly string[]): Answer {
    const [area, name, id, ...rest] = path;
    const { method } = call.request;
    if (area === 'info' && name !== undefined && id === undefined) {
      if (method !== 'GET') throw new HttpError(405, CODE.unknown);
      return this.#info(call, name);
    }
    if ((area !== 'storage' && area !== undefined) || rest.length > 0)
      throw new HttpError(404, CODE.unknown);
    if (name === undefined) return this.#onStorage(call);
    if (!COLLECTION_NAME.test(name)) throw new HttpError(400, CODE.badCollection);
    return id === undefined ? this.#onCollection(call, name) : this.#onRecord(call, name, id);
  }

  #info(call: Call, kind: string): Answer {
    const { user, nowMs } = call;
    if (kind === 'configuration') return { json: this.#limits, modifiedMs: 0 };
    const byName = (of: (name: string) => number) =>
      Object.fromEntries(Array.from(user.collections.keys(), (name) => [name, of(name)]));
    const collection = (name: string) => user.collections.get(name);
    const answers: Record<string, () => unknown> = {
      collections: () => byName((name) => (collection(name)?.modifiedMs ?? 0) / 1000),
      collection_counts: () => byName((name) => collection(name)?.count(nowMs) ?? 0),
      collection_usage: () => byName((name) => (collection(name)?.payloadBytes(nowMs) ?? 0) / 1024),
      quota: () => [user.payloadBytes(nowMs) / 1024, kilobytes(this.#options.quotaBytes)],
    };
    const answer = Object.hasOwn(answers, kind) ? answers[kind] : undefined;
    if (!answer) throw new HttpError(404, CODE.unknown);
    checkPreconditions(call.request, user.modifiedMs);
    return { json: answer(), modifiedMs: user.modifiedMs };
  }

  #onStorage(call: Call): Answer {
    if (call.request.method !== 'DELETE') throw new HttpError(405, CODE.unknown);
    checkPreconditions(call.request, call.user.modifiedMs);
    this.#batches.drop(call.user, null);
    return written(call.user.deleteAll(call.nowMs));
  }

  #onCollection(call: Call, name: string): Answer {
    const { user, request, query, nowMs } = call;
    const collection = user.collections.get(name);
    const modifiedMs = collection?.modifiedMs ?? 0;
    if (request.method === 'POST') return this.#post(call, name, modifiedMs);
    if (request.method !== 'GET' && request.method !== 'DELETE')
      throw new HttpError(405, CODE.unknown);
    checkPreconditions(request, modifiedMs);
    if (request.method === 'DELETE') {
      const ids = idsParameter(query);
      if (ids) return written(user.deleteRecords(name, ids, nowMs));
      this.#batches.drop(user, name);
      return written(user.deleteCollection(name, nowMs));
    }
    const { records, nextOffset } = selectPage(collection, query, nowMs);
    const headers = {
      'X-Weave-Records': String(records.length),
      ...(nextOffset === null ? {} : { 'X-Weave-Next-Offset': nextOffset }),
    };
    const list = query.has('full') ? records.map(toWire) : records.map(({ id }) => id);
    return { list, modifiedMs, headers };
  }

  #post(call: Call, name: string, modifiedMs: number): Answer {
    const { user, request, query, body, nowMs } = call;
    checkAnnounced(request.headers, limitsOf(this.#limits, name));
    checkPreconditions(request, modifiedMs);
    const list = parseBody(request.headers.get('content-type'), body, true);
    const headers = this.#quota(user, body.length, nowMs);
    const result = this.#batches.post(user, name, query, list, nowMs);
    const { success, failed } = result;
    if ('batch' in result)
      return { status: 202, json: { batch: result.batch, success, failed }, modifiedMs, headers };
    const { stampMs } = result;
    return { json: { modified: stampMs / 1000, success, failed }, modifiedMs: stampMs, headers };
  }

  #onRecord(call: Call, name: string, id: string): Answer {
    const { user, request, nowMs } = call;
    if (!isBsoId(id)) throw new HttpError(404, CODE.unknown);
    const old = user.collections.get(name)?.get(id, nowMs);
    if (request.method === 'PUT') return this.#put(call, name, id, old);
    if (request.method !== 'GET' && request.method !== 'DELETE')
      throw new HttpError(405, CODE.unknown);
    if (!old) throw new HttpError(404, CODE.unknown);
    checkPreconditions(request, old.modifiedMs);
    if (request.method === 'GET') return { json: toWire(old), modifiedMs: old.modifiedMs };
    return written(user.deleteRecords(name, [id], nowMs));
  }

  #put(call: Call, name: string, id: string, old: Bso | undefined): Answer {
    const { user, request, body, nowMs } = call;
    checkPreconditions(request, old?.modifiedMs ?? 0);
    const bso = parseBody(request.headers.get('content-type'), body, false);
    if (faultOf(bso, name) !== null) throw new HttpError(400, CODE.invalidBso);
    const change = toChange(bso, id);
    const bytes = changeBytes(change);
    const { max_record_payload_bytes } = limitsOf(this.#limits, name);
    if (bytes > max_record_payload_bytes) throw new HttpError(413, CODE.sizeLimit);
    const headers = this.#quota(user, bytes, nowMs);
    const stampMs = user.write(name, [change], nowMs);
    return { json: stampMs / 1000, modifiedMs: stampMs, headers };
  }

  /**
   * Refuses what goes over the quota; else the header that says what is left after `bytes` more.
   */
  #quota(user: User, bytes: number, nowMs: number): HeaderValues {
    const { quotaBytes } = this.#options;
    if (quotaBytes === undefined) return {};
    const leftBytes = quotaBytes - user.payloadBytes(nowMs) - bytes;
    if (leftBytes < 0) throw new HttpError(400, CODE.overQuota);
    return { 'X-Weave-Quota-Remaining': String(Math.floor(leftBytes / 1024)) };
  }
}

/** 304 and 412, judged by the stamp of what is addressed: a record, a collection, or everything. */
function checkPreconditions(request: Request, modifiedMs: number): void {
  const since = request.headers.get('x-if-modified-since');
  const unmodifiedSince = request.headers.get('x-if-unmodified-since');
  if (since !== null && unmodifiedSince !== null) throw new HttpError(400, CODE.unknown);
  const text = since ?? unmodifiedSince;
  if (text === null) return;
  const timeMs = parseSeconds(text);
  if (timeMs === null) throw new HttpError(400, CODE.unknown);
  const headers = { 'X-Last-Modified': formatSeconds(modifiedMs) };
  if (since !== null && request.method === 'GET' && modifiedMs <= timeMs)
    throw new HttpError(304, null, headers);
  if (unmodifiedSince !== null && modifiedMs > timeMs)
    throw new HttpError(412, CODE.unknown, headers);
}

function refusal(status: 409 | 503 | 513, overloadSeconds = OVERLOAD_RETRY_SECONDS): HttpError {
  const seconds = status === 409 ? CONFLICT_RETRY_SECONDS : overloadSeconds;
  const headers = status === 513 ? {} : { 'Retry-After': String(seconds) };
  return new HttpError(status, CODE.unknown, headers);
}

function written(stampMs: number): Answer {
  return { json: { modified: stampMs / 1000 }, modifiedMs: stampMs };
}

function toWire({ id, modifiedMs, payload, sortindex }: Bso): object {
  const bso = { id, modified: modifiedMs / 1000, payload };
  return sortindex === null ? bso : { ...bso, sortindex };
}

function kilobytes(bytes: number | undefined): number | null {
  return bytes === undefined ? null : bytes / 1024;
}

function finish(request: Request, answer: Answer, nowMs: number, health: Health): Response {
  const status = answer.status ?? 200;
  const { modifiedMs } = answer;
  const headers = new Headers(answer.headers);
  headers.set('X-Weave-Timestamp', formatSeconds(Math.max(toStampMs(nowMs), modifiedMs ?? 0)));
  if (modifiedMs !== undefined) headers.set('X-Last-Modified', formatSeconds(modifiedMs));
  if (health.alert !== undefined) headers.set('X-Weave-Alert', health.alert);
  if (health.backoffSeconds !== undefined)
    headers.set('X-Weave-Backoff', String(health.backoffSeconds));
  if (status === 304) return new Response(null, { status, headers });
  const type = answer.list ? acceptedType(request) : 'application/json';
  if (type === null) return new Response('0', { status: 406, headers });
  headers.set('Content-Type', type);
  const text =
    answer.list && type === 'application/newlines'
      ? answer.list.map((value) => `${JSON.stringify(value)}\n`).join('')
      : JSON.stringify(answer.list ?? answer.json);
  return new Response(text, { status, headers });
}

function acceptedType(request: Request): string | null {
  const accept = request.headers.get('accept') ?? '*/*';
  if (accept.includes('application/newlines')) return 'application/newlines';
  return /application\/json|application\/\*|\*\/\*/.test(accept) ? 'application/json' : null;
}
