// Syncto: a gateway that lets a Kinto client read and write Sync 1.5 storage. It trades the
// client's assertion for Hawk credentials at the token server, translates each request and each
// answer (mapping.ts, listing.ts), and keeps nothing but those credentials for a while.
// Payloads stay sealed: it knows no keys. Its oddities are kept, because devices met them; where
// it answers otherwise, docs/servers.md says so and why.

import { signHawk } from '../hawk.ts';
import { type Handler, type HeaderValues, parseObject, textOf } from '../http.ts';
import {
  Credentials,
  readTokenAnswer,
  type TokenAnswer,
  type TokenAsk,
  tokenRequest,
} from './auth.ts';
import { type Asked, parseBatch } from './batch.ts';
import {
  badRequest,
  bodyFault,
  internalError,
  JSON_TYPE,
  SynctoError,
  UNREACHABLE,
} from './errors.ts';
import { kintoListing } from './listing.ts';
import {
  answerHeaders,
  fromUpstream,
  jsonOf,
  listQuery,
  pairsOf,
  preconditions,
  readRecordBody,
  stampMs,
  toKintoRecord,
} from './mapping.ts';
import type { SealedCache } from './sealed-cache.ts';
import { corsOf, pathOf, preflight, type Route, routeOf } from './services.ts';

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
const DOCS_URL = 'https://syncto.readthedocs.org/';
/** A batch is answered when all of it is known: writes always fit, lists may not. */
const BATCH_ANSWER_BYTES_MAX = 16_777_216;

/** The gateway, all of it under `/v1`. */
export function createSyncto(options: SynctoOptions): Handler {
  const gateway = new Gateway(options);
  return (request) => gateway.handle(request);
}

/** What a record URL names; null in place of an id for all of them. */
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
    this.#credentials = new Credentials({ cache, cacheSeconds, nowMs });
  }

  async handle(request: Request): Promise<Response> {
    const { pathname, search } = new URL(request.url);
    const prefix = this.#base.pathname.replace(/\/$/, '');
    const { method, headers } = request;
    const text = (): Promise<string> => request.text();
    const asked = { method, target: pathname.slice(prefix.length) + search, headers, text };
    const route = routeOf(asked.target);
    const answer = await this.#answerOf(asked, route).catch((error: unknown) =>
      this.#errorOf(error),
    );
    const service = route.to === 'service' ? route.service : null;
    for (const [name, value] of Object.entries(corsOf(service, method, headers.get('origin'))))
      answer.headers.set(name, value);
    return method === 'HEAD' ? withoutBody(answer) : answer;
  }

  #errorOf(error: unknown): Response {
    if (!(error instanceof SynctoError)) throw error;
    return error.toResponse(this.#options.retryAfterSeconds ?? 30);
  }

  async #answerOf(asked: Asked, route: Route): Promise<Response> {
    if (route.to === 'redirect') return this.#redirect(route.target);
    if (route.to === 'nothing') throw notFound(route.errno);
    const { service, names } = route;
    const { method } = asked;
    if (!service.methods.includes(method))
      throw notAllowed('Method not allowed on this endpoint.', service.methods);
    if (method === 'OPTIONS') return preflight(service, asked.headers);
    if (service.name === 'hello') return this.#hello();
    if (service.name === 'heartbeat') return this.#heartbeat();
    if (service.name === 'batch') return this.#batch(asked);
    if (service.name === 'records') return this.#list(asked, { ...names, id: null });
    if (method === 'PUT') return this.#put(asked, names);
    if (method === 'DELETE') return this.#delete(asked, names);
    return this.#get(asked, names);
  }

  #redirect(target: string): Response {
    const moved = `The resource has been moved to ${target}`;
    const text = `307 Temporary Redirect\n\n${moved}; you should be redirected automatically.\n\n`;
    const headers = {
      Location: this.#urlOf(target).href,
      'Content-Type': 'text/plain; charset=UTF-8',
    };
    return new Response(text, { status: 307, headers });
  }

  #hello(): Response {
    const maxRequests = this.#batchMax();
    return json(200, {
      project_name: 'syncto',
      project_version: VERSION,
      http_api_version: '1.5',
      project_docs: DOCS_URL,
      cliquet_protocol_version: '2',
      url: `${this.#options.baseUrl}/v1/`,
      settings: {
        batch_max_requests: maxRequests,
        'cliquet.batch_max_requests': maxRequests,
        readonly: false,
      },
      capabilities: {},
    });
  }

  async #heartbeat(): Promise<Response> {
    const request = new Request(`${this.#options.tokenUrl}/__heartbeat__`);
    const { status } = await this.#ask(request);
    const isUp = status < 400;
    return json(isUp ? 200 : 503, { cache: true, sync: isUp });
  }

  async #list(asked: Asked, target: Target): Promise<Response> {
    const pairs = pairsOf(this.#urlOf(asked.target));
    const { answer, alert } = await this.#exchange(asked, target, () => listQuery(pairs));
    const list = await kintoListing(answer);
    const headers = this.#headersOf(answer, asked, alert);
    if (pairs.some(([name]) => name === '_limit')) delete headers['Total-Records'];
    headers['Content-Type'] = JSON_TYPE;
    return new Response(list, { status: 200, headers });
  }

  async #get(asked: Asked, target: Target): Promise<Response> {
    const { answer, alert } = await this.#exchange(asked, target);
    const data = toKintoRecord(await jsonOf(answer));
    return json(200, { data }, this.#headersOf(answer, asked, alert));
  }

  async #put(asked: Asked, target: Target): Promise<Response> {
    const type = asked.headers.get('content-type');
    const record = readRecordBody(await asked.text(), type, pairsOf(this.#urlOf(asked.target)));
    this.#checkEnabled(target.collection, 'put');
    preconditions(asked.headers);
    const body = JSON.stringify(record);
    const { answer, alert } = await this.#exchange(asked, target, undefined, body);
    const last_modified = stampMs(await jsonOf(answer));
    const data = { ...record, id: target.id, last_modified };
    return json(200, { data }, this.#headersOf(answer, asked, alert));
  }

  async #delete(asked: Asked, target: Target): Promise<Response> {
    this.#checkEnabled(target.collection, 'delete');
    preconditions(asked.headers);
    const { answer, alert } = await this.#exchange(asked, target);
    await jsonOf(answer);
    return new Response(null, { status: 204, headers: alert });
  }

  /** Before the client is known: a write to a read-only collection is 405 without credentials. */
  #checkEnabled(collection: string, method: 'put' | 'delete'): void {
    if (!this.#options.enabled?.includes(`record_${collection}_${method}_enabled`))
      throw notAllowed('Endpoint disabled for this collection in configuration.');
  }

  async #batch(asked: Asked): Promise<Response> {
    const parts = await parseBatch(asked, this.#batchMax());
    const responses: object[] = [];
    let bytesLeft = BATCH_ANSWER_BYTES_MAX;
    for (const part of parts) {
      const { answer, path } = await this.#partAnswer(part);
      const text = await textOf(answer, bytesLeft).catch((error: unknown) => {
        if (!(error instanceof RangeError)) throw bodyFault(error);
        const description = `Its answers are limited to ${BATCH_ANSWER_BYTES_MAX} bytes`;
        throw badRequest({ location: 'body', name: 'requests', description });
      });
      bytesLeft -= Buffer.byteLength(text);
      responses.push({
        status: answer.status,
        path,
        headers: writtenHeaders(answer.headers),
        body: part.method === 'HEAD' || text === '' ? '' : (parseObject(text) ?? text),
      });
    }
    return json(200, { responses });
  }

  /**
   * A part's answer, and the path that gave it: a redirect is followed. Errors: SynctoError of the
   * 500s, which end the batch.
   */
  async #partAnswer(part: Asked): Promise<{ answer: Response; path: string }> {
    const path = pathOf(part.target);
    const first = routeOf(part.target);
    const asked = first.to === 'redirect' ? { ...part, target: first.target } : part;
    const route = first.to === 'redirect' ? routeOf(asked.target) : first;
    // In a batch its framework does not say why.
    if (route.to === 'nothing') return { answer: this.#errorOf(bare(404)), path };
    if (route.to === 'service' && !route.service.methods.includes(part.method))
      return { answer: this.#errorOf(bare(405, route.service.methods)), path };
    try {
      return { answer: await this.#answerOf(asked, route), path: pathOf(asked.target) };
    } catch (error) {
      if (!(error instanceof SynctoError) || error.status >= 500) throw error;
      return { answer: this.#errorOf(error), path };
    }
  }

  /**
   * The same method at the storage node, in the client's name: its answer, and a notice for the
   * client. Errors: SynctoError, as the token server or the node decide.
   */
  async #exchange(
    asked: Asked,
    { bucket, collection, id }: Target,
    query?: () => URLSearchParams,
    body?: string,
  ): Promise<{ answer: Response; alert: HeaderValues }> {
    const { nowMs, random } = this.#options;
    const { access, alert } = await this.#credentials.accessFor(asked.headers, bucket, (question) =>
      this.#askToken(question, asked),
    );
    const path = [collection.toLowerCase(), ...(id === null ? [] : [id])].map(encodeURIComponent);
    const url = new URL(`${access.api_endpoint}/storage/${path.join('/')}`);
    const conditions = preconditions(asked.headers);
    if (query !== undefined) url.search = query().toString();
    const method = asked.method === 'HEAD' ? 'GET' : asked.method;
    const nonce = Buffer.from(random(6)).toString('base64url');
    const headers: HeaderValues = {
      ...conditions,
      'User-Agent': userAgent(asked.headers),
      Authorization: signHawk({ method, url }, access, nowMs(), nonce),
      ...(body === undefined ? {} : { 'Content-Type': 'application/json; charset=utf-8' }),
    };
    const init = { method, headers, ...(body === undefined ? {} : { body }) };
    const answer = await this.#ask(new Request(url, init));
    if (!answer.ok) throw await fromUpstream(answer, this.#urlOf(asked.target));
    return { answer, alert };
  }

  /** What goes back to the client of the headers of a success. */
  #headersOf(answer: Response, asked: Asked, alert: HeaderValues): Record<string, string> {
    return { ...alert, ...answerHeaders(answer.headers, this.#urlOf(asked.target)) };
  }

  async #askToken(question: TokenAsk, asked: Asked): Promise<TokenAnswer> {
    const request = tokenRequest(this.#options.tokenUrl, question);
    const response = await this.#ask(request);
    // Nobody asked whether something is new.
    if (response.status === 304) throw internalError();
    if (!response.ok) throw await fromUpstream(response, this.#urlOf(asked.target));
    return readTokenAnswer(await jsonOf(response));
  }

  async #ask(request: Request): Promise<Response> {
    return this.#options.fetch(request).catch(() => {
      throw new SynctoError(503, 201, UNREACHABLE);
    });
  }

  #urlOf(target: string): URL {
    return new URL(this.#options.baseUrl.replace(/\/$/, '') + target);
  }

  #batchMax(): number {
    return this.#options.batchMaxRequests ?? 25;
  }
}

function json(status: number, value: unknown, headers: HeaderValues = {}): Response {
  return new Response(JSON.stringify(value), {
    status,
    headers: { 'Content-Type': JSON_TYPE, ...headers },
  });
}

/** In a batch names are as Syncto writes them; `Headers` has them in lower case. */
function writtenHeaders(headers: Headers): Record<string, string> {
  const pairs = [...headers].map(([name, value]) => [WRITTEN.get(name) ?? titled(name), value]);
  return Object.fromEntries(pairs);
}

const WRITTEN: ReadonlyMap<string, string> = new Map([
  ['etag', 'ETag'],
  ['www-authenticate', 'WWW-Authenticate'],
]);

function titled(name: string): string {
  return name.replace(/(^|-)[a-z]/g, (first) => first.toUpperCase());
}

function withoutBody({ status, headers, body }: Response): Response {
  body?.cancel().catch(() => undefined);
  return new Response(null, { status, headers });
}

function notFound(errno: 111 | 116): SynctoError {
  return new SynctoError(404, errno, NOT_FOUND[errno]);
}

const NOT_FOUND = {
  111: 'The resource you are looking for could not be found.',
  116: 'The requested protocol version is not available on this server.',
};

function bare(status: number, methods?: readonly string[]): SynctoError {
  const headers = methods === undefined ? {} : { Allow: methods.join(', ') };
  return new SynctoError(status, 999, '', { headers });
}

function notAllowed(message: string, methods?: readonly string[]): SynctoError {
  const headers = methods === undefined ? {} : { Allow: methods.join(', ') };
  return new SynctoError(405, 115, message, { headers });
}

function userAgent(headers: Headers): string {
  const client = headers.get('user-agent');
  return client ? `Syncto/${VERSION} (on behalf of ${client})` : `Syncto/${VERSION}`;
}
