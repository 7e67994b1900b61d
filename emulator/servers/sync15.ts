// A Sync 1.5 storage node (Mozilla "SyncStorage API v1.5"): one fetch handler over a BsoStorage.
// Every request is checked for its Hawk signature before anything else is looked at; what is
// written is written in one go, after the body has arrived. It keeps no state of its own.

import { type Answer, checkPreconditions, finish, type List } from './answer.ts';
import { CODE, DEFAULT_LIMITS, isBsoId, type Limits, limitsOf } from './bso.ts';
import type { BsoStorage, UserReader, UserWriter } from './bso-storage.ts';
import { isSignedBy, readHawk } from './hawk.ts';
import {
  authorization,
  type Handler,
  type HeaderValues,
  type Health,
  HttpError,
  pathSegments,
} from './http.ts';
import { selectPage } from './selection.ts';
import { openStorageToken, type StorageSecret } from './storage-token.ts';
import type { Bso } from './store.ts';
import { deleteCollection, deleteRecord, postRecords, putRecord, type Writing } from './writing.ts';

export interface Sync15Options {
  /** The node's URL; users live under `/1.5/<uid>`. */
  readonly baseUrl: string;
  readonly storage: BsoStorage;
  readonly secret: StorageSecret;
  nowMs(): number;
  random(count: number): Uint8Array;
  readonly limits?: Partial<Limits>;
  /** Bytes of payload that a user may hold. */
  readonly quotaBytes?: number;
  /** Asked at every request. */
  health?(): Health;
}

/** One request that has proved itself, with its body. */
interface Asked {
  readonly request: Request;
  readonly query: URLSearchParams;
  readonly path: readonly string[];
  readonly body: Uint8Array;
  readonly nowMs: number;
}

/** Who asks, by which signature, and until when it is good. */
interface Proved {
  readonly uid: number;
  readonly mac: string;
  readonly expiresMs: number;
}

/** What a path addresses: all of a user, a collection, or a record. */
interface Target {
  readonly name: string | undefined;
  readonly id: string | undefined;
}

const COLLECTION_NAME = /^[A-Za-z0-9._-]{1,32}$/;
const CONFLICT_RETRY_SECONDS = 10;
const OVERLOAD_RETRY_SECONDS = 60;
const WRITES: readonly string[] = ['PUT', 'POST', 'DELETE'];

/** The storage node. It rejects where the storage does. */
export function createSync15(options: Sync15Options): Handler {
  const node = new StorageNode(options);
  return (request) => node.handle(request);
}

class StorageNode {
  readonly #options: Sync15Options;
  readonly #base: URL;
  readonly #limits: Limits;

  constructor(options: Sync15Options) {
    this.#options = options;
    this.#base = new URL(options.baseUrl);
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
  }

  async handle(request: Request): Promise<Response> {
    const body = new Uint8Array(await request.arrayBuffer());
    const nowMs = this.#options.nowMs();
    const health = this.#options.health?.() ?? {};
    try {
      return finish(request, await this.#answer(request, body, nowMs, health), nowMs, health);
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      return finish(request, error, nowMs, health);
    }
  }

  async #answer(
    request: Request,
    body: Uint8Array,
    nowMs: number,
    health: Health,
  ): Promise<Answer> {
    if (health.refuse) throw refusal(health.refuse, health.backoffSeconds);
    const url = new URL(request.url);
    const [version, uid, ...path] = pathSegments(url, this.#base) ?? [];
    const { max_request_bytes } = limitsOf(this.#limits, path[1] ?? '');
    if (body.length > max_request_bytes) throw new HttpError(413, CODE.sizeLimit);
    if (version === '__heartbeat__') return { json: { status: 'Ok' } };
    if (version !== '1.5' || uid === undefined) throw new HttpError(404, CODE.unknown);
    const asked: Asked = { request, query: url.searchParams, path, body, nowMs };
    const known = this.#authenticate(asked, url, uid);
    const { storage } = this.#options;
    const answer = WRITES.includes(request.method)
      ? await storage.write(known.uid, nowMs, (user) => this.#writeOnce(asked, known, user))
      : await storage.read(known.uid, nowMs, (user) => this.#read(asked, user));
    return answer ?? unauthorized();
  }

  /** What the request proves. Errors: HttpError 401. */
  #authenticate({ request, body, path, nowMs }: Asked, url: URL, uid: string): Proved {
    const { scheme, value } = authorization(request);
    const attributes = readHawk(scheme === 'hawk' ? value : '');
    const token = openStorageToken(this.#options.secret, attributes.get('id') ?? '');
    const contentType = request.headers.get('content-type') ?? '';
    const signed = { method: request.method, url, contentType, body };
    const mayBeExpired = path.join('/') === 'info/collections';
    const isBelieved =
      token &&
      isSignedBy(signed, attributes, token.key, nowMs) &&
      token.claims.node === this.#options.baseUrl &&
      String(token.claims.uid) === uid &&
      (mayBeExpired || token.claims.expiresMs > nowMs);
    if (!isBelieved) return unauthorized();
    const { uid: user, expiresMs } = token.claims;
    return { uid: user, mac: attributes.get('mac') ?? '', expiresMs };
  }

  async #read(asked: Asked, user: UserReader): Promise<Answer> {
    const { request, path, query } = asked;
    if (isInfo(path)) {
      if (request.method !== 'GET') throw new HttpError(405, CODE.unknown);
      return this.#info(asked, user, path[1] ?? '');
    }
    const { name, id } = targetOf(path);
    if (request.method !== 'GET' || name === undefined) throw new HttpError(405, CODE.unknown);
    if (id !== undefined) return readRecord(request, user, name, id);
    const modifiedMs = (await user.stampOf(name)) ?? 0;
    checkPreconditions(request, modifiedMs);
    const { count, items, nextOffset } = await selectPage(user, name, query);
    const headers = {
      'X-Weave-Records': String(count),
      ...(nextOffset === null ? {} : { 'X-Weave-Next-Offset': nextOffset }),
    };
    return { list: inWords(items), modifiedMs, headers };
  }

  async #info({ request }: Asked, user: UserReader, kind: string): Promise<Answer> {
    if (kind === 'configuration') return { json: this.#limits, modifiedMs: 0 };
    const answers: Record<string, () => Promise<unknown>> = {
      collections: async () => scaled(await user.stamps(), 1000),
      collection_counts: async () => scaled(await user.counts(), 1),
      collection_usage: async () => scaled(await user.usage(), 1024),
      quota: async () => [sumOf(await user.usage()) / 1024, kilobytes(this.#options.quotaBytes)],
    };
    const answer = Object.hasOwn(answers, kind) ? answers[kind] : undefined;
    if (!answer) throw new HttpError(404, CODE.unknown);
    checkPreconditions(request, user.modifiedMs);
    return { json: await answer(), modifiedMs: user.modifiedMs };
  }

  /** A request that somebody has caught and sends again changes nothing. */
  async #writeOnce(asked: Asked, { mac, expiresMs }: Proved, user: UserWriter): Promise<Answer> {
    return (await user.isFirst(mac, expiresMs)) ? this.#write(asked, user) : unauthorized();
  }

  async #write(asked: Asked, user: UserWriter): Promise<Answer> {
    const { request, path } = asked;
    if (isInfo(path)) throw new HttpError(405, CODE.unknown);
    const { name, id } = targetOf(path);
    const isDelete = request.method === 'DELETE';
    if (name === undefined) {
      if (!isDelete) throw new HttpError(405, CODE.unknown);
      checkPreconditions(request, user.modifiedMs);
      return written(await user.deleteAll());
    }
    const writing: Writing = {
      ...{ ...asked, user, name, limits: this.#limits },
      quota: (bytes) => this.#quota(user, bytes),
      newId: () => Buffer.from(this.#options.random(9)).toString('base64url'),
    };
    if (isDelete && id !== undefined) return written(await deleteRecord(writing, id));
    if (isDelete) return written(await deleteCollection(writing));
    if (id === undefined && request.method === 'POST') return postRecords(writing);
    if (id !== undefined && request.method === 'PUT') return putRecord(writing, id);
    throw new HttpError(405, CODE.unknown);
  }

  /**
   * Refuses what goes over the quota; else the header that says what is left after `bytes` more.
   */
  async #quota(user: UserReader, bytes: number): Promise<HeaderValues> {
    const { quotaBytes } = this.#options;
    if (quotaBytes === undefined) return {};
    const leftBytes = quotaBytes - sumOf(await user.usage()) - bytes;
    if (leftBytes < 0) throw new HttpError(400, CODE.overQuota);
    return { 'X-Weave-Quota-Remaining': String(Math.floor(leftBytes / 1024)) };
  }
}

function isInfo([area, name, id]: readonly string[]): boolean {
  return area === 'info' && name !== undefined && id === undefined;
}

/** Errors: HttpError 400, 404. */
function targetOf([area, name, id, ...rest]: readonly string[]): Target {
  if ((area !== 'storage' && area !== undefined) || rest.length > 0)
    throw new HttpError(404, CODE.unknown);
  if (name !== undefined && !COLLECTION_NAME.test(name))
    throw new HttpError(400, CODE.badCollection);
  if (id !== undefined && !isBsoId(id)) throw new HttpError(404, CODE.unknown);
  return { name, id };
}

async function readRecord(
  request: Request,
  user: UserReader,
  name: string,
  id: string,
): Promise<Answer> {
  const [bso] = await user.get(name, [id]);
  if (bso === undefined) throw new HttpError(404, CODE.unknown);
  checkPreconditions(request, bso.modifiedMs);
  return { json: toWire(bso), modifiedMs: bso.modifiedMs };
}

function unauthorized(): never {
  throw new HttpError(401, CODE.unknown, { 'WWW-Authenticate': 'Hawk' });
}

function refusal(status: 409 | 503 | 513, overloadSeconds = OVERLOAD_RETRY_SECONDS): HttpError {
  const seconds = status === 409 ? CONFLICT_RETRY_SECONDS : overloadSeconds;
  const headers = status === 513 ? {} : { 'Retry-After': String(seconds) };
  return new HttpError(status, CODE.unknown, headers);
}

function written(stampMs: number): Answer {
  return { json: { modified: stampMs / 1000 }, modifiedMs: stampMs };
}

type Items = readonly (Bso | string)[];

function inWords(items: Items | AsyncIterable<Items>): List {
  const words = (portion: Items) =>
    portion.map((item) => (typeof item === 'string' ? item : toWire(item)));
  if (!(Symbol.asyncIterator in items)) return words(items);
  return (async function* () {
    for await (const portion of items) yield words(portion);
  })();
}

function toWire({ id, modifiedMs, payload, sortindex }: Bso): object {
  const bso = { id, modified: modifiedMs / 1000, payload };
  return sortindex === null ? bso : { ...bso, sortindex };
}

function scaled(values: ReadonlyMap<string, number>, by: number): object {
  return Object.fromEntries(Array.from(values, ([name, value]) => [name, value / by]));
}

function sumOf(values: ReadonlyMap<string, number>): number {
  return [...values.values()].reduce((sum, value) => sum + value, 0);
}

function kilobytes(bytes: number | undefined): number | null {
  return bytes === undefined ? null : bytes / 1024;
}
