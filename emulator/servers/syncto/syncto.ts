// Syncto: a gateway that lets a Kinto client read and write Sync 1.5 storage. It trades the
// client's assertion for Hawk credentials at the token server, translates each request and each
// answer (mapping.ts, listing.ts), and keeps nothing but those credentials for a while.
// Payloads stay sealed: it knows no keys. Its oddities are kept, because devices met them.

import { signHawk } from '../hawk.ts';
import { type Handler, type HeaderValues, jsonResponse, pathSegments, textOf } from '../http.ts';
import {
  Credentials,
  readTokenAnswer,
  type TokenAnswer,
  type TokenAsk,
  tokenRequest,
} from './auth.ts';
import { parseBatch } from './batch.ts';
import { badRequest, bodyFault, SynctoError, UNREACHABLE } from './errors.ts';
import { kintoListing } from './listing.ts';
import {
  answerHeaders,
  fromUpstream,
  jsonOf,
  listQuery,
  nextPage,
  preconditions,
  readRecordBody,
  toKintoRecord,
} from './mapping.ts';
import type { SealedCache } from './sealed-cache.ts';

export interface SynctoOptions {
  readonly baseUrl: string;
  readonly tokenUrl: string;
  /** The way to the token server and the storage nodes; it may reject when there is none. */
  readonly fetch: Handler;
  /** Where credentials are kept. */
  readonly cache: SealedCache;
  nowMs(): number;
  random(count: number): Uint8Array;
  /** Which writes are allowed, as `record_{collection}_{put|delete}_enabled`. None by default. */
  readonly enabled?: readonly string[];
  /** How long credentials are kept; 300 by default. */
  readonly cacheSeconds?: number;
  readonly batchMaxRequests?: number;
  /** What a 503 asks for; 30 by default. */
  readonly retryAfterSeconds?: number;
}

const VERSION = '1.5.0';
/** A batch is answered when all of it is known: writes always fit, lists may not. */
const BATCH_ANSWER_BYTES_MAX = 16_777_216;
const RECORD_PATH = ['buckets', 'collections', 'records'];
const EXPOSED_ALWAYS = 'Alert, Backoff, Retry-After, Content-Length, Last-Modified, ETag';
const EXPOSED_ON_LISTS = `${EXPOSED_ALWAYS}, Next-Page, Total-Records, Quota-Remaining`;

/** The gateway, all of it under `/v1`. */
export function createSyncto(options: SynctoOptions): Handler {
  const gateway = new Gateway(options);
  return (request) => gateway.handle(request);
}

/** What a record URL names. */
interface Target {
  readonly bucket: string;
  readonly collection: string;
  readonly id: string | null;
}

class Gateway {
  readonly #options: SynctoOptions;
  readonly #base: URL;
  readonly #credentials: Credentials;

  constructor(options: SynctoOptions) {
    this.#options = options;
    this.#base = new URL(options.baseUrl);
    const { cache, cacheSeconds = 300, nowMs } = options;
    this.#credentials = new Credentials({ cache, cacheSeconds, nowMs }, (question) =>
      this.#askToken(question),
    );
  }

  async handle(request: Request): Promise<Response> {
    if (request.method === 'HEAD') return withoutBody(await this.handle(asGet(request)));
    const answer = await this.#answerOrError(request, false);
    answer.headers.set('Cache-Control', 'no-cache');
    if (request.headers.has('origin')) {
      const isList = new URL(request.url).pathname.endsWith('/records');
      answer.headers.set('Access-Control-Allow-Origin', '*');
      answer.headers.set(
        'Access-Control-Expose-Headers',
        isList ? EXPOSED_ON_LISTS : EXPOSED_ALWAYS,
      );
    }
    return answer;
  }

  async #answerOrError(request: Request, isInBatch: boolean): Promise<Response> {
    try {
      return await this.#route(request, isInBatch);
    } catch (error) {
      if (!(error instanceof SynctoError)) throw error;
      return error.toResponse(this.#options.retryAfterSeconds ?? 30);
    }
  }

  async #route(request: Request, isInBatch: boolean): Promise<Response> {
    const [version, ...path] = pathSegments(new URL(request.url), this.#base) ?? [];
    if (version !== 'v1') throw new SynctoError(404, 111, 'The resource was not found.');
    const name = path.join('/');
    const { method } = request;
    if (method === 'OPTIONS') return preflight();
    if (name === '' && method === 'GET') return this.#hello();
    if (name === '__heartbeat__' && method === 'GET') return this.#heartbeat();
    if (name === 'batch' && method === 'POST' && !isInBatch) return this.#batch(request);
    const target = readTarget(path);
    if (!target) throw new SynctoError(404, 111, 'The resource was not found.');
    if (target.id === null && method === 'GET') return this.#list(request, target);
    if (target.id === null) throw notAllowed();
    if (method === 'GET') return this.#get(request, target);
    if (method === 'PUT') return this.#put(request, target);
    if (method === 'DELETE') return this.#delete(request, target);
    throw notAllowed();
  }

  #hello(): Response {
    const maxRequests = this.#batchMax();
    return jsonResponse(200, {
      project_name: 'syncto',
      project_version: VERSION,
      project_docs: 'https://syncto.readthedocs.io/',
      url: `${this.#options.baseUrl}/v1/`,
      settings: {
        batch_max_requests: maxRequests,
        'cliquet.batch_max_requests': maxRequests,
      },
    });
  }

  async #heartbeat(): Promise<Response> {
    const url = `${this.#options.tokenUrl}/__heartbeat__`;
    const isUp = await this.#options.fetch(new Request(url)).then(
      (response) => response.status === 200,
      () => false,
    );
    return jsonResponse(isUp ? 200 : 503, { sync: isUp });
  }

  async #list(request: Request, target: Target): Promise<Response> {
    const { answer, headers } = await this.#exchange(request, target);
    const url = new URL(request.url);
    const offset = answer.headers.get('x-weave-next-offset');
    if (offset !== null) headers['Next-Page'] = nextPage(url, offset);
    const total = answer.headers.get('x-weave-records');
    if (total !== null && !url.searchParams.has('_limit')) headers['Total-Records'] = total;
    headers['Content-Type'] = 'application/json';
    return new Response(await kintoListing(answer), { status: 200, headers });
  }

  async #get(request: Request, target: Target): Promise<Response> {
    const { answer, headers } = await this.#exchange(request, target);
    return jsonResponse(200, { data: toKintoRecord(await jsonOf(answer)) }, headers);
  }

  async #put(request: Request, target: Target): Promise<Response> {
    const record = readRecordBody(await request.text());
    this.#checkEnabled(target.collection, 'put');
    const { answer, headers } = await this.#exchange(request, target, JSON.stringify(record));
    const last_modified = Math.round(Number(await jsonOf(answer)) * 1000);
    return jsonResponse(200, { data: { ...record, id: target.id, last_modified } }, headers);
  }

  async #delete(request: Request, target: Target): Promise<Response> {
    this.#checkEnabled(target.collection, 'delete');
    const { headers } = await this.#exchange(request, target);
    return new Response(null, { status: 204, headers });
  }

  /** Before the client is known: a write to a read-only collection is 405 without credentials. */
  #checkEnabled(collection: string, method: 'put' | 'delete'): void {
    if (!this.#options.enabled?.includes(`record_${collection}_${method}_enabled`))
      throw new SynctoError(405, 115, 'Endpoint disabled for this collection in configuration.');
  }

  async #batch(request: Request): Promise<Response> {
    const base = new URL(`${this.#options.baseUrl}/v1`);
    const requests = parseBatch(await request.text(), request.headers, base, this.#batchMax());
    const responses: object[] = [];
    let bytesLeft = BATCH_ANSWER_BYTES_MAX;
    for (const part of requests) {
      const answer = await this.#answerOrError(part.request, true);
      if (answer.status >= 500) return answer;
      const text = await textOf(answer, bytesLeft).catch((error: unknown) => {
        if (!(error instanceof RangeError)) throw bodyFault(error);
        throw badRequest('body', `Its answers are limited to ${BATCH_ANSWER_BYTES_MAX} bytes`);
      });
      bytesLeft -= Buffer.byteLength(text);
      responses.push({
        status: answer.status,
        path: part.path,
        headers: Object.fromEntries(answer.headers),
        body: text === '' ? {} : (JSON.parse(text) as unknown),
      });
    }
    return jsonResponse(200, { responses });
  }

  /**
   * The same method at the storage node, in the client's name: its answer, and the headers that
   * go back to the client. Errors: SynctoError, as the token server or the node decide.
   */
  async #exchange(
    request: Request,
    { bucket, collection, id }: Target,
    body?: string,
  ): Promise<{ answer: Response; headers: Record<string, string> }> {
    const { nowMs, random } = this.#options;
    const { access, alert } = await this.#credentials.accessFor(request, bucket);
    const path = [collection.toLowerCase(), ...(id === null ? [] : [id])].map(encodeURIComponent);
    const url = new URL(`${access.api_endpoint}/storage/${path.join('/')}`);
    if (id === null) url.search = listQuery(new URL(request.url).searchParams).toString();
    const { method } = request;
    const nonce = Buffer.from(random(6)).toString('base64url');
    const headers: HeaderValues = {
      ...preconditions(request.headers),
      'User-Agent': userAgent(request),
      Authorization: signHawk({ method, url }, access, nowMs(), nonce),
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    };
    const init = { method, headers, ...(body === undefined ? {} : { body }) };
    const answer = await this.#upstream(new Request(url, init));
    return { answer, headers: { ...alert, ...answerHeaders(answer.headers) } };
  }

  async #askToken(question: TokenAsk): Promise<TokenAnswer> {
    const answer = await this.#upstream(tokenRequest(this.#options.tokenUrl, question));
    return readTokenAnswer(await jsonOf(answer));
  }

  async #upstream(request: Request): Promise<Response> {
    const response = await this.#options.fetch(request).catch(() => {
      throw new SynctoError(503, 201, UNREACHABLE);
    });
    if (!response.ok) throw await fromUpstream(response);
    return response;
  }

  #batchMax(): number {
    return this.#options.batchMaxRequests ?? 25;
  }
}

function readTarget(path: readonly string[]): Target | null {
  const [, bucket, , collection, , id = null] = path;
  const isRecordPath = RECORD_PATH.every((word, index) => path[index * 2] === word);
  if (!isRecordPath || !bucket || !collection || path.length > 6) return null;
  return { bucket, collection, id };
}

/** Storage knows no HEAD: all that it would say is asked for. */
function asGet({ url, headers }: Request): Request {
  return new Request(url, { headers });
}

function withoutBody({ status, headers, body }: Response): Response {
  body?.cancel().catch(() => undefined);
  return new Response(null, { status, headers });
}

function notAllowed(): SynctoError {
  return new SynctoError(405, 115, 'Method not allowed on this endpoint.');
}

function preflight(): Response {
  const headers = {
    'Access-Control-Allow-Origin': '*',
    'Access-Control-Allow-Methods': 'GET, PUT, POST, DELETE, OPTIONS',
    'Access-Control-Allow-Headers':
      'Authorization, Content-Type, If-Match, If-None-Match, X-Client-State, X-KeyID',
  };
  return new Response(null, { status: 200, headers });
}

function userAgent(request: Request): string {
  return `Syncto/${VERSION} (on behalf of ${request.headers.get('user-agent') ?? 'nobody'})`;
}
